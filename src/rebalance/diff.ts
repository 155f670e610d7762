/**
 * The changes between two placements, piece by piece.
 *
 * A copy of a key is one of the nodes in the first `replicationFactor` places of its preference list. Between two
 * placements a key must be copied to every node that enters that list, from a node that was in it before: from one that
 * leaves it where there is one (that copy moves), else from the key's primary (that copy is added).
 *
 * All keys of a piece have the same nodes before, and the same nodes after. There are three kinds of pieces; the exact
 * ones are taken where the two placements have them in common:
 *
 *   slots    equal pieces of the space of positions, or single positions                      exact
 *   ranges   what lies between two neighbouring bounds of either placement of raw keys       exact
 *   keys     the keys of a sample, each for itself: for any two placements whatever          an estimate
 */

import { compareIds, indexesOf } from '../placement/node.ts';
import {
  type Arcs,
  isArcPlacement,
  isSlottedPlacement,
  type Placement,
  type SlottedPlacement,
} from '../placement/placement.ts';
import { Comparison, type PlacementDiff, type Row } from './comparison.ts';

/** @param keys  Gives keys that stand for all. Asked only where the placements have no exact pieces in common. */
export function diffPlacements(
  before: Placement,
  after: Placement,
  replicationFactor: number,
  keys: () => readonly string[],
): PlacementDiff {
  const comparison = new Comparison(before, after, replicationFactor);
  if (!isArcPlacement(before) || !isArcPlacement(after) || before.slotting !== after.slotting) {
    const sample = keys();
    compareKeys(before, after, sample, comparison);
    return comparison.result('keys', sample.length);
  }
  if (isSlottedPlacement(before) && isSlottedPlacement(after)) {
    compareSlots(before, after, comparison);
    return comparison.result('slots', after.slots);
  }
  if (comparison.isEmpty) return comparison.result('ranges', 0, []);
  const arcs = [before.arcs(comparison.widthBefore), after.arcs(comparison.widthAfter)] as const;
  // Raw keys are ordered as ids are.
  const starts = [...new Set(arcs.flatMap((each) => Array.from(each.starts as ArrayLike<string>)))].sort(compareIds);
  const [was, is] = arcs.map((each) => rankStarts(each as Arcs<string>, starts));
  compareArcs(was!, is!, starts.length, comparison);
  return comparison.result('ranges', starts.length, starts);
}

/** Numbers the bounds, so that the pieces between them can be counted. */
function rankStarts({ starts, rows }: Arcs<string>, all: readonly string[]): Arcs<number> {
  const rank = new Map(all.map((start, index) => [start, index]));
  return { starts: Array.from(starts, (start) => rank.get(start)!), rows };
}

function compareSlots(before: SlottedPlacement, after: SlottedPlacement, comparison: Comparison): void {
  const { widthBefore, widthAfter } = comparison;
  const isComparable = widthBefore === widthAfter && !comparison.isEmpty;
  const changed = isComparable ? after.changesFrom?.(before, widthAfter) : undefined;
  if (changed === undefined) {
    compareArcs(arcsOf(before, widthBefore), arcsOf(after, widthAfter), after.slots, comparison);
    return;
  }
  for (const [first, end] of changed.slots) {
    for (let slot = first; slot < end; slot++) {
      const offset = slot * widthAfter;
      comparison.add(slot, slot + 1, { nodes: changed.before, offset }, { nodes: changed.after, offset });
    }
  }
  // Pieces that were not compared stay where they are.
  const { copiesBefore, copiesAfter, indexBefore } = comparison;
  for (let node = 0; node < copiesAfter.length; node++) {
    const known = indexBefore[node]!;
    if (known !== -1) copiesAfter[node]! += changed.copiesBefore[known]! - copiesBefore[known]!;
  }
  copiesBefore.set(changed.copiesBefore);
}

/** Without nodes it is one arc without an owner. */
const arcsOf = (placement: SlottedPlacement, width: number): Arcs<number> =>
  width === 0 ? { starts: [0], rows: [] } : placement.arcs(width);

/** One pass over both lists of arcs. @param end  Where the last arcs end. */
function compareArcs(before: Arcs<number>, after: Arcs<number>, end: number, comparison: Comparison): void {
  const { widthBefore, widthAfter } = comparison;
  let [was, is] = [0, 0];
  let first = 0;
  while (first < end) {
    const nextBefore = before.starts[was + 1] ?? end;
    const nextAfter = after.starts[is + 1] ?? end;
    const next = Math.min(nextBefore, nextAfter);
    comparison.add(
      first,
      next,
      { nodes: before.rows, offset: was * widthBefore },
      { nodes: after.rows, offset: is * widthAfter },
    );
    if (nextBefore === next) was++;
    if (nextAfter === next) is++;
    first = next;
  }
}

function compareKeys(before: Placement, after: Placement, keys: readonly string[], comparison: Comparison): void {
  const was = rowsBy(before, comparison.widthBefore);
  const is = rowsBy(after, comparison.widthAfter);
  for (const [piece, key] of keys.entries()) comparison.add(piece, piece + 1, was(key), is(key));
}

function rowsBy(placement: Placement, width: number): (key: string) => Row {
  if (width === 0) return () => ({ nodes: [], offset: 0 });
  const indexes = indexesOf(placement.nodes);
  return (key) => ({ nodes: placement.preferenceList(key, width).map((id) => indexes.get(id)!), offset: 0 });
}
