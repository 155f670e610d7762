/** Reads every key once, in batches, and compares what comes with what was stored. */

import { isShardringError, PartialFailureError } from 'shardring';
import { percent } from '../../../src/cli/draw/numbers.ts';
import { batches, keyAt, type TourContext, valueAt } from './tour-context.ts';

export interface ReadPass {
  readonly asked: number;
  readonly hits: number;
  /** Hits with another value than the one that was stored. */
  readonly wrong: number;
  /** Keys of which the caller got an error, by its code. */
  readonly errors: ReadonlyMap<string, number>;
  /** Detours that the reads took, in keys. */
  readonly failovers: number;
  readonly replicaHits: number;
}

/** @param halfway  Is called once, while the reads go on; the pass waits for it at its end. */
export async function readAll(
  { cache, report, keyCount }: TourContext,
  label: string,
  halfway: () => Promise<void> = async () => {},
): Promise<ReadPass> {
  const pass = { asked: 0, hits: 0, wrong: 0, errors: new Map<string, number>(), failovers: 0, replicaHits: 0 };
  const onFailover = ({ keys }: { keys: number }) => (pass.failovers += keys);
  const onReplicaHit = ({ keys }: { keys: number }) => (pass.replicaHits += keys);
  cache.on('failover', onFailover).on('replicaHit', onReplicaHit);
  const progress = report.progress(label, keyCount, 1);
  let event: Promise<void> | undefined;
  try {
    for (const indexes of batches(keyCount)) {
      if (pass.asked * 2 >= keyCount) event ??= halfway();
      const found = await getBatch(cache, indexes.map(keyAt), pass.errors);
      for (const index of indexes) {
        const value = found.get(keyAt(index));
        if (value === undefined) continue;
        pass.hits++;
        if (value !== valueAt(index)) pass.wrong++;
      }
      pass.asked += indexes.length;
      progress.advance(indexes.length);
    }
    await event;
  } finally {
    progress.end();
    cache.off('failover', onFailover).off('replicaHit', onReplicaHit);
  }
  return pass;
}

async function getBatch(cache: TourContext['cache'], keys: readonly string[], errors: Map<string, number>) {
  try {
    return await cache.getMany(keys);
  } catch (error) {
    const isPartial = error instanceof PartialFailureError;
    const code = isShardringError(error) ? error.code : String(error);
    errors.set(code, (errors.get(code) ?? 0) + (isPartial ? error.failedKeys.length : keys.length));
    return isPartial ? (error.results as Map<string, string>) : new Map<string, string>();
  }
}

export const hitRatio = ({ hits, asked }: ReadPass) => (asked === 0 ? 1 : hits / asked);

export const errorCount = ({ errors }: ReadPass) => [...errors.values()].reduce((sum, keys) => sum + keys, 0);

/** The pass in one line: what the caller saw. */
export function summaryOf(pass: ReadPass): string {
  const codes = [...pass.errors].map(([code, keys]) => `${code}: ${keys}`).join(', ');
  const errors = codes === '' ? '0 errors' : `errors in keys: ${codes}`;
  return `hit ratio ${percent(hitRatio(pass))}, ${errors}, ${pass.wrong} wrong values`;
}
