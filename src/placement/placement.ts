/**
 * The one interface of everything that maps keys to nodes.
 *
 * A placement is an immutable value: pure and synchronous, the same answer for the same arguments for ever. Changing
 * the members gives a new one, so that a caller can hold the placements before and after a change at once; that pair is
 * what `rebalance/` compares. It knows nothing of health: a sick node does not move keys.
 */

import type { NodeId, NodeInput, PlacementNode } from './node.ts';
import type { PlacementSnapshot } from './snapshot.ts';

export interface Placement {
  /** The nodes: ascending by id, unless the kind of placement gives their order a meaning. */
  readonly nodes: readonly PlacementNode[];

  /**
   * Two placements of equal checksums map every key alike (up to a collision of 64 bits). 16 hex digits. Two of different
   * checksums may happen to map alike, as where all weights are doubled and a kind minds only their proportions.
   */
  readonly checksum: string;

  /**
   * The node that owns `key`.
   * @throws {NoNodesError} There is no node.
   * @throws {InvalidArgumentError} `key` is not a string.
   */
  nodeFor(key: string): NodeId;

  /**
   * The nodes for `key` in preference order: primary, replicas, then where to fail over. A shorter list is a prefix of
   * a longer one. Where zones are known, the list visits every zone once before any zone twice. Frozen: it may be
   * shared with other keys and calls.
   *
   * @param count  Integer in [1, number of nodes]. Never clamped.
   * @throws {NoNodesError}          There is no node.
   * @throws {InvalidArgumentError}  `count` is out of range, or `key` is not a string.
   */
  preferenceList(key: string, count: number): readonly NodeId[];

  /** The part of `key` that decides where it is. Absent where that is always the whole key. */
  routingKeyOf?(key: string): string;

  /** @throws {InvalidArgumentError} The id is taken, or the kind of placement cannot take the node as it is. */
  withNode(node: NodeInput): Placement;

  /** @throws {InvalidArgumentError} There is no such node, or the kind of placement cannot let go of it. */
  withoutNode(id: NodeId): Placement;

  /** @throws {InvalidArgumentError} There is no such node, the weight is not a finite number above 0, or has no meaning. */
  withWeight(id: NodeId, weight: number): Placement;

  /**
   * The share of the keys that each node owns as primary. Sums to 1, and is 0 for all where there is no telling. What
   * it is a share of is said by the kind of placement: slots, positions, keys of an even sample, or ranges.
   */
  shares(): ReadonlyMap<NodeId, number>;

  /** Versioned JSON; what is read back from it maps every key alike, in every later release. */
  toSnapshot(): PlacementSnapshot;
}

/**
 * A placement that cuts its keys into arcs, each with one list of nodes, so that two of the same `slotting` can be
 * compared exactly. Its bounds are slots (integers from 0) or, for ranges of raw keys, the keys where ranges start.
 */
export interface ArcPlacement<Bound extends number | string = number | string> extends Placement {
  /** Names how keys become bounds. Two placements can be compared arc by arc only where this is equal. */
  readonly slotting: string;

  /** The arcs, with the first `count` nodes of each. @throws As {@link Placement.preferenceList}. */
  arcs(count: number): Arcs<Bound>;
}

/** Neighbouring arcs may have equal rows. */
export interface Arcs<Bound extends number | string = number | string> {
  /** Ascending and different; the first is the least bound there is (0, or the empty key). An arc ends where the next starts. */
  readonly starts: ArrayLike<Bound>;
  /** Row `i`, the nodes of arc `i` in preference order as indexes into `nodes`, starts at `i * count`. Do not change it. */
  readonly rows: ArrayLike<number>;
}

/** A placement whose arcs are made of slots: equal pieces of the space of positions. */
export interface SlottedPlacement extends ArcPlacement<number> {
  /** Number of slots: a power of two, 2^32 where every position is a slot of its own. */
  readonly slots: number;

  /** The position of `key`: an integer in [0, 2^32). */
  positionOf(key: string): number;

  /** The slot of `key`: an integer in [0, slots). */
  slotOf(key: string): number;

  /**
   * A short cut to what differs in the first `count` places from a placement of the same `slotting`, for placements that
   * have tables. Undefined where it does not apply.
   */
  changesFrom?(before: SlottedPlacement, count: number): SlotChanges | undefined;
}

/** Runs of slots [first, end), ascending. */
export type SlotRuns = readonly (readonly [first: number, end: number])[];

/** The slots in which two placements may differ; in all other slots their rows have the same nodes in the same places. */
export interface SlotChanges {
  readonly slots: SlotRuns;
  /** The two tables: rows of `count` node indexes, one for each slot. Do not change them. */
  readonly before: Uint16Array;
  readonly after: Uint16Array;
  /** Slots in whose row each node stands before, by its index before. Do not change it. */
  readonly copiesBefore: Uint32Array;
}

export function isArcPlacement(placement: Placement): placement is ArcPlacement {
  return 'arcs' in placement && 'slotting' in placement;
}

export function isSlottedPlacement(placement: Placement): placement is SlottedPlacement {
  return isArcPlacement(placement) && 'slotOf' in placement;
}

/** True if keys of the same `{tag}` are placed alike. Asked by trying, as a placement may mark the part by other signs. */
export function hashesTags(placement: Placement): boolean {
  return placement.routingKeyOf?.('key:{tag}') === 'tag';
}
