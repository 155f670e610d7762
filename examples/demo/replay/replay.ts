/**
 * Replays requests against a cache, as an application would make them: a read that misses stores the value (cache-aside).
 *
 * What is kept of the order: requests for one key run one after the other, as they stand in the trace, each after the one
 * before it has been answered. Requests for different keys overlap, up to `concurrency` at once, and may end in any order.
 * The trace's own timing is not kept: each request comes as soon as there is room.
 */

import { type Clock, isShardringError, type ShardedCache } from 'shardring';
import type { TraceRequest } from '../trace/trace-request.ts';
import { fillerOf } from './filler.ts';
import type { Ledger } from './ledger.ts';
import type { ReplayStats } from './replay-stats.ts';

export interface ReplayContext {
  readonly cache: Pick<ShardedCache<Uint8Array>, 'get' | 'set' | 'delete' | 'increment'>;
  readonly stats: ReplayStats;
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** Requests in flight at once. At least 1. */
  readonly concurrency: number;
  /** Size of values of which the trace does not say it, in bytes. */
  readonly valueBytes: number;
  /** Called before the request of this index, counted from 0, is made. */
  readonly onRequest?: (index: number) => void;
}

/** Errors of the cache are counted and do not end the replay. Errors of the trace do. */
export async function replay(context: ReplayContext, requests: AsyncIterator<TraceRequest>): Promise<void> {
  /** The last request made for each key that has one under way. */
  const latest = new Map<string, Promise<void>>();
  let index = 0;
  const work = async () => {
    for (;;) {
      const next = await requests.next();
      if (next.done === true) return;
      const request = next.value;
      context.onRequest?.(index++);
      const before = latest.get(request.key);
      const run = before === undefined ? perform(context, request) : before.then(() => perform(context, request));
      latest.set(request.key, run);
      await run;
      if (latest.get(request.key) === run) latest.delete(request.key);
    }
  };
  await Promise.all(Array.from({ length: context.concurrency }, work));
}

/** Never rejects. */
async function perform(context: ReplayContext, request: TraceRequest): Promise<void> {
  const { stats, ledger } = context;
  stats.phase.requests++;
  try {
    switch (request.op) {
      case 'get':
        return await read(context, request);
      case 'set':
        return await store(context, request);
      case 'delete':
        ledger.forget(request.key);
        return void (await timedWrite(context, () => context.cache.delete(request.key)));
      case 'increment':
        return await increment(context, request);
    }
  } catch (error) {
    ledger.forget(request.key);
    if (isShardringError(error)) stats.noteError(error.code, error.message);
    else stats.noteError('not an error of shardring', String(error));
  }
}

async function read(context: ReplayContext, request: TraceRequest): Promise<void> {
  const { cache, stats, ledger, clock } = context;
  const startMs = clock.nowMs();
  const value = await cache.get(request.key);
  stats.phase.readLatency.add(clock.nowMs() - startMs);
  stats.phase.reads++;
  if (value !== undefined) {
    stats.phase.hits++;
    return;
  }
  if (ledger.mustHave(request.key)) stats.phase.lost++;
  await store(context, request);
}

async function store(
  context: ReplayContext,
  { key, valueBytes = context.valueBytes, ttlMs }: TraceRequest,
): Promise<void> {
  await timedWrite(context, () => context.cache.set(key, fillerOf(valueBytes), { ttlMs }));
  context.ledger.noteStored(key, ttlMs);
}

async function increment(context: ReplayContext, { key }: TraceRequest): Promise<void> {
  try {
    await timedWrite(context, () => context.cache.increment(key));
  } catch (error) {
    // A cache-aside value of 100 bytes is not a number. Every cache refuses that, so it is an answer and not a failure.
    if (!isRefusal(error)) throw error;
    context.stats.phase.refused++;
  }
}

const isRefusal = (error: unknown): boolean => {
  if (!isShardringError(error)) return false;
  if (error.code === 'ERR_WRITE_CONSISTENCY') {
    return error.attempts.length > 0 && error.attempts.every((attempt) => isRefusal(attempt.error));
  }
  return error.code === 'ERR_NOT_AN_INTEGER';
};

async function timedWrite(context: ReplayContext, write: () => Promise<unknown>): Promise<void> {
  const { stats, clock } = context;
  const startMs = clock.nowMs();
  await write();
  stats.phase.writeLatency.add(clock.nowMs() - startMs);
  stats.phase.writes++;
}
