/**
 * A hash ring on which no node gets more than a fixed multiple of its fair share of the load.
 *
 * Source: V. Mirrokni, M. Thorup, M. Zadimoghaddam, "Consistent Hashing with Bounded Loads", SODA 2018,
 * doi:10.1137/1.9781611975031.39, arXiv:1608.01350. With weights as here: a fair share is w / W.
 *
 * Symbols:
 *
 *   c         capacityFactor, above 1
 *   w, W      weight of a node, and the sum of all
 *   L         load of a node, in the caller's units: connections, requests in flight, keys
 *   T         sum of the loads
 *   capacity  ceil(c * (T + 1) * w / W): the bound once one more unit has been placed
 *
 * `choose` takes the first node of the key's preference order with L < capacity. There always is one: were every load
 * at its capacity or above, their sum would be T >= c * (T + 1) > T. (`leastCapacityFactor` keeps c so far above 1 that
 * rounding cannot change this.) A smaller c evens the loads out more and sends more keys to other nodes than their
 * first. Nothing that was placed is ever moved; the paper's own scheme moves it back to where it would be had the order
 * of coming been another, and shows that this touches O(1 / (c - 1)^2) others each time.
 *
 * As a placement, without loads, it maps every key as its ring does. Where `choose` sends a key depends on the loads of
 * the moment, so that a key may be met at any node before which all in its order were full. That is right for work and
 * connections, which leave nothing behind. A cache has to read in preference order, and finds there what `choose` put
 * at a later node only after misses at those before.
 */

import { InvalidArgumentError } from '../../errors/index.ts';
import { expectIterable, expectObject, expectOptions, expectString } from '../../runtime/validate.ts';
import type { NodeId, NodeInput, PlacementNode } from '../node.ts';
import type { Arcs, SlottedPlacement } from '../placement.ts';
import { checksumOf, type PlacementSnapshot, restoreSnapshot, type SnapshotKind } from '../snapshot.ts';
import { HashRing, type HashRingOptions } from './hash-ring.ts';

/** A quarter above the fair share. */
export const defaultCapacityFactor = 1.25;

/** Close enough to 1 for any use, and far above all rounding of the sums and quotients together. */
export const leastCapacityFactor = 1.001;

export interface BoundedLoadRingOptions extends HashRingOptions {
  /** Most load a node may have, as a multiple of its fair share. At least 1.001; default 1.25. */
  readonly capacityFactor?: number | undefined;
}

/**
 * The load of each node: a number of at least 0. A Map may leave out nodes without load, and may have entries for other
 * nodes, which do not count. A function is asked for the nodes of the ring only.
 */
export type Loads = ReadonlyMap<NodeId, number> | ((id: NodeId) => number);

export interface BoundedLoadSnapshot extends PlacementSnapshot {
  readonly slots: number;
  readonly virtualNodes: number;
  readonly hashSeed: number;
  readonly capacityFactor: number;
}

const kind: SnapshotKind = {
  format: 'shardring/placement',
  placement: 'bounded-load/1',
  parameters: ['slots', 'virtualNodes', 'hashSeed', 'capacityFactor'],
};

export class BoundedLoadRing implements SlottedPlacement {
  /** The ring, which decides everything but the bound. */
  readonly ring: HashRing;
  readonly capacityFactor: number;
  readonly #weightSum: number;
  readonly #weights: ReadonlyMap<NodeId, number>;
  #checksum: string | undefined;

  /** @throws {InvalidArgumentError} An option or node is out of range, unknown, or an id comes twice. */
  static create(nodes: Iterable<NodeInput>, options: BoundedLoadRingOptions = {}): BoundedLoadRing {
    expectObject('options', options);
    const { capacityFactor = defaultCapacityFactor, ...ringOptions } = options;
    return new BoundedLoadRing(HashRing.create(nodes, ringOptions), expectCapacityFactor(capacityFactor));
  }

