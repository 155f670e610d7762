/** Bytes that are handed out hold no more memory than they need, however large the piece was in which they came. */

import { describe, expect, it } from 'vitest';
import { ShardedCache } from '../../src/index.ts';
import { RedisBackend, ShardedRedis } from '../../src/redis/index.ts';
import { startRedis } from '../support/redis.ts';

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe.each(['ioredis', 'direct'] as const)('bytes of many small values, over %s', (transport) => {
  it.each([
    [16, 64],
    [100, 8 * 1024],
    [3_000, 8 * 1024],
    [40_000, 80_000],
  ])('of %i bytes keep at most %i bytes of memory each, from either face', async (size, mostBytes) => {
    await using server = await startRedis();
    const count = size > 10_000 ? 50 : 1_000;
    const value = Buffer.alloc(size, 'x');
    const keys = Array.from({ length: count }, (_, index) => `key ${index}`);
    const redis = new ShardedRedis({ nodes: [{ id: 'a', url: server.url }], transport });
    const backend = new RedisBackend(server.url, { transport });
    const cache = new ShardedCache<Uint8Array>({ nodes: [{ id: 'a', backend }], codec: 'bytes' });
    await Promise.all(keys.map((key) => redis.set(key, value)));
    const given = [
      ...(await Promise.all(keys.map((key) => redis.getBuffer(key)))),
      ...(await redis.mgetBuffer(keys)),
      ...(await Promise.all(keys.map((key) => cache.get(key) as Promise<Buffer>))),
    ] as Buffer[];
    expect(Math.max(...given.map(({ buffer }) => buffer.byteLength))).toBeLessThanOrEqual(mostBytes);
    expect(given.every((bytes) => value.equals(bytes))).toBe(true);
    await cache.close();
    await redis.quit();
  });

  it('from hashes, lists and scans keep no more memory than they need either', async () => {
    await using server = await startRedis();
    await using redis = new ShardedRedis({ nodes: [{ id: 'a', url: server.url }], transport });
    const names = Array.from({ length: 500 }, (_, index) => `name ${index}`);
    await redis.hset('hash', Object.fromEntries(names.map((name) => [name, 'x'.repeat(16)])));
    await redis.sadd('set', names);
    await redis.mset(Object.fromEntries(names.map((name) => [name, name])));
    const [inMulti] = (await redis.multi().hgetallBuffer('hash').exec())!;
    const given = {
      hgetallBuffer: Object.values(await redis.hgetallBuffer('hash')),
      'hgetallBuffer in multi': Object.values(inMulti![1] as Record<string, Buffer>),
      smembersBuffer: await redis.smembersBuffer('set'),
      scan: await all(redis.scan({ match: 'name *', buffers: true })),
      sscan: await all(redis.sscan('set', { buffers: true })),
      hscan: (await all(redis.hscan('hash', { buffers: true }))).flat(),
    };
    for (const [form, buffers] of Object.entries(given)) {
      expect(buffers.length, form).toBeGreaterThanOrEqual(500);
      expect(Math.max(...buffers.map(({ buffer }) => buffer.byteLength)), form).toBeLessThanOrEqual(64);
    }
  });
});
