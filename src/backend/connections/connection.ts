/**
 * The calls of one backend on its shared connection: sending, deadlines, aborts, and what becomes of them when the
 * connection is lost.
 *
 * Every call ends by its deadline, whatever ioredis does: its promises can stay open for ever, so they are not used. A call
 * is never sent twice. One timer, set for the earliest deadline, serves all calls.
 */

import { TimeoutError, UnknownOutcomeError } from '../../errors/index.ts';
import { offAbort, onAbort } from '../../runtime/abort.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Call, type CallLimits, type CommandSpec } from './call.ts';
import { CallList } from './call-list.ts';
import { type Client, type ClientCommand, type CommandArgument, commandClassOf } from './client.ts';
import { errorOf, type Failure, failureOf, isDoubtful } from './failure.ts';
import { type GroupWatch, Link } from './link.ts';
import { Outbox } from './outbox.ts';
import { dropFromResending } from './resend-guard.ts';

export interface ConnectionOptions {
  /** The node's name in errors, which may change while the backend is young. */
  readonly node: () => string;
  readonly isOwn: boolean;
  readonly clock: Clock;
  readonly handshakeTimeoutMs: number;
  /** Whether calls that come while others are under way go out together; see `outbox.ts`. */
  readonly batching: boolean;
  /** Told of every call that failed by an error of ours, for those who do not look at each call. */
  readonly onFailure?: ((error: Error) => void) | undefined;
  /** Of own clients, where the node is a group of servers. */
  readonly groupWatch?: GroupWatch | undefined;
}

/**
 * A connection on which calls ran out of time and nothing at all came back for this long, in milliseconds, is taken for
 * dead and made anew. Without this a peer that vanished without a word holds it until the kernel gives up, after many
 * minutes. Several times a usual timeout, because one slow command keeps a healthy server silent too.
 */
const silenceLimitMs = 3_000;

/** A timer that comes so much too late says that this process was held up. Milliseconds; timers are coarse to 1 or 2. */
const stallMs = 10;

const silence: Failure = {
  kind: 'connection',
  cause: new Error(`No reply on this connection for ${silenceLimitMs / 1_000} s; treating it as dead.`),
};

export class Connection {
  readonly #options: ConnectionOptions;
  /** Every call that has not ended, in the order of their coming; those that wait for the connection among them. */
  readonly #calls = new CallList();
  readonly #commands = new WeakSet<ClientCommand>();

  #link: Link | undefined;
  #outbox: Outbox | undefined;
  /** Makes the error for a connection that cannot be, as there is no client. */
  #noClient: (() => Error) | undefined;

