/** Bytes that are handed out hold no more memory than they need, however large the piece was in which they came. */

import { describe, expect, it } from 'vitest';
import { ShardedCache } from '../../src/index.ts';
import { RedisBackend, ShardedRedis } from '../../src/redis/index.ts';
import { startRedis } from '../support/redis.ts';

describe.each(['ioredis', 'direct'] as const)('bytes of many small values, over %s', (transport) => {
  it.each([
    [16, 64],
    [100, 8 * 1024],
    [3_000, 8 * 1024],
    [40_000, 80_000],
  ])('of %i bytes each hold at most %i bytes each, from either face', async (size, mostBytes) => {
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
});
