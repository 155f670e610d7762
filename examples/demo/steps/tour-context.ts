/** What the steps of the tour share. */

import type { ShardedCache } from 'shardring';
import type { DemoNodes } from '../nodes/demo-nodes.ts';
import type { Report } from '../output/report.ts';

export interface TourContext {
  readonly cache: ShardedCache<string>;
  readonly nodes: DemoNodes;
  readonly report: Report;
  readonly keyCount: number;
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
