/**
 * Range sharding: neighbouring keys live on one node, so that keys can be read in their order.
 *
 * Source: F. Chang et al., "Bigtable: A Distributed Storage System for Structured Data", OSDI 2006; ACM TOCS 26(2), 2008,
 * doi:10.1145/1365815.1365816 (rows in order, cut into ranges that are split, merged and given to servers). Replicas:
 * weighted rendezvous, see `rendezvous-score.ts`.
 *
 * The keys are cut at split points into ranges [start, end), each of which one node owns. Keys are taken as they are and
 * not hashed: hash tags have no meaning, and the order is that of UTF-16 code units (see `ranges/splits.ts`).
 *
 * Which node has which range is decided by whoever calls `split`, `merge` and `assign`, or by a sample of keys:
 *
 * - A node that joins has no range until it is given one, so its joining moves nothing. The first node gets all keys.
 * - The ranges of a node that leaves go to the owner of the range before, or after where there is none, and are merged
 *   with it. Where no other node has a range, the first of the leaving node's replicas gets everything.
 * - Weights decide how `fromSample` cuts and how often a node is a replica. A new weight moves no range.
 *
 * The replicas of a range are decided by its owner alone: the other nodes in the order of their rendezvous scores for the
 * owner's id. A split or a merge between ranges of one owner therefore moves nothing at all; and all that one node owns
 * has its replicas on the same nodes. A range that gets another owner gets that one's replicas.
 */

import { InvalidArgumentError, NoNodesError } from '../../errors/index.ts';
import { expectInteger, expectOptions, expectString } from '../../runtime/validate.ts';
import { addMember, memberIndex, parseNodes, removeMember, reweighMember } from '../members.ts';
import { indexesOf, type NodeId, type NodeInput, type PlacementNode, sortNodes } from '../node.ts';
import type { ArcPlacement, Arcs } from '../placement.ts';
import { checksumOf, type PlacementSnapshot, restoreSnapshot, type SnapshotKind, snapshotNodes } from '../snapshot.ts';
import { OwnerOrders } from './owner-orders.ts';
import { quantileSplits } from './quantiles.ts';
import type { RangeSplit } from './splits.ts';
import * as edit from './splits.ts';

export type { RangeSplit } from './splits.ts';

export interface RangeShardingOptions {
  /** The starts of ranges and their owners, in any order. The least starts at ''. Empty only where there is no node. */
  readonly splits: Iterable<RangeSplit>;
}

/** The keys from `start` on, up to `end` but without it, are owned by `node`. */
export interface KeyRange {
  readonly start: string;
  /** Undefined: to the end of all keys. */
  readonly end: string | undefined;
  readonly node: NodeId;
}

export interface RangeSnapshot extends PlacementSnapshot {
  readonly splits: readonly RangeSplit[];
}

const kind: SnapshotKind = { format: 'shardring/placement', placement: 'range/1', parameters: ['splits'] };

export class RangeSharding implements ArcPlacement<string> {
  /** Ascending by id. */
  readonly nodes: readonly PlacementNode[];
  readonly slotting = 'ranges/1 order=utf-16';

  readonly #splits: readonly RangeSplit[];
  readonly #starts: readonly string[];
  readonly #indexes: ReadonlyMap<NodeId, number>;
  readonly #orders: OwnerOrders;
  #checksum: string | undefined;

  /**
   * @param nodes  At most 65,535, in any order, with different ids.
   * @throws {InvalidArgumentError} A node or split is wrong, two have one id or start, or no split starts at ''.
   */
  static create(nodes: Iterable<NodeInput>, options: RangeShardingOptions): RangeSharding {
    const { splits } = expectOptions('options', options, ['splits']);
    const sorted = sortNodes(parseNodes(nodes));
    const ids = new Set(sorted.map(({ id }) => id));
    const parsed = edit.parseSplits(splits, (id) => ids.has(id));
    if (parsed.length === 0 && sorted.length > 0) {
      throw new InvalidArgumentError('splits', 'a split that starts at the empty key', splits);
    }
    return new RangeSharding(sorted, parsed);
  }

