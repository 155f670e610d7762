/**
 * What is desired over all nodes, and the way to it: each channel is brought to its homes, and away from its previous ones
 * (`rehoming.ts`), whatever changes meanwhile.
 */

import type { Redis } from 'ioredis';
import { ClosedError, TimeoutError } from '../../errors/index.ts';
import type { Clock } from '../../runtime/clock.ts';
import { limitTime } from '../../runtime/time-limit.ts';
import type { ServerCheck } from '../../server/index.ts';
import { byFamily, type Channel, type Family, families, isServersOwn } from './channel.ts';
import { MessageRelay, type MessageTarget } from './message-relay.ts';
import { PendingCall, PendingCalls } from './pending-calls.ts';
import { nextSteps } from './rehoming.ts';
import { Subscriber } from './subscriber.ts';

/** Where channels are published, by one topology. */
export interface ChannelHomes {
  readonly nodes: readonly string[];
  /** The node at which messages of the channel are published. Asked only if there are nodes. */
  nodeOf(channel: string): string;
}

export interface SubscriptionOptions {
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

const noHomes: ChannelHomes = { nodes: [], nodeOf: (channel) => channel };

export class Subscriptions {
  readonly #options: SubscriptionOptions;
  readonly #relay: MessageRelay;
  #homes: ChannelHomes;
  /** Those of a change that is being prepared. */
  #comingHomes = noHomes;
  readonly #desired = byFamily(() => new Map<string, Channel>());
  /** What is subscribed at a previous home too. */
  readonly #displaced = byFamily(() => new Map<string, Channel>());
  /** By node: for channels and patterns, and for shard channels. */
  readonly #subscribers = { plain: new Map<string, Subscriber>(), sharded: new Map<string, Subscriber>() };
  /** Of nodes that have left: they bring what is still published there. Each with what stops its timer. */
  readonly #leaving = new Map<Subscriber, () => void>();
  readonly #calls = new PendingCalls();
  /** Stops the timer until whose end calls that began by the previous topology may publish at previous homes. */
  #stopSettling: (() => void) | undefined;
  #isClosed = false;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    this.#homes = options.homes;
    this.#relay = new MessageRelay(options.target);
  }

  desired(family: Family): ReadonlyMap<string, Channel> {
    return this.#desired[family];
  }

