/**
 * Immutable consistent-hash ring with weighted virtual nodes, answered by a table of slots.
 *
 * Sources: D. Karger et al., "Consistent Hashing and Random Trees", STOC 1997, doi:10.1145/258533.258660 (the ring).
 * G. DeCandia et al., "Dynamo", SOSP 2007, doi:10.1145/1294261.1294281 (virtual nodes, section 4.2; preference list,
 * section 4.3).
 *
 * A key's position is XXH32 of its routing key with `hashSeed`, an integer in [0, 2^32). A virtual node owns the arc
 * that ends at its own position: (previous position, own position]. The sorted virtual nodes are the truth; from them a
 * table holds the nodes of each slot, so that a lookup is one hash and one read whatever the number of nodes.
 *
 * Properties that tests hold: the order of joining does not matter; removing a node moves only its keys; adding a node
 * or raising a weight moves keys only to that node; a shorter preference list is a prefix of a longer one.
 */

import { InvalidArgumentError, NoNodesError } from '../../errors.ts';
import { xxh32 } from '../../hash/xxh32.ts';
import { expectInteger, expectIterable, expectOptions, expectPositive } from '../../runtime/validate.ts';
import { type NodeId, type NodeInput, type PlacementNode, parseNode, sortNodes } from '../node.ts';
import type { SlottedPlacement } from '../placement.ts';
import { routingKeyOf } from '../routing-key.ts';
import { defaultSlots, expectSlots, slotShift } from '../slot-table.ts';
import { checksumOf, parseSnapshot, type RingSnapshot } from '../snapshot.ts';
import { maxNodes, type VirtualNodes, virtualNodesOf } from './virtual-nodes.ts';
import { pointAtOrAfter, walk } from './walk.ts';

/**
 * 512 points per unit of weight: the spread of the shares is 1/sqrt(512) = 4.4 %, the fullest of 10 nodes 7 % above the
 * mean and of 100 nodes 11 %. With 160, the usual choice, it is 8 %, 13 % and 22 %; with 1,024 it would be 3.1 %, 5 % and
 * 8 %, at twice the points to sort. Lookups cost the same for all of them, since a table answers.
 */
export const defaultVirtualNodes = 512;

export interface HashRingOptions {
  /** Points per unit of weight. Integer in [1, 65536]; default 512. More spread the keys more evenly and cost memory. */
  readonly virtualNodes?: number | undefined;
  /** Pieces of the position space, a power of two in [2^8, 2^22]; default 2^18. See `slot-table.ts`. */
  readonly slots?: number | undefined;
  /** Seed of the hash, an integer in [0, 2^32); default 0. Keep it secret where strangers choose keys. */
  readonly hashSeed?: number | undefined;
  /** Preference lists up to this length are read from the table; longer ones walk the ring. Default 1. */
  readonly replicationFactor?: number | undefined;
}

const optionNames = ['virtualNodes', 'slots', 'hashSeed', 'replicationFactor'];

/** What a ring is made of, checked. Two rings of equal identity map every key alike. */
interface RingIdentity {
  readonly nodes: readonly PlacementNode[];
  readonly virtualNodes: number;
  readonly slots: number;
  readonly hashSeed: number;
}

export class HashRing implements SlottedPlacement {
  readonly nodes: readonly PlacementNode[];
  readonly virtualNodes: number;
  readonly slots: number;
  readonly hashSeed: number;
  /** Preference lists up to this length come from the table. Part of the ring's speed and not of its mapping. */
  readonly replicationFactor: number;
  readonly slotting: string;

  readonly #points: VirtualNodes;
  readonly #zoneOf: Uint16Array | undefined;
  readonly #zoneCount: number;
  readonly #slotShift: number;
  readonly #ids: readonly NodeId[];
  /** Nodes in a row of `#table`: the replication factor, or all nodes where there are fewer. */
  readonly #width: number;
  readonly #table: Uint16Array;
  #checksum: string | undefined;

