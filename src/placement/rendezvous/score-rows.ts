/**
 * Rows of the nodes of lowest scores, filled one node at a time, in whatever order the nodes come.
 *
 *   R       width of a row                                                       count
 *   F       firsts: min(R, zones); R where there are no zones                    count
 *   rows    row at `row`: rows[row .. row + F - 1] are the first nodes of their  node index
 *           zones, rows[row + F .. row + R - 1] others, each part by ascending
 *           score and then by index
 *   scores  beside them; NaN where a place is empty                              score
 *
 * After any set of nodes has been entered, a row is what `spreadOverZones` makes of the order of that set, as far as
 * the set reaches: the firsts are the lowest scores that zones have, the others the lowest of the rest.
 */

import { spreadOverZones, type Zones } from '../zones.ts';

export const emptyPlace = Number.NaN;

/** Rows up to this width are kept sorted while they fill; for longer ones it is cheaper to sort everything. */
const longestFilled = 16;

export interface RowRules {
  /** R. */
  readonly width: number;
  /** Undefined where every node is alone in its zone. */
  readonly zones: Zones | undefined;
}

/** F. */
export function firstsOf({ width, zones }: RowRules): number {
  return zones === undefined ? width : Math.min(width, zones.count);
}

/** The row that comes of the scores of all nodes. */
export function rowOf(nodeScores: Float64Array, { width, zones }: RowRules): ArrayLike<number> {
  if (width > longestFilled) {
    const byScore = (a: number, b: number) => (comesBefore(a, nodeScores[a]!, b, nodeScores[b]!) ? -1 : 1);
    const order = Array.from(nodeScores.keys()).sort(byScore);
    return zones === undefined ? order.slice(0, width) : spreadOverZones(order, zones, width);
  }
  const row = new Uint16Array(width);
  const scores = new Float64Array(width).fill(emptyPlace);
  for (let node = 0; node < nodeScores.length; node++) {
    if (zones === undefined) insertByScore(row, scores, 0, width, node, nodeScores[node]!);
    else insertByZone(row, scores, 0, width, zones, node, nodeScores[node]!);
  }
  return row;
}

/** Enters a node into the sorted places [start, end), if it comes before the last of them, which then drops out. */
export function insertByScore(
  rows: Uint16Array,
  scores: Float64Array,
  start: number,
  end: number,
  node: number,
  score: number,
): void {
  let place = end - 1;
  if (place < start || !comesBefore(node, score, rows[place]!, scores[place]!)) return;
  for (; place > start && comesBefore(node, score, rows[place - 1]!, scores[place - 1]!); place--) {
    rows[place] = rows[place - 1]!;
    scores[place] = scores[place - 1]!;
  }
  rows[place] = node;
  scores[place] = score;
}

/** Enters a node into the row at `row`, whose first `firsts` places are for the first nodes of different zones. */
export function insertByZone(
  rows: Uint16Array,
  scores: Float64Array,
  row: number,
  width: number,
  { zoneOf, count }: Zones,
  node: number,
  score: number,
): void {
  const firstsEnd = row + Math.min(width, count);
  let known = row;
  while (known < firstsEnd && !Number.isNaN(scores[known]!) && zoneOf[rows[known]!] !== zoneOf[node]) known++;
  if (known === firstsEnd || Number.isNaN(scores[known]!)) {
    // Its zone has no place yet. One that had a place and lost it lost it to lower scores than its own.
    insertByScore(rows, scores, row, firstsEnd, node, score);
    return;
  }
  const first = rows[known]!;
  const firstScore = scores[known]!;
  if (!comesBefore(node, score, first, firstScore)) {
    insertByScore(rows, scores, firstsEnd, row + width, node, score);
    return;
  }
  insertByScore(rows, scores, row, known + 1, node, score);
  insertByScore(rows, scores, firstsEnd, row + width, first, firstScore);
}

/** Whether the row at `row` has no empty place. */
export function isFull(scores: Float64Array, row: number, width: number, firsts: number): boolean {
  return !Number.isNaN(scores[row + firsts - 1]!) && !Number.isNaN(scores[row + width - 1]!);
}

/** Whether a node comes before what stands at a place. */
function comesBefore(node: number, score: number, placed: number, placedScore: number): boolean {
  return !(placedScore <= score) || (placedScore === score && node < placed);
}
