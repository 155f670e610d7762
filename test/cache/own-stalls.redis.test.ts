/**
 * This process is held up before real servers: nothing fails for that, no node is suspected, and what waits for a server that
 * never answers ends all the same. Time is simulated, so that neither the machine's load nor a server's counts.
 */

import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ShardedCacheOptions } from '../../src/cache/options.ts';
import { ShardedCache } from '../../src/cache/sharded-cache.ts';
import { RedisBackend, ShardedRedis, type ShardedRedisOptions } from '../../src/redis/index.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Deferred } from '../../src/runtime/deferred.ts';
import { graceMs } from '../../src/runtime/time-limit.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { StalledProcess } from '../support/stalled-process.ts';

/** Below every stall of most patterns, so that each of them alone would use up the time of a call. */
const timeoutMs = 600;

const ids = ['a', 'b', 'c'];
const transports = ['ioredis', 'direct'] as const;
let servers: RedisServer[];
let clients: Redis[];
let stalled: StalledProcess;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  servers = await Promise.all(ids.map(() => startRedis()));
  clients = servers.map(({ url }) => new Redis(url));
  stalled = await StalledProcess.before(servers.map(({ port }) => port));
});

afterEach(async () => {
  for (const server of servers) server.resume();
  await closeAll();
});

afterAll(async () => {
  await stalled.stop();
  for (const client of clients) client.disconnect();
  await Promise.all(servers.map((server) => server.stop()));
});

async function closeAll(): Promise<void> {
  await stalled.settled(Promise.all(open.splice(0).map((each) => each.close())));
}

const patterns: readonly (readonly number[])[] = [[2_000], [700, 700], [700, 700, 700, 700], [200, 900, 200]];

function openCache(
  transport: 'ioredis' | 'direct',
  options: Pick<Partial<ShardedCacheOptions>, 'replicationFactor' | 'health'> = {},
) {
  const cache = new ShardedCache({
    nodes: servers.map(({ url }, index) => ({
      id: ids[index]!,
      backend: new RedisBackend(url, { transport, clock: stalled }),
    })),
    timeoutMs,
    health: { probeIntervalMs: 100, probeTimeoutMs: 500 },
    confirmMisses: true,
    writeConsistency: 'all',
    clock: stalled,
    ...options,
  });
  open.push(cache);
  const events: string[] = [];
  for (const name of ['nodeSuspect', 'nodeDown', 'failover', 'writeMissed', 'backgroundError'] as const) {
    cache.on(name, () => events.push(name));
  }
  return { cache, events };
}

