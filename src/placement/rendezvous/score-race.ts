/**
 * The slot table of weighted rendezvous: the nodes of the lowest scores of every slot, without working out all scores.
 *
 * A race. Every node lists its slots by ascending score (see `slot-scores.ts`) up to a horizon, the same score for all
 * nodes. A slot with a full row is then decided, since whatever was not listed lies beyond the horizon. For the few
 * slots that are not, the scores of all nodes are worked out. The horizon is chosen so that both together are cheapest:
 * at a width of 1, about 3.3 scores a slot for 10 nodes and 8 for 1,000. It decides how fast the table is made, never
 * what is in it.
 *
 *   rows    as in `table-placement.ts`: row s is rows[s * R .. s * R + R - 1]     node index
 *   scores  beside them, the score of each, see `score-rows.ts`                   score
 */

import { raceHorizon } from './race-horizon.ts';
import { emptyPlace, firstsOf, insertByScore, insertByZone, isFull, type RowRules, rowOf } from './score-rows.ts';
import type { SlotScores } from './slot-scores.ts';

/** Bounds the memory for scores, 8 bytes each. Larger tables are made slot by slot, without a race. */
export const maxRaceScores = 2 ** 25;

/**
 * @param slotScores  Of the nodes, in the order of their ids.
 * @param rules       The width of a row, not above the number of nodes, and the zones.
 * @param horizon     For tests: 0 for no race, Infinity for a race to the end. The table is the same.
 */
export function raceRows(
  slotScores: SlotScores,
  rules: RowRules,
  horizon: number = raceHorizon(slotScores.weights, rules),
): Uint16Array {
  const rows = new Uint16Array(slotScores.slots * rules.width);
  if (rules.width === 0) return rows;
  const hasRace = horizon > 0 && rows.length <= maxRaceScores;
  const scores = hasRace ? new Float64Array(rows.length).fill(emptyPlace) : undefined;
  if (scores !== undefined) {
    const last = slotScores.placeOf(horizon);
    const list = new SlotList();
    // All nodes in step, so that low scores mostly come first and what comes later seldom displaces them.
    let racing = Array.from(slotScores.weights.keys());
    for (let first = 0; first < slotScores.slots && racing.length > 0; first += list.slots.length) {
      racing = racing.filter((node) => enterSlots(slotScores, rules, node, first, last, list, rows, scores));
    }
  }
  evaluateRows(slotScores, rules, rows, scores);
  return rows;
}

/** Slots that a node lists at a time, and its scores for them. */
export class SlotList {
  readonly slots = new Uint32Array(2 ** 6);
  readonly scores = new Float64Array(2 ** 6);
}

/**
 * Enters a node into the rows where it belongs, for a list of its slots as far as its scores are at most `last`.
 * @param node   In none of these rows yet.
 * @param first  Place in the order of the node's slots where the list starts.
 * @returns      Whether there may be more such slots.
 */
export function enterSlots(
  slotScores: SlotScores,
  rules: RowRules,
  node: number,
  first: number,
  last: number,
  { slots, scores }: SlotList,
  rows: Uint16Array,
  rowScores: Float64Array,
): boolean {
  const { width, zones } = rules;
  const firsts = firstsOf(rules);
  slotScores.listSlots(node, first, slots, scores);
  for (let place = 0; place < slots.length; place++) {
    const score = scores[place]!;
    if (score > last) return false;
    const row = slots[place]! * width;
    // Most come too late for both parts of the row, which is decided here without a call.
    if (rowScores[row + width - 1]! < score && rowScores[row + firsts - 1]! < score) continue;
    if (zones === undefined) insertByScore(rows, rowScores, row, row + width, node, score);
    else insertByZone(rows, rowScores, row, width, zones, node, score);
  }
  return true;
}

/** Fills, from the scores of all nodes, the rows that have an empty place: all of them where there was no race. */
export function evaluateRows(
  slotScores: SlotScores,
  rules: RowRules,
  rows: Uint16Array,
  rowScores: Float64Array | undefined,
): void {
  const firsts = firstsOf(rules);
  const nodeScores = new Float64Array(slotScores.weights.length);
  for (let slot = 0; slot < slotScores.slots; slot++) {
    const row = slot * rules.width;
    if (rowScores !== undefined && isFull(rowScores, row, rules.width, firsts)) continue;
    slotScores.scoreSlot(slot, nodeScores);
    rows.set(rowOf(nodeScores, rules), row);
  }
}
