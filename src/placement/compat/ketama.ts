/**
 * The ring of libketama, the C library in which ketama began.
 *
 * Source: R. Jones, "libketama: a consistent hashing algorithm for memcache clients", 2007,
 * https://github.com/RJ/ketama (read and run at commit 18cf9a7).
 *
 *   label      the address as the servers file has it, the port included whatever it is
 *   counts[n]  floor(float(float(memory of n / memory of all) * 40 * N)), 4 points each: MD5 words, low byte first
 *   position   the first word of MD5(key)
 *
 * A point owns up to and including itself. The order of two nodes on one position is left to qsort there; here the id
 * that sorts first owns it. Of lists of 10 nodes, one in 3,700 has two of them meet.
 */

import { digestOf, digestWord } from '../../hash/digest.ts';
import { hashkit } from '../../hash/hashkit.ts';
import { expectKnown } from '../../runtime/validate.ts';
import type { PlacementNode } from '../node.ts';
import { integerWeights, labelledPoints, type PointRule, type RuleKind, sumOf } from './point-rule.ts';

/** 65,536 weights of 2^32 stay below it, so that their sum is exact. */
const maxTotalWeight = 2 ** 53 - 1;

const rule: PointRule = {
  placement: 'ketama/1',
  parameters: {},
  keyHash: 'md5/1',
  isOrdered: false,
  positionOf: hashkit.md5,
  pointsOf: (nodes) =>
    labelledPoints(
      nodes.map(({ id }) => id),
      labelCounts(nodes),
      4,
      writeMd5Words,
    ),
};

export const ketamaKind: RuleKind = {
  placement: rule.placement,
  parameters: [],
  make(options) {
    expectKnown('options', options, []);
    return rule;
  },
};

/** Writes the four words of the MD5 of `text`. */
export function writeMd5Words(text: string, positions: Uint32Array, offset: number): void {
  const digest = digestOf('md5', text);
  for (let word = 0; word < 4; word++) positions[offset + word] = digestWord(digest, word);
}

function labelCounts(nodes: readonly PlacementNode[]): number[] {
  const { fround } = Math;
  const weights = integerWeights(nodes, 'libketama', maxTotalWeight);
  const total = fround(sumOf(weights));
  // The share is a float and 40 a double; the product is cut back to a float before it is floored.
  return weights.map((weight) => Math.floor(fround(fround(fround(weight) / total) * 40 * nodes.length)));
}
