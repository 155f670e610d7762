/**
 * One node's subscriptions on one connection: what is wished for, and the way from there to what the server has confirmed.
 *
 * The wishes are the truth. They are sent when they are made if the connection is up, and all of them again each time it
 * comes up; so they outlive a restart of the server, and a wish made while it is down is fulfilled when it is back. That is
 * not left to ioredis (`autoResubscribe`): it loses a channel named `__proto__`, and bytes that are no text.
 *
 * Shard channels have a connection of their own. On a shared one ioredis 5 and 6 believe that all subscriptions have ended
 * as soon as the count of one kind is 0, and then drop messages (RESP3) or mistake them for replies (RESP2). For the same
 * reason UNSUBSCRIBE is always sent with the names of the channels.
 */

import type { Redis } from 'ioredis';
import { ClosedError, NodeUnavailableError, TimeoutError } from '../../errors/index.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Deferred } from '../../runtime/deferred.ts';
import { limitTime, settledWithin } from '../../runtime/time-limit.ts';
import {
  type Client,
  chunks,
  errorOf,
  type Failure,
  Heartbeat,
  isReplyError,
  Link,
  type ServerCheck,
  signsOf,
} from '../../server/index.ts';
import type { Channel, Family } from './channel.ts';
import type { MessageRelay } from './message-relay.ts';

export interface SubscriberOptions {
  readonly nodeId: string;
  readonly clock: Clock;
  /** For a call to be confirmed. Milliseconds. */
  readonly timeoutMs: number;
  readonly handshakeTimeoutMs: number;
  /** Pause between two signs of life asked of a connection that has subscriptions. Milliseconds. */
  readonly heartbeatMs: number;
  /** Not connected yet, reconnecting by itself, and the check of its server. */
  readonly makeClient: () => { readonly client: Redis; readonly check: ServerCheck };
  readonly relay: MessageRelay;
  /** What no call is there to be told of: lost and failed connections, refused renewals. */
  readonly onError: (error: Error) => void;
}

/** The client's methods for subscriptions, all of one form; ioredis' types have them in many. */
type SubscriberCalls = Readonly<
  Record<Family | (typeof endOf)[Family], (...names: (string | Buffer)[]) => Promise<unknown>>
>;

/** A call that waits until the server has confirmed its channels. */
interface Waiter {
  readonly family: Family;
  readonly missing: Set<string>;
  end(error?: unknown): void;
}

const silent: Failure = { kind: 'connection', cause: new Error('The connection did not answer any more.') };

