/**
 * Jump consistent hash in the form of a table: each slot's node is the bucket that the slot's number jumps to.
 *
 * Source: J. Lamping, E. Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014, arXiv:1406.2294.
 *
 * The promises of the paper about keys, which the table keeps:
 *
 * - One more bucket takes the least that it can from the others, and nothing moves between those: kept, slot by slot.
 * - Every bucket has an even share, without virtual nodes: kept for slots instead of keys, so that a share of 1/N is even
 *   to sqrt(N / slots), that is 0.6 % of it with 10 nodes, 2 % with 100 and 6 % with 1,000.
 * - No memory, and about ln(N) rounds a key: given up for one read of a table, the same whatever N is.
 * - Buckets are numbers from 0 on. Only the last can go; there are no weights. Both stay as they are.
 *
 * The nodes therefore keep the order in which they were given: it is the numbering of the buckets and decides the whole
 * mapping, and is part of the checksum. `withNode` appends. `withoutNode` lets go of the last node alone, since any other
 * would give all nodes behind it another number, and with it move needlessly 39 % of the keys of 10 nodes and 49 % of 100 where it is the middle one, and nearly all of them
 * where it is the first.
 *
 *   slot     its number is mixed with `hashSeed` and a salt to the key of 64 bits that jumps
 *   salt     0 for a slot's first node; the next nodes are those that salts 1, 2, 3, ... lead to, each node once
 *   tries    salts 0 to 2N + 63; what they left out, which is likely for long lists alone, follows in the order of buckets
 *
 * With another node at the end the first node of a slot stays or becomes the new one. The others stay but where the new node
 * pushes one out; where it takes the places of two at once, in at most 3/N^2 of the rows of three, another comes in as well.
 */

import { InvalidArgumentError } from '../../errors/index.ts';
import { fmix32 } from '../../hash/fmix32.ts';
import { expectInteger, expectOptions } from '../../runtime/validate.ts';
import { addMember, memberIndex, parseNodes } from '../members.ts';
import { type NodeId, type NodeInput, type PlacementNode, sortNodes } from '../node.ts';
import { checksumOf, type PlacementSnapshot, restoreSnapshot, type SnapshotKind, snapshotNodes } from '../snapshot.ts';
import { defaultSlots } from '../table/slot-table.ts';
import {
  parseTableOptions,
  rowWidth,
  type TableOptions,
  TablePlacement,
  type TableSettings,
} from '../table/table-placement.ts';
import { spreadOverZones, type Zones, zonesOf } from '../zones.ts';
import { jumpHash } from './jump-hash.ts';

export interface JumpTableOptions extends TableOptions {
  /** Pieces of the position space, a power of two in [2^8, 2^22]; default 2^18. See `slot-table.ts`. */
  readonly slots?: number | undefined;
}

export interface JumpTableSnapshot extends PlacementSnapshot {
  readonly slots: number;
  readonly hashSeed: number;
}

const optionNames = ['slots', 'hashSeed', 'replicationFactor'];

const kind = {
  format: 'shardring/placement',
  placement: 'jump-table/1',
  parameters: ['slots', 'hashSeed'],
} as const satisfies SnapshotKind;

const golden = 0x9e3779b9;
const lowSeed = 0x5bd1e995;

export class JumpTable extends TablePlacement {
  readonly #source: JumpSource;

  /**
   * @param nodes  At most 65,535, with different ids, all of weight 1. Their order is the mapping: the same nodes in another
   *               order are another placement. May be empty; every lookup then throws.
   * @throws {InvalidArgumentError} An option or node is out of range, unknown, an id comes twice, or a weight is not 1.
   */
  static create(nodes: Iterable<NodeInput>, options: JumpTableOptions = {}): JumpTable {
    const settings = parseTableOptions(expectOptions('options', options, optionNames), defaultSlots);
    const parsed = parseNodes(nodes);
    // Sorted only to find ids that come twice.
    sortNodes(parsed);
    for (const [index, { weight }] of parsed.entries()) expectUnitWeight(`nodes[${index}].weight`, weight);
    return new JumpTable(parsed, settings);
  }

  /**
   * The placement that a snapshot was taken of, given as the object or as its JSON text.
   * @throws {SnapshotError} It is of another kind or version, has unknown fields, or was altered.
   */
  static fromSnapshot(snapshot: unknown, options: Pick<JumpTableOptions, 'replicationFactor'> = {}): JumpTable {
    expectOptions('options', options, ['replicationFactor']);
    return restoreSnapshot(snapshot, kind, (nodes, { slots, hashSeed }) =>
      JumpTable.create(nodes, {
        slots: expectInteger('slots', slots, 0),
        hashSeed: expectInteger('hashSeed', hashSeed, 0),
        ...options,
      }),
    );
  }

