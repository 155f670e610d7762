/**
 * The one interface of everything that maps keys to nodes.
 *
 * A placement is an immutable value: pure and synchronous, the same answer for the same arguments for ever. Changing
 * the members gives a new one, so that a caller can hold the placements before and after a change at once; that pair is
 * what `rebalance/` compares. It knows nothing of health: a sick node does not move keys.
 */

import type { NodeId, NodeInput, PlacementNode } from './node.ts';

export interface Placement {
  /** The nodes, ascending by id. */
  readonly nodes: readonly PlacementNode[];

  /** Equal for two placements exactly when they map every key alike (up to a collision of 64 bits). 16 hex digits. */
  readonly checksum: string;

  /**
   * The node that owns `key`.
   * @throws {NoNodesError} There is no node.
   */
  nodeFor(key: string): NodeId;

  /**
   * The nodes for `key` in preference order: primary, replicas, then where to fail over. A shorter list is a prefix of
   * a longer one. Where zones are known, the list visits every zone once before any zone twice.
   *
   * @param count  Integer in [1, number of nodes]. Never clamped.
   * @throws {NoNodesError}          There is no node.
   * @throws {InvalidArgumentError}  `count` is out of range.
   */
  preferenceList(key: string, count: number): readonly NodeId[];

  /** @throws {InvalidArgumentError} The id is taken. */
  withNode(node: NodeInput): Placement;

  /** @throws {InvalidArgumentError} There is no such node. */
  withoutNode(id: NodeId): Placement;

  /** @throws {InvalidArgumentError} There is no such node, or the weight is not a finite number above 0. */
  withWeight(id: NodeId, weight: number): Placement;

  /** The exact share of the key space that each node owns as primary. Sums to 1. */
  shares(): ReadonlyMap<NodeId, number>;

  /** Versioned JSON; what is read back from it maps every key alike, in every later release. */
  toSnapshot(): object;
}

/** A placement answered by a table of slots: two of the same kind can be compared slot by slot. */
export interface SlottedPlacement extends Placement {
  /** Number of equal pieces of the position space, a power of two. */
  readonly slots: number;

  /** Names how keys become slots. Two placements can be compared only where this is equal. */
  readonly slotting: string;

  /** The slot of `key`: the top bits of its position. */
  slotOf(key: string): number;

  /** The nodes of a slot in preference order, as {@link Placement.preferenceList} has them for its keys. */
  slotNodes(slot: number, count: number): readonly NodeId[];

  /** Indexes into `nodes`, `count` for each slot, in preference order: row `s` starts at `s * count`. Do not change it. */
  slotTable(count: number): Uint16Array;
}