  /**
   * Restores a placement from its snapshot, given as the object or as its JSON text.
   * @throws {SnapshotError} It is of another kind or version, has unknown or wrong fields, or was altered.
   */
  static fromSnapshot(snapshot: unknown, options: Pick<HashRingOptions, 'replicationFactor'> = {}): BoundedLoadRing {
    expectOptions('options', options, ['replicationFactor']);
    return restoreSnapshot(snapshot, kind, (nodes, parameters) => {
      // A field that is null would be taken for one that is left out.
      const wrong = kind.parameters.find((name) => typeof parameters[name] !== 'number');
      if (wrong !== undefined) throw new InvalidArgumentError(`snapshot.${wrong}`, 'a number', parameters[wrong]);
      return BoundedLoadRing.create(nodes, { ...parameters, ...options });
    });
  }

  private constructor(ring: HashRing, capacityFactor: number) {
    this.ring = ring;
    this.capacityFactor = capacityFactor;
    this.#weights = new Map(ring.nodes.map(({ id, weight }) => [id, weight]));
    this.#weightSum = ring.nodes.reduce((sum, { weight }) => sum + weight, 0);
  }

  /**
   * The node for one more unit of load under `key`: the first of the key's preference order that has room.
   *
   * The loads must not change during the call. Costs a read of every node's load, or of those of the nodes walked past
   * alone where `totalLoad` is given; and the walk, which mostly ends at its first nodes.
   *
   * @param totalLoad  The sum of the nodes' loads, for a caller that keeps it anyway.
   * @throws {NoNodesError}          There is no node.
   * @throws {InvalidArgumentError}  A load is not a finite number of at least 0, their sum is not finite, or they do
   *                                 not fit together: `totalLoad` is less than their sum, or they changed meanwhile.
   */
  choose(key: string, loads: Loads, totalLoad?: number): NodeId {
    const loadOf = loadReader(loads);
    const total = totalLoad === undefined ? this.#sumOf(loadOf) : expectLoad('totalLoad', totalLoad);
    const chosen = this.#firstWithRoom(key, (id) => loadOf(id) < this.#capacity(this.#weights.get(id)!, total));
    if (chosen !== undefined) return chosen;
    throw new InvalidArgumentError('loads', 'loads whose sum is the total', total);
  }

