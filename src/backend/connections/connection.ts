/**
 * The calls of one backend on its shared connection: sending, deadlines, aborts, and what becomes of them when the
 * connection is lost.
 *
 * Every call ends by its deadline, whatever ioredis does: its promises can stay open for ever, so they are not used. A call
 * is never sent twice. One timer, set for the earliest deadline, serves all calls.
 */

import { TimeoutError, UnknownOutcomeError } from '../../errors.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Call, type CallLimits, type CommandSpec } from './call.ts';
import { type Client, type ClientCommand, type CommandArgument, type CommandClass, commandClassOf } from './client.ts';
import { Cork } from './cork.ts';
import { errorOf, type Failure, failureOf, isDoubtful } from './failure.ts';
import { Link } from './link.ts';
import { dropFromResending } from './resend-guard.ts';

export interface ConnectionOptions {
  /** The node's name in errors, which may change while the backend is young. */
  readonly node: () => string;
  readonly isOwn: boolean;
  readonly clock: Clock;
  readonly handshakeTimeoutMs: number;
}

/**
 * A connection on which calls ran out of time and nothing at all came back for this long, in milliseconds, is taken for
 * dead and made anew. Without this a peer that vanished without a word holds it until the kernel gives up, after many
 * minutes. Several times a usual timeout, because one slow command keeps a healthy server silent too.
 */
const silenceLimitMs = 3_000;

const silence: Failure = { kind: 'connection', cause: new Error('Nothing came back on the connection any more.') };

/** Replies as the bytes that they are. */
const rawReplies = { replyEncoding: null } as const;

export class Connection {
  readonly #options: ConnectionOptions;
  /** Every call that has not ended, in the order of their coming; those that wait for the connection among them. */
  readonly #calls = new Set<Call>();
  readonly #cork = new Cork();
  readonly #commands = new WeakSet<ClientCommand>();

  #link: Link | undefined;
  #Command: CommandClass | undefined;
  /** Makes the error for a connection that cannot be, as there is no client. */
  #noClient: (() => Error) | undefined;

  #sweepAtMs = Number.POSITIVE_INFINITY;
  #cancelSweep: () => void = () => undefined;
  /** Replies heard so far. */
  #heard = 0;
  /** Since when nothing has been heard, as far as calls that ran out of time tell: valid while `#heard` is `heard`. */
  #silence = { heard: -1, sinceMs: 0 };
  #onIdle: (() => void) | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Gives the client, which may come later than the first calls. */
  attach(client: Client): void {
    this.#Command = commandClassOf(client);
    this.#link = new Link(
      client,
      {
        onUp: () => this.#sendWaiting(),
        onLost: (failure) => {
          if (!this.#options.isOwn) dropFromResending(client, (command) => this.#commands.has(command));
          this.#failAll(failure, (call) => call.wasSent);
        },
        onUnreachable: (failure) => this.#failAll(failure, (call) => !call.wasSent),
      },
      this.#options,
    );
    if (this.#link.isUp) this.#sendWaiting();
    else if (this.#calls.size > 0) this.#link.connect();
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
    const link = this.#link;
    if (link?.isUp) {
      this.#begin(call as Call);
      this.#send(call as Call, link.client);
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
    this.#calls.add(call);
    const { signal, deadlineMs } = call.limits;
    if (signal !== undefined) {
      call.onAbort = () => this.#end(call)?.reject(signal.reason);
      signal.addEventListener('abort', call.onAbort, { once: true });
    }
    if (deadlineMs < this.#sweepAtMs) this.#scheduleSweep(deadlineMs);
  }

  /** @returns The call, or undefined if it has ended before. */
  #end(call: Call): Call | undefined {
    if (!this.#calls.delete(call)) return undefined;
    if (call.onAbort !== undefined) call.limits.signal?.removeEventListener('abort', call.onAbort);
    if (this.#calls.size === 0) this.#onIdle?.();
    return call;
  }

  #wait(call: Call): void {
    const outage = this.#link?.outage;
    if (this.#noClient !== undefined) {
      call.reject(this.#noClient());
    } else if (outage !== undefined) {
      call.reject(this.#errorOf(outage, call));
    } else {
      this.#begin(call);
      this.#link?.connect();
    }
  }

  #sendWaiting(): void {
    const client = this.#link!.client;
    for (const call of this.#calls) {
      if (!call.wasSent) this.#send(call, client);
    }
  }

  #send(call: Call, client: Client): void {
    if (client.stream !== undefined) this.#cork.hold(client.stream);
    const command = new this.#Command!(call.spec.name, call.args, rawReplies);
    const { resolve, reject } = command;
    command.resolve = (reply) => {
      this.#heard++;
      this.#onReply(call, reply);
      return resolve(reply);
    };
    command.reject = (error) => {
      const failure = failureOf(error);
      if (failure.kind === 'reply') this.#heard++;
      this.#end(call)?.reject(this.#errorOf(failure, call));
      command.promise.catch(() => undefined); // Nobody waits for ioredis' own promise.
      reject(error);
    };
    if (!this.#options.isOwn) this.#commands.add(command);
    call.heardWhenSent = this.#heard;
    client.sendCommand(command);
    // Only now: what a client refuses on the spot was not sent.
    call.wasSent = true;
  }

  #onReply(call: Call, reply: unknown): void {
    if (this.#end(call) === undefined) return; // It came too late.
    try {
      call.resolve(call.spec.decode(reply));
    } catch (cause) {
      call.reject(this.#errorOf({ kind: 'protocol', cause: cause as Error }, call));
    }
  }

  #failAll(failure: Failure, isMeant: (call: Call) => boolean): void {
    for (const call of this.#calls) {
      if (isMeant(call)) this.#end(call)?.reject(this.#errorOf(failure, call));
    }
  }

  #errorOf(failure: Failure, call: Call): Error {
    const { operation, isWrite } = call.spec;
    return errorOf(failure, { node: this.#options.node(), operation, isWrite, wasSent: call.wasSent });
  }

  #scheduleSweep(atMs: number): void {
    this.#cancelSweep();
    this.#sweepAtMs = atMs;
    const delayMs = Math.max(1, Math.ceil(atMs - this.#options.clock.nowMs()));
    this.#cancelSweep = this.#options.clock.schedule(delayMs, () => this.#sweep(), true);
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
    call.reject(isUnknown ? new UnknownOutcomeError(node, spec.operation, { cause: timeout }) : timeout);
    if (!wasSent || !isOwn || call.heardWhenSent !== this.#heard) return;
    if (this.#silence.heard !== this.#heard) {
      this.#silence = { heard: this.#heard, sinceMs: limits.deadlineMs - limits.timeoutMs };
    }
    if (nowMs - this.#silence.sinceMs >= silenceLimitMs) this.#link?.drop(silence);
  }
}
