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
 *   fmix32(fmix32(h1 + i * golden) ^ h2)    h1 = XXH32(id, hashSeed), h2 = XXH32(id, hashSeed ^ secondSeed)
 *
 * where fmix32 is the finaliser of MurmurHash3 (A. Appleby) and golden is 2^32 / phi. Two ids share points only where
 * both of their hashes are equal, 64 bits in all: there is no label to be read in two ways, as `1` + `2x` against
 * `12` + `x`. A point depends on its own node alone, so a change of members or weights moves no other point.
 *
 * Two points may share a position. The node whose id sorts first then comes first, so that the ring is a function of
 * the set of nodes and never of the order in which they joined.
 */

import { InvalidArgumentError } from '../../errors.ts';
import { xxh32 } from '../../hash/xxh32.ts';
import type { PlacementNode } from '../node.ts';

const golden = 0x9e3779b9;
const secondSeed = 0x5bd1e995;

/** Bounds memory: 4 Mi points are 24 MB. */
export const maxPoints = 2 ** 22;
/** Node indexes are 16 bits wide. */
export const maxNodes = 2 ** 16;

export interface VirtualNodes {
  readonly positions: Uint32Array;
  readonly owners: Uint16Array;
}

/** Murmur3's finaliser: a bijection of 32 bits that lets every bit of its input reach every bit of its output. */
function fmix32(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
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
 * @param nodes         Ascending by id, which is what makes the index order the tie order.
 * @param virtualNodes  Points per unit of weight.
 * @throws {InvalidArgumentError} More than {@link maxPoints} points or {@link maxNodes} nodes.
 */
export function virtualNodesOf(nodes: readonly PlacementNode[], virtualNodes: number, hashSeed: number): VirtualNodes {
  if (nodes.length > maxNodes) throw new InvalidArgumentError('nodes', `at most ${maxNodes} nodes`, nodes.length);
  const counts = nodes.map((node) => pointCount(node, virtualNodes));
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total > maxPoints) {
    throw new InvalidArgumentError('virtualNodes', `at most ${maxPoints} virtual nodes in all`, total);
  }

  // One float64 per point holds position * 2^16 + owner, exact below 2^48: sorting numbers then sorts by both at once.
  const keys = new Float64Array(total);
  let next = 0;
  for (const [owner, { id }] of nodes.entries()) {
    const h1 = xxh32(id, hashSeed);
    const h2 = xxh32(id, (hashSeed ^ secondSeed) >>> 0);
    for (let index = 0; index < counts[owner]!; index++) {
      const position = fmix32(fmix32(h1 + Math.imul(index, golden)) ^ h2);
      keys[next++] = position * maxNodes + owner;
    }
  }
  keys.sort();

  const positions = new Uint32Array(total);
  const owners = new Uint16Array(total);
  for (let index = 0; index < total; index++) {
    const key = keys[index]!;
    const position = Math.floor(key / maxNodes);
    positions[index] = position;
    owners[index] = key - position * maxNodes;
  }
  return { positions, owners };
}
