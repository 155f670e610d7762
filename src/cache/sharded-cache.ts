/**
 * A typed key-value cache over many nodes.
 *
 * This file is the face: it checks arguments, turns values into bytes, and leaves the rest to `routing/` (where a key
 * is read and written), `cluster/` (which nodes there are, their health and changes) and `get-or-set.ts` (loading what is missing).
 */

import { type InspectOptions, inspect } from 'node:util';
import type { Value } from '../backend/backend.ts';
import type { ChangeOptions } from '../cluster/change-options.ts';
import type { Changes, NextPlacement } from '../cluster/changes.ts';
import { Cluster } from '../cluster/cluster.ts';
import { type Explanation, explain } from '../cluster/explain.ts';
import type { Rebalance } from '../cluster/rebalance.ts';
import { ClosedError } from '../errors/index.ts';
import type { NodeHealth, NodeReport, NodeTraffic } from '../health/health-view.ts';
import type { ReadyOptions } from '../health/readiness.ts';
import { Delete, Expire, ExpiresAt, Get, GetAlone, GetWithExpiry, Has, Increment } from '../nodes/operations.ts';
import type { Fleet } from '../routing/fleet.ts';
import { type RouteOptions, readOne } from '../routing/read.ts';
import { type Acknowledgement, writeOne } from '../routing/write.ts';
import type { Clock } from '../runtime/clock.ts';
import { inspectAs } from '../runtime/inspect-as.ts';
import { expectFunction, expectInteger, expectString } from '../runtime/validate.ts';
import type { Topology } from '../topology/topology.ts';
import type { GetOrSetOptions, SetCallOptions, SignalOptions } from './call-options.ts';
import { Calls } from './calls.ts';
import { type Codec, decode, encode } from './codecs.ts';
import { CacheEventEmitter } from './events.ts';
import { GetOrSet } from './get-or-set.ts';
import { clearAll, listKeys } from './iterate.ts';
import { Lifetimes } from './lifetimes.ts';
import { deleteMany, getMany, setMany } from './many.ts';
import {
  type CacheNode,
  type CallSettings,
  expectTtl,
  parseCacheNode,
  parseOptions,
  type ShardedCacheOptions,
} from './options.ts';
import { SetWithLifetime } from './set-with-lifetime.ts';

export type { GetOrSetOptions, SetCallOptions, SignalOptions } from './call-options.ts';

const signalOnly = ['signal'];
const signalAndTtl = ['signal', 'ttlMs'];
const loadOptionNames = [...signalAndTtl, 'staleWhileRevalidateMs', 'whenUnavailable', 'loadTimeoutMs'];
const anyAnswer = () => true;

/**
 * @typeParam Stored  What the values are; `unknown` lets each call say.
 *
 * Every call rejects with one of the errors of `errors/`, or with the reason of its signal. Keys are any strings.
 */
export class ShardedCache<Stored = unknown> extends CacheEventEmitter implements AsyncDisposable {
  readonly #codec: Codec;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #defaultTtlMs: number;
  readonly #lifetimes: Lifetimes;
  readonly #cluster: Cluster;
  readonly #fleet: Fleet;
  readonly #calls: Calls;
  readonly #getOrSet: GetOrSet;
  #closing: Promise<void> | undefined;

