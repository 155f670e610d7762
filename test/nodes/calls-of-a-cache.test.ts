import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { NodeWatch } from '../../src/health/node-watch.ts';
import { collect, type FaultyCache, makeFaultyCache } from '../support/faulty-cache.ts';
import '../support/seed.ts';

const ids = ['a', 'b', 'c'];
const none = { strategy: 'none' } as const;
const keys = ['x', 'y', 'z', 'x2', 'y2', 'z2'];

const steps = {
  get: ({ cache }: FaultyCache, signal) => cache.get('x', { signal }),
  set: ({ cache }, signal) => cache.set('y', 1, { signal }),
  increment: ({ cache }, signal) => cache.increment('n', 1, { signal }),
  delete: ({ cache }, signal) => cache.delete('x', { signal }),
  getMany: ({ cache }, signal) => cache.getMany(keys, { signal }),
  setMany: ({ cache }, signal) =>
    cache.setMany(
      keys.map((key) => [key, 1]),
      { signal },
    ),
  clear: ({ cache }, signal) => cache.clear({ signal }),
  keys: ({ cache }, signal) => collect(cache.keys({ signal })),
  'one key': async ({ cache }, signal) => {
    for await (const _ of cache.keys({ signal })) break;
  },
  stop: async ({ nodes }) => nodes.a!.stop(),
  start: async ({ nodes }) => nodes.a!.start(),
  hang: async ({ nodes }) => nodes.b!.hang(),
  'lose replies': async ({ nodes }) => nodes.c!.loseReplies(),
  'change a weight': ({ cache }) => cache.setWeight('c', 3, none).then(() => cache.setWeight('c', 1, none)),
  'pass time': ({ clock }) => clock.advance(900),
} satisfies Record<string, (world: FaultyCache, signal: AbortSignal) => Promise<unknown>>;

const anyStep = fc.record({
  name: fc.constantFrom(...(Object.keys(steps) as (keyof typeof steps)[])),
  isAborted: fc.boolean(),
});

describe('the calls of a cache', () => {
  afterEach(() => vi.restoreAllMocks());

  it('each tell of one beginning and one end, whatever becomes of them, and none stays in flight', async () => {
    const told = (['began', 'answered', 'failed', 'abandoned'] as const).map((what) =>
      vi.spyOn(NodeWatch.prototype, what),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 30 }), fc.constantFrom(1, 2), async (run, replicationFactor) => {
        for (const spy of told) spy.mockClear();
        const world = makeFaultyCache(ids, { replicationFactor, timeoutMs: 10_000 });
        const calls: Promise<unknown>[] = [];
        for (const { name, isAborted } of run) {
          const controller = new AbortController();
          const call = steps[name](world, controller.signal).catch(() => undefined);
          if (isAborted) controller.abort();
          if (name === 'pass time') await call;
          calls.push(call);
        }
        for (const id of ids) {
          world.nodes[id]!.start();
        }
        await world.clock.advance(60_000);
        await Promise.all(calls);
        const counts = told.map(({ mock }) => mock.calls.length);
        expect(counts[0]).toBe(counts[1]! + counts[2]! + counts[3]!);
        for (const watch of new Set(told[0]!.mock.contexts as NodeWatch[])) expect(watch.traffic.inFlight).toBe(0);
        await world.cache.close();
      }),
      { numRuns: 60 },
    );
  });

  it('tell the end of a call that its reader has given up for another node when it comes, once', async () => {
    const ends = vi.spyOn(NodeWatch.prototype, 'failed');
    const begins = vi.spyOn(NodeWatch.prototype, 'began');
    const { cache, nodes, clock, keyOf } = makeFaultyCache(ids, { replicationFactor: 2, timeoutMs: 10_000 });
    nodes.a!.hang();
    const read = cache.get(keyOf('a', 'b'));
    await clock.advance(3_000);
    await read;
    expect([begins.mock.calls.length, ends.mock.calls.length]).toEqual([2, 0]);
    await clock.advance(10_000);
    expect([begins.mock.calls.length, ends.mock.calls.length]).toEqual([2, 1]);
  });
});
