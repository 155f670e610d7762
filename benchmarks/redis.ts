/**
 * `ShardedCache` over four real servers against ioredis picking the server by modulo, which is what a careful user would
 * write by hand, at 1, 50 and 500 callers with 100-byte values. A caller asks anew as soon as it has its answer.
 *
 * What this does not show: a network (servers are on loopback and share the machine's cores with the client), servers
 * under other load, large values, and independent arrivals.
 */

import { Redis } from 'ioredis';
import { HashRing, ShardedCache } from 'shardring';
import { RedisBackend } from 'shardring/redis';
import { startRedis } from '../test/support/redis.ts';
import { type Contender, fail, measure, printMeasured } from './support/rounds.ts';

const smoke = process.argv.includes('--smoke');
const rounds = smoke ? 2 : 15;
const keys = Array.from({ length: 10_000 }, (_, index) => `user:${index}`);
const value = Buffer.from('v'.repeat(100));

const servers = await Promise.all([0, 1, 2, 3].map(() => startRedis()));
const bare = servers.map(({ port }) => new Redis({ port, host: '127.0.0.1' }));
const ring = HashRing.create(servers.map((_, index) => ({ id: String(index) })));
const cache = new ShardedCache<Uint8Array>({
  nodes: servers.map(({ url }, index) => ({ id: String(index), backend: new RedisBackend(url) })),
  codec: 'bytes',
});

/** Index of the server of each key, made ahead: the floor of what routing may cost. */
const modulo = (key: string) => bare[ring.positionOf(key) % 4]!;

async function inParallel(callers: number, operations: number, call: (key: string) => Promise<unknown>): Promise<void> {
  let left = operations;
  const caller = async (first: number) => {
    for (let next = first; left-- > 0; next = (next + 7_919) % keys.length) await call(keys[next]!);
  };
  await Promise.all(Array.from({ length: callers }, (_, index) => caller((index * 131) % keys.length)));
}

function contender(name: string, callers: number, call: (key: string) => Promise<unknown>): Contender {
  const operations = smoke ? 500 : callers === 1 ? 4_000 : 30_000;
  return { name, operations, run: () => inParallel(callers, operations, call) };
}

try {
  await cache.setMany(keys.map((key) => [key, value]));
  await Promise.all(keys.map((key) => modulo(key).set(key, value)));
  for (const key of keys.slice(0, 100)) {
    if (!value.equals((await cache.get(key)) ?? Buffer.alloc(0))) fail('the cache gives other bytes');
    if (!value.equals((await modulo(key).getBuffer(key)) ?? Buffer.alloc(0))) fail('ioredis gives other bytes');
  }
  for (const callers of [1, 50, 500]) {
    const get = await measure(
      [
        contender('ioredis by modulo', callers, (key) => modulo(key).getBuffer(key)),
        contender('ShardedCache.get', callers, (key) => cache.get(key)),
      ],
      { rounds, warmUps: 2 },
    );
    printMeasured(`GET, servers=4 callers=${callers} value=100 bytes`, 'calls', get);
    const set = await measure(
      [
        contender('ioredis by modulo', callers, (key) => modulo(key).set(key, value)),
        contender('ShardedCache.set', callers, (key) => cache.set(key, value)),
      ],
      { rounds, warmUps: 2 },
    );
    printMeasured(`SET, servers=4 callers=${callers} value=100 bytes`, 'calls', set);
  }
} finally {
  await cache.close();
  for (const client of bare) client.disconnect();
  await Promise.all(servers.map((server) => server.stop()));
}
