import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ShardedCache } from '../../src/cache/sharded-cache.ts';
import { RedisBackend } from '../../src/server/backend/redis-backend.ts';
import { eventually, patientMs } from '../support/eventually.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { watchedSignal } from '../support/watched-signal.ts';

const ids = ['a', 'b', 'c', 'd'];
const keys = Array.from({ length: 400 }, (_, index) => `key:${index}`);

describe('a cache over four real servers', () => {
  let servers: Record<string, RedisServer>;
  let cache: ShardedCache;

  const open = (options: object = {}) =>
    new ShardedCache({
      nodes: ids.map((id) => ({ id, backend: new RedisBackend(servers[id]!.url) })),
      health: { probeIntervalMs: 50, probeTimeoutMs: patientMs },
      timeoutMs: patientMs,
      ...options,
    });

  beforeEach(async () => {
    servers = Object.fromEntries(await Promise.all(ids.map(async (id) => [id, await startRedis()] as const)));
  });
  afterEach(async () => {
    await cache.close();
    await Promise.all(Object.values(servers).map((server) => server.stop()));
  });

  it('keeps values of 0 bytes and of 16 MB byte for byte, with every codec', async () => {
    cache = open({ codec: 'bytes', replicationFactor: 2, writeConsistency: 'all', timeoutMs: patientMs });
    const large = Buffer.alloc(16 * 2 ** 20);
    for (let index = 0; index < large.length; index++) large[index] = (index * 31) ^ (index >>> 8);
    await cache.set('empty', Buffer.alloc(0));
    await cache.setMany([['large', large]]);
    expect(await cache.get('empty')).toEqual(Buffer.alloc(0));
    expect(large.equals((await cache.get('large')) as Buffer)).toBe(true);
    expect(large.equals((await cache.getMany(['large'])).get('large') as Buffer)).toBe(true);
    await cache.close();
    cache = open({ timeoutMs: patientMs });
    await cache.set('json', { large });
    expect(large.equals(((await cache.get('json')) as { large: Buffer }).large)).toBe(true);
  });

  it('puts one listener on a signal that all keys of its calls share, and ends all of them by it', async () => {
    cache = open({ replicationFactor: 2 });
    const { signal, counts, abort } = watchedSignal();
    const entries = keys.map((key) => [key, 1] as const);
    await cache.setMany(entries, { signal });
    await Promise.all([cache.getMany(keys, { signal }), ...keys.map((key) => cache.get(key, { signal }))]);
    for await (const _ of cache.keys({ signal }));
    await cache.deleteMany(keys, { signal });
    expect(counts).toMatchObject({ now: 0, most: 1 });
    const reason = new Error('enough');
    const calls = keys.map((key) => cache.set(key, 2, { signal }));
    const many = cache.setMany(entries, { signal });
    abort(reason);
    const outcomes = await Promise.allSettled([many, ...calls]);
    expect(new Set(outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason))).toEqual(new Set([reason]));
    expect(counts).toMatchObject({ now: 0, most: 1 });
  });

  it('loses no key that was written to both nodes when any one server is killed, and fails no call', async () => {
    cache = open({ replicationFactor: 2, writeConsistency: 'all' });
    for (const id of ids) {
      await cache.setMany(keys.map((key) => [key, `${key} before ${id}`]));
      await servers[id]!.kill();
      for (const key of keys) expect(await cache.get(key)).toBe(`${key} before ${id}`);
      expect((await cache.getMany(keys)).size).toBe(keys.length);
      await servers[id]!.restart();
      await eventually(() => cache.health().get(id) === 'up');
    }
  });

  it('goes on reading and writing at level one while a server is killed and restarted under traffic', async () => {
    cache = open({ replicationFactor: 2, readRepair: true });
    await cache.setMany(keys.map((key) => [key, 0]));
    let going = true;
    const failures: unknown[] = [];
    let calls = 0;
    const traffic = async (first: number) => {
      for (let index = first; going; index = (index + 17) % keys.length) {
        const call = index % 3 === 0 ? cache.set(keys[index]!, index) : cache.get(keys[index]!);
        await call.catch((error) => failures.push(error));
        calls++;
      }
    };
    const all = Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(traffic));
    const after = async (count: number) => {
      const target = calls + count;
      await eventually(() => calls >= target);
    };
    await after(500);
    await servers.b!.kill();
    await eventually(() => cache.health().get('b') === 'down');
    await after(500);
    await servers.b!.restart();
    await eventually(() => cache.health().get('b') === 'up');
    await after(500);
    going = false;
    await all;
    expect(failures).toEqual([]);
  });

  it('fails only calls for keys of a node that hangs, by their deadline', async () => {
    cache = open({ timeoutMs: 3_000 });
    await cache.setMany(keys.map((key) => [key, 1]));
    servers.c!.pause();
    const results = await Promise.allSettled(keys.map((key) => cache.get(key)));
    for (const [index, result] of results.entries()) {
      const owner = cache.topology.placement.nodeFor(keys[index]!);
      if (owner !== 'c') expect(result).toEqual({ status: 'fulfilled', value: 1 });
      else expect(result).toMatchObject({ status: 'rejected', reason: { node: 'c', retryable: true } });
    }
    servers.c!.resume();
    await eventually(() => cache.health().get('c') === 'up');
    expect((await cache.getMany(keys)).size).toBe(keys.length);
  });

  it('names the node by its id in errors, whatever its address', async () => {
    cache = open();
    await servers.a!.kill();
    const key = keys.find((name) => cache.topology.placement.nodeFor(name) === 'a')!;
    const error = (await cache.get(key).catch((reason) => reason)) as Error;
    expect(error).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', node: 'a' });
    expect(error.message).toMatch(/^get: node a \(127\.0\.0\.1:\d+\) cannot be reached: ECONNREFUSED$/);
  });

  it('fills a new server from the previous owners, with the time to live, and does not restart counters', async () => {
    cache = open();
    await cache.setMany(
      keys.map((key) => [key, 10]),
      { ttlMs: 60_000 },
    );
    servers.e = await startRedis();
    await cache.addNode({ id: 'e', backend: new RedisBackend(servers.e.url) });
    const moved = keys.filter((key) => cache.topology.placement.nodeFor(key) === 'e');
    expect(moved.length).toBeGreaterThan(0);
    expect((await cache.getMany(keys)).size).toBe(keys.length);
    const direct = new RedisBackend(servers.e.url);
    await eventually(async () => (await direct.getMany(moved)).every((value) => value !== undefined));
    expect(await cache.ttl(moved[0]!)).toBeGreaterThan(50_000);
    await cache.delete(moved[0]!);
    expect(await cache.get(moved[0]!)).toBeUndefined();
    expect(await cache.increment(moved[1]!)).toBe(11);
    await direct.close();
  });
});
