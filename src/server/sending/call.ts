/** One command in flight: what it is, until when, and the promise its caller waits for. */

import type { CommandArgument } from '../link/client.ts';
import type { Signs } from '../link/signs-of-life.ts';
import type { ReplyCheck } from './reply-shape.ts';

/** A command of Redis as an operation of the backend uses it. */
export interface CommandSpec<Reply = unknown> {
  /** The backend's call, for messages: 'getMany'. */
  readonly operation: string;
  /** The server's command, in lower case as ioredis expects it: 'mget'. */
  readonly name: string;
  /** True if repeating the command could change something twice. */
  readonly isWrite: boolean;
  /** True if a group's replica may answer, where the node's `reads` say so. Default false. */
  readonly mayReadReplica?: boolean | undefined;
  /** Throws for a reply of a form that this command cannot have: the end of the connection. Default: any form may be right. */
  readonly check?: ReplyCheck | undefined;
  /** Makes the caller's result of a reply that has passed the check. If it throws, only this call fails. */
  readonly decode: (reply: unknown) => Reply;
  /** What the command may change. This decides past which other calls it may be delayed. Default: anything. */
  readonly changes?: Changes | undefined;
  /**
   * True for a GET of one key, the only argument: several that wait for the server may travel as one MGET. `decode` is
   * given the key's value as a Buffer, or null, just as if GET itself had been sent, and the outcome is GET's in all else
   * too.
   */
  readonly coalesces?: boolean | undefined;
  /**
   * True for a call that asks for a sign of life. A refusal is one, unless it is what the server would say to any call; so are
   * bytes that move on the connection while the call waits, where other calls' replies are so long that its own is late.
   */
  readonly isSignOfLife?: boolean | undefined;
  /** The error that the caller gets for an error reply, given the client's error. Default: a typed error. */
  readonly refusal?: ((error: Error) => Error) | undefined;
}

/** The keys whose values a command may change. A function finds them among the command's arguments. */
export type Changes =
  | 'nothing'
  | 'first key'
  | 'anything'
  | ((args: readonly CommandArgument[]) => readonly CommandArgument[]);

/** A class and no literal; see `runtime/array-of.ts`. */
export class CallLimits {
  /**
   * @param timeoutMs   As the caller gave it, for messages.
   * @param deadlineMs  On the monotonic clock: when the call must have ended.
   * @param longestMs   Its time as long as the server goes on answering. Undefined: `timeoutMs`.
   */
  constructor(
    readonly timeoutMs: number,
    readonly deadlineMs: number,
    readonly signal: AbortSignal | undefined,
    readonly longestMs?: number,
  ) {}
}

/** Hears how calls end, before their callers do: for who would need another promise to see it. */
export interface CallObserver {
  answered(spec: CommandSpec, limits: CallLimits): void;
  /** Of a refusal by the server too. */
  failed(spec: CommandSpec, limits: CallLimits, error: unknown): void;
}

/** Calls that go out in one write. */
export class Departure {
  /** When they were written, on the monotonic clock; Infinity: not yet. */
  atMs = Number.POSITIVE_INFINITY;
}

export class Call<Reply = unknown> {
  readonly promise: Promise<Reply>;
  #resolve!: (reply: Reply) => void;
  #reject!: (error: unknown) => void;

  /** From its acceptance until it has been answered, in whichever way. */
  isOpen = false;
  wasSent = false;
  /** With what it was last sent. */
  departure: Departure | undefined = undefined;
  /** For a call that asks for a sign of life: those seen when it began. */
  signsWhenBegun: Signs | undefined = undefined;
  onAbort: (() => void) | undefined = undefined;
  /** Its neighbours in a `CallList`. */
  previous: Call | undefined = undefined;
  next: Call | undefined = undefined;

  constructor(
    readonly spec: CommandSpec<Reply>,
    readonly args: readonly CommandArgument[],
    readonly limits: CallLimits,
    readonly observer?: CallObserver,
  ) {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  resolve(reply: Reply): void {
    this.observer?.answered(this.spec, this.limits);
    this.#resolve(reply);
  }

  reject(error: unknown): void {
    this.observer?.failed(this.spec, this.limits, error);
    this.#reject(error);
  }
}
