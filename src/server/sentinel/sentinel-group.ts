/**
 * A group of servers that Redis Sentinel manages: who is its master now, and which connections must end as that changes.
 *
 * Source: "Sentinel client spec", redis.io/docs/latest/develop/reference/sentinel-clients: ask the sentinels at each
 * connection, verify ROLE, listen for switches. Beyond that specification:
 *
 * - All sentinels are asked at once and the newest configuration counts, by its epoch. A sentinel that was cut off with the
 *   master of before cannot lead anyone back to it.
 * - A message about a switch only makes us ask. A connection is ended when a newer configuration names another master, so
 *   that neither another group's switch nor a late message disturbs it.
 * - From the order that makes a replica the master until the sentinels name it, up to a second, nothing is sent to the old
 *   one: it would accept writes that are lost. Calls wait. This matters where the old master lives, as in a planned switch.
 */

import type { Duplex } from 'node:stream';
import type { Clock } from '../../runtime/clock.ts';
import { Deferred } from '../../runtime/deferred.ts';
import { type Random, seededRandom } from '../../runtime/random.ts';
import { askSentinel, SentinelWatch } from './sentinel-client.ts';
import { chooseReplica, isCredible, isSame, newest, type SentinelNews, type SentinelView } from './sentinel-reply.ts';
import { type Address, type GroupSettings, type Role, textOf } from './sentinel-settings.ts';

/** The place to connect to. */
export interface Place {
  readonly address: Address;
  /** The configuration it was taken from. */
  readonly epoch: number;
}

/** A place, and when its configuration was first heard of, in milliseconds of the monotonic clock. */
interface Known extends Place {
  readonly sinceMs: number;
}

interface Held {
  readonly role: Role;
  readonly address: Address;
  epoch: number;
}

/**
 * How long the first answer waits for those of other sentinels, in milliseconds. They come within a round trip; one that
 * takes longer is down or far away, and connecting is not held up for it.
 */
const furtherAnswersMs = 50;

/**
 * How long to keep away from the old master for a switch that does not come to an end, in milliseconds. Sentinels look every
 * second whether a replica has become the master.
 */
const promotionLimitMs = 2_000;

export class SentinelGroup {
  readonly settings: GroupSettings;
  readonly #clock: Clock;
  readonly #random: Random;

  /** The newest configuration heard of, with the address as we reach it. */
  #known: Known | undefined;
  /** Those of the settings, and those that answered or were named when last asked. */
  #sentinels: readonly Address[];
  readonly #watches = new Map<string, SentinelWatch>();
  /** Streams to servers of the group. */
  readonly #held = new Map<Duplex, Held>();
  readonly #listeners = new Set<() => void>();
  /** While a replica is being made the master. */
  #promotion: { readonly ended: Promise<void>; readonly end: () => void } | undefined;
  #isClosed = false;

  constructor(settings: GroupSettings, clock: Clock) {
    this.settings = settings;
    this.#clock = clock;
    this.#sentinels = settings.sentinels;
    // Processes that start together should not all choose the same replica.
    this.#random = seededRandom(Math.floor(clock.wallMs() * 1_000 + (clock.nowMs() % 1) * 1_000) % 2 ** 32);
  }

