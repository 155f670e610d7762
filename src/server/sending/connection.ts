/**
 * The calls of one backend on its shared connection: sending, deadlines, aborts, and what becomes of them when the
 * connection is lost.
 *
 * Every call ends by its deadline, whatever ioredis does: its promises can stay open for ever, so they are not used. A call
 * is never sent twice.
 */

import { TimeoutError, UnknownOutcomeError } from '../../errors/index.ts';
import { offAbort, onAbort } from '../../runtime/abort.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type Client, type ClientCommand, type CommandArgument, commandClassOf } from '../link/client.ts';
import { errorOf, type Failure, failureOf, isDoubtful } from '../link/failure.ts';
import { Link, type LinkListener, type ServerCheck } from '../link/link.ts';
import { isRedirection, refusesAll } from '../link/refusals.ts';
import { answersNewcomer } from '../link/second-opinion.ts';
import { hasMoved, progressOf, type Signs, signsOf } from '../link/signs-of-life.ts';
import { Call, type CallLimits, type CallObserver, type CommandSpec } from './call.ts';
import { CallList } from './call-list.ts';
import { Deadlines } from './deadlines.ts';
import { Outbox } from './outbox.ts';
import { dropFromResending } from './resend-guard.ts';

export interface ConnectionOptions {
  /** The node's name in errors, which may change while the backend is young. */
  readonly node: () => string;
  readonly isOwn: boolean;
  readonly clock: Clock;
  readonly handshakeTimeoutMs: number;
  /** Whether calls that come while others are in flight go out together; see `outbox.ts`. */
  readonly batching: boolean;
  /** The server's address, for messages. */
  readonly address: string;
  readonly serverCheck: ServerCheck;
  /** Told of what becomes of the connection, after the calls on it. */
  readonly observer?: LinkListener | undefined;
}

/**
 * A connection on which calls ran out of time and no byte moved for this long, in milliseconds, is doubted: see
 * `second-opinion.ts`.
 */
const silenceLimitMs = 3_000;

/**
 * The system may hold some megabytes that were written and have not left, unseen; up to this much, in bytes, leaves at once
 * on any line.
 */
const unseenBytes = 64 * 1024;

/** Shortest time between two looks at the bytes in flight. Milliseconds. */
const weighingPauseMs = 100;

/** A timer may come so much early. Milliseconds. */
const timerGrainMs = 1;

const silence: Failure = {
  kind: 'connection',
  cause: new Error(`No byte on this connection for ${silenceLimitMs / 1_000} s, and the server answers on a new one.`),
};

interface LastSign {
  readonly signs: Signs;
  readonly seenMs: number;
}

export class Connection {
  readonly #options: ConnectionOptions;
  /** Every call that has not ended, in the order of their coming; those that wait for the connection among them. */
  readonly #calls = new CallList();
  readonly #commands = new WeakSet<ClientCommand>();

  #link: Link | undefined;
  #outbox: Outbox | undefined;
  /** Set where there is no client: asks for one again. */
  #askAgain: (() => void) | undefined;