  /**
   * One range for each node, ascending by id, with a part of the sample in proportion to the node's weight.
   *
   * @param keys  A sample of the keys to come; one that comes twice counts twice. It is sorted in memory.
   * @throws {InvalidArgumentError} The sample has fewer different keys than there are nodes, or a node is wrong.
   */
  static fromSample(nodes: Iterable<NodeInput>, keys: Iterable<string>): RangeSharding {
    const sorted = sortNodes(parseNodes(nodes));
    return RangeSharding.create(sorted, { splits: quantileSplits(sorted, keys) });
  }

  /**
   * Restores a placement from its snapshot, given as the object or as its JSON text.
   * @throws {SnapshotError} It is of another kind or version, has unknown or wrong fields, or was altered.
   */
  static fromSnapshot(snapshot: unknown): RangeSharding {
    return restoreSnapshot(snapshot, kind, (nodes, { splits }) =>
      RangeSharding.create(nodes, { splits: splits as readonly RangeSplit[] }),
    );
  }

  private constructor(nodes: readonly PlacementNode[], splits: readonly RangeSplit[]) {
    this.nodes = nodes;
    this.#splits = splits;
    this.#starts = splits.map(({ start }) => start);
    this.#indexes = indexesOf(nodes);
    this.#orders = new OwnerOrders(nodes);
  }

  /**
   * A binary search of the starts.
   * @see Placement.nodeFor
   */
  nodeFor(key: string): NodeId {
    const split = this.#splits[edit.rangeIndex(this.#starts, expectString('key', key))];
    if (split === undefined) throw new NoNodesError();
    return split.node;
  }

  /**
   * One shared list for all keys of an owner.
   * @see Placement.preferenceList
   */
  preferenceList(key: string, count: number): readonly NodeId[] {
    const owner = this.nodeFor(key);
    expectInteger('count', count, 1, this.nodes.length);
    return this.#orders.list(this.#indexes.get(owner)!, count);
  }

