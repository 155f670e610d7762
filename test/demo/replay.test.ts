/** The replay on memory nodes, and the parts it is made of. */

import fc from 'fast-check';
import { MemoryBackend, ShardedCache, systemClock } from 'shardring';
import { FaultyBackend } from 'shardring/testing';
import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from '../../examples/demo/replay/latency-histogram.ts';
import { Ledger } from '../../examples/demo/replay/ledger.ts';
import { outageOf } from '../../examples/demo/replay/outage.ts';
import { type ReplayContext, replay } from '../../examples/demo/replay/replay.ts';
import { ReplayStats } from '../../examples/demo/replay/replay-stats.ts';
import type { TraceRequest } from '../../examples/demo/trace/trace-request.ts';

async function* stream(requests: readonly TraceRequest[]): AsyncGenerator<TraceRequest, void, undefined> {
  yield* requests;
}

function clusterOf(nodeCount: number, replicationFactor: number) {
  const backends = new Map<string, FaultyBackend>();
  for (let index = 0; index < nodeCount; index++) backends.set(`n${index}`, new FaultyBackend(new MemoryBackend()));
  const nodes = [...backends].map(([id, backend]) => ({ id, backend }));
  const cache = new ShardedCache<Uint8Array>({ nodes, replicationFactor, codec: 'bytes' });
  const stats = new ReplayStats('all', systemClock.nowMs());
  const context = { cache, stats, ledger: new Ledger(), clock: systemClock, concurrency: 16, valueBytes: 10 };
  return { backends, cache, stats, context };
}

const reads = (count: number, distinct: number): TraceRequest[] =>
  Array.from({ length: count }, (_, index) => ({ key: `${(index * 7) % distinct}`, op: 'get' }));

describe('a replay', () => {
  it('stores what a read misses, so that each key misses once', async () => {
    const { cache, stats, context } = clusterOf(4, 2);
    await replay(context, stream(reads(5_000, 300)));
    expect([stats.sum('reads'), stats.sum('hits'), stats.sum('lost'), stats.sum('errors')]).toEqual([
      5_000, 4_700, 0, 0,
    ]);
    expect(await cache.get('0')).toHaveLength(10);
    await cache.close();
  });

  it('loses nothing and sees no error when a node stops on the way', async () => {
    const { backends, cache, stats, context } = clusterOf(4, 2);
    const onRequest = (index: number) => {
      if (index === 2_000) backends.get('n1')!.stop();
    };
    await replay({ ...context, onRequest }, stream(reads(6_000, 500)));
    expect([stats.sum('requests'), stats.sum('hits'), stats.sum('lost')]).toEqual([6_000, 5_500, 0]);
    expect(stats.errors).toEqual(new Map());
    expect(backends.get('n1')!.calls.get).toBeGreaterThan(0);
    await cache.close();
  });

  it('counts the errors of the caller by code where there is no replica', async () => {
    const { backends, cache, stats, context } = clusterOf(2, 1);
    backends.get('n0')!.stop();
    await replay(context, stream(reads(400, 100)));
    expect([...stats.errors.keys()]).toEqual(['ERR_NODE_UNAVAILABLE']);
    const failed = stats.errors.get('ERR_NODE_UNAVAILABLE')!.count;
    expect(failed).toBeGreaterThan(0);
    expect(stats.sum('reads') + failed).toBe(400);
    await cache.close();
  });

  it('keeps the order of requests for one key, whatever the concurrency', async () => {
    const operation = fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      op: fc.constantFrom('get' as const, 'set' as const, 'delete' as const, 'increment' as const),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation),
        fc.integer({ min: 1, max: 9 }),
        fc.gen(),
        async (requests, concurrency, gen) => {
          const log: string[] = [];
          const slow = (op: string) => async (key: string) => {
            log.push(`${key} ${op}`);
            for (let turns = gen(fc.nat, 5); turns > 0; turns--) await undefined;
            log.push(`${key} end`);
            return undefined as never;
          };
          const cache = { get: slow('get'), set: slow('set'), delete: slow('delete'), increment: slow('increment') };
          const stats = new ReplayStats('all', 0);
          const context: ReplayContext = {
            cache,
            stats,
            ledger: new Ledger(),
            clock: systemClock,
            concurrency,
            valueBytes: 1,
          };
          await replay(context, stream(requests));
          for (const key of ['a', 'b', 'c']) {
            const expected = requests
              .filter((request) => request.key === key)
              .flatMap(({ op }) => (op === 'get' ? ['get', 'end', 'set', 'end'] : [op, 'end']));
            const seen = log.filter((entry) => entry.startsWith(key)).map((entry) => entry.slice(2));
            expect(seen).toEqual(expected);
          }
        },
      ),
    );
  });

  it('has at most the allowed number of requests in flight', async () => {
    let underWay = 0;
    let most = 0;
    const get = async () => {
      most = Math.max(most, ++underWay);
      await new Promise(setImmediate);
      underWay--;
      return new Uint8Array() as never;
    };
    const { context, cache } = clusterOf(1, 1);
    await replay({ ...context, cache: { ...cacheStub, get }, concurrency: 5 }, stream(reads(60, 60)));
    expect(most).toBe(5);
    await cache.close();
  });

  it('counts an error for incrementing a text as an answer', async () => {
    const { cache, stats, context } = clusterOf(3, 2);
    const requests: TraceRequest[] = [
      { key: 'number', op: 'set', valueBytes: 2 },
      { key: 'number', op: 'increment' },
      { key: 'text', op: 'set', valueBytes: 100 },
      { key: 'text', op: 'increment' },
      { key: 'new', op: 'increment' },
    ];
    await replay(context, stream(requests));
    expect([stats.sum('writes'), stats.sum('refused'), stats.sum('errors')]).toEqual([4, 1, 0]);
    expect(Buffer.from((await cache.get('number'))!).toString()).toBe('12');
    await cache.close();
  });

  it('sees that a value was lost', async () => {
    const { cache, stats, context } = clusterOf(2, 1);
    const onRequest = (index: number) => {
      if (index === 100) void cache.clear();
    };
    await replay({ ...context, concurrency: 1, onRequest }, stream(reads(200, 100)));
    expect(stats.sum('lost')).toBe(100);
    await cache.close();
  });
});

