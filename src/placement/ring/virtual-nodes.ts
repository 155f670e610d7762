/**
 * The sorted points of a ring.
 *
 * Symbols and shapes, the same in every file of this folder:
 *
 *   N           distinct nodes                                              count
 *   V           virtual nodes: the sum over nodes of their point counts     count
 *   positions   Uint32Array of length V, ascending                          ring position
 *   owners      Uint16Array of length V; owners[i] indexes the nodes        node index
 *
 * A node of weight w has round(w * virtualNodes) points. Point i of a node is
 *
 *   fmix32(fmix32(h1 + i * golden) ^ h2)    h1, h2 the node's hashes, see `../node-hashes.ts`
 *
 * where golden is 2^32 / phi. Two ids share points only where
 * both of their hashes are equal, 64 bits in all: there is no label to be read in two ways, as `1` + `2x` against
 * `12` + `x`. A point depends on its own node alone, so a change of members or weights moves no other point.
 *
 * Two points may share a position. The node whose id sorts first then comes first, so that the ring is a function of
 * the set of nodes and never of the order in which they joined.
 */

import { InvalidArgumentError } from '../../errors/index.ts';
import { fmix32 } from '../../hash/fmix32.ts';
import type { NodeId, PlacementNode } from '../node.ts';
import { nodeHashes } from '../node-hashes.ts';

const golden = 0x9e3779b9;

/** Per unit of weight. */
export const maxVirtualNodes = 65_536;
/** Bounds memory: 4 Mi points are 24 MB. */
export const maxPoints = 2 ** 22;

export interface VirtualNodes {
  readonly positions: Uint32Array;
  readonly owners: Uint16Array;
}

/**
 * Points that a node of this weight has.
 * @throws {InvalidArgumentError} The weight is so small that the node would have none.
 */
export function pointCount({ id, weight }: PlacementNode, virtualNodes: number): number {
  const count = Math.round(weight * virtualNodes);
  if (count < 1) {
    throw new InvalidArgumentError(
      `weight of node ${id}`,
      `a weight of at least ${0.5 / virtualNodes}, which is half a virtual node at virtualNodes = ${virtualNodes}`,
      weight,
    );
  }
  return count;
}

/**
 * Points of each node.
 * @throws {InvalidArgumentError} More than {@link maxPoints} in all, or none for a node.
 */
export function pointCounts(nodes: readonly PlacementNode[], virtualNodes: number): number[] {
  const counts = nodes.map((node) => pointCount(node, virtualNodes));
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total > maxPoints) {
    const expected = `weights and virtualNodes that come to at most ${maxPoints} virtual nodes in all`;
    throw new InvalidArgumentError('virtualNodes', expected, total);
  }
  return counts;
}

/** Writes the positions of points [first, end) of a node to `positions`, from `offset` on, in the order of the points. */
function writePositions(
  id: NodeId,
  hashSeed: number,
  first: number,
  end: number,
  positions: Uint32Array,
  offset: number,
): void {
  const { h1, h2 } = nodeHashes(id, hashSeed);
  for (let index = first; index < end; index++) {
    positions[offset + index - first] = fmix32(fmix32(h1 + Math.imul(index, golden)) ^ h2);
  }
}

/** The positions of points [first, end) of a node, ascending. */
export function positionsOf(id: NodeId, hashSeed: number, first: number, end: number): Uint32Array {
  const positions = new Uint32Array(end - first);
  writePositions(id, hashSeed, first, end, positions, 0);
  return positions.sort();
}

/**
 * @param nodes   Ascending by id, which is what makes the index order the tie order.
 * @param counts  Points of each node, see {@link pointCounts}.
 */
export function virtualNodesOf(
  nodes: readonly PlacementNode[],
  counts: readonly number[],
  hashSeed: number,
): VirtualNodes {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const positions = new Uint32Array(total);
  const owners = new Uint16Array(total);
  let offset = 0;
  for (const [owner, { id }] of nodes.entries()) {
    const count = counts[owner]!;
    writePositions(id, hashSeed, 0, count, positions, offset);
    owners.fill(owner, offset, offset + count);
    offset += count;
  }
  return sortPoints({ positions, owners });
}

/** Values of a digit of 11 bits. */
const digits = 2 ** 11;

/**
 * Sorts by position, equal positions in the order given: two passes of a radix sort by the top 22 bits, 11 at a time, so
 * that the counters and the places being written stay in the nearest caches. Positions are spread evenly, so that this
 * leaves nearly every point where it belongs, and an insertion sort does the rest.
 */
function sortPoints(points: VirtualNodes): VirtualNodes {
  const low = new Uint32Array(digits + 1);
  const high = new Uint32Array(digits + 1);
  for (let index = 0; index < points.positions.length; index++) {
    const position = points.positions[index]!;
    low[((position >>> 10) & (digits - 1)) + 1]!++;
    high[(position >>> 21) + 1]!++;
  }
  const sorted = radixPass(radixPass(points, 10, low), 21, high);
  insertionSort(sorted);
  return sorted;
}

/**
 * Sorts by the 11 bits from `shift` on, otherwise in the order given.
 * @param counts  counts[b + 1] points have the bits b. Used up.
 */
function radixPass({ positions, owners }: VirtualNodes, shift: number, counts: Uint32Array): VirtualNodes {
  const total = positions.length;
  // From here on, where the next point with these bits goes.
  for (let bits = 1; bits < counts.length; bits++) counts[bits]! += counts[bits - 1]!;
  const out = { positions: new Uint32Array(total), owners: new Uint16Array(total) };
  for (let index = 0; index < total; index++) {
    const position = positions[index]!;
    const place = counts[(position >>> shift) & (digits - 1)]!++;
    out.positions[place] = position;
    out.owners[place] = owners[index]!;
  }
  return out;
}

function insertionSort({ positions, owners }: VirtualNodes): void {
  for (let index = 1; index < positions.length; index++) {
    const position = positions[index]!;
    if (positions[index - 1]! <= position) continue;
    const owner = owners[index]!;
    let place = index;
    for (; place > 0 && positions[place - 1]! > position; place--) {
      positions[place] = positions[place - 1]!;
      owners[place] = owners[place - 1]!;
    }
    positions[place] = position;
    owners[place] = owner;
  }
}
