/**
 * Connections end at any moment, and every increment is counted once or not at all: what was acknowledged is in the counter,
 * and of the rest only what was said to be of unknown outcome can be.
 */

import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isShardringError } from '../../src/errors/index.ts';
import { ShardedRedis } from '../../src/redis/index.ts';
import { eventually } from '../support/eventually.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

interface Counted {
  acknowledged: number;
  unknown: number;
  /** Surely not executed. */
  refused: number;
}

/** Each adds 1 to the counter at `key`, once. */
const increments: Record<string, (redis: ShardedRedis, key: string) => Promise<unknown>> = {
  incr: (redis, key) => redis.incr(key),
  'a pipeline': async (redis, key) => {
    const [[error] = []] = (await redis.pipeline().incr(key).exec())!;
    if (error) throw error;
  },
  'a transaction': (redis, key) => redis.multi().incr(key).get(key).exec(),
  eval: (redis, key) => redis.eval("return redis.call('INCR', KEYS[1])", 1, key),
  'a script by its name': (redis, key) =>
    (redis as unknown as { increase(key: string): Promise<number> }).increase(key),
  'a command that blocks': (redis, key) => redis.blmove(`{${key}}none`, `{${key}}other`, 'LEFT', 'LEFT', 0.001),
};

async function count(counted: Counted, call: Promise<unknown>): Promise<void> {
  try {
    await call;
    counted.acknowledged++;
  } catch (error) {
    expect(isShardringError(error), String(error)).toBe(true);
    const { code } = error as { code: string };
    if (code === 'ERR_UNKNOWN_OUTCOME') counted.unknown++;
    else {
      expect(['ERR_NODE_UNAVAILABLE', 'ERR_TIMEOUT']).toContain(code);
      counted.refused++;
    }
  }
}

let servers: RedisServer[];
let proxies: TcpProxy[];
let observers: Redis[];

beforeEach(async () => {
  servers = await Promise.all([startRedis(), startRedis()]);
  proxies = await Promise.all(servers.map((server) => startTcpProxy(server)));
  observers = servers.map(({ port }) => new Redis(port));
});

afterEach(async () => {
  for (const observer of observers) observer.disconnect();
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await Promise.all(servers.map((server) => server.stop()));
});

/** @param borrowed  Clients of the application, which by their own options would send everything again. */
function open(ports: readonly number[], borrowed: Redis[] | undefined): ShardedRedis {
  const redis = new ShardedRedis({
    nodes: ports.map((port, index) => {
      if (borrowed === undefined) return { id: `node-${index}`, host: '127.0.0.1', port };
      const client = new Redis(port, { maxRetriesPerRequest: null, retryStrategy: () => 5 });
      client.on('error', () => undefined);
      borrowed.push(client);
      return { id: `node-${index}`, client };
    }),
    timeoutMs: 2_000,
    health: { probeIntervalMs: 20, probeTimeoutMs: 2_000 },
  });
  redis.defineCommand('increase', { lua: "return redis.call('INCR', KEYS[1])", numberOfKeys: 1 });
  return redis;
}

describe.each([
  ['own connections', false],
  ['borrowed clients', true],
])('a ShardedRedis with %s', (_, isBorrowed) => {
  const { 'a command that blocks': blocks, ...counting } = increments;

  /** Increments by many callers at once, while `disturb` is called between. */
  async function incrementUnder(
    ports: readonly number[],
    rounds: number,
    disturb: (round: number) => Promise<unknown>,
  ) {
    const borrowed: Redis[] = [];
    const redis = open(ports, isBorrowed ? borrowed : undefined);
    await redis.connect();
    const kinds = Object.entries(counting);
    const results = new Map<string, Counted>();
    for (let round = 0; round < rounds; round++) {
      const disturbed = disturb(round);
      const calls = kinds.flatMap(([kind, increment]) =>
        Array.from({ length: 6 }, (_, index) => {
          const key = `${kind}:${index}`;
          const counted = results.get(key) ?? { acknowledged: 0, unknown: 0, refused: 0 };
          results.set(key, counted);
          return count(counted, increment(redis, key));
        }),
      );
      const waiting = blocks!(redis, 'list').catch(() => undefined);
      await Promise.all([...calls, waiting, disturbed]);
    }
    for (const proxy of proxies) proxy.behaviour = 'forward';
    await eventually(async () => (await redis.ping()) === 'PONG');
    // Had anything been kept to be sent again, it would have been by now: each connection keeps the order.
    for (const [key, { acknowledged, unknown }] of results) {
      const values = await Promise.all(observers.map((observer) => observer.get(key)));
      const value = values.reduce((sum, each) => sum + Number(each ?? 0), 0);
      expect(value, key).toBeGreaterThanOrEqual(acknowledged);
      expect(value, key).toBeLessThanOrEqual(acknowledged + unknown);
    }
    await redis.quit();
    for (const client of borrowed) client.disconnect();
    const all = [...results.values()];
    const total = (field: keyof Counted) => all.reduce((sum, counted) => sum + counted[field], 0);
    return { acknowledged: total('acknowledged'), unknown: total('unknown'), refused: total('refused') };
  }

  const afterTurns = async (turns: number) => {
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
  };

  it('counts every increment once while servers end connections at random', async () => {
    const turns = fc.sample(fc.nat({ max: 6 }), { numRuns: 60, seed: 4 });
    const { acknowledged, unknown, refused } = await incrementUnder(
      servers.map(({ port }) => port),
      turns.length,
      async (round) => {
        await afterTurns(turns[round]!);
        if (round % 2 === 0) {
          await Promise.all(
            observers.map((observer) => observer.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')),
          );
        }
      },
    );
    expect(acknowledged).toBeGreaterThan(0);
    expect(unknown + refused).toBeGreaterThan(0);
  });

  it('counts every increment once while replies are lost on the way', async () => {
    const faults = fc.sample(
      fc.tuple(fc.constantFrom('forward', 'loseReply', 'stall', 'swallowReplies', 'reset'), fc.nat({ max: 4 })),
      { numRuns: 40, seed: 7 },
    );
    const { acknowledged, unknown } = await incrementUnder(
      proxies.map(({ port }) => port),
      faults.length,
      async (round) => {
        const [fault, turns] = faults[round]!;
        const proxy = proxies[round % proxies.length]!;
        await afterTurns(turns);
        const { droppedCount } = proxy;
        if (fault === 'reset') proxy.resetAll();
        else proxy.behaviour = fault;
        if (fault === 'stall' || fault === 'swallowReplies') {
          await eventually(() => proxy.droppedCount > droppedCount);
          proxy.resetAll();
          proxy.behaviour = 'forward';
        }
      },
    );
    expect(acknowledged).toBeGreaterThan(0);
    expect(unknown).toBeGreaterThan(0);
  });
});
