/**
 * Pub/sub over independent servers, with the methods, results and events of ioredis.
 *
 * A message is published at one node: that of its channel, whose text is routed as a key is. So a channel is subscribed to
 * at that node, and a pattern at all nodes; each message comes once, or once for each subscription it matches, as with one
 * server.
 *
 * A subscription is a wish that stays. A call rejects if a node has not confirmed it in time; the wish is then fulfilled when
 * the node is back, and the nodes that did confirm it serve it meanwhile. Only a server's refusal undoes a call.
 */

import type { Redis } from 'ioredis';
import { ClosedError, InvalidArgumentError } from '../../errors/index.ts';
import type { Clock } from '../../runtime/clock.ts';
import { isReplyError, type ServerCheck } from '../../server/index.ts';
import { type Channel, type ChannelInput, type Family, isServersOwn, parseChannels } from './channel.ts';
import { MessageRelay, type MessageTarget } from './message-relay.ts';
import { Subscriber } from './subscriptions.ts';

/** Where channels are. */
export interface ChannelHomes {
  readonly nodes: readonly string[];
  /** The node at which messages of the channel are published. */
  nodeOf(channel: string): string;
}

export interface PubSubOptions {
  readonly homes: ChannelHomes;
  readonly clock: Clock;
  /** For a subscription to be confirmed by its nodes, a connection to be made included. Milliseconds. */
  readonly timeoutMs: number;
  readonly handshakeTimeoutMs: number;
  /** Default 15,000. A connection that leaves a PING unanswered for this long is given up. Milliseconds. */
  readonly heartbeatMs?: number | undefined;
  /** A new client for the node, not connected yet, that reconnects by itself; and the check of its server. */
  readonly makeClient: (nodeId: string) => { readonly client: Redis; readonly check: ServerCheck };
  /** Gets the events of messages. */
  readonly target: MessageTarget;
  /** What no call is there to be told of: a connection was lost or cannot be made, a renewal was refused. */
  readonly onError: (nodeId: string, error: Error) => void;
}

const subscriptionCommands = [
  'subscribe',
  'psubscribe',
  'ssubscribe',
  'unsubscribe',
  'punsubscribe',
  'sunsubscribe',
] as const;

export type SubscriptionCommand = (typeof subscriptionCommands)[number];

const names: ReadonlySet<string> = new Set(subscriptionCommands);

/** True for the commands that {@link PubSub} has methods for. */
export const isSubscription = (command: string): command is SubscriptionCommand => names.has(command);

