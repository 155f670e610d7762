/**
 * The slot table of weighted rendezvous after a change of one node, from the table before.
 *
 * A node that leaves or becomes lighter touches only the rows that it stands in: these are worked out anew. One that
 * joins or becomes heavier may enter any row, but all else about the rows stays, so it is entered into the rows as they
 * are.
 */

import { enterSlots, evaluateRows, maxRaceScores, raceRows, SlotList } from './score-race.ts';
import { emptyPlace, firstsOf, type RowRules } from './score-rows.ts';
import type { SlotScores } from './slot-scores.ts';

export interface NodeChange {
  readonly kind: 'joins' | 'leaves' | 'grows' | 'shrinks';
  /** Index of the node: among the nodes before where it leaves, else among those after. */
  readonly node: number;
}

/** Whether rows of these two rules have the same parts, which is what {@link changeRows} needs. */
export function haveOneForm(a: RowRules, b: RowRules): boolean {
  return a.width === b.width && firstsOf(a) === firstsOf(b);
}

/**
 * @param before      The table before the change. It stays as it is.
 * @param slotScores  Of the nodes after the change, and so are `rules`.
 */
export function changeRows(
  before: Uint16Array,
  slotScores: SlotScores,
  rules: RowRules,
  { kind, node }: NodeChange,
): Uint16Array {
  if (before.length === 0 || before.length > maxRaceScores) return raceRows(slotScores, rules);
  const rows = before.slice();
  const scores = new Float64Array(rows.length);
  const enters = kind === 'joins' || kind === 'grows';
  if (kind === 'joins') shiftIndexes(rows, node, 1);
  if (enters) slotScores.scoreRows(rows, rules.width, scores);
  // In rows that it stood in, the nodes that it may now go behind are not known.
  if (kind !== 'joins') emptyRowsOf(node, rows, scores, rules.width);
  if (kind === 'leaves') shiftIndexes(rows, node + 1, -1);
  if (enters) {
    const list = new SlotList();
    const last = greatest(scores);
    let first = 0;
    while (first < slotScores.slots && enterSlots(slotScores, rules, node, first, last, list, rows, scores)) {
      first += list.slots.length;
    }
  }
  evaluateRows(slotScores, rules, rows, scores);
  return rows;
}

/** Adds `step` to all indexes from `first` on. */
function shiftIndexes(rows: Uint16Array, first: number, step: number): void {
  for (let place = 0; place < rows.length; place++) if (rows[place]! >= first) rows[place]! += step;
}

/** Marks all places of the rows that the node stands in as empty. */
function emptyRowsOf(node: number, rows: Uint16Array, scores: Float64Array, width: number): void {
  for (let place = 0; place < rows.length; place++) {
    if (rows[place] !== node) continue;
    const row = place - (place % width);
    scores.fill(emptyPlace, row, row + width);
  }
}

/** The greatest of the numbers that are not NaN; 0 where there is none. */
function greatest(scores: Float64Array): number {
  let most = 0;
  for (let place = 0; place < scores.length; place++) if (scores[place]! > most) most = scores[place]!;
  return most;
}
