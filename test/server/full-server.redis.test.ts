/** A server at maxmemory without eviction takes no writes. What it has can be read, and copied to a node that is added for it. */

import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { ShardedCache } from '../../src/cache/sharded-cache.ts';
import { RedisBackend } from '../../src/server/backend/redis-backend.ts';
import { eventually } from '../support/eventually.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function startServer(): Promise<RedisServer> {
  const server = await startRedis({ args: ['--maxmemory-policy', 'noeviction'] });
  closing.push(() => server.stop());
  return server;
}

/** From now on the server has more than it may. */
async function fill(server: RedisServer): Promise<void> {
  const client = new Redis(server.url);
  await client.config('SET', 'maxmemory', '1');
  await expect(client.set('one more', '1')).rejects.toThrow(/OOM/);
  client.disconnect();
}

const entries = Array.from({ length: 200 }, (_, index) => [`key:${index}`, `value ${index}`] as const);

function openCache(servers: Record<string, RedisServer>, options: object = {}): ShardedCache {
  const nodes = Object.entries(servers).map(([id, { url }]) => ({ id, backend: new RedisBackend(url) }));
  const cache = new ShardedCache({ nodes, timeoutMs: 5_000, ...options });
  closing.push(() => cache.close());
  return cache;
}

describe('a full server', () => {
  it('answers every call that only reads or removes, and refuses the others', async () => {
    const server = await startServer();
    const backend = new RedisBackend(server.url, { timeoutMs: 5_000 });
    closing.push(() => backend.close());
    const value = Buffer.from('1');
    const expiresAtMs = Date.now() + 600_000;
    for (const key of ['a', 'b', 'c', 'd', 'e']) await backend.set(key, value, { expiresAtMs });
    await fill(server);
    expect(await backend.get('a')).toEqual(value);
    expect(await backend.getMany(['a', 'b'])).toEqual([value, value]);
    expect(await backend.getWithExpiry('a')).toEqual({ value, expiresAtMs });
    expect(await backend.expiresAt('a')).toBe(expiresAtMs);
    expect(await backend.expire('a', expiresAtMs + 1)).toBe(true);
    expect(await backend.expire('a', undefined)).toBe(true);
    const keys = [];
    for await (const key of backend.scan()) keys.push(key);
    expect(keys.sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
    for (const refused of [backend.set('f', value), backend.setIfAbsent('f', value), backend.increment('f', 1)]) {
      await expect(refused).rejects.toMatchObject({ code: 'ERR_NODE_REPLY', kind: 'OOM', retryable: true });
    }
    expect(await backend.delete('a')).toBe(true);
    expect(await backend.deleteMany(['b', 'f'])).toEqual([true, false]);
    await backend.clear();
  });

  it('gives getOrSet a value that may be stale', async () => {
    const server = await startServer();
    const cache = openCache({ a: server });
    const options = { ttlMs: 60_000, staleWhileRevalidateMs: 60_000 };
    await cache.getOrSet('k', () => 'stored', options);
    await fill(server);
    expect(await cache.getOrSet('k', () => 'loaded', options)).toBe('stored');
    // What cannot be stored is answered all the same.
    expect(await cache.getOrSet('absent', () => 'loaded', options)).toBe('loaded');
  });

  it('loses every key that a lazy change moves away', async () => {
    const [full, added] = [await startServer(), await startServer()];
    const cache = openCache({ full });
    const errors: unknown[] = [];
    cache.on('backgroundError', ({ error }) => errors.push(error));
    await cache.setMany(entries, { ttlMs: 600_000 });
    await fill(full);
    await cache.addNode({ id: 'added', backend: new RedisBackend(added.url) });
    for (const [key, value] of entries) expect(await cache.get(key)).toBe(value);
    const moved = entries.filter(([key]) => cache.topology.placement.nodeFor(key) === 'added');
    expect(moved.length).toBeGreaterThan(20);
    const there = new Redis(added.url);
    closing.push(() => there.quit());
    await eventually(async () => (await there.dbsize()) === moved.length);
    for (const [key] of moved) expect(await there.pttl(key)).toBeGreaterThan(500_000);
    expect(errors).toEqual([]);
  });

  it('gives a counter to the node that takes it over, with its expiry', async () => {
    const [full, added] = [await startServer(), await startServer()];
    const cache = openCache({ full });
    for (const [key] of entries.slice(0, 20)) await cache.increment(key, 41);
    await fill(full);
    await cache.addNode({ id: 'added', backend: new RedisBackend(added.url) });
    const moved = entries.slice(0, 20).filter(([key]) => cache.topology.placement.nodeFor(key) === 'added');
    expect(moved.length).toBeGreaterThan(0);
    for (const [key] of moved) expect(await cache.increment(key)).toBe(42);
  });
});