  /**
   * @param nodes  At most 65,536, in any order, with different ids. None is allowed: every lookup then throws.
   * @throws {InvalidArgumentError} An option or node is out of range, unknown, or an id comes twice.
   */
  static create(nodes: Iterable<NodeInput>, options: HashRingOptions = {}): HashRing {
    const given = expectOptions('options', options, optionNames);
    const { virtualNodes = defaultVirtualNodes, slots = defaultSlots, hashSeed = 0, replicationFactor = 1 } = given;
    const parsed = [...expectIterable('nodes', nodes)].map((node, index) => parseNode(`nodes[${index}]`, node));
    return new HashRing(
      {
        nodes: sortNodes(parsed),
        virtualNodes: expectInteger('virtualNodes', virtualNodes, 1, 65_536),
        slots: expectSlots('slots', slots),
        hashSeed: expectInteger('hashSeed', hashSeed, 0, 2 ** 32 - 1),
      },
      expectInteger('replicationFactor', replicationFactor, 1, maxNodes),
    );
  }

  /**
   * The ring that a snapshot was taken of, given as the object or as its JSON text.
   * @throws {SnapshotError} It is of another kind or version, has unknown fields, or was altered.
   */
  static fromSnapshot(snapshot: unknown, options: Pick<HashRingOptions, 'replicationFactor'> = {}): HashRing {
    expectOptions('options', options, ['replicationFactor']);
    const { nodes, virtualNodes, slots, hashSeed } = parseSnapshot(snapshot);
    return HashRing.create(nodes, { virtualNodes, slots, hashSeed, ...options });
  }

  private constructor(identity: RingIdentity, replicationFactor: number) {
    this.nodes = identity.nodes;
    this.virtualNodes = identity.virtualNodes;
    this.slots = identity.slots;
    this.hashSeed = identity.hashSeed;
    this.replicationFactor = replicationFactor;
    this.slotting = `xxh32/1 slots=${this.slots} hashSeed=${this.hashSeed}`;

    this.#ids = this.nodes.map(({ id }) => id);
    this.#points = virtualNodesOf(this.nodes, this.virtualNodes, this.hashSeed);
    const zones = zoneIndexes(this.nodes);
    this.#zoneCount = zones.count;
    this.#zoneOf = zones.count < this.nodes.length ? zones.zoneOf : undefined;
    this.#slotShift = slotShift(this.slots);
    this.#width = Math.min(replicationFactor, this.nodes.length);
    this.#table = this.#fillTable(this.#width);
  }

