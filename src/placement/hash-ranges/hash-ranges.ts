/**
 * Hash-range sharding: the space of hashes is cut into ranges, and each range is assigned to a node.
 *
 * Sources: A. Miranda et al., "Random Slicing: Efficient and Scalable Data Placement for Large-Scale Storage Systems", ACM
 * TOS 10(3), 2014, doi:10.1145/2632230 (intervals of exact size, of which each change moves the least). Sizes: the method
 * of Webster, see `apportion.ts`. Changes and replicas: see `range-table.ts`.
 *
 * A key's position is XXH32 of its routing key with `hashSeed`, its slot the top bits of that. `create` gives each node one
 * range, in the order of the ids. Every node then has its share of the slots to one slot (a node of r times the mean weight
 * to (1 + r) / 2 slots), and has it again after every change, and no change moves a slot that it need not move. No other
 * placement here is as even and moves as little.
 *
 * The price: the owners of slots depend on the history of the members, and not only on their set. Two processes
 * that apply the same joins in another order disagree. So the ranges are what a snapshot holds, and they are part of the
 * checksum; processes have to agree on a snapshot, as on the topology of a cache, and not on a list of nodes alone. With
 * many changes the ranges grow in number and shrink in length, which costs room in snapshots and nothing in lookups.
 */

import { expectInteger, expectOptions } from '../../runtime/validate.ts';
import { parseNodes } from '../members.ts';
import { type NodeId, type NodeInput, sortNodes } from '../node.ts';
import { checksumOf, type PlacementSnapshot, restoreSnapshot, type SnapshotKind, snapshotNodes } from '../snapshot.ts';
import { parseTableOptions, type TableOptions, type TableSettings } from '../table/table-placement.ts';
import { apportion } from './apportion.ts';
import { type RangeState, RangeTable, rangesOfPairs } from './range-table.ts';
import { parseRanges, rangesInOrder, type SlotRange } from './slot-ranges.ts';

export type { SlotRange } from './slot-ranges.ts';

/** 2^16: 65 or 66 slots for each of 1,000 nodes, so that shares are even to 1.5 %; to 0.15 % for 100 nodes. */
const defaultRangeSlots = 2 ** 16;

export interface HashRangesOptions extends TableOptions {
  /** Pieces of the position space, a power of two in [2^8, 2^22]; default 2^16. Ranges are made of whole slots. */
  readonly slots?: number | undefined;
}

export interface HashRangesSnapshot extends PlacementSnapshot {
  readonly slots: number;
  readonly hashSeed: number;
  /** The slot where each range starts, ascending, and the index of its node. */
  readonly ranges: readonly (readonly [firstSlot: number, nodeIndex: number])[];
}

const optionNames = ['slots', 'hashSeed', 'replicationFactor'];

const kind = {
  format: 'shardring/placement',
  placement: 'hash-ranges/1',
  parameters: ['slots', 'hashSeed', 'ranges'],
} as const satisfies SnapshotKind;

export class HashRanges extends RangeTable {
  /**
   * One range for each node, in the order of the ids, of a length in proportion to its weight.
   *
   * @param nodes  At most 65,535, in any order, with different ids. May be empty; every lookup then throws.
   * @throws {InvalidArgumentError} An option or node is out of range, unknown, or an id comes twice.
   */
  static create(nodes: Iterable<NodeInput>, options: HashRangesOptions = {}): HashRanges {
    const settings = parseTableOptions(expectOptions('options', options, optionNames), defaultRangeSlots);
    const sorted = sortNodes(parseNodes(nodes));
    const weights = sorted.map(({ weight }) => weight);
    const ids = sorted.map(({ id }) => id);
    return new HashRanges({ nodes: sorted, ranges: rangesInOrder(ids, apportion(weights, settings.slots)) }, settings);
  }

  /**
   * Ranges as they are given, whatever the weights. What a later change moves is reckoned by the weights.
   *
   * @param ranges  In any order; every slot in exactly one. A node may have none.
   * @throws {InvalidArgumentError} As {@link create}, or a range is wrong, two overlap, or a slot is in none.
   */
  static fromRanges(
    nodes: Iterable<NodeInput>,
    ranges: Iterable<SlotRange>,
    options: HashRangesOptions = {},
  ): HashRanges {
    const settings = parseTableOptions(expectOptions('options', options, optionNames), defaultRangeSlots);
    const sorted = sortNodes(parseNodes(nodes));
    return new HashRanges({ nodes: sorted, ranges: parseRanges(ranges, sorted, settings.slots) }, settings);
  }

  /**
   * The placement that a snapshot was taken of, given as the object or as its JSON text.
   * @throws {SnapshotError} It is of another kind or version, has unknown fields, or was altered.
   */
  static fromSnapshot(snapshot: unknown, options: Pick<HashRangesOptions, 'replicationFactor'> = {}): HashRanges {
    expectOptions('options', options, ['replicationFactor']);
    return restoreSnapshot(snapshot, kind, (nodes, { slots, hashSeed, ranges }) => {
      const count = expectInteger('slots', slots, 0);
      const settings = { slots: count, hashSeed: expectInteger('hashSeed', hashSeed, 0), ...options };
      return HashRanges.fromRanges(nodes, rangesOfPairs(ranges, nodes, count), settings);
    });
  }

  private constructor(state: RangeState, settings: TableSettings) {
    super(state, settings);
  }

  withNode(node: NodeInput): HashRanges {
    return new HashRanges(this.joined(node), this);
  }

  withoutNode(id: NodeId): HashRanges {
    return new HashRanges(this.left(id), this);
  }

  withWeight(id: NodeId, weight: number): HashRanges {
    return new HashRanges(this.reweighed(id, weight), this);
  }

  toSnapshot(): HashRangesSnapshot {
    const { slots, hashSeed, checksum } = this;
    const { format, placement } = kind;
    const nodes = snapshotNodes(this.nodes);
    return { format, version: 1, placement, slots, hashSeed, ranges: this.rangePairs(), nodes, checksum };
  }

  protected makeChecksum(): string {
    return checksumOf(kind.placement, [this.slots, this.hashSeed, this.rangePairs()], this.nodes);
  }
}