  /** From now on they are desired. Nodes that have confirmed them before are asked again. */
  add(family: Family, channels: readonly Channel[]): void {
    const byNode = new Map<string, Channel[]>();
    for (const channel of channels) for (const node of this.#placesOf(family, channel)) append(byNode, node, channel);
    for (const channel of channels) {
      if (!this.#desired[family].has(channel.id)) this.#desired[family].set(channel.id, channel);
    }
    for (const [node, own] of byNode) this.#subscriberAt(node, family).add(family, own);
  }

  /** Resolves when the servers have confirmed that they are ended, or may be taken to be. Does not reject. */
  async forget(family: Family, channels: readonly Channel[]): Promise<void> {
    for (const channel of channels) {
      this.#desired[family].delete(channel.id);
      this.#displaced[family].delete(channel.id);
      // Who still waits for one of them would otherwise wait in vain.
      for (const call of this.#calls.of(family, channel)) call.settle(channel);
    }
    const subscribers = [...this.#subscribersOf(family).values(), ...this.#leaving.keys()];
    await Promise.all(subscribers.map((subscriber) => subscriber.remove(family, channels)));
  }

  /**
   * Resolves when the homes have confirmed: no message published from then on is missed.
   * @throws {NodeUnavailableError | TimeoutError} A node has not confirmed in time.
   * @throws ioredis' `ReplyError`: a server refused.
   */
  untilConfirmed(family: Family, channels: readonly Channel[]): Promise<void> {
    return this.#waitFor(new PendingCall(family, channels, (channel) => this.#homesOf(family, channel), true));
  }

  /** See `PubSub.prepare`. */
  async prepare(homes: ChannelHomes): Promise<void> {
    if (this.#isClosed) return;
    this.#makeWayFor(homes);
    this.#comingHomes = homes;
    await this.#move();
  }

  /** See `PubSub.rehome`. */
  async rehome(homes: ChannelHomes): Promise<void> {
    if (this.#isClosed) return;
    this.#makeWayFor(homes);
    this.#homes = homes;
    this.#comingHomes = noHomes;
    this.#retireOthers(homes.nodes);
    this.#settle();
    await this.#move();
  }

  doubt(nodeId: string): void {
    for (const subscribers of Object.values(this.#subscribers)) void subscribers.get(nodeId)?.doubt();
  }

  close(): void {
    this.#isClosed = true;
    this.#stopSettling?.();
    for (const subscribers of Object.values(this.#subscribers)) {
      for (const subscriber of subscribers.values()) subscriber.end();
    }
    this.#endLeaving();
    for (const call of this.#calls) call.fail(new ClosedError('client'));
  }

  /** A node that joins may be the server of one that has left, under whatever id: its messages would come twice. */
  #makeWayFor({ nodes }: ChannelHomes): void {
    const known = new Set([...this.#homes.nodes, ...this.#comingHomes.nodes]);
    if (nodes.some((node) => !known.has(node))) this.#endLeaving();
  }

  #endLeaving(): void {
    for (const [subscriber, stopTimer] of this.#leaving) {
      stopTimer();
      subscriber.end();
    }
    this.#leaving.clear();
  }

  /** What other nodes have is heard for as long as calls that began by the previous topology may publish there. */
  #retireOthers(nodes: readonly string[]): void {
    const { clock, timeoutMs } = this.#options;
    for (const subscribers of Object.values(this.#subscribers)) {
      for (const [node, subscriber] of subscribers) {
        if (nodes.includes(node)) continue;
        subscribers.delete(node);
        const end = () => {
          this.#leaving.delete(subscriber);
          subscriber.end();
        };
        this.#leaving.set(subscriber, limitTime(clock, timeoutMs, end, false));
      }
    }
  }

  /** A call that publishes ends within `timeoutMs`. From then on nobody here follows the previous topology. */
  #settle(): void {
    const { clock, timeoutMs } = this.#options;
    this.#stopSettling?.();
    this.#stopSettling = undefined;
    if (families.every((family) => this.#desired[family].size === 0)) return;
    const settled = () => {
      this.#stopSettling = undefined;
      for (const family of families) this.#step(family, [...this.#displaced[family].values()]);
    };
    this.#stopSettling = limitTime(clock, timeoutMs, settled, false);
  }

  /** Brings everything to where it belongs now. Resolves when that is confirmed or refused, and within `timeoutMs`. */
  async #move(): Promise<void> {
    for (const family of families) this.#step(family, [...this.#desired[family].values()]);
    for (const call of this.#calls) for (const channel of call.missing) this.#settleIfConfirmed(call, channel);
    const moves = families.map(async (family) => {
      const channels = this.#desired[family].values();
      await this.#waitFor(new PendingCall(family, channels, (channel) => this.#placesOf(family, channel), false));
    });
    await Promise.allSettled(moves);
  }

  /** Begins and ends what `nextSteps` says. */
  #step(family: Family, channels: readonly Channel[]): void {
    const begin = new Map<string, Channel[]>();
    const end = new Map<string, Channel[]>();
    for (const channel of channels) {
      const steps = nextSteps({
        homes: this.#homesOf(family, channel),
        comingHomes: this.#homesOf(family, channel, this.#comingHomes),
        places: this.#subscribedAt(family, channel),
        isSettling: this.#stopSettling !== undefined,
      });
      for (const node of steps.begin) append(begin, node, channel);
      for (const node of steps.end) append(end, node, channel);
      if (steps.isDisplaced) this.#displaced[family].set(channel.id, channel);
      else this.#displaced[family].delete(channel.id);
    }
    for (const [node, own] of begin) this.#subscriberAt(node, family).add(family, own);
    const subscribers = this.#subscribersOf(family);
    for (const [node, own] of end) void subscribers.get(node)!.remove(family, own);
  }

  #subscribedAt(family: Family, channel: Channel): Map<string, boolean> {
    const places = new Map<string, boolean>();
    for (const [node, subscriber] of this.#subscribersOf(family)) {
      if (subscriber.has(family, channel)) places.set(node, subscriber.isConfirmed(family, channel));
    }
    return places;
  }

  #waitFor(call: PendingCall): Promise<void> {
    const { clock, timeoutMs } = this.#options;
    for (const channel of call.missing) this.#settleIfConfirmed(call, channel);
    this.#calls.add(call);
    const cancel = limitTime(clock, timeoutMs, () => call.fail(this.#lateError(call)), call.hasCaller);
    return call.ended.finally(cancel);
  }

  #settleIfConfirmed(call: PendingCall, channel: Channel): void {
    const { family } = call;
    const subscribers = this.#subscribersOf(family);
    const isConfirmed = (node: string) => subscribers.get(node)?.isConfirmed(family, channel) === true;
    if (call.nodesOf(channel).every(isConfirmed)) call.settle(channel);
  }

  #lateError({ family, missing, nodesOf }: PendingCall): Error | undefined {
    const subscribers = this.#subscribersOf(family);
    for (const channel of missing) {
      const late = nodesOf(channel).find((node) => subscribers.get(node)?.isConfirmed(family, channel) !== true);
      if (late !== undefined) {
        return subscribers.get(late)?.lateError(family) ?? new TimeoutError(late, family, this.#options.timeoutMs);
      }
    }
    return undefined;
  }

  #onConfirmed(family: Family, channels: readonly Channel[]): void {
    for (const channel of channels) {
      for (const call of this.#calls.of(family, channel)) this.#settleIfConfirmed(call, channel);
    }
    const displaced = channels.filter(({ id }) => this.#displaced[family].has(id));
    if (displaced.length > 0) this.#step(family, displaced);
  }

  #onRefused(node: string, family: Family, channel: Channel, error: Error): void {
    let isTold = false;
    for (const call of this.#calls.of(family, channel)) {
      if (!call.waitsFor(channel) || !call.nodesOf(channel).includes(node)) continue;
      if (call.hasCaller) call.fail(error);
      else call.settle(channel);
      isTold ||= call.hasCaller;
    }
    if (!isTold) this.#options.onError(node, error);
  }

  /** Where it is to be subscribed now. */
  #placesOf(family: Family, channel: Channel): readonly string[] {
    const homes = this.#homesOf(family, channel);
    if (this.#comingHomes === noHomes) return homes;
    return [...new Set([...homes, ...this.#homesOf(family, channel, this.#comingHomes)])];
  }

  #homesOf(family: Family, channel: Channel, homes = this.#homes): readonly string[] {
    const isEverywhere = family === 'psubscribe' || (family === 'subscribe' && isServersOwn(channel));
    return isEverywhere || homes.nodes.length === 0 ? homes.nodes : [homes.nodeOf(channel.routingText)];
  }

  #subscribersOf(family: Family): Map<string, Subscriber> {
    return family === 'ssubscribe' ? this.#subscribers.sharded : this.#subscribers.plain;
  }

  #subscriberAt(nodeId: string, family: Family): Subscriber {
    const subscribers = this.#subscribersOf(family);
    const existing = subscribers.get(nodeId);
    if (existing !== undefined) return existing;
    const { clock, timeoutMs, handshakeTimeoutMs, heartbeatMs = 15_000, makeClient, onError } = this.#options;
    // Nobody wants to hear of a node that has left.
    const serves = () => subscribers.get(nodeId) === subscriber;
    const subscriber: Subscriber = new Subscriber({
      ...{ nodeId, clock, timeoutMs, handshakeTimeoutMs, heartbeatMs },
      makeClient: () => makeClient(nodeId),
      relay: this.#relay,
      onConfirmed: (kind, channels) => serves() && this.#onConfirmed(kind, channels),
      onRefused: (kind, channel, error) => serves() && this.#onRefused(nodeId, kind, channel, error),
      onError: (error) => serves() && onError(nodeId, error),
    });
    subscribers.set(nodeId, subscriber);
    return subscriber;
  }
}

function append(byNode: Map<string, Channel[]>, node: string, channel: Channel): void {
  const own = byNode.get(node);
  if (own === undefined) byNode.set(node, [channel]);
  else own.push(channel);
}
