/**
 * Many commands with one call: kept until `exec`, then sent to their nodes all at once, and answered in the order written.
 *
 * Each node gets its own commands in one write. A command that fails fails alone, with its node's error; the others keep
 * their replies. That is no transaction: see `transaction.ts` for one.
 */

import { CommandRefusedError } from '../errors/index.ts';
import { expectIterable } from '../runtime/validate.ts';
import {
  addCommandMethods,
  asCommand,
  type Callback,
  type CommandOwner,
  type ReplyEncoding,
  takeCallback,
  tellCallback,
} from './commander.ts';
import type { Script } from './script.ts';

/** For each command its error or null, and its reply. */
export type PipelineResults = [error: Error | null, reply: unknown][];

export interface QueuedCommand {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly encoding: ReplyEncoding;
  /** Absent for a plain command; `args` are then the script's. */
  readonly script: Script | undefined;
  readonly callback: Callback | undefined;
}

/** Told as the server takes a command into a transaction, or does not. Where it runs on several nodes, by each of them. */
export type OnQueued = (index: number, error: Error | null) => void;

/** The receiver of a pipeline's commands. */
export interface PipelineExecutor {
  readonly scripts: ReadonlyMap<string, Script>;
  execute(command: QueuedCommand): Promise<unknown>;
  executeTransaction(commands: readonly QueuedCommand[], onQueued: OnQueued): Promise<PipelineResults | null>;
}

export abstract class CommandCollector implements CommandOwner {
  readonly isPipeline = true;
  protected readonly executor: PipelineExecutor;
  protected readonly queue: QueuedCommand[] = [];

  constructor(executor: PipelineExecutor, commands: readonly (readonly unknown[])[] | undefined) {
    this.executor = executor;
    for (const [name, script] of executor.scripts) this.#addScriptMethods(name, script);
    for (const command of expectIterable('commands', commands ?? [])) {
      const [name, ...args] = expectIterable('commands', command);
      // As in ioredis: the name of any method, scripts among them; but not of those that every object has.
      const method = (this as unknown as Record<string, unknown>)[String(name)];
      if (typeof method === 'function' && !(String(name) in Object.prototype)) method.apply(this, args);
      else this.runCommand(String(name), args, 'utf8');
    }
  }

  /** Commands kept so far. */
  get length(): number {
    return this.queue.length;
  }

  runCommand(name: string, args: unknown[], encoding: ReplyEncoding): unknown {
    const callback = takeCallback(args);
    this.queue.push({ name: name.toLowerCase(), args, encoding, script: undefined, callback });
    return this;
  }

  #addScriptMethods(name: string, script: Script): void {
    const methodOf = (encoding: ReplyEncoding) =>
      asCommand((...args: unknown[]) => {
        const callback = takeCallback(args);
        this.queue.push({ name, args, encoding, script, callback });
        return this;
      });
    Object.assign(this, { [name]: methodOf('utf8'), [`${name}Buffer`]: methodOf(null) });
  }
}

export class ShardedPipeline extends CommandCollector {
  #results: Promise<PipelineResults> | undefined;

  /** Sends the commands. Never rejects: failures stand in the results. A second call gives the same results. */
  exec(callback?: Callback): Promise<PipelineResults> {
    this.#results ??= this.#execute();
    return tellCallback(this.#results, callback);
  }

  /**
   * A transaction would have a connection of its own, and so no place in the order of a pipeline.
   * @throws {CommandRefusedError} Always, and at once: the commands after it would be done one by one.
   */
  multi(): never {
    throw new CommandRefusedError(
      'multi',
      'a pipeline is no transaction and cannot contain one; begin it with redis.multi()',
    );
  }

  /** @deprecated As in ioredis: the same as {@link exec}. */
  execBuffer(callback?: Callback): Promise<PipelineResults> {
    return this.exec(callback);
  }

  #execute(): Promise<PipelineResults> {
    return Promise.all(
      this.queue.map((command) =>
        tellCallback(this.executor.execute(command), command.callback).then(
          (reply): [null, unknown] => [null, reply],
          // As in ioredis: no second element beside an error.
          (error: Error) => [error] as unknown as [Error, unknown],
        ),
      ),
    );
  }
}

addCommandMethods(ShardedPipeline.prototype);
