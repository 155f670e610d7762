/** With copies: replies as of one server, equal copies, failover of reads, and what is refused. */

import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AllReplicasFailedError, CommandRefusedError, WriteConsistencyError } from '../../src/errors/index.ts';
import type { ShardedRedis } from '../../src/redis/index.ts';
import { eventually, outcomeOf } from '../support/eventually.ts';
import { answerOf, command, sorted } from '../support/random-commands.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { type Shards, startShards } from '../support/shards.ts';

describe('ShardedRedis with two copies of each key on four servers', () => {
  let server: RedisServer;
  let one: Redis;
  let shards: Shards;
  let redis: ShardedRedis;
  beforeAll(async () => {
    const options = { replicationFactor: 2, writeConsistency: 'all', scripts: 'deterministic' } as const;
    [server, shards] = await Promise.all([startRedis(), startShards(4, options)]);
    one = new Redis(server.url);
    redis = shards.redis;
  });
  afterAll(async () => {
    one.disconnect();
    await shards[Symbol.asyncDispose]();
    await server.stop();
  });
  afterEach(() => shards.flush());

  /** Every key at each of its holders, as the server would write it to a file. */
  async function contents(): Promise<Map<string, unknown[]>> {
    const found = new Map<string, unknown[]>();
    for (const key of await redis.keys('*')) {
      const holders = redis.explain(key).nodes.filter(({ role }) => role !== 'next');
      found.set(key, await Promise.all(holders.map(({ id }) => contentAt(id, key))));
    }
    return found;
  }

  /** The elements of a set lie in an order that each server draws for itself. */
  async function contentAt(id: string, key: string): Promise<unknown> {
    const client = redis.on(id);
    return (await client.type(key)) === 'set' ? (await client.smembers(key)).sort() : client.dumpBuffer(key);
  }

  it('answers as one server does, and leaves copies that are equal', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 30 }), async (commands) => {
        await Promise.all([one.flushall(), shards.flush()]);
        for (const each of commands.filter(([name]) => name !== 'dbsize')) {
          const [expected, actual] = [await answerOf(one, each), await answerOf(redis, each)];
          expect(sorted(each[0], actual), each[0]).toEqual(sorted(each[0], expected));
        }
        for (const [first, ...others] of (await contents()).values()) {
          for (const copy of others) expect(copy).toEqual(first);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('makes the outcome of what a server chooses the same on both copies', async () => {
    const members = Array.from({ length: 30 }, (_, index) => `member:${index}`);
    await redis.sadd('set', ...members);
    const popped = (await redis.spop('set', 7)) as string[];
    expect(popped.length).toBe(7);
    await redis.xadd('stream', '*', 'field', 'value');
    await redis.rpush('list', 'a', 'b', 'c');
    expect(await redis.blpop('list', 1)).toEqual(['list', 'a']);
    await redis.zadd('sorted', 1, 'x', 2, 'y');
    expect(await redis.bzpopmin('sorted', 1)).toEqual(['sorted', 'x', '1']);
    await redis.set('text', 'value', 'EX', 100);
    await redis.set('counter', 1);
    await redis.expire('counter', 100);
    const copies = await contents();
    for (const [key, [first, second]] of copies) expect(second, key).toEqual(first);
    expect(copies.get('set')).toEqual([expect.any(Array), expect.any(Array)]);
    expect(await redis.scard('set')).toBe(23);
    for (const key of ['text', 'counter']) {
      const holders = redis.explain(key).nodes.filter(({ role }) => role !== 'next');
      const [first, second] = await Promise.all(holders.map(({ id }) => redis.on(id).pexpiretime(key)));
      expect(second).toBe(first);
    }
  });

  it('reads from the other copy while a node is down, and reports it', async () => {
    const key = shards.keyAt('node-0');
    await redis.hset(key, { field: 'value' });
    const failovers: unknown[] = [];
    redis.on('failover', (event: unknown) => failovers.push(event));
    await shards.server('node-0').kill();
    expect(await redis.hgetall(key)).toEqual({ field: 'value' });
    expect(failovers.length).toBeGreaterThan(0);
    expect((await outcomeOf(redis.hset(key, 'field', 'new'))).error).toBeInstanceOf(WriteConsistencyError);
    await shards.server('node-0').restart();
    await eventually(() => redis.health().get('node-0') === 'up');
  });

  it('reports what every node said when none of the holders can be read', async () => {
    const key = shards.keyAt('node-0');
    const holders = redis.explain(key).nodes.filter(({ role }) => role !== 'next');
    await Promise.all(holders.map(({ id }) => shards.server(id).kill()));
    const { error } = await outcomeOf(redis.get(key));
    expect(error).toBeInstanceOf(AllReplicasFailedError);
    expect((error as AllReplicasFailedError).attempts.map(({ node }) => node).sort()).toEqual(
      holders.map(({ id }) => id).sort(),
    );
    await Promise.all(holders.map(({ id }) => shards.server(id).restart()));
    await eventually(() => [...redis.health().values()].every((state) => state === 'up'));
  });

  it('rejects scripts unless they are declared deterministic', async () => {
    const careful = shards.open({ scripts: 'refuse' });
    const { error } = await outcomeOf(careful.eval("return redis.call('TIME')", 1, 'key'));
    expect(error).toBeInstanceOf(CommandRefusedError);
    expect(await careful.eval_ro("return redis.call('GET', KEYS[1])", 1, 'none')).toBeNull();
    expect(await redis.eval("return redis.call('INCR', KEYS[1])", 1, 'counted')).toBe(1);
    expect((await contents()).get('counted')!.every((copy) => copy !== null)).toBe(true);
  });

  it('executes a transaction on both copies', async () => {
    expect(await redis.multi().set('{t}a', 1, 'EX', 100).incr('{t}a').rpush('{t}b', 'x').exec()).toEqual([
      [null, 'OK'],
      [null, 2],
      [null, 1],
    ]);
    for (const [first, second] of (await contents()).values()) expect(second).toEqual(first);
    await redis.sadd('{t}s', 'x');
    await expect(redis.multi().spop('{t}s').exec()).rejects.toThrow(CommandRefusedError);
  });
});