export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #link: Link;
  readonly #client: Redis;
  readonly #heartbeat: Heartbeat;
  readonly #wishes: Readonly<Record<Family, Map<string, Channel>>> = {
    subscribe: new Map(),
    psubscribe: new Map(),
    ssubscribe: new Map(),
  };
  readonly #waiters = new Set<Waiter>();
  #isClosed = false;
  /** Ends the waiting for replies that cannot come any more. */
  #lost = new Deferred<void>();

  constructor(options: SubscriberOptions) {
    this.#options = options;
    const { client, check } = options.makeClient();
    this.#client = client;
    options.relay.listen(this.#client, this.#wishes.psubscribe);
    const listener = {
      onUp: () => this.#onUp(),
      onLost: (failure: Failure) => this.#onLost(failure),
      onUnreachable: (failure: Failure) => options.onError(this.#errorOf(failure)),
    };
    const { clock, handshakeTimeoutMs, heartbeatMs } = options;
    this.#heartbeat = new Heartbeat({
      ...{ clock, periodMs: heartbeatMs },
      ask: () => this.#client.ping(),
      bytesRead: () => signsOf((this.#client as unknown as Client).stream).readBytes,
      onSilence: () => this.#link.drop(silent),
    });
    this.#link = new Link(this.#client as unknown as Client, listener, {
      ...{ isOwn: true, clock, handshakeTimeoutMs },
      serverCheck: check,
    });
    this.#link.connect();
  }

  get #calls(): SubscriberCalls {
    return this.#client as unknown as SubscriberCalls;
  }

  /** What is wished for. */
  wishes(family: Family): ReadonlyMap<string, Channel> {
    return this.#wishes[family];
  }

  /**
   * Resolves when the server has confirmed all of them, so that no message published from then on is missed. If it rejects,
   * the wish stays.
   *
   * @throws {NodeUnavailableError} The node could not be reached in time.
   * @throws {TimeoutError} It did not answer in time.
   * @throws ioredis' `ReplyError`: the server refused.
   */
  add(family: Family, channels: readonly Channel[]): Promise<void> {
    if (this.#isClosed) return Promise.reject(new ClosedError('client'));
    for (const channel of channels) this.#wishes[family].set(channel.id, channel);
    return new Promise((resolve, reject) => {
      const { clock, timeoutMs } = this.#options;
      const cancel = limitTime(clock, timeoutMs, () => waiter.end(this.#lateError(family)), true);
      const waiter: Waiter = {
        family,
        missing: new Set(channels.map(({ id }) => id)),
        end: (error) => {
          cancel();
          this.#waiters.delete(waiter);
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      this.#waiters.add(waiter);
      if (this.#link.isUp) this.#send(family, channels);
    });
  }

  /**
   * Resolves when the server has confirmed, until when messages come. Does not reject: without a connection there are no
   * subscriptions either, and a node that is late may go on for as long as it has not read the command.
   */
  async remove(family: Family, channels: readonly Channel[]): Promise<void> {
    for (const { id } of channels) this.#wishes[family].delete(id);
    // Who still waits for one of them would otherwise wait in vain.
    this.#settle(family, channels);
    if (!this.#link.isUp || channels.length === 0) return;
    const { clock, timeoutMs } = this.#options;
    let cancel: () => void = () => undefined;
    const late = new Promise<void>((resolve) => {
      cancel = limitTime(clock, timeoutMs, resolve, true);
    });
    const replies = pieces(channels).map((names) => this.#calls[endOf[family]](...names));
    await Promise.race([Promise.allSettled(replies), this.#lost.promise, late]);
    cancel();
  }

  /** The node's shared connection is lost: this one must give a sign of life in the time of a call, or is made anew too. */
  async doubt(): Promise<void> {
    if (!this.#link.isUp) return;
    const { clock, timeoutMs } = this.#options;
    const { stream } = this.#client;
    const hasAnswered = await settledWithin(clock, timeoutMs, this.#client.ping());
    if (!hasAnswered && this.#client.stream === stream) this.#link.drop(silent);
  }

  /** Ends the connection for good. Idempotent. */
  end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#heartbeat.stop();
    this.#options.relay.unlisten(this.#client);
    this.#link.end();
    this.#lost.resolve();
    for (const waiter of this.#waiters) waiter.end(new ClosedError('client'));
  }

  #onUp(): void {
    this.#lost = new Deferred();
    for (const family of families) this.#send(family, [...this.#wishes[family].values()]);
    this.#heartbeat.start();
  }

  #onLost(failure: Failure): void {
    this.#heartbeat.stop();
    this.#lost.resolve();
    if (!this.#isClosed) this.#options.onError(this.#errorOf(failure));
  }

  /** Replies to what is lost with the connection never come; the next one gets all wishes anew. */
  #send(family: Family, channels: readonly Channel[]): void {
    let start = 0;
    for (const names of pieces(channels)) {
      const piece = channels.slice(start, start + names.length);
      start += names.length;
      this.#calls[family](...names).then(
        () => this.#settle(family, piece),
        (error: unknown) => this.#onRefusal(family, piece, error),
      );
    }
  }

  #onRefusal(family: Family, channels: readonly Channel[], error: unknown): void {
    if (!isReplyError(error) || this.#isClosed) return; // The connection is going, and the wishes with the next one.
    const [first] = channels;
    if (channels.length === 1 && first !== undefined) {
      if (!this.#settle(family, channels, error)) this.#options.onError(error);
      return;
    }
    // One that may not be had must not cost the others theirs.
    for (const channel of channels) if (this.#wishes[family].has(channel.id)) this.#send(family, [channel]);
  }

  /** Tells those who wait. @returns False if nobody waited for any of the channels. */
  #settle(family: Family, channels: readonly Channel[], error?: unknown): boolean {
    let wasAwaited = false;
    for (const waiter of [...this.#waiters]) {
      if (waiter.family !== family) continue;
      for (const { id } of channels) {
        if (!waiter.missing.delete(id)) continue;
        wasAwaited = true;
        if (error !== undefined || waiter.missing.size === 0) waiter.end(error);
      }
    }
    return wasAwaited;
  }

  #lateError(family: Family): Error {
    const { nodeId, timeoutMs } = this.#options;
    if (this.#link.isUp) return new TimeoutError(nodeId, family, timeoutMs);
    const { outage, waitsFor } = this.#link;
    if (outage?.kind === 'connection') return this.#errorOf(outage, family);
    return new NodeUnavailableError(nodeId, family, { reason: waitsFor, ...(outage && { cause: outage.cause }) });
  }

  #errorOf(failure: Failure, operation = 'subscribe'): Error {
    return errorOf(failure, { node: this.#options.nodeId, operation, isWrite: false, wasSent: false });
  }
}

const families: readonly Family[] = ['subscribe', 'psubscribe', 'ssubscribe'];

const endOf = { subscribe: 'unsubscribe', psubscribe: 'punsubscribe', ssubscribe: 'sunsubscribe' } as const;

/** The names, in commands of a size that does not hold up the server. */
function pieces(channels: readonly Channel[]): (string | Buffer)[][] {
  return [...chunks(channels.length, (index) => channels[index]!.id.length)].map(([start, end]) =>
    channels.slice(start, end).map(({ argument }) => argument),
  );
}