function openRedis(transport: 'ioredis' | 'direct', options: Partial<ShardedRedisOptions> = {}) {
  const redis = new ShardedRedis({
    nodes: servers.map(({ url }, index) => ({ id: ids[index]!, url })),
    transport,
    timeoutMs,
    health: { probeIntervalMs: 100, probeTimeoutMs: 500 },
    clock: stalled,
    ...options,
  });
  open.push(redis);
  const events: string[] = [];
  for (const name of ['nodeSuspect', 'nodeDown']) redis.on(name, () => events.push(name));
  return { redis, events };
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

const callsToRedis = (redis: ShardedRedis): Promise<unknown>[] =>
  keys.flatMap((key) => [redis.set(key, 1), redis.get(key), redis.lpush(`${key}:list`, 1)]);

async function failuresOf(calls: readonly Promise<unknown>[]): Promise<unknown[]> {
  const outcomes = await stalled.settled(Promise.allSettled(calls));
  return outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
}

describe.each(transports)('stalls of the process itself, over %s', { timeout: 120_000 }, (transport) => {
  describe.each([1, 2])('with %i copies', (replicationFactor) => {
    it.each(patterns)('fail no call and make no node suspect when they last %i ms and so on', async (...pattern) => {
      const { cache, events } = openCache(transport, { replicationFactor });
      // Also while the connections are being made.
      const first = callsTo(cache);
      await stalled.stalls(...pattern);
      expect(await failuresOf(first)).toEqual([]);
      const second = callsTo(cache);
      await turn();
      const third = callsTo(cache);
      await stalled.stalls(...pattern);
      expect(await failuresOf([...second, ...third])).toEqual([]);
      expect(events).toEqual([]);
      expect([...cache.health().values()]).toEqual(ids.map(() => 'up'));
    });
  });

  it('leave the later steps of a call their time when they come between its steps', async () => {
    const { cache, events } = openCache(transport, { replicationFactor: 2 });
    await stalled.settled(cache.set('key', 1));
    // Each step is followed by a stall: the next one begins when the time of the call is over.
    let isOver = false;
    const call = cache.increment('key').finally(() => {
      isOver = true;
    });
    for (let step = 0; step < 8 && !isOver; step++) await stalled.stalls(700);
    expect(await stalled.settled(call)).toBe(2);
    expect(events).toEqual([]);
  });
});

/** One of each kind of call at servers that hang, over connections that are there. */
const kindsOfCall = {
  read: (cache) => cache.get('key'),
  write: (cache) => cache.set('key', 1),
  'read of several': (cache) => cache.getMany(keys),
  'read of a counter and its write': (cache) => cache.increment('count'),
  transaction: (_, redis) => redis.multi().incr('count').exec(),
  'use of a connection': (_, redis) => redis.withConnection('key', (client) => client.get('key'), { timeoutMs }),
} satisfies Record<string, (cache: ShardedCache, redis: ShardedRedis) => Promise<unknown>>;

describe.each(transports)('a process all of whose turns are long, over %s', (transport) => {
  it.each(Object.entries(kindsOfCall))(
    'ends a %s at servers that hang by its time, one turn of the loop and 50 ms',
    async (_, call) => {
      const turnsMs = fc.integer({ min: 25, max: timeoutMs / 2 });
      const check = async (turnMs: number, copies: number) => {
        // The answer to a probe would be a sign of life.
        const health = { probeIntervalMs: 1e9 };
        const { cache } = openCache(transport, { replicationFactor: copies, health });
        const { redis } = openRedis(transport, { health });
        await stalled.settled(Promise.all([cache.set('key', 1), cache.getMany(keys), call(cache, redis)]));
        // Until the turns before this one are forgotten.
        for (let count = 0; count < 3; count++) await stalled.stalls(turnMs);
        for (const server of servers) server.pause();
        const beganMs = stalled.nowMs();
        let endedMs: number | undefined;
        call(cache, redis).catch(() => {
          endedMs = stalled.nowMs();
        });
        await new Promise(process.nextTick);
        for (let count = 0; count < 50 && endedMs === undefined; count++) await stalled.stallsAlone(turnMs);
        for (const server of servers) server.resume();
        await closeAll();
        expect(endedMs).toBeLessThanOrEqual(beganMs + timeoutMs + turnMs + graceMs);
      };
      await fc.assert(fc.asyncProperty(turnsMs, fc.constantFrom(1, 2), check), { numRuns: 12 });
    },
  );
});

it('a ShardedRedis survives stalls of the process too', async () => {
  const { redis, events } = openRedis('ioredis', { replicationFactor: 2 });
  for (const pattern of patterns) {
    const begun = callsToRedis(redis);
    await stalled.stalls(...pattern);
    expect(await failuresOf(begun)).toEqual([]);
  }
  expect(events).toEqual([]);
});

/** As they are written: several commands that wait for each other, and work of the caller's own between them. */
async function addOne(client: Redis, key: string): Promise<void> {
  await client.watch(key);
  const count = Number(await client.get(key));
  await turn();
  const results = await client
    .multi()
    .set(key, count + 1)
    .get(key)
    .exec();
  expect(results).toEqual([
    [null, 'OK'],
    [null, String(count + 1)],
  ]);
}

/** One of each kind of call that has a connection of its own. */
const callsOnOwnConnections = (redis: ShardedRedis, name: string): Promise<unknown>[] => [
  ...keys.map((key) => redis.multi().incr(`${key}:count`).get(`${key}:count`).exec()),
  ...keys.map((key) =>
    redis.withConnection(key, (client: Redis) => addOne(client, `${key}:${name}:watched`), { timeoutMs }),
  ),
  redis.blpop(`${name}:jobs`, 1_000),
  redis.rpush(`${name}:jobs`, 'job'),
  redis.blmove(`${name}{x}:from`, `${name}{x}:to`, 'LEFT', 'RIGHT', 1_000),
  redis.rpush(`${name}{x}:from`, 'job'),
];

describe.each(transports)('transactions, blocking commands and withConnection, over %s', (transport) => {
  it.each([...patterns, Array.from({ length: 12 }, () => 700)])(
    'survive stalls of %i ms and so on',
    async (...pattern) => {
      const { redis, events } = openRedis(transport);
      const first = callsOnOwnConnections(redis, 'first');
      await stalled.stalls(...pattern);
      expect(await failuresOf(first)).toEqual([]);
      const second = callsOnOwnConnections(redis, 'second');
      await turn();
      const third = callsOnOwnConnections(redis, 'third');
      await stalled.stalls(...pattern);
      expect(await failuresOf([...second, ...third])).toEqual([]);
      expect(events).toEqual([]);
    },
  );

  it('wait for a server that ends their wait only when it next looks at its timeouts', async () => {
    const { redis } = openRedis(transport);
    await stalled.settled(redis.rpush('ready', 'job'));
    const call = redis.blpop('empty', 0.05);
    call.catch(() => undefined);
    await stalled.stalls(700, 700, 700, 700);
    await stalled.stallsAlone(140);
    await stalled.settled(redis.rpush('empty', 'job'));
    expect(await failuresOf([call])).toEqual([]);
  });

  it('count the time of a step from when it was sent, however long the caller did something else before', async () => {
    const { redis } = openRedis(transport);
    // The connection is there.
    await stalled.settled(redis.withConnection('late:jobs', (client: Redis) => client.get('key')));
    const rest = new Deferred<void>();
    const use = async (client: Redis) => {
      await client.get('key');
      await rest.promise;
      return client.blpop('late:jobs', 5);
    };
    const call = redis.withConnection('late:jobs', use, { timeoutMs });
    call.catch(() => undefined);
    await stalled.stalls(700, 700, 700);
    // By now all its time is over; what follows is less than a step's.
    await stalled.stalls(40);
    rest.resolve();
    await stalled.stalls(20, 20);
    await stalled.settled(redis.rpush('late:jobs', 'job'));
    expect(await stalled.settled(call)).toEqual(['late:jobs', 'job']);
  });

  it('end at a server that hangs by their time, the longest stall and the turn in which that is seen', async () => {
    const { redis } = openRedis(transport);
    // The connections are there.
    expect(await failuresOf(callsOnOwnConnections(redis, 'before'))).toEqual([]);
    for (const server of servers) server.pause();
    const calls = [
      redis.multi().incr('count').exec(),
      redis.blpop('jobs', 0.05),
      redis.withConnection('key', (client: Redis) => addOne(client, 'key'), { timeoutMs }),
    ];
    let ended = 0;
    for (const call of calls) call.catch(() => ended++);
    // 2,100 ms: more than each call's time and one of the stalls.
    await stalled.stallsAlone(700, 700, 700);
    await turn();
    expect(ended).toBe(calls.length);
  });
});

/** Stalls, and turns of ordinary length between them, after one of which the calls are made a second time. */
interface Draw {
  readonly transport: 'ioredis' | 'direct';
  readonly what: 'cache' | 'redis' | 'own connections';
  readonly replicationFactor: number;
  readonly turnsMs: readonly number[];
  readonly secondAfter: number;
}

const draws: fc.Arbitrary<Draw> = fc.record({
  transport: fc.constantFrom(...transports),
  what: fc.constantFrom('cache' as const, 'redis' as const, 'own connections' as const),
  replicationFactor: fc.constantFrom(1, 2),
  turnsMs: fc.array(
    fc.oneof(
      { weight: 7, arbitrary: fc.integer({ min: 200, max: 2_000 }) },
      { weight: 3, arbitrary: fc.integer({ min: 1, max: 30 }) },
    ),
    { minLength: 1, maxLength: 14 },
  ),
  secondAfter: fc.nat(13),
});

/** Each failed once. */
const failed: readonly Draw[] = [
  {
    transport: 'ioredis',
    what: 'cache',
    replicationFactor: 2,
    turnsMs: [1_476, 30, 433, 1_590, 1_653, 1_257, 1_993, 383],
    secondAfter: 10,
  },
  {
    transport: 'ioredis',
    what: 'cache',
    replicationFactor: 2,
    turnsMs: [634, 26, 577, 1_119, 9, 1_081, 1_939, 1_998, 1_190],
    secondAfter: 2,
  },
  { transport: 'ioredis', what: 'cache', replicationFactor: 2, turnsMs: [200, 585, 585], secondAfter: 0 },
  {
    transport: 'ioredis',
    what: 'cache',
    replicationFactor: 2,
    turnsMs: [200, 200, 200, 200, 200, 1_239, 25, 530],
    secondAfter: 0,
  },
];

/** What the calls of a draw fail with, and what is told of the nodes. */
async function troubleIn({ transport, what, replicationFactor, turnsMs, secondAfter }: Draw): Promise<unknown[]> {
  await Promise.all(clients.map((client) => client.flushall()));
  stalled = stalled.again();
  const { make, events } = openFor(transport, what, replicationFactor);
  const begun: Promise<unknown>[] = [];
  const begin = (name: string) => {
    for (const call of make(name)) {
      call.catch(() => undefined); // It is asked later.
      begun.push(call);
    }
  };
  begin('first');
  for (const [index, ms] of turnsMs.entries()) {
    await stalled.stalls(ms);
    if (index === secondAfter) begin('second');
  }
  const failures = await failuresOf(begun);
  await closeAll();
  return [...failures, ...events];
}

function openFor(transport: Draw['transport'], what: Draw['what'], replicationFactor: number) {
  if (what === 'cache') {
    const { cache, events } = openCache(transport, { replicationFactor });
    return { make: () => callsTo(cache), events };
  }
  const isShared = what === 'redis';
  const { redis, events } = openRedis(transport, isShared ? { replicationFactor } : {});
  const make = (name: string) => (isShared ? callsToRedis(redis) : callsOnOwnConnections(redis, name));
  return { make, events };
}

it('no pattern of stalls fails a call or makes a node suspect', { timeout: 60_000 }, async () => {
  const untilMs = systemClock.nowMs() + 8_000;
  await fc.assert(
    fc.asyncProperty(draws, async (draw) => {
      // As many as there is time for. An interruption by fast-check would leave one under way.
      if (systemClock.nowMs() < untilMs) expect(await troubleIn(draw)).toEqual([]);
    }),
    { numRuns: 1_000, examples: failed.map((draw): [Draw] => [draw]) },
  );
});

it('closing waits for what was answered while the process was held up', async () => {
  const { redis } = openRedis('ioredis');
  await stalled.settled(redis.set(keys[0]!, 'value'));
  const connected = new Deferred<void>();
  const found = redis.withConnection(keys[0]!, (client: Redis) => {
    connected.resolve();
    return client.get(keys[0]!);
  });
  await stalled.settled(connected.promise);
  const closed = redis.close();
  await stalled.stalls(2_000);
  expect(await stalled.settled(found)).toBe('value');
  await stalled.settled(closed);
});