const cacheStub = {
  set: async () => undefined,
  delete: async () => false,
  increment: async () => 1,
};

describe('the ledger', () => {
  it('expects what was stored to stay, until it is removed or given a time to live', () => {
    const ledger = new Ledger(2);
    expect(ledger.mustHave('a')).toBe(false);
    ledger.noteStored('a', undefined);
    expect(ledger.mustHave('a')).toBe(true);
    ledger.noteStored('a', 1_000);
    expect(ledger.mustHave('a')).toBe(false);
    ledger.noteStored('b', undefined);
    ledger.forget('b');
    expect(ledger.mustHave('b')).toBe(false);
  });

  it('does not judge more keys than it may keep, and says so', () => {
    const ledger = new Ledger(2);
    for (const key of ['a', 'b', 'a']) ledger.noteStored(key, undefined);
    expect(ledger.isFull).toBe(false);
    ledger.noteStored('c', undefined);
    expect([ledger.isFull, ledger.mustHave('a'), ledger.mustHave('c')]).toEqual([true, true, false]);
  });
});

describe('the latency histogram', () => {
  it('is never below the true quantile, and at most 4.5 % above it', () => {
    const durations = fc.array(fc.double({ min: 0.001, max: 1e6, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(durations, fc.constantFrom(0.01, 0.5, 0.99, 1), (all, q) => {
        const histogram = new LatencyHistogram();
        for (const duration of all) histogram.add(duration);
        const truth = all.toSorted((a, b) => a - b)[Math.ceil(q * all.length) - 1]!;
        expect(histogram.quantile(q)!).toBeGreaterThanOrEqual(truth * (1 - 1e-12));
        expect(histogram.quantile(q)!).toBeLessThanOrEqual(truth * 1.045);
      }),
    );
  });

  it('has no quantiles when it is empty', () => {
    expect(new LatencyHistogram().quantile(0.5)).toBeUndefined();
  });

  it('takes a duration of 0 and one of hours', () => {
    const histogram = new LatencyHistogram();
    for (const duration of [0, 1e8]) histogram.add(duration);
    expect(histogram.count).toBe(2);
    expect(histogram.quantile(0.5)).toBeLessThan(0.0011);
    expect(histogram.quantile(1)).toBeGreaterThan(4e6);
  });
});

describe('an outage', () => {
  it('lasts from a third to two thirds of the requests', () => {
    expect(outageOf('n', 914_145)).toEqual({ node: 'n', stopAt: 304_715, startAt: 609_430 });
  });
});
