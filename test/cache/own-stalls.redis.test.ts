/**
 * This process is held up, for real and before real servers: nothing fails for that, no node is suspected, and what waits for
 * a server that never answers ends all the same. Where time counts, it is counted in turns of the event loop.
 */

import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ShardedCache } from '../../src/cache/sharded-cache.ts';
import { RedisBackend, ShardedRedis } from '../../src/redis/index.ts';
import { outcomeOf } from '../support/eventually.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

/** Below every stall, so that each of them alone would use up the time of a call. */
const timeoutMs = 600;

const ids = ['a', 'b', 'c'];
let servers: RedisServer[];
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  servers = await Promise.all(ids.map(() => startRedis()));
});

afterEach(async () => {
  for (const server of servers) server.resume();
  await Promise.all(open.splice(0).map((each) => each.close()));
});

afterAll(() => Promise.all(servers.map((server) => server.stop())));

/** Nothing runs in this process meanwhile. Sleeping, as the servers may need the processor. */
const stall = (ms: number) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

/** The event loop comes round once after each of them. */
async function stalls(...lengthsMs: readonly number[]): Promise<void> {
  for (const ms of lengthsMs) {
    stall(ms);
    await turn();
  }
}

const patterns: readonly (readonly number[])[] = [[2_000], [700, 700], [700, 700, 700, 700], [200, 900, 200]];

function openCache(transport: 'ioredis' | 'direct', options: { replicationFactor?: number } = {}) {
  const cache = new ShardedCache({
    nodes: servers.map(({ url }, index) => ({ id: ids[index]!, backend: new RedisBackend(url, { transport }) })),
    timeoutMs,
    health: { probeIntervalMs: 100, probeTimeoutMs: 500 },
    confirmMisses: true,
    writeConsistency: 'all',
    ...options,
  });
  open.push(cache);
  const events: string[] = [];
  for (const name of ['nodeSuspect', 'nodeDown', 'failover', 'writeMissed', 'backgroundError'] as const) {
    cache.on(name, (event) => events.push(`${name} ${'node' in event ? event.node : ''}`));
  }
  return { cache, events };
}

const keys = Array.from({ length: 12 }, (_, index) => `key:${index}`);

/** One of each kind of call, with several steps where copies are kept. */
const callsTo = (cache: ShardedCache): Promise<unknown>[] => [
  ...keys.map((key) => cache.get(key)),
  ...keys.map((key) => cache.set(`${key}:set`, 1)),
  ...keys.map((key) => cache.increment(`${key}:count`)),
  ...keys.map((key) => cache.expire(key, 60_000)),
  ...keys.map((key) => cache.getOrSet(`${key}:loaded`, () => 1)),
  cache.getMany([...keys, 'missing']),
  cache.deleteMany(['missing']),
];

async function failuresOf(calls: readonly Promise<unknown>[]): Promise<unknown[]> {
  const outcomes = await Promise.allSettled(calls);
  return outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
}

describe.each(['ioredis', 'direct'] as const)(
  'stalls of the process itself, over %s',
  { timeout: 120_000 },
  (transport) => {
    describe.each([1, 2])('with %i copies', (replicationFactor) => {
      it.each(patterns)('of %i ms and so on fail no call and make no node suspect', async (...pattern) => {
        const { cache, events } = openCache(transport, { replicationFactor });
        // Also while the connections are being made.
        const first = callsTo(cache);
        await stalls(...pattern);
        expect(await failuresOf(first)).toEqual([]);
        const second = callsTo(cache);
        await turn();
        const third = callsTo(cache);
        await stalls(...pattern);
        expect(await failuresOf([...second, ...third])).toEqual([]);
        expect(events).toEqual([]);
        expect([...cache.health().values()]).toEqual(ids.map(() => 'up'));
      });
    });

    it('between the steps of a call leave its later steps their time', async () => {
      const { cache, events } = openCache(transport, { replicationFactor: 2 });
      await cache.set('key', 1);
      // Each step is followed by a stall: the next one begins when the time of the call is over.
      let isOver = false;
      const call = cache.increment('key').finally(() => {
        isOver = true;
      });
      for (let step = 0; step < 8 && !isOver; step++) await stalls(700);
      expect(await call).toBe(2);
      expect(events).toEqual([]);
    });
  },
);

it('a process whose turns take 100 ms ends its calls within their time, one turn and the turn in which that is seen', {
  timeout: 60_000,
}, async () => {
  for (const transport of ['ioredis', 'direct'] as const) {
    const { cache } = openCache(transport);
    await Promise.all(keys.map((key) => cache.set(key, 1)));
    for (const server of servers) server.pause();
    let turns = 0;
    let isOver = false;
    const spin = () => {
      stall(100);
      turns++;
      if (!isOver) setImmediate(spin);
    };
    setImmediate(spin);
    await turn();
    for (let round = 0; round < 3; round++) {
      const beforeTurns = turns;
      const { error } = await outcomeOf(cache.get(keys[round]!));
      expect(error).toMatchObject({ code: expect.stringMatching(/ERR_TIMEOUT|ERR_NODE_UNAVAILABLE/) });
      expect(turns - beforeTurns).toBeLessThanOrEqual(timeoutMs / 100 + 2);
    }
    isOver = true;
    for (const server of servers) server.resume();
  }
});

it('a ShardedRedis bears them too', { timeout: 60_000 }, async () => {
  const redis = new ShardedRedis({
    nodes: servers.map(({ url }, index) => ({ id: ids[index]!, url })),
    replicationFactor: 2,
    timeoutMs,
    health: { probeIntervalMs: 100, probeTimeoutMs: 500 },
  });
  open.push(redis);
  const events: string[] = [];
  for (const name of ['nodeSuspect', 'nodeDown']) redis.on(name, () => events.push(name));
  const calls = () => keys.flatMap((key) => [redis.set(key, 1), redis.get(key), redis.lpush(`${key}:list`, 1)]);
  for (const pattern of patterns) {
    const begun = calls();
    await stalls(...pattern);
    expect(await failuresOf(begun)).toEqual([]);
  }
  expect(events).toEqual([]);
});