  /** Opens nothing: backends connect at their first call. @throws {InvalidArgumentError} Names the field at fault. */
  constructor(options: ShardedCacheOptions<Stored>) {
    super();
    const parsed = parseOptions(options);
    this.#codec = parsed.codec;
    this.#clock = parsed.clock;
    this.#timeoutMs = parsed.timeoutMs;
    this.#defaultTtlMs = parsed.defaultTtlMs;
    this.#lifetimes = new Lifetimes(parsed.clock, parsed.policy.spillTtlMs);
    this.#cluster = new Cluster({
      ...parsed,
      what: 'cache',
      strategies: ['lazy', 'none'],
      emit: (name, event) => this.tell(name, event),
    });
    this.#fleet = this.#cluster.fleet;
    this.#calls = new Calls(this.#cluster, parsed.codec);
    this.#cluster.join(parsed.nodes);
    const access = {
      read: (key: string, needsExpiry: boolean) => this.#readWithExpiry(key, needsExpiry),
      write: async (key: string, value: unknown, ttlMs: number) => {
        await this.#write(key, encode(this.#codec, value), ttlMs, {});
      },
    };
    this.#getOrSet = new GetOrSet(this.#fleet, access, parsed);
  }

  /** The value under `key`, or undefined if there is none. */
  get<Expected = Stored>(key: string, options?: SignalOptions): Promise<Expected | undefined> {
    const read = (settings: CallSettings) => readOne(this.#fleet, new Get(expectString('key', key), 'get'), settings);
    return this.#calls.run(options, signalOnly, read, this.#calls.returnDecoded) as Promise<Expected | undefined>;
  }

  /** Stores `value` under `key`, replacing what was there together with its time to live. */
  set(key: string, value: Stored, options?: SetCallOptions): Promise<void> {
    const write = (settings: CallSettings) => {
      const { ttlMs = this.#defaultTtlMs } = settings;
      return this.#write(expectString('key', key), encode(this.#codec, value), ttlMs, settings);
    };
    return this.#calls.run(options, signalAndTtl, write, this.#calls.returnVoid);
  }

  /** Removes `key` from all its nodes. True if one of them had it. */
  delete(key: string, options?: SignalOptions): Promise<boolean> {
    return this.#call(options, signalOnly, async ({ signal }) => {
      expectString('key', key);
      const call = { operation: new Delete(key, 'delete'), isSatisfied: isTrueSomewhere };
      const { acknowledgements, deletedAtPreviousOwner } = await writeOne(this.#fleet, call, { signal });
      return deletedAtPreviousOwner || isTrueSomewhere(acknowledgements);
    });
  }

  /** Whether there is a value under `key`. */
  has(key: string, options?: SignalOptions): Promise<boolean> {
    return this.#call(
      options,
      signalOnly,
      async ({ signal }) => (await readOne(this.#fleet, new Has(expectString('key', key), 'has'), { signal })) === true,
    );
  }

  /** Milliseconds that the value under `key` has left: Infinity if it stays, undefined if there is none. */
  ttl(key: string, options?: SignalOptions): Promise<number | undefined> {
    return this.#call(options, signalOnly, async ({ signal }) => {
      const expiresAtMs = await this.#expiresAt('ttl', key, signal);
      return expiresAtMs === undefined ? undefined : this.#lifetimes.leftUntil(expiresAtMs);
    });
  }

  /** Gives the value under `key` a new time to live (Infinity: it stays). False if there is none. */
  expire(key: string, ttlMs: number, options?: SignalOptions): Promise<boolean> {
    return this.#call(options, signalOnly, async ({ signal }) => {
      expectString('key', key);
      const expiresAtMs = this.#lifetimes.expiryOf(expectTtl('ttlMs', ttlMs));
      const limits = this.#limits(signal);
      const operation = new Expire(key, expiresAtMs);
      const call = { operation, requires: 'one holder', isSatisfied: isTrueSomewhere } as const;
      return isTrueSomewhere((await writeOne(this.#fleet, call, limits)).acknowledgements);
    });
  }

  /**
   * Adds `by` to the integer under `key`, a missing one counting as 0, and returns the sum. Its time to live stays.
   * Atomic at each node. Exact up to 2^53 - 1. With replicas it takes two round trips: a holder that lost the value is
   * given it first.
   *
   * @param by  Any safe integer, negative to count down. Default 1.
   */
  increment(key: string, by: number = 1, options?: SignalOptions): Promise<number> {
    return this.#call(options, signalOnly, async ({ signal }) => {
      expectString('key', key);
      expectInteger('by', by, Number.MIN_SAFE_INTEGER);
      const limits = this.#limits(signal);
      const operation = new Increment(key, by);
      // All nodes are waited for, so that the answer is always that of the first in preference order.
      const call = { operation, requires: 'all holders', isSatisfied: () => false } as const;
      return (await writeOne(this.#fleet, call, limits)).acknowledgements[0]!.result;
    });
  }

  /**
   * The values under `keys`, as a Map of the hits in the order of the keys. One call per node, in parallel.
   * @throws {PartialFailureError} Some keys' nodes failed: `results` is the Map of the other keys' hits.
   */
  getMany<Expected = Stored>(keys: Iterable<string>, options?: SignalOptions): Promise<Map<string, Expected>> {
    const call = ({ signal }: CallSettings) => getMany(this.#fleet, this.#codec, keys, signal);
    return this.#call(options, signalOnly, call) as Promise<Map<string, Expected>>;
  }

  /**
   * Stores all entries; of a key that comes twice the later value stays. One call per node, in parallel.
   * @throws {PartialFailureError} Some keys did not reach the consistency level: `results` are the keys that did.
   */
  setMany(entries: Iterable<readonly [key: string, value: Stored]>, options?: SetCallOptions): Promise<void> {
    return this.#call(options, signalAndTtl, ({ signal, ttlMs }) => {
      const expiresAtMs = this.#lifetimes.expiryOf(ttlMs ?? this.#defaultTtlMs);
      const expiryAt = (isFallback: boolean) => this.#lifetimes.expiryAt(isFallback, expiresAtMs);
      return setMany(this.#fleet, this.#codec, entries, expiryAt, signal);
    });
  }

  /**
   * Removes all keys and returns how many there were. One call per node, in parallel.
   * @throws {PartialFailureError} Some keys did not reach the consistency level: `results` is the number of the others.
   */
  deleteMany(keys: Iterable<string>, options?: SignalOptions): Promise<number> {
    return this.#call(options, signalOnly, ({ signal }) => deleteMany(this.#fleet, keys, signal));
  }

  /**
   * The value under `key`, or else what `load` gives, which is stored. However many ask at once, `load` runs once per
   * key in this process; the first caller's `load` and options count. All waiters receive a failure of `load`; it is not cached.
   */
  getOrSet<Expected extends Stored>(
    key: string,
    load: () => Expected | Promise<Expected>,
    options?: GetOrSetOptions,
  ): Promise<Expected> {
    return this.#call(options, loadOptionNames, async (settings) => {
      expectFunction('load', load);
      return (await this.#getOrSet.run(expectString('key', key), load, settings)) as Expected;
    });
  }

  /** Every key once, in no order; see `iterate.ts` for what it takes and leaves out. */
  async *keys(options?: SignalOptions): AsyncGenerator<string, void, undefined> {
    const { signal } = this.#calls.enter(options, signalOnly);
    // Not in flight between two keys: an abandoned listing must not delay closing.
    this.#calls.gate.leave();
    try {
      for await (const key of listKeys(this.#fleet, signal)) {
        this.#calls.expectOpen();
        yield key;
      }
    } catch (error) {
      // Closing fails the listing at some node first, but that is not the reason to report.
      this.#calls.expectOpen();
      throw error;
    }
  }

  /** Removes every key of every node: with Redis, all keys under the `keyPrefix`, or of the whole database without one. */
  clear(options?: SignalOptions): Promise<void> {
    return this.#call(options, signalOnly, ({ signal }) => clearAll(this.#fleet, signal));
  }

  /** Why `key` is where it is. Touches no node. @throws {NoNodesError} There is no node. */
  explain(key: string): Explanation {
    return explain(this.#fleet, expectString('key', key));
  }

  /** The topology in force: an immutable value, replaced by each change. */
  get topology(): Topology {
    return this.#cluster.topology;
  }

  /** What this process thinks of each node. The first call of this or any other begins to probe them. */
  health(): ReadonlyMap<string, NodeHealth> {
    return this.#cluster.health();
  }

  /** The same with the reason: since when a node is not up, and what first said what is wrong with it. */
  healthReport(): ReadonlyMap<string, NodeReport & Partial<NodeTraffic>> {
    return this.#cluster.healthReport();
  }

  /**
   * Resolves when the nodes have answered and are up: all of them, or `atLeast` so many. For the start of a process that
   * must not take requests before.
   * @throws {NotReadyError} They were not within `timeoutMs` (default: the cache's): says of each what is wrong.
   */
  async ready(options?: ReadyOptions): Promise<void> {
    this.#calls.expectOpen();
    await this.#cluster.ready(options);
  }

  /** For logs: the nodes with their states, and no key, value, address or password. Contacts no server. */
  [inspect.custom](depth: number, options: InspectOptions): string {
    return inspectAs(this.constructor.name, this.#cluster.state, depth, options);
  }

  /** Adds a node, once it has answered a PING. It takes over its share of the keys. */
  addNode(node: CacheNode, options?: ChangeOptions): Rebalance {
    return this.#changes.addNode(() => parseCacheNode('node', node), options);
  }

  /** Removes a node; its keys go to the others. Its backend is closed when it is not read from any more. */
  removeNode(id: string, options?: ChangeOptions): Rebalance {
    return this.#changes.removeNode(id, options);
  }

  /** Changes a node's share of the keys. */
  setWeight(id: string, weight: number, options?: ChangeOptions): Rebalance {
    return this.#changes.setWeight(id, weight, options);
  }

  /**
   * Puts another placement of the same nodes in force: other weights at once, ranges split or given to other nodes, or
   * another kind of placement altogether. A function is given the placement in force, and the length of the lists
   * that will be asked for most, and returns the next one.
   */
  setPlacement(placement: NextPlacement, options?: ChangeOptions): Rebalance {
    return this.#changes.setPlacement(placement, options);
  }

  get #changes(): Changes {
    this.#calls.expectOpen();
    return this.#cluster.changes;
  }

  /**
   * Refuses new calls, waits for those in flight and closes the nodes' backends, all within `timeoutMs`; who waits for a load of
   * `getOrSet` by then gets `ERR_CLOSED`. Idempotent. `await using` calls it.
   */
  close(): Promise<void> {
    this.#closing ??= this.#cluster.close({ onQuiet: () => this.#getOrSet.end(new ClosedError('cache')) });
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #call<Result>(
    options: object | undefined,
    known: readonly string[],
    work: (settings: CallSettings) => Promise<Result>,
  ): Promise<Result> {
    return this.#calls.run(options, known, work, this.#calls.returnResult<Result>);
  }

  #write(key: string, bytes: Value, ttlMs: number, options: RouteOptions): Promise<unknown> {
    const operation = new SetWithLifetime(key, bytes, this.#lifetimes.expiryOf(ttlMs), this.#lifetimes);
    const call = { operation, isSatisfied: anyAnswer };
    return writeOne(this.#fleet, call, options);
  }

  async #readWithExpiry(key: string, needsExpiry: boolean) {
    const operation = needsExpiry ? new GetWithExpiry(key, 'getOrSet') : new GetAlone(key, 'getOrSet');
    const found = await readOne(this.#fleet, operation, {});
    return found && { value: decode(this.#codec, found.value), expiresAtMs: found.expiresAtMs };
  }

  #limits(signal: AbortSignal | undefined) {
    return { signal, deadlineMs: this.#clock.nowMs() + this.#timeoutMs };
  }

  async #expiresAt(operation: string, key: string, signal: AbortSignal | undefined): Promise<number | undefined> {
    expectString('key', key);
    return await readOne(this.#fleet, new ExpiresAt(key, operation), { signal });
  }
}

const isTrueSomewhere = (acknowledgements: readonly Acknowledgement<boolean>[]) =>
  acknowledgements.some(({ result }) => result);