  readonly #deadlines: Deadlines;
  /** The connection's last sign of life, as far as calls that ran out of time have looked, and when it was seen. */
  #lastSign: LastSign | undefined;
  #weighed = { atMs: Number.NEGATIVE_INFINITY, isLoaded: false };
  #isDoubted = false;
  #onIdle: (() => void) | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#deadlines = new Deadlines(
      this.#calls,
      options.clock,
      (call) => this.#expire(call),
      () => (this.#link === undefined ? '' : progressOf(this.#link.client)),
    );
  }

  /** Gives the client, which may come later than the first calls. */
  attach(client: Client): void {
    const { isOwn, batching, clock, observer } = this.#options;
    this.#outbox = new Outbox(
      client,
      commandClassOf(client)!,
      { isBatching: batching, isOwn, clock },
      {
        onReply: (call, reply) => this.#onReply(call, reply),
        onError: (call, error) => this.#onError(call, error),
        onViolation: (cause) => this.#violate({ kind: 'protocol', cause }),
        onSending: isOwn ? undefined : (command) => this.#commands.add(command),
      },
    );
    this.#link = new Link(
      client,
      {
        onUp: () => {
          this.#sendWaiting();
          observer?.onUp();
        },
        onLost: (failure) => {
          if (!isOwn) dropFromResending(client, (command) => this.#commands.has(command));
          this.#lose(failure);
          observer?.onLost(failure);
        },
        onUnreachable: (failure) => {
          this.#failAll(failure, (call) => !call.wasSent);
          observer?.onUnreachable(failure);
        },
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

  /** Grows whenever the connection is another one. */
  get count(): number {
    return this.#link?.upCount ?? 0;
  }

  /** True if no call is in flight. */
  get isIdle(): boolean {
    return this.#calls.size === 0;
  }

  /** Starts to connect, unless that has been done. */
  connect(): void {
    this.#link?.connect();
  }

  /** The server that was refused may be right now. */
  reconsider(): void {
    this.#link?.reconsider();
  }

  /** Says that there is no client, and why. The next call asks again. */
  attachNone(makeError: () => Error, askAgain: () => void): void {
    this.#askAgain = askAgain;
    for (const call of this.#calls) this.#end(call)?.reject(makeError());
  }

  call<Reply>(
    spec: CommandSpec<Reply>,
    args: readonly CommandArgument[],
    limits: CallLimits,
    observer?: CallObserver,
  ): Promise<Reply> {
    const call = new Call(spec, args, limits, observer);
    const { signal, timeoutMs } = limits;
    if (signal?.aborted || !(timeoutMs > 0)) {
      const { node, address } = this.#options;
      call.reject(signal?.aborted ? signal.reason : new TimeoutError(node(), spec.operation, timeoutMs, { address }));
      return call.promise;
    }
    if (spec.isSignOfLife === true) call.signsWhenBegun = this.#signs();
    if (this.#link?.isUp) {
      const isIdle = this.#calls.size === 0;
      this.#begin(call as Call);
      this.#outbox!.post(call as Call, isIdle);
    } else {
      this.#wait(call as Call);
    }
    return call.promise;
  }

  /** Resolves once no call is in flight. They end by their deadlines. */
  idle(): Promise<void> {
    if (this.#calls.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** Ends the connection for good. Calls whose time is not up reject with `reason`, or with an unknown outcome for it. */
  end(reason: Error): void {
    this.#deadlines.stop();
    this.#link?.end();
    const node = this.#options.node();
    const nowMs = this.#options.clock.nowMs();
    for (const call of this.#calls) {
      if (call.limits.deadlineMs <= nowMs + timerGrainMs) {
        this.#expire(call);
        continue;
      }
      const { operation, isWrite } = call.spec;
      const isUnknown = isDoubtful({ node, operation, isWrite, wasSent: call.wasSent });
      this.#end(call)?.reject(isUnknown ? new UnknownOutcomeError(node, operation, { cause: reason }) : reason);
    }
  }

  #begin(call: Call): void {
    if (this.#calls.size === 0) this.#options.clock.loop?.hold();
    call.isOpen = true;
    this.#calls.add(call);
    const { signal } = call.limits;
    if (signal !== undefined) {
      call.onAbort = () => this.#end(call)?.reject(signal.reason);
      onAbort(signal, call.onAbort);
    }
    this.#deadlines.add(call);
  }

  /** @returns The call, or undefined if it has ended before. */
  #end(call: Call): Call | undefined {
    if (!call.isOpen) return undefined;
    call.isOpen = false;
    this.#calls.delete(call);
    if (call.onAbort !== undefined) offAbort(call.limits.signal!, call.onAbort);
    if (this.#calls.size === 0) {
      this.#options.clock.loop?.release();
      this.#onIdle?.();
    }
    return call;
  }

  #wait(call: Call): void {
    const outage = this.#link?.outage;
    if (outage !== undefined) {
      this.#fail(call, outage);
      this.#link!.lookAgain();
      return;
    }
    this.#begin(call);
    this.#link?.connect();
    const askAgain = this.#askAgain;
    this.#askAgain = undefined;
    askAgain?.();
  }

  #sendWaiting(): void {
    this.#outbox!.begin([...this.#calls].filter((call) => !call.wasSent));
  }

  #onError(call: Call, error: Error): void {
    const failure = failureOf(error);
    const { refusal, isSignOfLife } = call.spec;
    if (failure.kind === 'reply') this.#link?.onRefusal(failure);
    if (failure.kind === 'reply' && isSignOfLife === true && !refusesAll(failure.cause)) {
      this.#end(call)?.resolve(undefined);
      return;
    }
    // That the server is one of a cluster is no answer to the call.
    const isAnswer = failure.kind === 'reply' && !isRedirection(failure.cause);
    if (failure.kind === 'protocol') this.#violate(failure);
    else if (isAnswer && refusal !== undefined) this.#end(call)?.reject(refusal(error));
    else this.#fail(this.#end(call), failure);
  }

  #onReply(call: Call, reply: unknown): void {
    if (this.#end(call) === undefined) return; // It came too late.
    let decoded: unknown;
    try {
      decoded = call.spec.decode(reply);
    } catch (cause) {
      this.#fail(call, { kind: 'protocol', cause: cause as Error });
      return;
    }
    call.resolve(decoded);
  }

  /** Commands that were sent get no reply any more. */
  #lose(failure: Failure): void {
    this.#outbox!.drop();
    this.#failAll(failure, (call) => call.wasSent);
  }

  /** A reply was impossible, so nobody knows which reply is whose. The next connection starts clean. */
  #violate(failure: Failure): void {
    this.#lose(failure);
    this.#link!.drop(failure);
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
    const { node, address } = this.#options;
    call.reject(errorOf(failure, { node: node(), address, operation, isWrite, wasSent: call.wasSent }));
  }

  /** The call's time is up. */
  #expire(call: Call): void {
    if (this.#end(call) === undefined) return;
    const { spec, wasSent, limits, signsWhenBegun } = call;
    const isPing = signsWhenBegun !== undefined && this.#link?.isUp;
    if (isPing && hasMoved(signsWhenBegun, this.#signs())) {
      call.resolve(undefined);
      return;
    }
    const { address } = this.#options;
    const node = this.#options.node();
    const isBehindWrites = isPing && this.#isLoaded(this.#sign());
    const reason = isBehindWrites ? behindWrites : wasSent ? littleTime(call) : this.#link?.waitsFor;
    const timeout = new TimeoutError(node, spec.operation, limits.timeoutMs, { address, reason, isBehindWrites });
    const isUnknown = isDoubtful({ node, operation: spec.operation, isWrite: spec.isWrite, wasSent });
    call.reject(isUnknown ? new UnknownOutcomeError(node, spec.operation, { cause: timeout, address }) : timeout);
    if (wasSent && this.#options.isOwn) this.#lookForLife();
  }

  #signs(): Signs {
    return signsOf(this.#link?.client.stream);
  }

  /** The last sign of life. */
  #sign(): LastSign {
    const signs = this.#signs();
    if (this.#lastSign === undefined || hasMoved(this.#lastSign.signs, signs)) {
      this.#lastSign = { signs, seenMs: this.#options.clock.nowMs() };
    }
    return this.#lastSign;
  }

  /**
   * Whether calls that have time left explain by their length that nothing moves: a long value that is written leaves this
   * machine unseen. Only those that went out before the last sign of life: others are no reason for what was silent before.
   */
  #isLoaded({ seenMs }: LastSign): boolean {
    const nowMs = this.#options.clock.nowMs();
    if (nowMs - this.#weighed.atMs < weighingPauseMs) return this.#weighed.isLoaded;
    let bytes = 0;
    for (const { departure, args, limits } of this.#calls) {
      if (departure === undefined || departure.atMs > seenMs || limits.deadlineMs <= nowMs) continue;
      for (const argument of args) bytes += typeof argument === 'number' ? 0 : argument.length;
      if (bytes > unseenBytes) break;
    }
    this.#weighed = { atMs: nowMs, isLoaded: bytes > unseenBytes };
    return this.#weighed.isLoaded;
  }

  /** Leaves a connection on which nothing moves any more, if the server answers on another one. */
  #lookForLife(): void {
    const { clock, handshakeTimeoutMs } = this.#options;
    const lastSign = this.#sign();
    const { signs } = lastSign;
    const link = this.#link;
    if (clock.nowMs() - lastSign.seenMs < silenceLimitMs || this.#isDoubted || !link?.isUp) return;
    if (this.#isLoaded(lastSign)) return;
    this.#isDoubted = true;
    void answersNewcomer(link.client, handshakeTimeoutMs, clock).then((answers) => {
      this.#isDoubted = false;
      if (answers && link.isUp && !hasMoved(signs, this.#signs())) link.drop(silence);
    });
  }
}

const behindWrites = 'long values that are being written may still be before it.';

/** Said of a call that earlier steps, or the wait for a connection, had left less than half of its time. */
function littleTime({ limits: { timeoutMs, deadlineMs }, departure }: Call): string | undefined {
  const leftMs = Math.max(0, deadlineMs - (departure?.atMs ?? 0));
  return leftMs < timeoutMs / 2 ? `only ${Math.floor(leftMs)} ms were left when it was sent.` : undefined;
}
