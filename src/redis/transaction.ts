/**
 * MULTI and EXEC on the one node that holds all keys.
 *
 * A transaction has a connection of its own while it runs, so that nothing of other callers comes between. One whose keys
 * live on several nodes is rejected before anything is sent: no two servers can be made to commit together.
 */

import type { Redis } from 'ioredis';
import { CommandRefusedError } from '../errors/index.ts';
import { ownBytesWithin } from '../runtime/own-bytes.ts';
import { type CommandArgument, checkArray, cleanError, isReplyError, type UseTime } from '../server/index.ts';
import { addCommandMethods, type Callback, type ReplyEncoding, tellCallback } from './commander.ts';
import { isReadOnly } from './commands/command-table.ts';
import type { RedisNode } from './node.ts';
import { CommandCollector, type OnQueued, type PipelineResults } from './pipeline.ts';

export class ShardedTransaction extends CommandCollector {
  #results: Promise<PipelineResults | null> | undefined;

  /**
   * Executes the commands, or rejects: with `ERR_CROSS_NODE`, with the server's EXECABORT (whose `previousErrors` say which
   * commands it did not take), or because the node failed. The results are those of EXEC, in order.
   */
  exec(callback?: Callback): Promise<PipelineResults | null> {
    this.#results ??= this.#execute();
    return tellCallback(this.#results, callback);
  }

  /** Each command's own callback hears once whether the server took it, or why nothing was done. */
  #execute(): Promise<PipelineResults | null> {
    const untold = new Map(this.queue.map(({ callback }, index) => [index, callback]));
    const tell: OnQueued = (index, error) => {
      const callback = untold.get(index);
      untold.delete(index);
      // Through a promise, so that what a callback throws disturbs nothing here.
      const outcome = error === null ? Promise.resolve('QUEUED') : Promise.reject(error);
      tellCallback(outcome, callback).catch(() => undefined);
    };
    const results = this.executor.executeTransaction(this.queue, tell);
    results.catch((error: Error) => {
      for (const index of [...untold.keys()]) tell(index, error);
    });
    return results;
  }

  /** @deprecated As in ioredis: the same as {@link exec}. */
  execBuffer(callback?: Callback): Promise<PipelineResults | null> {
    return this.exec(callback);
  }

  /** Drops the commands. `exec` then rejects. */
  discard(): this {
    this.#results = Promise.reject(new CommandRefusedError('exec', 'the transaction was discarded'));
    this.#results.catch(() => undefined);
    return this;
  }
}

addCommandMethods(ShardedTransaction.prototype);

/** A command of a transaction, ready to be sent. */
export interface TransactionCommand {
  readonly name: string;
  readonly args: readonly CommandArgument[];
  readonly encoding: ReplyEncoding;
}

/** Runs the commands as one transaction at one node. Replies are decoded as ioredis does it. */
export async function transactAt(
  node: RedisNode,
  commands: readonly TransactionCommand[],
  time: UseTime,
  onQueued: OnQueued,
): Promise<PipelineResults | null> {
  const isWrite = commands.some(({ name, args }) => !isReadOnly(name, args));
  const outcome = await node.server.lend(
    async (client: Redis) => {
      const transaction = client.multi();
      for (const [index, { name, args, encoding }] of commands.entries()) {
        const tell = (error?: Error | null) => onQueued(index, error ?? null);
        // In an array, as there may be more of them than a function takes.
        if (encoding === null) transaction.callBuffer(name, args as string[], tell);
        else transaction.call(name, args as string[], tell);
      }
      try {
        return { results: checkedResults(await transaction.exec(), commands) };
      } catch (error) {
        // The server's own refusal is the caller's answer, and leaves the connection clean.
        if (isReplyError(error)) return { refusal: cleanError(error) };
        throw error;
      }
    },
    { ...time, operation: 'multi', isWrite },
  );
  if ('refusal' in outcome) {
    node.server.noteRefusal(outcome.refusal);
    throw outcome.refusal;
  }
  return outcome.results;
}

/** EXEC gives one reply for each command, and an error for one that was rejected. Null would mean a WATCH, which is not used here. */
function checkedResults(results: PipelineResults | null, commands: readonly TransactionCommand[]): PipelineResults {
  checkArray(results, commands.length);
  for (const [index, result] of results.entries()) {
    if (result[0]) cleanError(result[0]);
    else if (commands[index]!.encoding === null) result[1] = ownBytesWithin(result[1]);
  }
  return results;
}
