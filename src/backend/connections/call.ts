/** One command under way: what it is, until when, and the promise its caller waits for. */

import type { CommandArgument } from './client.ts';

/** A command of Redis as an operation of the backend uses it. */
export interface CommandSpec<Reply = unknown> {
  /** The backend's call, for messages: 'getMany'. */
  readonly operation: string;
  /** The server's command, in lower case as ioredis expects it: 'mget'. */
  readonly name: string;
  /** True if repeating the command could change something twice. */
  readonly isWrite: boolean;
  /** Throws for a reply that this command cannot have. */
  readonly decode: (reply: unknown) => Reply;
}

export interface CallLimits {
  /** As the caller gave it, for messages. */
  readonly timeoutMs: number;
  /** On the monotonic clock: when the call must have ended. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
}

export class Call<Reply = unknown> {
  readonly promise: Promise<Reply>;
  resolve!: (reply: Reply) => void;
  reject!: (error: unknown) => void;

  wasSent = false;
  /** The connection's count of replies when the call was sent; see `connection.ts` on silence. */
  heardWhenSent = 0;
  onAbort: (() => void) | undefined = undefined;

  constructor(
    readonly spec: CommandSpec<Reply>,
    readonly args: readonly CommandArgument[],
    readonly limits: CallLimits,
  ) {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}
