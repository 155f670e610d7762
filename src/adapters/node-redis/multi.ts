/**
 * `multi()` of the node-redis facade: commands are kept as they are written, and sent by `exec()`.
 *
 * Replies come as node-redis gives them: an array in the order written, without ioredis' `[error, reply]` pairs.
 */

import { checkedWords, type Words } from './arguments.ts';
import { type ArgumentsOf, type NodeRedisCommandName, nodeRedisCommands, type ReplyOf } from './commands.ts';
import { type Read, raw } from './replies.ts';

/** The part of an ioredis pipeline or transaction that is used here. */
export interface IoredisChain {
  call(command: string, args: (string | Buffer | number)[]): unknown;
  exec(): Promise<[error: Error | null, reply: unknown][] | null>;
}

/** A command of a transaction failed; the others were executed anyway, and their replies are in `replies`. */
export class MultiErrorReply extends Error {
  static {
    this.prototype.name = 'MultiErrorReply';
  }

  /**
   * @param replies       One per command, in the order written; the server's error where there was one.
   * @param errorIndexes  Where in `replies` the errors are.
   */
  constructor(
    readonly replies: readonly unknown[],
    readonly errorIndexes: readonly number[],
  ) {
    super(`${errorIndexes.length} commands failed, see .replies and .errorIndexes for more information`);
  }

  *errors(): Generator<unknown> {
    for (const index of this.errorIndexes) yield this.replies[index];
  }
}

/** A watched key was changed by another client, so the transaction was not executed. */
export class WatchError extends Error {
  static {
    this.prototype.name = 'WatchError';
  }

  constructor() {
    super('One (or more) of the watched keys has been changed');
  }
}

interface QueuedCommand {
  readonly words: Words;
  readonly read: Read<unknown>;
}

/** Commands for one `exec()`. `Replies` grows with each command, so that `exec()` is typed. */
export type NodeRedisMulti<Replies extends readonly unknown[] = []> = {
  [Name in NodeRedisCommandName]: (...args: ArgumentsOf<Name>) => NodeRedisMulti<[...Replies, ReplyOf<Name>]>;
} & {
  /** A command as words. Its reply has the shape that ioredis gives it. */
  addCommand(words: Words): NodeRedisMulti<[...Replies, unknown]>;
  /**
   * Sends the commands as one transaction, or with `true` as a plain pipeline, whose keys may live on several nodes.
   * @throws {MultiErrorReply}  Commands of the transaction failed. (Of a pipeline, the first error is thrown itself.)
   * @throws {CrossNodeError}   The keys of the transaction live on several nodes; nothing was sent.
   */
  exec(execAsPipeline?: boolean): Promise<Replies>;
  /** `exec(true)`. */
  execAsPipeline(): Promise<Replies>;
};

class Multi {
  readonly #open: (asPipeline: boolean) => IoredisChain;
  readonly #queue: QueuedCommand[] = [];

  constructor(open: (asPipeline: boolean) => IoredisChain) {
    this.#open = open;
  }

  add(words: Words, read: Read<unknown>): this {
    this.#queue.push({ words: checkedWords(words), read });
    return this;
  }

  addCommand(words: Words): this {
    return this.add(words, raw);
  }

  async exec(execAsPipeline = false): Promise<unknown[]> {
    const queue = this.#queue.splice(0);
    if (queue.length === 0) return [];
    const chain = this.#open(execAsPipeline);
    for (const { words } of queue) chain.call(String(words[0]).toLowerCase(), words.slice(1));
    const results = await chain.exec();
    if (results === null) throw new WatchError();
    const failure = results.find(([error]) => error !== null && error !== undefined);
    if (failure !== undefined && execAsPipeline) throw failure[0];
    const replies = results.map(([error, reply], index) => error ?? queue[index]?.read(reply));
    if (failure === undefined) return replies;
    throw new MultiErrorReply(
      replies,
      results.flatMap(([error], index) => (error ? [index] : [])),
    );
  }

  execAsPipeline(): Promise<unknown[]> {
    return this.exec(true);
  }
}

for (const [name, { write, read }] of Object.entries(nodeRedisCommands)) {
  Object.defineProperty(Multi.prototype, name, {
    value(this: Multi, ...args: never[]) {
      return this.add((write as (...args: never[]) => Words)(...args), read);
    },
    writable: true,
    configurable: true,
  });
}

/** @param open  A new transaction or pipeline of the client. */
export function makeMulti(open: (asPipeline: boolean) => IoredisChain): NodeRedisMulti {
  return new Multi(open) as unknown as NodeRedisMulti;
}