  /**
   * Asks the sentinels where the group's master, or a replica of it, is.
   * @throws  An error that names the group, and each sentinel with what it said. No passwords.
   */
  async find(role: Role): Promise<Place> {
    const { name, translate, preferredReplicas } = this.settings;
    let views: [SentinelView, ...SentinelView[]];
    do {
      if (role === 'master') await this.#promotion?.ended;
      views = await this.#ask(role === 'slave');
    } while (role === 'master' && this.#promotion !== undefined); // It has begun meanwhile.
    const view = newest(views);
    const agreeing = views.filter(({ epoch, master }) => epoch === view.epoch && isSame(master, view.master)).length;
    const nowMs = this.#clock.nowMs();
    const known = this.#known;
    const heard = known && { epoch: known.epoch, ageMs: nowMs - known.sinceMs };
    const sentinelCount = Math.max(this.settings.sentinels.length, ...views.map((each) => each.sentinelCount));
    if (!isCredible(view.epoch, heard, agreeing, sentinelCount)) {
      throw new Error(`All reachable sentinels report an outdated configuration for group '${name}'.`);
    }
    const place = { address: translate(view.master), epoch: view.epoch };
    if (known?.epoch !== view.epoch) this.#known = { ...place, sinceMs: nowMs };
    if (role === 'master') return place;
    const replica = chooseReplica(view.replicas, preferredReplicas, this.#random);
    if (replica === undefined) throw new Error(`The group '${name}' has no replica that its sentinels can reach.`);
    return { address: translate(replica), epoch: view.epoch };
  }

  /** Ends the stream, with an error, when its server is no longer what it was connected to for. */
  hold(stream: Duplex, role: Role, { address, epoch }: Place): void {
    this.#held.set(stream, { role, address, epoch });
    stream.once('close', () => this.#held.delete(stream));
    if (this.#known !== undefined) this.#leaveWrong(this.#known);
    this.#watch();
  }

  /** Calls `listener` when the group has another master. */
  onSwitch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Asks the sentinels whether anything has changed; something hints at it. */
  refresh(): void {
    if (!this.#isClosed) this.#ask(false).catch(() => undefined); // Connecting asks again, and says what is wrong.
  }

  /** Watches no longer. Connections are their owners' to close. */
  close(): void {
    this.#isClosed = true;
    this.#promotion?.end();
    for (const watch of this.#watches.values()) watch.end();
    this.#watches.clear();
    this.#listeners.clear();
  }

  /** At least one view; the others as they come, within a moment. */
  async #ask(wantsReplicas: boolean): Promise<[SentinelView, ...SentinelView[]]> {
    const { settings } = this;
    if (this.#isClosed) throw new Error(`The group '${settings.name}' is no longer in use.`);
    const views: SentinelView[] = [];
    const answering: Address[] = [];
    const failures: string[] = [];
    const asked = this.#sentinels.map(async (sentinel) => {
      try {
        const view = await askSentinel(sentinel, settings, wantsReplicas, this.#clock);
        views.push(view);
        answering.push(sentinel);
        this.#learn(view);
      } catch (error) {
        failures.push(`${textOf(sentinel)}: ${(error as Error).message}`);
        throw error;
      }
    });
    let cancel: () => void = () => undefined;
    const enough = Promise.any(asked).then(
      () =>
        new Promise<void>((resolve) => {
          cancel = this.#clock.schedule(furtherAnswersMs, resolve, true);
        }),
      () => undefined,
    );
    await Promise.race([Promise.allSettled(asked), enough]);
    cancel();
    const [first, ...others] = views;
    if (settings.learnsSentinels) this.#learnSentinels(answering, views);
    if (first !== undefined) return [first, ...others];
    throw new Error(`No sentinel could say where the group '${settings.name}' is (${failures.join('; ')}).`);
  }

  #learn({ epoch, master }: SentinelView): void {
    const address = this.settings.translate(master);
    const known = this.#known;
    // One sentinel alone is never enough to go back.
    if (known !== undefined && epoch <= known.epoch) return;
    this.#known = { address, epoch, sinceMs: this.#clock.nowMs() };
    if (known !== undefined) this.#promotion?.end();
    this.#leaveWrong(this.#known);
    if (known !== undefined && !isSame(known.address, address)) for (const listener of [...this.#listeners]) listener();
  }

  #learnSentinels(answering: readonly Address[], views: readonly SentinelView[]): void {
    const { sentinels, translate } = this.settings;
    const all = [...sentinels, ...answering, ...views.flatMap((view) => view.sentinels.map(translate))];
    this.#sentinels = all.filter((one, index) => all.findIndex((other) => isSame(one, other)) === index);
    if (this.#watches.size > 0) this.#watch();
  }

  #watch(): void {
    if (this.#isClosed) return;
    const wanted = new Set(this.#sentinels.map(textOf));
    for (const [key, watch] of this.#watches) {
      if (wanted.has(key)) continue;
      watch.end();
      this.#watches.delete(key);
    }
    for (const sentinel of this.#sentinels) {
      const key = textOf(sentinel);
      if (this.#watches.size >= this.settings.maxWatched) return;
      if (this.#watches.has(key)) continue;
      const listener = { onListening: () => this.refresh(), onNews: (news: SentinelNews) => this.#onNews(news) };
      this.#watches.set(key, new SentinelWatch(sentinel, this.settings, listener, this.#clock));
    }
  }

  #onNews(news: SentinelNews): void {
    switch (news.kind) {
      case 'promoting':
        this.#beginPromotion();
        break;
      case 'aborted':
        this.#promotion?.end();
        break;
      case 'switch':
        this.refresh();
        break;
      case 'replicaDown': {
        const replica = this.settings.translate(news.replica);
        this.#leave((held) => held.role === 'slave' && isSame(held.address, replica), 'has a replica that is down');
      }
    }
  }

  #beginPromotion(): void {
    if (this.#promotion !== undefined) return;
    const ended = new Deferred<void>();
    const end = () => {
      cancel();
      this.#promotion = undefined;
      ended.resolve();
    };
    const cancel = this.#clock.schedule(promotionLimitMs, end, false);
    this.#promotion = { ended: ended.promise, end };
    this.#leave((held) => held.role === 'master', 'is getting another master');
  }

  /** By a newer configuration than the one that they were made by. */
  #leaveWrong({ address, epoch }: Place): void {
    const isOutdated = (held: Held) => held.epoch < epoch;
    const isWrong = (held: Held) => (held.role === 'master') !== isSame(held.address, address);
    this.#leave((held) => isOutdated(held) && isWrong(held), 'has another master now');
    for (const held of this.#held.values()) held.epoch = Math.max(held.epoch, epoch);
  }

  #leave(isMeant: (held: Held) => boolean, reason: string): void {
    for (const [stream, held] of this.#held) {
      if (isMeant(held)) stream.destroy(new Error(`The group '${this.settings.name}' ${reason}.`));
    }
  }
}
