/** What the steps of the tour share. */

import { HashRing, type ShardedCache } from 'shardring';
import type { DemoNodes } from '../nodes/demo-nodes.ts';
import type { Report } from '../output/report.ts';

export interface TourContext {
  readonly cache: ShardedCache<string>;
  readonly nodes: DemoNodes;
  readonly report: Report;
  readonly keyCount: number;
}

/** The cache's ring: the tour's cache is made without a placement of its own, so that is what it has. */
export function ringOf(cache: ShardedCache<string>): HashRing {
  const { placement } = cache.topology;
  if (!(placement instanceof HashRing))
    throw new TypeError('the tour shows a ring, and this cache has another placement');
  return placement;
}

/** Keys in one call. */
export const batchSize = 1_000;

export const keyAt = (index: number) => `user:${index}`;
export const valueAt = (index: number) => `the profile of user ${index}`;

/** The indexes [0, count) in batches. */
export function* batches(count: number): Generator<readonly number[]> {
  for (let start = 0; start < count; start += batchSize) {
    yield Array.from({ length: Math.min(batchSize, count - start) }, (_, offset) => start + offset);
  }
}
