/** The two hashes of a node that stand for its id wherever keys are drawn to nodes by chance. */

import { xxh32 } from '../hash/xxh32.ts';
import type { NodeId } from './node.ts';

const secondSeed = 0x5bd1e995;

/** Integers in [0, 2^32). Two ids are drawn alike only where both are equal: 64 bits. */
export interface NodeHashes {
  readonly h1: number;
  readonly h2: number;
}

/** @param hashSeed  Integer in [0, 2^32). */
export function nodeHashes(id: NodeId, hashSeed: number): NodeHashes {
  return { h1: xxh32(id, hashSeed), h2: xxh32(id, (hashSeed ^ secondSeed) >>> 0) };
}