  private constructor(nodes: readonly PlacementNode[], settings: TableSettings) {
    const source = { slots: settings.slots, hashSeed: settings.hashSeed, nodes: nodes.length, zones: zonesOf(nodes) };
    super(nodes, settings, fillTable(source, rowWidth(nodes, settings)));
    this.#source = source;
  }

  /** Appends the node. @throws {InvalidArgumentError} The id is taken, or the weight is not 1. */
  withNode(node: NodeInput): JumpTable {
    const nodes = addMember(this.nodes, node);
    expectUnitWeight('node.weight', nodes.at(-1)!.weight);
    return new JumpTable(nodes, this);
  }

  /** Takes the last node away. @throws {InvalidArgumentError} There is no such node, or it is not the last. */
  withoutNode(id: NodeId): JumpTable {
    const last = this.nodes.length - 1;
    if (memberIndex(this.nodes, id) !== last) {
      const expected =
        `the last node, ${JSON.stringify(this.nodes[last]!.id)} (jump hash numbers its nodes: removing another one would ` +
        'renumber those after it and move half of all keys or more; use HashRing or RendezvousTable if any node may leave)';
      throw new InvalidArgumentError('id', expected, id, true);
    }
    return new JumpTable(this.nodes.slice(0, last), this);
  }

  /** @throws {InvalidArgumentError} There is no such node, or the weight is not 1. */
  withWeight(id: NodeId, weight: number): JumpTable {
    memberIndex(this.nodes, id);
    expectUnitWeight('weight', weight);
    return this;
  }

  toSnapshot(): JumpTableSnapshot {
    const { slots, hashSeed, checksum } = this;
    const { format, placement } = kind;
    return { format, version: 1, placement, slots, hashSeed, nodes: snapshotNodes(this.nodes), checksum };
  }

  protected makeChecksum(): string {
    return checksumOf(kind.placement, [this.slots, this.hashSeed], this.nodes);
  }

  protected fillRows(count: number): Uint16Array {
    return fillTable(this.#source, count);
  }

  protected fillRow(slot: number, count: number): number[] {
    return rowOf(this.#source, slot, count);
  }
}

interface JumpSource {
  readonly slots: number;
  readonly hashSeed: number;
  /** Number of nodes. */
  readonly nodes: number;
  readonly zones: Zones | undefined;
}

function fillTable(source: JumpSource, count: number): Uint16Array {
  const rows = new Uint16Array(source.slots * count);
  for (let slot = 0; slot * count < rows.length; slot++) {
    if (count === 1) rows[slot] = bucketOf(source, slot, 0);
    else rows.set(rowOf(source, slot, count), slot * count);
  }
  return rows;
}

function rowOf(source: JumpSource, slot: number, count: number): number[] {
  const { nodes, zones } = source;
  if (zones === undefined) return orderOf(source, slot, count);
  // Longer and longer orders, until one has nodes of as many zones as the row can have.
  const zonesWanted = Math.min(count, zones.count);
  for (let length = count; ; length = Math.min(2 * length, nodes)) {
    const order = orderOf(source, slot, length);
    if (length === nodes || new Set(order.map((node) => zones.zoneOf[node]!)).size >= zonesWanted) {
      return spreadOverZones(order, zones, count);
    }
  }
}

/** The first `length` nodes of a slot, zones not considered. A shorter order is a prefix of a longer one. */
function orderOf(source: JumpSource, slot: number, length: number): number[] {
  const { nodes } = source;
  const order: number[] = [];
  for (let salt = 0; salt < 2 * nodes + 64 && order.length < length; salt++) {
    const bucket = bucketOf(source, slot, salt);
    if (!order.includes(bucket)) order.push(bucket);
  }
  for (let bucket = 0; order.length < length; bucket++) if (!order.includes(bucket)) order.push(bucket);
  return order;
}

/** Both words are bijections of the slot's number, so that no two slots of one salt share a key. */
function bucketOf({ hashSeed, nodes }: JumpSource, slot: number, salt: number): number {
  const seed = hashSeed + Math.imul(salt, golden);
  return jumpHash(fmix32(slot ^ fmix32(seed)), fmix32(slot ^ fmix32(seed ^ lowSeed)), nodes);
}

function expectUnitWeight(field: string, weight: number): void {
  if (weight !== 1) {
    throw new InvalidArgumentError(
      field,
      '1 (jump hash has no weights; use RendezvousTable or HashRing for them)',
      weight,
    );
  }
}