  /** All ranges in order. They leave no key out. */
  ranges(): readonly KeyRange[] {
    return Object.freeze(this.#splits.map((_, index) => this.#rangeAt(index)));
  }

  /**
   * The pieces, in order, that a scan of the keys in [from, to) must visit: each range that has such keys, cut to them.
   * None where `from` is `to`.
   *
   * @param to  Undefined: to the end of all keys.
   * @throws {NoNodesError}          There is no node.
   * @throws {InvalidArgumentError}  `to` sorts before `from`.
   */
  rangesBetween(from: string, to?: string): readonly KeyRange[] {
    expectString('from', from);
    if (to !== undefined && expectString('to', to) < from) {
      throw new InvalidArgumentError('to', 'a key that does not sort before `from`', to);
    }
    if (this.nodes.length === 0) throw new NoNodesError();
    const pieces: KeyRange[] = [];
    for (let index = edit.rangeIndex(this.#starts, from); index < this.#splits.length; index++) {
      const range = this.#rangeAt(index);
      const start = range.start < from ? from : range.start;
      if (to !== undefined && start >= to) break;
      const endsInside = to === undefined || (range.end !== undefined && range.end < to);
      pieces.push(Object.freeze({ start, end: endsInside ? range.end : to, node: range.node }));
    }
    return Object.freeze(pieces);
  }

  /**
   * Lets a new range start at `at`: the keys from there to the end of the range it lies in.
   *
   * @param node  Owner of the new range. Default: the owner as before, so that nothing moves.
   * @throws {InvalidArgumentError} A range starts there already, or there is no such node.
   */
  split(at: string, node?: NodeId): RangeSharding {
    const owner = this.nodeFor(expectString('at', at));
    const index = edit.rangeIndex(this.#starts, at);
    if (this.#starts[index] === at) throw new InvalidArgumentError('at', 'a key at which no range starts yet', at);
    const taker = node === undefined ? owner : this.#expectNode(node);
    return this.#withSplits(edit.splitRange(this.#splits, index, at, taker));
  }

  /**
   * Joins the range that starts at `at` to the one before it, whose owner gets its keys.
   * @throws {InvalidArgumentError} No range starts there, or it is the first.
   */
  merge(at: string): RangeSharding {
    if (at === '') throw new InvalidArgumentError('at', 'the start of a range that has another one before it', at);
    return this.#withSplits(edit.mergeRange(this.#splits, this.#expectStart('at', at)));
  }

  /**
   * Gives the range that starts at `start` to `node`.
   * @throws {InvalidArgumentError} No range starts there, or there is no such node.
   */
  assign(start: string, node: NodeId): RangeSharding {
    const index = this.#expectStart('start', start);
    return this.#withSplits(edit.assignRange(this.#splits, index, this.#expectNode(node)));
  }

  /** The node has no range until `split` or `assign` gives it one; the first node of all gets every key. */
  withNode(node: NodeInput): RangeSharding {
    const members = addMember(this.nodes, node);
    const splits = this.nodes.length > 0 ? this.#splits : edit.releaseRanges([], '', members[0]!.id);
    return new RangeSharding(sortNodes(members), splits);
  }

  /** Its ranges are merged with those before them (see the head of this file). */
  withoutNode(id: NodeId): RangeSharding {
    const members = removeMember(this.nodes, id);
    const heir = members.length === 0 ? undefined : this.#orders.list(memberIndex(this.nodes, id), 2)[1];
    return new RangeSharding(Object.freeze(members), edit.releaseRanges(this.#splits, id, heir));
  }

  /** Changes how often the node is a replica, and moves no range. */
  withWeight(id: NodeId, weight: number): RangeSharding {
    return new RangeSharding(Object.freeze(reweighMember(this.nodes, id, weight)), this.#splits);
  }

  /**
   * The part of a sample of keys that each node owns; 0 for all where the sample is empty. Without a sample, the part of
   * the ranges: that is the number of ranges of a node, not of keys in them, which only a sample can show.
   */
  shares(sampleKeys?: Iterable<string>): ReadonlyMap<NodeId, number> {
    const counts = new Map(this.nodes.map(({ id }) => [id, 0]));
    let total = 0;
    const owners = sampleKeys === undefined ? this.#splits.map(({ node }) => node) : this.#ownersOf(sampleKeys);
    for (const owner of owners) {
      counts.set(owner, counts.get(owner)! + 1);
      total++;
    }
    if (total > 0) for (const [id, count] of counts) counts.set(id, count / total);
    return counts;
  }

  arcs(count: number): Arcs<string> {
    if (this.nodes.length === 0) throw new NoNodesError();
    expectInteger('count', count, 1, this.nodes.length);
    const rows = this.#splits.flatMap(({ node }) => this.#orders.row(this.#indexes.get(node)!, count));
    return { starts: this.#starts, rows };
  }

  /** Covers the mapping: a split with one owner on both sides does not change it. */
  get checksum(): string {
    const splits = edit.withoutIdleSplits(this.#splits).map(({ start, node }) => [start, node]);
    this.#checksum ??= checksumOf(kind.placement, [splits], this.nodes);
    return this.#checksum;
  }

  /** The splits stand in it as they are: they are keys, or parts of keys. */
  toSnapshot(): RangeSnapshot {
    return {
      format: kind.format,
      version: 1,
      placement: kind.placement,
      splits: this.#splits.map(({ start, node }) => ({ start, node })),
      nodes: snapshotNodes(this.nodes),
      checksum: this.checksum,
    };
  }

  #withSplits(splits: readonly RangeSplit[]): RangeSharding {
    return new RangeSharding(this.nodes, splits);
  }

  #rangeAt(index: number): KeyRange {
    const { start, node } = this.#splits[index]!;
    return Object.freeze({ start, end: this.#starts[index + 1], node });
  }

  *#ownersOf(keys: Iterable<string>): Generator<NodeId> {
    for (const key of keys) yield this.nodeFor(key);
  }

  #expectNode(id: NodeId): NodeId {
    if (!this.#indexes.has(id)) throw new InvalidArgumentError('node', 'the id of a node of the placement', id, true);
    return id;
  }

  #expectStart(field: string, start: string): number {
    const index = edit.rangeIndex(this.#starts, expectString(field, start));
    if (this.#starts[index] !== start) throw new InvalidArgumentError(field, 'the start of a range', start);
    return index;
  }
}