  /**
   * The load up to which each node may go when one more unit is placed.
   * @param totalLoad  The load of all nodes before that. A finite number of at least 0.
   */
  capacities(totalLoad: number): ReadonlyMap<NodeId, number> {
    expectLoad('totalLoad', totalLoad);
    return new Map(this.nodes.map(({ id, weight }) => [id, this.#capacity(weight, totalLoad)]));
  }

  /**
   * Places all these keys at once, one after the other, on nodes that start out empty: each on the first node of its
   * order that has fewer keys than ceil(c * number of keys * w / W), which no node ever exceeds.
   *
   * @param keys  Each is one unit of load; one that comes twice is placed twice. Their order matters where nodes get full.
   * @returns     Every node, with its keys in the order given.
   * @throws {NoNodesError} There are keys and no node.
   */
  assign(keys: Iterable<string>): ReadonlyMap<NodeId, readonly string[]> {
    const all = [...expectIterable('keys', keys)].map((key, index) => expectString(`keys[${index}]`, key));
    const placed = new Map(this.nodes.map(({ id }) => [id, [] as string[]]));
    const capacities = this.capacities(Math.max(0, all.length - 1));
    const hasRoom = (id: NodeId) => placed.get(id)!.length < capacities.get(id)!;
    // The capacities sum to more than the number of keys, so that there is room for every one of them.
    for (const key of all) placed.get(this.#firstWithRoom(key, hasRoom)!)!.push(key);
    return placed;
  }

  get nodes(): readonly PlacementNode[] {
    return this.ring.nodes;
  }

  get slots(): number {
    return this.ring.slots;
  }

  get slotting(): string {
    return this.ring.slotting;
  }

  nodeFor(key: string): NodeId {
    return this.ring.nodeFor(key);
  }

  preferenceList(key: string, count: number): readonly NodeId[] {
    return this.ring.preferenceList(key, count);
  }

  routingKeyOf(key: string): string {
    return this.ring.routingKeyOf(key);
  }

  positionOf(key: string): number {
    return this.ring.positionOf(key);
  }

  slotOf(key: string): number {
    return this.ring.slotOf(key);
  }

  arcs(count: number): Arcs<number> {
    return this.ring.arcs(count);
  }

  /** Part of the slots that each node owns, before any load. */
  shares(): ReadonlyMap<NodeId, number> {
    return this.ring.shares();
  }

  withNode(node: NodeInput): BoundedLoadRing {
    return new BoundedLoadRing(this.ring.withNode(node), this.capacityFactor);
  }

  withoutNode(id: NodeId): BoundedLoadRing {
    return new BoundedLoadRing(this.ring.withoutNode(id), this.capacityFactor);
  }

  withWeight(id: NodeId, weight: number): BoundedLoadRing {
    return new BoundedLoadRing(this.ring.withWeight(id, weight), this.capacityFactor);
  }

  /** Covers the ring and the capacity factor, which decides what `choose` does. */
  get checksum(): string {
    const { slots, virtualNodes, hashSeed, nodes } = this.ring;
    this.#checksum ??= checksumOf(kind.placement, [slots, virtualNodes, hashSeed, this.capacityFactor], nodes);
    return this.#checksum;
  }

  toSnapshot(): BoundedLoadSnapshot {
    const { slots, virtualNodes, hashSeed, nodes } = this.ring.toSnapshot();
    return {
      format: kind.format,
      version: 1,
      placement: kind.placement,
      slots,
      virtualNodes,
      hashSeed,
      capacityFactor: this.capacityFactor,
      nodes,
      checksum: this.checksum,
    };
  }

  /** The one place of the formula, so that a node is full by the very number that `capacities` gives. */
  #capacity(weight: number, total: number): number {
    return Math.ceil((this.capacityFactor * (total + 1) * weight) / this.#weightSum);
  }

  #sumOf(loadOf: (id: NodeId) => number): number {
    let sum = 0;
    for (const { id } of this.nodes) sum += loadOf(id);
    if (!Number.isFinite(sum)) throw new InvalidArgumentError('loads', 'loads with a finite sum', sum);
    return sum;
  }

  /** The owner comes from the table, and longer pieces of the order are asked for only as long as nodes are full. */
  #firstWithRoom(key: string, hasRoom: (id: NodeId) => boolean): NodeId | undefined {
    const owner = this.ring.nodeFor(key);
    if (hasRoom(owner)) return owner;
    const nodeCount = this.nodes.length;
    for (let seen = 1; seen < nodeCount; ) {
      const count = Math.min(nodeCount, Math.max(2 * seen, this.ring.replicationFactor));
      const list = this.ring.preferenceList(key, count);
      for (; seen < count; seen++) if (hasRoom(list[seen]!)) return list[seen]!;
    }
    return undefined;
  }
}

function expectCapacityFactor(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < leastCapacityFactor) {
    throw new InvalidArgumentError('capacityFactor', `a finite number of at least ${leastCapacityFactor}`, value);
  }
  return value;
}

function expectLoad(field: string, value: unknown): number {
  if (!isLoad(value)) throw new InvalidArgumentError(field, 'a finite number of at least 0', value);
  return value;
}

function isLoad(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY;
}

function loadReader(loads: Loads): (id: NodeId) => number {
  const isMap = typeof loads === 'object' && loads !== null && typeof loads.get === 'function';
  if (!isMap && typeof loads !== 'function') {
    throw new InvalidArgumentError('loads', 'a Map of ids to loads, or a function of an id', loads);
  }
  return (id) => {
    const load = typeof loads === 'function' ? loads(id) : (loads.get(id) ?? 0);
    // The name of the field is made only when it is needed: this is read for every node of every call.
    return isLoad(load) ? load : expectLoad(`loads of node ${id}`, load);
  };
}
