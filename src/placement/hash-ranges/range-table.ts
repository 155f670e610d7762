/**
 * Slots that are assigned to nodes range by range, and a table made of the assignment.
 *
 *   S         slots                                                        count
 *   targets   slots that each node ought to have, see `apportion.ts`       count by node index
 *
 * A change of members moves no slot that need not move:
 *
 * - A node that joins gets its target from those that have more than theirs, the fullest first.
 * - The slots of a node that leaves go to those that have less than their target, the emptiest first.
 * - A node whose weight grows gets what it lacks, and one whose weight shrinks gives what it has too much; no other pair of
 *   nodes exchanges anything.
 *
 * If all nodes have their target, as after `create`, they have it again after the change. Which slots those
 * are depends on the history, and not only on the set of nodes. So processes that are to agree must start from one
 * snapshot, and apply the same changes in the same order or follow the snapshots.
 *
 * The owner is the first in a slot's row. The others follow by rendezvous, see `failover-rows.ts`; their order does not
 * depend on the history.
 */

import { SnapshotError } from '../../errors/index.ts';
import { expectInteger } from '../../runtime/validate.ts';
import { addMember, memberIndex, removeMember, reweighMember } from '../members.ts';
import { indexesOf, type NodeId, type NodeInput, type PlacementNode, sortNodes } from '../node.ts';
import { rowWidth, TablePlacement, type TableSettings } from '../table/table-placement.ts';
import { apportion, levelOff } from './apportion.ts';
import { FailoverRows } from './failover-rows.ts';
import { giveSlots, parseRanges, type SlotRange, slotCounts } from './slot-ranges.ts';

/** Nodes, ascending by id, and what they own. */
export interface RangeState {
  readonly nodes: readonly PlacementNode[];
  readonly ranges: readonly SlotRange[];
}

export abstract class RangeTable extends TablePlacement {
  readonly #ranges: readonly SlotRange[];
  readonly #rows: FailoverRows;

  protected constructor(state: RangeState, settings: TableSettings) {
    const rows = rowsOf(state, settings);
    super(state.nodes, settings, rows.table(rowWidth(state.nodes, settings)));
    this.#ranges = Object.freeze(state.ranges.map((range) => Object.freeze(range)));
    this.#rows = rows;
  }

  abstract override withNode(node: NodeInput): RangeTable;
  abstract override withoutNode(id: NodeId): RangeTable;
  abstract override withWeight(id: NodeId, weight: number): RangeTable;

  /** The owners of slots: ascending, without gaps, and no two neighbours of one node. */
  ranges(): readonly SlotRange[] {
    return this.#ranges;
  }

  /** The ranges as snapshots and checksums have them: where each starts, and the index of its node. */
  protected rangePairs(): [firstSlot: number, nodeIndex: number][] {
    const indexes = indexesOf(this.nodes);
    return this.#ranges.map(({ node, firstSlot }) => [firstSlot, indexes.get(node)!]);
  }

  protected joined(input: NodeInput): RangeState {
    const grown = addMember(this.nodes, input);
    const { id } = grown.at(-1)!;
    const nodes = sortNodes(grown);
    if (nodes.length === 1) return { nodes, ranges: [{ node: id, firstSlot: 0, endSlot: this.slots }] };
    return { nodes, ranges: this.#settle(nodes, id, false) };
  }

  protected left(id: NodeId): RangeState {
    const nodes = sortNodes(removeMember(this.nodes, id));
    return { nodes, ranges: nodes.length === 0 ? [] : this.#settle(nodes, id, true) };
  }

  protected reweighed(id: NodeId, weight: number): RangeState {
    const nodes = sortNodes(reweighMember(this.nodes, id, weight));
    return { nodes, ranges: this.#settle(nodes, id, weight < this.nodes[memberIndex(this.nodes, id)]!.weight) };
  }

  protected fillRows(count: number): Uint16Array {
    return this.#rows.table(count);
  }

  protected fillRow(slot: number, count: number): Uint16Array {
    return this.#rows.row(slot, count);
  }

  /** Ranges in which the node `id` gives what it has too much, or else gets what it lacks; the others settle it. */
  #settle(nodes: readonly PlacementNode[], id: NodeId, gives: boolean): readonly SlotRange[] {
    const sign = gives ? -1 : 1;
    const ids = nodes.map((node) => node.id);
    const targets = apportion(
      nodes.map(({ weight }) => weight),
      this.slots,
    );
    const counts = slotCounts(this.#ranges, ids);
    const own = ids.indexOf(id);
    const target = own === -1 ? 0 : targets[own]!;
    const moving = Math.max(0, sign * (target - slotCounts(this.#ranges, [id])[0]!));
    const parts = levelOff(
      counts.map((count, index) => (index === own ? 0 : sign * (count - targets[index]!))),
      moving,
    );
    // The largest part first, as long as there are long ranges to give.
    const others = ids.map((_, index) => index).sort((a, b) => parts[b]! - parts[a]! || a - b);
    return others.reduce(
      (ranges, index) =>
        gives ? giveSlots(ranges, id, ids[index]!, parts[index]!) : giveSlots(ranges, ids[index]!, id, parts[index]!),
      this.#ranges,
    );
  }
}

/** Reads {@link RangeTable.rangePairs} back. @throws {SnapshotError} They are not such pairs. */
export function rangesOfPairs(pairs: unknown, nodes: readonly PlacementNode[], slots: number): readonly SlotRange[] {
  if (!Array.isArray(pairs)) throw new SnapshotError('its ranges are not an array');
  const starts = pairs.map((pair: unknown, index) => {
    const field = `snapshot.ranges[${index}]`;
    if (!Array.isArray(pair) || pair.length !== 2) throw new SnapshotError(`${field} is not a pair of numbers`);
    return {
      firstSlot: expectInteger(`${field}[0]`, pair[0], 0, slots - 1),
      node: nodes[expectInteger(`${field}[1]`, pair[1], 0, nodes.length - 1)]!.id,
    };
  });
  const ranges = starts.map((start, index) => ({ ...start, endSlot: starts[index + 1]?.firstSlot ?? slots }));
  return parseRanges(ranges, nodes, slots);
}

function rowsOf({ nodes, ranges }: RangeState, { slots, hashSeed }: TableSettings): FailoverRows {
  const owners = new Uint16Array(nodes.length === 0 ? 0 : slots);
  const indexes = indexesOf(nodes);
  for (const { node, firstSlot, endSlot } of ranges) owners.fill(indexes.get(node)!, firstSlot, endSlot);
  return new FailoverRows(nodes, owners, hashSeed);
}
