/**
 * The points of a ring of which one node changes: long runs of them stay as they are and are copied whole, so that the
 * cost is that of copying memory and not of sorting.
 *
 * When a node joins or leaves, the indexes of the nodes after it in the list shift by one, and with them the owners.
 */

import type { VirtualNodes } from './virtual-nodes.ts';
import { lowerBound } from './walk.ts';

/** Points with one node's points put in or taken out, and where those are. */
export interface Splice {
  readonly points: VirtualNodes;
  /** Ascending: indexes of the points put in, among `points`; or of those taken out, among the points before. */
  readonly changed: Uint32Array;
}

/**
 * Puts points of one node in.
 *
 * @param nodeCount  Nodes before the change.
 * @param owner      The node's index after the change.
 * @param added      Their positions, ascending.
 * @param joins      Whether the node was not there before: owners from `owner` on then shift up by one.
 */
export function insertPoints(
  points: VirtualNodes,
  nodeCount: number,
  owner: number,
  added: Uint32Array,
  joins: boolean,
): Splice {
  const { positions, owners } = points;
  const out = outFor(positions.length + added.length);
  const changed = new Uint32Array(added.length);
  let done = 0;
  for (let index = 0; index < added.length; index++) {
    const position = added[index]!;
    let place = lowerBound(positions, position);
    // If points share a position, the node that sorts first comes first; the owners here are those before the shift.
    while (place < positions.length && positions[place] === position && owners[place]! < owner) place++;
    copyRun(points, done, place, out, done + index);
    out.positions[place + index] = position;
    changed[index] = place + index;
    done = place;
  }
  copyRun(points, done, positions.length, out, done + added.length);
  if (joins) shiftIndexes(out.owners, nodeCount, owner, 1);
  for (const index of changed) out.owners[index] = owner;
  return { points: out, changed };
}

/**
 * Takes points of one node out.
 *
 * @param nodeCount  Nodes before the change.
 * @param owner      The node's index before the change.
 * @param removed    Their positions, ascending; all of them are there.
 * @param leaves     Whether these are all of the node's points: owners after it then shift down by one.
 */
export function removePoints(
  points: VirtualNodes,
  nodeCount: number,
  owner: number,
  removed: Uint32Array,
  leaves: boolean,
): Splice {
  const out = outFor(points.positions.length - removed.length);
  const changed = pointIndexes(points, owner, removed);
  let done = 0;
  for (let index = 0; index < changed.length; index++) {
    copyRun(points, done, changed[index]!, out, done - index);
    done = changed[index]! + 1;
  }
  copyRun(points, done, points.positions.length, out, done - changed.length);
  if (leaves) shiftIndexes(out.owners, nodeCount, owner + 1, -1);
  return { points: out, changed };
}

/** The indexes of the points of a node, ascending. @param wanted  Their positions, ascending; all of them are there. */
export function pointIndexes({ positions, owners }: VirtualNodes, owner: number, wanted: Uint32Array): Uint32Array {
  const indexes = new Uint32Array(wanted.length);
  let next = 0;
  for (let index = 0; index < wanted.length; index++) {
    next = Math.max(next, lowerBound(positions, wanted[index]!));
    while (owners[next] !== owner) next++;
    indexes[index] = next++;
  }
  return indexes;
}

/**
 * Changes by one, in place, the node indexes of at least `shiftFrom`. Two at a time, as the halves of a 32-bit word:
 * adding `2^15 - shiftFrom` sets a half's top bit exactly where its index is to shift. And without a branch: which of
 * them shift is as good as random, and a processor that guesses wrong half of the time takes ten times as long.
 *
 * @param nodeCount  Indexes are below it.
 * @param shiftFrom  At least 1 where `shift` is -1.
 */
export function shiftIndexes(indexes: Uint16Array, nodeCount: number, shiftFrom: number, shift: 1 | -1): void {
  const inPairs = nodeCount <= 2 ** 15 ? indexes.length >>> 1 : 0;
  const pairs = new Uint32Array(indexes.buffer, indexes.byteOffset, inPairs);
  const bias = Math.imul(2 ** 15 - shiftFrom, 0x0001_0001);
  for (let index = 0; index < pairs.length; index++) {
    const pair = pairs[index]!;
    const ones = ((pair + bias) >>> 15) & 0x0001_0001;
    pairs[index] = shift === 1 ? pair + ones : pair - ones;
  }
  for (let index = inPairs * 2; index < indexes.length; index++) {
    if (indexes[index]! >= shiftFrom) indexes[index]! += shift;
  }
}

function copyRun(from: VirtualNodes, first: number, end: number, to: VirtualNodes, offset: number): void {
  to.positions.set(from.positions.subarray(first, end), offset);
  to.owners.set(from.owners.subarray(first, end), offset);
}

function outFor(total: number): VirtualNodes {
  return { positions: new Uint32Array(total), owners: new Uint16Array(total) };
}
