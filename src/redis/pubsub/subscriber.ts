/**
 * One node's subscriptions on one connection: what is desired there, and the way from there to what the server has confirmed.
 *
 * What is desired is the truth. It is sent when it is added if the connection is up, and all of it again each time the
 * connection comes up; so it outlives a restart of the server, and what is added while the server is down is subscribed when it
 * is back. That is not left to ioredis (`autoResubscribe`): it loses a channel named `__proto__`, and bytes that are no text.
 *
 * Shard channels have a connection of their own. On a shared one ioredis 5 and 6 believe that all subscriptions have ended
 * as soon as the count of one kind is 0, and then drop messages (RESP3) or mistake them for replies (RESP2). For the same
 * reason UNSUBSCRIBE is always sent with the names of the channels.
 */

import type { Redis } from 'ioredis';
import { NodeUnavailableError, TimeoutError } from '../../errors/index.ts';
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
import { byFamily, type Channel, type Family, families } from './channel.ts';
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
  readonly onConfirmed: (family: Family, channels: readonly Channel[]) => void;
  readonly onRefused: (family: Family, channel: Channel, error: Error) => void;
  /** Lost and failed connections. */
  readonly onError: (error: Error) => void;
}

/** The client's methods for subscriptions, all of one form; ioredis' types have them in many. */
type SubscriberCalls = Readonly<
  Record<Family | (typeof endOf)[Family], (...names: (string | Buffer)[]) => Promise<unknown>>
>;

/**
 * A subscription that is desired here. One that ends and begins again is another one: a reply to the first does not confirm the
 * second, as UNSUBSCRIBE was sent in between.
 */
interface Subscription extends Channel {
  /** By the server, on the present connection. */
  isConfirmed: boolean;
}

const silent: Failure = { kind: 'connection', cause: new Error('The connection did not answer any more.') };

export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #link: Link;
  readonly #client: Redis;
  readonly #heartbeat: Heartbeat;
  readonly #desired = byFamily(() => new Map<string, Subscription>());
  /** UNSUBSCRIBEs in flight, by the channels that they name. */
  readonly #ending = byFamily(() => new Map<string, Promise<void>>());
  #isClosed = false;
  /** Ends the waiting for replies that cannot come any more. */
  #lost = new Deferred<void>();

  constructor(options: SubscriberOptions) {
    this.#options = options;
    const { client, check } = options.makeClient();
    this.#client = client;
    options.relay.listen(this.#client, this.#desired.psubscribe);
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

  has(family: Family, { id }: Channel): boolean {
    return this.#desired[family].has(id);
  }

  /** Every message published here from now on comes, for as long as the connection lasts. */
  isConfirmed(family: Family, { id }: Channel): boolean {
    return this.#desired[family].get(id)?.isConfirmed === true;
  }

  /** From now on they are desired here. Those that were before are confirmed anew. */
  add(family: Family, channels: readonly Channel[]): void {
    const desired = this.#desired[family];
    const added = channels.map((channel) => {
      const subscription = { ...channel, isConfirmed: false };
      desired.set(channel.id, subscription);
      return subscription;
    });
    if (this.#link.isUp) this.#send(family, added);
  }

  /**
   * Resolves when the server has confirmed their end, also one that is in flight already: until then messages come. Does not
   * reject: without a connection there are no subscriptions either, and a node that is late may go on for as long as it has not
   * read the command.
   */
  async remove(family: Family, channels: readonly Channel[]): Promise<void> {
    const removed = channels.filter(({ id }) => this.#desired[family].delete(id));
    if (!this.#link.isUp) return;
    const ending = this.#ending[family];
    this.#sendEnd(family, removed);
    const replies = new Set(channels.flatMap(({ id }) => ending.get(id) ?? []));
    if (replies.size === 0) return;
    const { clock, timeoutMs } = this.#options;
    let cancel: () => void = () => undefined;
    const late = new Promise<void>((resolve) => {
      cancel = limitTime(clock, timeoutMs, resolve, true);
    });
    await Promise.race([Promise.all(replies), this.#lost.promise, late]);
    cancel();
  }

  /** Why a call that waits for this node has to wait no longer: it was not confirmed in time. */
  lateError(family: Family): Error {
    const { nodeId, timeoutMs } = this.#options;
    if (this.#link.isUp) return new TimeoutError(nodeId, family, timeoutMs);
    const { outage, waitsFor } = this.#link;
    if (outage?.kind === 'connection') return this.#errorOf(outage, family);
    return new NodeUnavailableError(nodeId, family, { reason: waitsFor, ...(outage && { cause: outage.cause }) });
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
  }

  #onUp(): void {
    this.#lost = new Deferred();
    for (const family of families) this.#send(family, [...this.#desired[family].values()]);
    this.#heartbeat.start();
  }

  #onLost(failure: Failure): void {
    this.#heartbeat.stop();
    this.#lost.resolve();
    for (const family of families) {
      for (const subscription of this.#desired[family].values()) subscription.isConfirmed = false;
    }
    if (!this.#isClosed) this.#options.onError(this.#errorOf(failure));
  }

  #sendEnd(family: Family, channels: readonly Channel[]): void {
    const ending = this.#ending[family];
    for (const piece of pieces(channels)) {
      const forget = () => {
        for (const { id } of piece) if (ending.get(id) === reply) ending.delete(id);
      };
      const reply: Promise<void> = this.#calls[endOf[family]](...namesOf(piece)).then(forget, forget);
      for (const { id } of piece) ending.set(id, reply);
    }
  }

  /** Replies to what is lost with the connection never come; the next one gets everything anew. */
  #send(family: Family, subscriptions: readonly Subscription[]): void {
    for (const piece of pieces(subscriptions)) {
      this.#calls[family](...namesOf(piece)).then(
        () => this.#onConfirmed(family, piece),
        (error: unknown) => this.#onRefusal(family, piece, error),
      );
    }
  }

  #stillDesired(family: Family, subscriptions: readonly Subscription[]): Subscription[] {
    return subscriptions.filter((subscription) => this.#desired[family].get(subscription.id) === subscription);
  }

  #onConfirmed(family: Family, subscriptions: readonly Subscription[]): void {
    if (this.#isClosed || !this.#link.isUp) return;
    const confirmed = this.#stillDesired(family, subscriptions);
    for (const subscription of confirmed) subscription.isConfirmed = true;
    this.#options.onConfirmed(family, confirmed);
  }

  #onRefusal(family: Family, subscriptions: readonly Subscription[], error: unknown): void {
    if (!isReplyError(error) || this.#isClosed) return; // The connection is going, and the next one gets everything.
    for (const subscription of this.#stillDesired(family, subscriptions)) {
      if (subscriptions.length === 1) this.#options.onRefused(family, subscription, error);
      // One that may not be had must not cost the others theirs.
      else this.#send(family, [subscription]);
    }
  }

  #errorOf(failure: Failure, operation = 'subscribe'): Error {
    return errorOf(failure, { node: this.#options.nodeId, operation, isWrite: false, wasSent: false });
  }
}

const endOf = { subscribe: 'unsubscribe', psubscribe: 'punsubscribe', ssubscribe: 'sunsubscribe' } as const;

/** As much at a time as fits into a command that does not hold up the server. */
function pieces<Item extends Channel>(channels: readonly Item[]): Item[][] {
  const sizeOf = (index: number) => channels[index]!.id.length;
  return [...chunks(channels.length, sizeOf)].map(([start, end]) => channels.slice(start, end));
}

const namesOf = (channels: readonly Channel[]) => channels.map(({ argument }) => argument);