export class PubSub {
  readonly #options: PubSubOptions;
  readonly #relay: MessageRelay;
  /** By node: for channels and patterns, and for shard channels. */
  readonly #subscribers = { plain: new Map<string, Subscriber>(), sharded: new Map<string, Subscriber>() };
  readonly #wishes: Readonly<Record<Family, Map<string, Channel>>> = {
    subscribe: new Map(),
    psubscribe: new Map(),
    ssubscribe: new Map(),
  };
  #isClosed = false;

  constructor(options: PubSubOptions) {
    this.#options = options;
    this.#relay = new MessageRelay(options.target);
  }

  /**
   * Resolves when the channels' nodes have confirmed: no message published from then on is missed.
   * @returns  Channels and patterns that this client is now subscribed to, as from one server.
   * @throws {NodeUnavailableError | TimeoutError} A node has not confirmed in time. The wish stays.
   * @throws ioredis' `ReplyError`: a server refused, and what this call added is undone.
   */
  subscribe(...channels: ChannelInput[]): Promise<number> {
    return this.#add('subscribe', channels);
  }

  /** As {@link subscribe}, at all nodes. */
  psubscribe(...patterns: ChannelInput[]): Promise<number> {
    return this.#add('psubscribe', patterns);
  }

  /** As {@link subscribe}, for what SPUBLISH publishes. @returns  Shard channels only. Redis 7 and later. */
  ssubscribe(...channels: ChannelInput[]): Promise<number> {
    return this.#add('ssubscribe', channels);
  }

  /** Without arguments: all channels. @returns  Channels and patterns that are left. */
  unsubscribe(...channels: ChannelInput[]): Promise<number> {
    return this.#remove('subscribe', channels);
  }

  /** Without arguments: all patterns. @returns  Channels and patterns that are left. */
  punsubscribe(...patterns: ChannelInput[]): Promise<number> {
    return this.#remove('psubscribe', patterns);
  }

  /** Without arguments: all shard channels. @returns  Shard channels that are left. */
  sunsubscribe(...channels: ChannelInput[]): Promise<number> {
    return this.#remove('ssubscribe', channels);
  }

  /** The node's shared connection is lost, for a reason that those with subscriptions may share. */
  doubt(nodeId: string): void {
    for (const subscribers of Object.values(this.#subscribers)) void subscribers.get(nodeId)?.doubt();
  }

  /** Ends all subscriptions and their connections; calls under way reject. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const subscribers of Object.values(this.#subscribers)) {
      for (const subscriber of subscribers.values()) subscriber.end();
    }
  }

  async #add(family: Family, input: readonly ChannelInput[]): Promise<number> {
    if (this.#isClosed) throw new ClosedError('client');
    const channels = parseChannels(input);
    if (channels.length === 0) throw new InvalidArgumentError('channel', 'at least one', undefined);
    const wishes = this.#wishes[family];
    const added = channels.filter(({ id }) => !wishes.has(id));
    for (const channel of added) wishes.set(channel.id, channel);
    const count = this.#countOf(family);
    const calls = this.#eachHome(family, channels, (subscriber, own) => subscriber.add(family, own));
    const errors = (await Promise.allSettled(calls)).flatMap((outcome) =>
      outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
    );
    if (errors.length === 0) return count;
    const refusal = errors.find(isReplyError);
    if (refusal !== undefined) await this.#forget(family, added);
    throw refusal ?? errors[0];
  }

  async #remove(family: Family, input: readonly ChannelInput[]): Promise<number> {
    if (this.#isClosed) throw new ClosedError('client');
    const given = parseChannels(input);
    const done = this.#forget(family, given.length === 0 ? [...this.#wishes[family].values()] : given);
    const count = this.#countOf(family);
    await done;
    return count;
  }

  async #forget(family: Family, channels: readonly Channel[]): Promise<void> {
    for (const { id } of channels) this.#wishes[family].delete(id);
    const removed = [...this.#subscribersOf(family).values()].map((subscriber) =>
      subscriber.remove(
        family,
        channels.filter(({ id }) => subscriber.wishes(family).has(id)),
      ),
    );
    await Promise.all(removed);
  }

  /** As Redis counts: channels and patterns together, shard channels apart. */
  #countOf(family: Family): number {
    const { subscribe, psubscribe, ssubscribe } = this.#wishes;
    return family === 'ssubscribe' ? ssubscribe.size : subscribe.size + psubscribe.size;
  }

  #eachHome<Result>(
    family: Family,
    channels: readonly Channel[],
    call: (subscriber: Subscriber, channels: readonly Channel[]) => Result,
  ): Result[] {
    const byNode = new Map<string, Channel[]>();
    for (const channel of channels) {
      for (const nodeId of this.#homesOf(family, channel)) {
        const own = byNode.get(nodeId);
        if (own === undefined) byNode.set(nodeId, [channel]);
        else own.push(channel);
      }
    }
    return [...byNode].map(([nodeId, own]) => call(this.#subscriberAt(nodeId, family), own));
  }

  #homesOf(family: Family, channel: Channel): readonly string[] {
    const isEverywhere = family === 'psubscribe' || (family === 'subscribe' && isServersOwn(channel));
    return isEverywhere ? this.#options.homes.nodes : [this.#options.homes.nodeOf(channel.routingText)];
  }

  #subscribersOf(family: Family): Map<string, Subscriber> {
    return family === 'ssubscribe' ? this.#subscribers.sharded : this.#subscribers.plain;
  }

  #subscriberAt(nodeId: string, family: Family): Subscriber {
    const subscribers = this.#subscribersOf(family);
    const existing = subscribers.get(nodeId);
    if (existing !== undefined) return existing;
    const { clock, timeoutMs, handshakeTimeoutMs, heartbeatMs = 15_000, makeClient, onError } = this.#options;
    const subscriber = new Subscriber({
      ...{ nodeId, clock, timeoutMs, handshakeTimeoutMs, heartbeatMs },
      makeClient: () => makeClient(nodeId),
      relay: this.#relay,
      onError: (error) => onError(nodeId, error),
    });
    subscribers.set(nodeId, subscriber);
    return subscriber;
  }
}