  #sweepAtMs = Number.POSITIVE_INFINITY;
  /** The count of replies at the last timer that came late, or -1. */
  #heardWhenLate = -1;
  #cancelSweep: () => void = () => undefined;
  /** Since when nothing has been heard, as far as calls that ran out of time tell: valid while `heard` is the outbox's. */
  #silence = { heard: -1, sinceMs: 0 };
  #onIdle: (() => void) | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Gives the client, which may come later than the first calls. */
  attach(client: Client): void {
    const { isOwn, batching } = this.#options;
    this.#outbox = new Outbox(
      client,
      commandClassOf(client)!,
      { isBatching: batching, isOwn },
      {
        onReply: (call, reply) => this.#onReply(call, reply),
        onError: (call, error) => this.#onError(call, error),
        onMisfit: (call, cause) => this.#fail(this.#end(call), { kind: 'protocol', cause }),
        onSending: isOwn ? undefined : (command) => this.#commands.add(command),
      },
    );
    this.#link = new Link(
      client,
      {
        onUp: () => this.#sendWaiting(),
        onLost: (failure) => {
          this.#outbox!.drop();
          if (!isOwn) dropFromResending(client, (command) => this.#commands.has(command));
          this.#failAll(failure, (call) => call.wasSent);
        },
        onUnreachable: (failure) => this.#failAll(failure, (call) => !call.wasSent),
      },
      this.#options,
    );
    if (this.#link.isUp) this.#sendWaiting();
    else if (this.#calls.size > 0) this.#link.connect();
  }

  /** True if a call now would be sent at once. */
  get isUp(): boolean {
    return this.#link?.isUp ?? false;
  }

  /** True if no call is under way. */
  get isIdle(): boolean {
    return this.#calls.size === 0;
  }

  /** Starts to connect, if nobody has asked for it yet. */
  connect(): void {
    this.#link?.connect();
  }

  /** Says that no client will come, and why. */
  attachNone(makeError: () => Error): void {
    this.#noClient = makeError;
    for (const call of this.#calls) this.#end(call)?.reject(makeError());
  }

  call<Reply>(spec: CommandSpec<Reply>, args: readonly CommandArgument[], limits: CallLimits): Promise<Reply> {
    const { signal } = limits;
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (!(limits.timeoutMs > 0))
      return Promise.reject(new TimeoutError(this.#options.node(), spec.operation, limits.timeoutMs));
    const call = new Call(spec, args, limits);
    if (this.#link?.isUp) {
      const isIdle = this.#calls.size === 0;
      this.#begin(call as Call);
      this.#outbox!.post(call as Call, isIdle);
    } else {
      this.#wait(call as Call);
    }
    return call.promise;
  }

  /** The typed error for a refusal that came inside another command's reply. */
  errorOf({ operation, isWrite }: CommandSpec, refusal: unknown): Error {
    return errorOf(failureOf(refusal), { node: this.#options.node(), operation, isWrite, wasSent: true });
  }

  /** Resolves once no call is under way. They end by their deadlines. */
  idle(): Promise<void> {
    if (this.#calls.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  end(): void {
    this.#cancelSweep();
    this.#link?.end();
  }

  #begin(call: Call): void {
    call.isOpen = true;
    this.#calls.add(call);
    const { signal, deadlineMs } = call.limits;
    if (signal !== undefined) {
      call.onAbort = () => this.#end(call)?.reject(signal.reason);
      onAbort(signal, call.onAbort);
    }
    if (deadlineMs < this.#sweepAtMs) this.#scheduleSweep(deadlineMs);
  }

  /** @returns The call, or undefined if it has ended before. */
  #end(call: Call): Call | undefined {
    if (!call.isOpen) return undefined;
    call.isOpen = false;
    this.#calls.delete(call);
    if (call.onAbort !== undefined) offAbort(call.limits.signal!, call.onAbort);
    if (this.#calls.size === 0) this.#onIdle?.();
    return call;
  }

  #wait(call: Call): void {
    const outage = this.#link?.outage;
    if (this.#noClient !== undefined) {
      call.reject(this.#noClient());
    } else if (outage !== undefined) {
      this.#fail(call, outage);
    } else {
      this.#begin(call);
      this.#link?.connect();
    }
  }

  #sendWaiting(): void {
    this.#outbox!.begin([...this.#calls].filter((call) => !call.wasSent));
  }

  #onError(call: Call, error: Error): void {
    const failure = failureOf(error);
    const { refusal } = call.spec;
    if (failure.kind === 'reply') this.#link?.onRefusal(failure);
    if (failure.kind === 'reply' && refusal !== undefined) this.#end(call)?.reject(refusal(error));
    else this.#fail(this.#end(call), failure);
  }

  #onReply(call: Call, reply: unknown): void {
    if (this.#end(call) === undefined) return; // It came too late.
    try {
      call.resolve(call.spec.decode(reply));
    } catch (cause) {
      this.#fail(call, { kind: 'protocol', cause: cause as Error });
    }
  }

  #failAll(failure: Failure, isMeant: (call: Call) => boolean): void {
    for (const call of this.#calls) {
      if (isMeant(call)) this.#fail(this.#end(call), failure);
    }
  }

  /** @param call  Undefined if it has ended before. */
  #fail(call: Call | undefined, failure: Failure): void {
    if (call === undefined) return;
    const { operation, isWrite } = call.spec;
    this.#reject(call, errorOf(failure, { node: this.#options.node(), operation, isWrite, wasSent: call.wasSent }));
  }

  #reject(call: Call, error: Error): void {
    this.#options.onFailure?.(error);
    call.reject(error);
  }

  #scheduleSweep(atMs: number): void {
    this.#cancelSweep();
    this.#sweepAtMs = atMs;
    const delayMs = Math.max(1, Math.ceil(atMs - this.#options.clock.nowMs()));
    this.#cancelSweep = this.#options.clock.schedule(delayMs, () => this.#onSweepTime(), true);
  }

  /**
   * The time for which this process itself was held up does not count: the server may have answered long ago, and nobody has
   * looked. So a timer that comes late is set again for as much later; once more after that only if replies came meanwhile.
   */
  #onSweepTime(): void {
    const nowMs = this.#options.clock.nowMs();
    const latenessMs = nowMs - this.#sweepAtMs;
    const heard = this.#outbox?.heard ?? 0;
    if (latenessMs < stallMs || heard === this.#heardWhenLate) {
      this.#heardWhenLate = -1;
      this.#sweep();
    } else {
      this.#heardWhenLate = heard;
      this.#scheduleSweep(nowMs + latenessMs);
    }
  }

  /** Ends the calls whose time is up and sets the timer for the next one. */
  #sweep(): void {
    const nowMs = this.#options.clock.nowMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const call of this.#calls) {
      if (call.limits.deadlineMs > nowMs) nextMs = Math.min(nextMs, call.limits.deadlineMs);
      else this.#expire(call, nowMs);
    }
    this.#sweepAtMs = Number.POSITIVE_INFINITY;
    if (nextMs !== Number.POSITIVE_INFINITY) this.#scheduleSweep(nextMs);
  }

  #expire(call: Call, nowMs: number): void {
    if (this.#end(call) === undefined) return;
    const { spec, wasSent, limits } = call;
    const { isOwn } = this.#options;
    const node = this.#options.node();
    const timeout = new TimeoutError(node, spec.operation, limits.timeoutMs);
    const isUnknown = isDoubtful({ node, operation: spec.operation, isWrite: spec.isWrite, wasSent });
    this.#reject(call, isUnknown ? new UnknownOutcomeError(node, spec.operation, { cause: timeout }) : timeout);
    const heard = this.#outbox?.heard;
    if (!wasSent || !isOwn || heard === undefined || call.heardWhenSent !== heard) return;
    if (this.#silence.heard !== heard) {
      this.#silence = { heard, sinceMs: limits.deadlineMs - limits.timeoutMs };
    }
    if (nowMs - this.#silence.sinceMs >= silenceLimitMs) this.#link?.drop(silence);
  }
}
