/**
 * Splits that cut a sample of keys into parts of given sizes.
 *
 * Between two ranges, any key between the last of the one and the first of the other can be the bound. The
 * shortest is taken (R. Bayer, K. Unterauer, "Prefix B-trees", ACM TODS 2(1), 1977, doi:10.1145/320521.320530), which
 * keeps splits small and keeps whole keys, which may be personal data, out of snapshots.
 *
 * Symbols:
 *
 *   K        keys in the sample, one that comes twice counted twice                       count
 *   w_i, W   weight of node i, and the sum of all
 *   target   K * (w_0 + .. + w_i-1) / W: keys that ought to lie before node i's range     count, not an integer
 */

import { InvalidArgumentError } from '../../errors/index.ts';
import { expectIterable, expectString } from '../../runtime/validate.ts';
import type { PlacementNode } from '../node.ts';
import type { RangeSplit } from './splits.ts';

/**
 * One range for each node, in the order given, of a size in proportion to the node's weight: as near to that as the
 * keys allow, since equal keys stay together and no range is without a key of the sample.
 *
 * @throws {InvalidArgumentError} The sample has fewer different keys than there are nodes.
 */
export function quantileSplits(nodes: readonly PlacementNode[], keys: Iterable<string>): RangeSplit[] {
  const sorted = [...expectIterable('keys', keys)].map((key, index) => expectString(`keys[${index}]`, key)).sort();
  // Indexes into `sorted` at which a key stands that is not the one before it: where a range may begin.
  const bounds = sorted.flatMap((key, index) => (index === 0 || sorted[index - 1] !== key ? [index] : []));
  if (bounds.length < nodes.length) {
    throw new InvalidArgumentError('keys', `at least ${nodes.length} different keys, one for each node`, bounds.length);
  }
  const weightSum = nodes.reduce((sum, { weight }) => sum + weight, 0);
  let weightBefore = 0;
  let bound = 0;
  return nodes.map(({ id, weight }, index) => {
    if (index > 0) {
      const target = (sorted.length * weightBefore) / weightSum;
      bound = nearestBound(bounds, target, bound + 1, bounds.length - (nodes.length - index));
    }
    weightBefore += weight;
    const first = bounds[bound]!;
    return { start: index === 0 ? '' : shortestBetween(sorted[first - 1]!, sorted[first]!), node: id };
  });
}

/** The index in [low, high] of the bound that is nearest to `target`; the lower of two that are. */
function nearestBound(bounds: readonly number[], target: number, low: number, high: number): number {
  let nearest = low;
  // Ascending bounds come nearer and then go away again.
  while (nearest < high && Math.abs(bounds[nearest + 1]! - target) < Math.abs(bounds[nearest]! - target)) nearest++;
  return nearest;
}

/** The shortest prefix of `after` that sorts after `before`, which is less than it; never half a character of two units. */
function shortestBetween(before: string, after: string): string {
  let shared = 0;
  while (before.charCodeAt(shared) === after.charCodeAt(shared)) shared++;
  const prefix = after.slice(0, shared + 1);
  return prefix.isWellFormed() ? prefix : after.slice(0, shared + 2);
}
