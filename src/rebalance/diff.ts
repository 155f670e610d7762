/**
 * What changes between two placements, slot by slot.
 *
 * A copy of a key is one of the nodes in the first `replicationFactor` places of its preference list. Between two
 * placements a slot's keys must be copied to every node that enters that list, from a node that was in it before: from
 * one that leaves it where there is one (that copy moves), else from the slot's primary (that copy is added).
 */

import { InvalidArgumentError } from '../errors.ts';
import type { SlottedPlacement } from '../placement/placement.ts';

/** The slots [firstSlot, endSlot), whose keys go from node `from` to node `to`; indexes into the two `nodes`. */
export interface SlotRun {
  readonly firstSlot: number;
  readonly endSlot: number;
  readonly from: number;
  readonly to: number;
}

export interface SlotDiff {
  /** Ascending by slot; neighbouring slots with the same `from` and `to` are one run. */
  readonly runs: readonly SlotRun[];
  /** Copies each node holds, in slots, by the index of the node in its placement. */
  readonly copiesBefore: Uint32Array;
  readonly copiesAfter: Uint32Array;
}

/** @throws {InvalidArgumentError} The two place keys on slots by different rules, so that no slot can be compared. */
export function diffSlots(before: SlottedPlacement, after: SlottedPlacement, replicationFactor: number): SlotDiff {
  if (before.slotting !== after.slotting) {
    throw new InvalidArgumentError('after', `a placement with the slots and hash seed of the one before`, after);
  }
  const widthBefore = Math.min(replicationFactor, before.nodes.length);
  const widthAfter = Math.min(replicationFactor, after.nodes.length);
  const copiesBefore = new Uint32Array(before.nodes.length);
  const copiesAfter = new Uint32Array(after.nodes.length);
  const runs: SlotRun[] = [];
  if (widthBefore > 0 && widthAfter > 0) {
    const rows = { before: before.slotTable(widthBefore), after: after.slotTable(widthAfter) };
    const indexBefore = new Map(before.nodes.map(({ id }, index) => [id, index]));
    // The same node has different indexes in the two placements; everything is compared by its index before.
    const toBefore = after.nodes.map(({ id }) => indexBefore.get(id) ?? -1);
    const collector = new RunCollector(runs);
    for (let slot = 0; slot < before.slots; slot++) {
      const rowBefore = rows.before.subarray(slot * widthBefore, (slot + 1) * widthBefore);
      const rowAfter = rows.after.subarray(slot * widthAfter, (slot + 1) * widthAfter);
      for (const node of rowBefore) copiesBefore[node]!++;
      for (const node of rowAfter) copiesAfter[node]!++;
      compareRows(slot, rowBefore, rowAfter, toBefore, collector);
    }
    collector.end();
  }
  return { runs, copiesBefore, copiesAfter };
}

/** Pairs the nodes that enter a slot's row with the nodes that leave it, in order. */
function compareRows(
  slot: number,
  rowBefore: Uint16Array,
  rowAfter: Uint16Array,
  toBefore: readonly number[],
  collector: RunCollector,
): void {
  let leavingFrom = 0;
  for (const entering of rowAfter) {
    const known = toBefore[entering]!;
    if (known !== -1 && rowBefore.includes(known)) continue;
    while (leavingFrom < rowBefore.length && staysIn(rowBefore[leavingFrom]!, rowAfter, toBefore)) leavingFrom++;
    const from = leavingFrom < rowBefore.length ? rowBefore[leavingFrom++]! : rowBefore[0]!;
    collector.add(slot, from, entering);
  }
}

function staysIn(nodeBefore: number, rowAfter: Uint16Array, toBefore: readonly number[]): boolean {
  for (const node of rowAfter) if (toBefore[node] === nodeBefore) return true;
  return false;
}

/** Joins neighbouring slots of the same move. Several moves can be open at once, one for each copy of a slot. */
class RunCollector {
  readonly #runs: SlotRun[];
  #open: { firstSlot: number; endSlot: number; from: number; to: number }[] = [];

  constructor(runs: SlotRun[]) {
    this.#runs = runs;
  }

  add(slot: number, from: number, to: number): void {
    if (this.#open.length > 0) {
      this.#close(slot);
      const run = this.#open.find((open) => open.from === from && open.to === to && open.endSlot === slot);
      if (run !== undefined) {
        run.endSlot = slot + 1;
        return;
      }
    }
    this.#open.push({ firstSlot: slot, endSlot: slot + 1, from, to });
  }

  end(): void {
    this.#close(Number.POSITIVE_INFINITY);
    this.#runs.sort((a, b) => a.firstSlot - b.firstSlot || a.to - b.to);
  }

  /** Closes the runs that slot `slot` can no longer continue. */
  #close(slot: number): void {
    if (this.#open.every((run) => run.endSlot >= slot)) return;
    this.#runs.push(...this.#open.filter((run) => run.endSlot < slot));
    this.#open = this.#open.filter((run) => run.endSlot >= slot);
  }
}