  /** @see Placement.nodeFor */
  nodeFor(key: string): NodeId {
    if (this.#width === 0) throw new NoNodesError();
    return this.#ids[this.#table[this.slotOf(key) * this.#width]!]!;
  }

  /**
   * Reads the table up to `replicationFactor` nodes, walks the ring beyond.
   * @see Placement.preferenceList
   */
  preferenceList(key: string, count: number): readonly NodeId[] {
    return this.#listOf(this.slotOf(key), count);
  }

  /** @throws {InvalidArgumentError} `slot` or `count` is out of range. */
  slotNodes(slot: number, count: number): readonly NodeId[] {
    return this.#listOf(expectInteger('slot', slot, 0, this.slots - 1), count);
  }

  /** The position of `key`: XXH32 of its routing key. Integer in [0, 2^32). */
  positionOf(key: string): number {
    return xxh32(routingKeyOf(key), this.hashSeed);
  }

  slotOf(key: string): number {
    return this.positionOf(key) >>> this.#slotShift;
  }

  slotTable(count: number): Uint16Array {
    this.#expectCount(count);
    return count === this.#width ? this.#table : this.#fillTable(count);
  }

  withNode(input: NodeInput): HashRing {
    const node = parseNode('node', input);
    if (this.#ids.includes(node.id))
      throw new InvalidArgumentError('node.id', 'an id that no other node has', node.id, true);
    return this.#withNodes([...this.nodes, node]);
  }

  withoutNode(id: NodeId): HashRing {
    this.#expectMember(id);
    return this.#withNodes(this.nodes.filter((node) => node.id !== id));
  }

  withWeight(id: NodeId, weight: number): HashRing {
    this.#expectMember(id);
    expectPositive('weight', weight);
    return this.#withNodes(this.nodes.map((node) => (node.id === id ? Object.freeze({ ...node, weight }) : node)));
  }

  shares(): ReadonlyMap<NodeId, number> {
    const counts = new Uint32Array(this.nodes.length);
    for (let row = 0; row < this.#table.length; row += this.#width) counts[this.#table[row]!]!++;
    return new Map(this.#ids.map((id, index) => [id, counts[index]! / this.slots]));
  }

  get checksum(): string {
    this.#checksum ??= checksumOf(this);
    return this.#checksum;
  }

  toSnapshot(): RingSnapshot {
    const { slots, virtualNodes, hashSeed, checksum } = this;
    const nodes = this.nodes.map(({ id, weight, zone }) =>
      zone === undefined ? { id, weight } : { id, weight, zone },
    );
    return {
      format: 'shardring/ring',
      version: 1,
      placement: 'xxh32/1',
      slots,
      virtualNodes,
      hashSeed,
      nodes,
      checksum,
    };
  }

  #withNodes(nodes: readonly PlacementNode[]): HashRing {
    const { virtualNodes, slots, hashSeed } = this;
    return new HashRing({ nodes: sortNodes(nodes), virtualNodes, slots, hashSeed }, this.replicationFactor);
  }

  #expectCount(count: number): void {
    if (this.nodes.length === 0) throw new NoNodesError();
    expectInteger('count', count, 1, this.nodes.length);
  }

  #expectMember(id: NodeId): void {
    if (!this.#ids.includes(id)) throw new InvalidArgumentError('id', 'the id of a node on the ring', id, true);
  }

  #listOf(slot: number, count: number): readonly NodeId[] {
    this.#expectCount(count);
    const list = new Array<NodeId>(count);
    if (count <= this.#width) {
      const row = slot * this.#width;
      for (let index = 0; index < count; index++) list[index] = this.#ids[this.#table[row + index]!]!;
      return list;
    }
    const row = new Uint16Array(count);
    walk(this.#points, this.#firstPointOf(slot), this.#zoneOf, this.#zoneCount, count, row, 0);
    for (let index = 0; index < count; index++) list[index] = this.#ids[row[index]!]!;
    return list;
  }

  /** The first point at or after the first position of a slot. */
  #firstPointOf(slot: number): number {
    return pointAtOrAfter(this.#points, (slot << this.#slotShift) >>> 0);
  }

  #fillTable(width: number): Uint16Array {
    const table = new Uint16Array(this.slots * width);
    const { positions } = this.#points;
    if (width === 0) return table;
    let point = 0;
    let filledFor = -1;
    for (let slot = 0; slot < this.slots; slot++) {
      const position = (slot << this.#slotShift) >>> 0;
      while (point < positions.length && positions[point]! < position) point++;
      const first = point === positions.length ? 0 : point;
      const row = slot * width;
      // Neighbouring slots mostly lie on one arc and have the same nodes.
      if (first === filledFor) table.copyWithin(row, row - width, row);
      else walk(this.#points, first, this.#zoneOf, this.#zoneCount, width, table, row);
      filledFor = first;
    }
    return table;
  }
}

/** A node of no named zone counts as a zone of its own, so that naming the first zone reorders nothing else. */
function zoneIndexes(nodes: readonly PlacementNode[]): { zoneOf: Uint16Array; count: number } {
  const indexes = new Map<string, number>();
  let count = 0;
  const zoneOf = Uint16Array.from(nodes, ({ zone }) => {
    const known = zone === undefined ? undefined : indexes.get(zone);
    if (known !== undefined) return known;
    if (zone !== undefined) indexes.set(zone, count);
    return count++;
  });
  return { zoneOf, count };
}
