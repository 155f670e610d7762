/**
 * Pub/sub over independent servers, with the methods, results and events of ioredis.
 *
 * A message is published at one node: that of its channel, whose text is routed as a key is. So a channel is subscribed at
 * that node, its home, and a pattern at all nodes; each message comes once, or once for each subscription it matches, as with
 * one server. When the topology changes, {@link PubSub.rehome} brings subscriptions to their new homes (`rehoming.ts`).
 *
 * A desired subscription stays. A call rejects if a node has not confirmed it in time; it is then made when the node is back,
 * and the nodes that did confirm it serve it meanwhile. Only a server's refusal undoes a call.
 */

import { ClosedError, InvalidArgumentError } from '../../errors/index.ts';
import { isReplyError } from '../../server/index.ts';
import { type ChannelInput, type Family, parseChannels } from './channel.ts';
import { type ChannelHomes, type SubscriptionOptions, Subscriptions } from './subscriptions.ts';

export type { ChannelHomes, SubscriptionOptions as PubSubOptions } from './subscriptions.ts';

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
  readonly #subscriptions: Subscriptions;
  #isClosed = false;

  constructor(options: SubscriptionOptions) {
    this.#subscriptions = new Subscriptions(options);
  }

  /**
   * Resolves when the channels' nodes have confirmed: no message published from then on is missed.
   * @returns  Channels and patterns that this client is now subscribed to, as from one server.
   * @throws {NodeUnavailableError | TimeoutError} A node has not confirmed in time. The subscription stays desired.
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

  /**
   * A topology with these homes is about to be in force: everything is subscribed there too. So who publishes by it from its
   * first moment on is heard. {@link rehome} ends the preparation: with the same homes, or with the present ones if nothing
   * comes of the change.
   *
   * Resolves when that is confirmed or refused, and after `timeoutMs` in any case. Never rejects.
   */
  prepare(homes: ChannelHomes): Promise<void> {
    return this.#subscriptions.prepare(homes);
  }

  /**
   * A topology with these homes is in force. Takes effect at once: call it in the same turn. Previous homes are kept until the
   * present ones have confirmed, and for `timeoutMs` in any case, in which calls by the previous topology end. Those at a node
   * that has left are kept for `timeoutMs`.
   *
   * Resolves when the present homes have confirmed or refused, and after `timeoutMs` in any case. Never rejects: what cannot be
   * subscribed now is when its node is back, and `onError` hears of the node.
   */
  rehome(homes: ChannelHomes): Promise<void> {
    return this.#subscriptions.rehome(homes);
  }

  /** The node's shared connection is lost, for a reason that those with subscriptions may share. */
  doubt(nodeId: string): void {
    this.#subscriptions.doubt(nodeId);
  }

  /** Ends all subscriptions and their connections; calls in flight reject. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#subscriptions.close();
  }

  async #add(family: Family, input: readonly ChannelInput[]): Promise<number> {
    if (this.#isClosed) throw new ClosedError('client');
    const channels = parseChannels(input);
    if (channels.length === 0) throw new InvalidArgumentError('channel', 'at least one', undefined);
    const subscriptions = this.#subscriptions;
    const added = channels.filter(({ id }) => !subscriptions.desired(family).has(id));
    subscriptions.add(family, channels);
    const count = this.#countOf(family);
    try {
      await subscriptions.untilConfirmed(family, channels);
    } catch (error) {
      if (isReplyError(error)) await subscriptions.forget(family, added);
      throw error;
    }
    return count;
  }

  async #remove(family: Family, input: readonly ChannelInput[]): Promise<number> {
    if (this.#isClosed) throw new ClosedError('client');
    const given = parseChannels(input);
    const channels = given.length === 0 ? [...this.#subscriptions.desired(family).values()] : given;
    const done = this.#subscriptions.forget(family, channels);
    const count = this.#countOf(family);
    await done;
    return count;
  }

  /** As Redis counts: channels and patterns together, shard channels apart. */
  #countOf(family: Family): number {
    const sizeOf = (one: Family) => this.#subscriptions.desired(one).size;
    return family === 'ssubscribe' ? sizeOf(family) : sizeOf('subscribe') + sizeOf('psubscribe');
  }
}
