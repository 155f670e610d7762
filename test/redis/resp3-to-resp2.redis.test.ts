/** A borrowed client may speak RESP3 or RESP2, and be of any library: replies through ShardedRedis are those it gives itself. */

import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { Redis as Valkey } from 'iovalkey';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../src/errors/index.ts';
import { ShardedRedis } from '../../src/redis/index.ts';
import { eventually } from '../support/eventually.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

const commands: readonly (readonly [name: string, ...args: unknown[]])[] = [
  ['zadd', 'sorted', 1, 'a', 2.5, 'b', 'inf', 'c'],
  ['zrange', 'sorted', 0, -1, 'WITHSCORES'],
  ['zrange', 'sorted', 0, -1],
  ['zrange', 'none', 0, -1, 'WITHSCORES'],
  ['zrangeBuffer', 'sorted', 0, -1, 'WITHSCORES'],
  ['zrevrange', 'sorted', 0, -1, 'WITHSCORES'],
  ['zrangebyscore', 'sorted', 1, 3, 'WITHSCORES'],
  ['zrevrangebyscore', 'sorted', 3, 1, 'WITHSCORES'],
  ['zunion', 2, 'sorted', '{sorted}', 'WITHSCORES'],
  ['zinter', 1, 'sorted', 'WITHSCORES'],
  ['zdiff', 1, 'sorted', 'WITHSCORES'],
  ['zrandmember', 'sorted', 3, 'WITHSCORES'],
  ['zmscore', 'sorted', 'a', 'none'],
  ['zscore', 'sorted', 'c'],
  ['zincrby', 'sorted', 1, 'a'],
  ['zpopmin', 'sorted'],
  ['zpopmax', 'sorted', 2],
  ['zadd', 'sorted', 1, 'a', 2, 'b'],
  ['zmpop', 1, 'sorted', 'MIN', 'COUNT', 2],
  ['hset', 'hash', '__proto__', 1],
  ['hgetall', 'hash'],
  ['hgetallBuffer', 'hash'],
  ['hrandfield', 'hash', 2, 'WITHVALUES'],
  ['xadd', 'stream', '1-1', 'field', 'value'],
  ['xread', 'STREAMS', 'stream', '0'],
  ['xread', 'STREAMS', 'stream', '{stream}', '0', '0'],
  ['xread', 'STREAMS', 'stream', '5'],
  ['xread', 'BLOCK', 1, 'STREAMS', 'stream', '0'],
  ['xgroup', 'CREATE', 'stream', 'group', '0'],
  ['xreadgroup', 'GROUP', 'group', 'consumer', 'STREAMS', 'stream', '>'],
  ['xinfo', 'STREAM', 'stream'],
  ['sadd', 'set', 'a'],
  ['smembers', 'set'],
  ['spop', 'set', 1],
  ['sismember', 'set', 'a'],
  ['geoadd', 'geo', 13.3, 38.1, 'place'],
  ['geopos', 'geo', 'place', 'none'],
  ['eval', "return {1, 'a', {2, false}}", 1, 'key'],
];

type AnyClient = Redis & Record<string, (...args: unknown[]) => Promise<unknown>>;

/** The classes are those of three libraries with the same surface. */
const kinds: readonly (readonly [title: string, open: (port: number) => AnyClient])[] = [
  ['ioredis 6, RESP3', (port) => new Redis(port) as AnyClient],
  ['ioredis 6, RESP2', (port) => new Redis(port, { protocol: 2 }) as AnyClient],
  ['ioredis 5', (port) => new Redis5(port) as unknown as AnyClient],
  ['iovalkey', (port) => new Valkey(port) as unknown as AnyClient],
  ['ioredis 6 that pipelines by itself', (port) => new Redis(port, { enableAutoPipelining: true }) as AnyClient],
  [
    'ioredis 5 that pipelines by itself',
    (port) => new Redis5(port, { enableAutoPipelining: true }) as unknown as AnyClient,
  ],
  [
    'iovalkey that pipelines by itself',
    (port) => new Valkey(port, { enableAutoPipelining: true }) as unknown as AnyClient,
  ],
  [
    'ioredis 6 that queues nothing',
    (port) => new Redis(port, { enableOfflineQueue: false, commandTimeout: 60_000 }) as AnyClient,
  ],
];

let servers: RedisServer[];
beforeAll(async () => {
  servers = await Promise.all([startRedis(), startRedis(), startRedis(), startRedis()]);
});
afterAll(() => Promise.all(servers.map((server) => server.stop())));

const clients: AnyClient[] = [];
afterEach(async () => {
  await Promise.all(
    servers
      .map(({ port }) => kinds[0]![1](port))
      .map(async (client) => {
        await client.flushall();
        client.disconnect();
      }),
  );
  for (const client of clients.splice(0)) client.disconnect();
});

describe.each(kinds)('a ShardedRedis with borrowed clients of %s', (_, open) => {
  it.each([1, 2])('answers as the client itself does, with each key on %i nodes', async (replicationFactor) => {
    const [bare, ...borrowed] = servers.map(({ port }) => open(port)) as [AnyClient, ...AnyClient[]];
    clients.push(bare, ...borrowed);
    await eventually(() => [bare, ...borrowed].every(({ status }) => status === 'ready'));
    const nodes = borrowed.map((client, index) => ({ id: `node-${index}`, client }));
    const redis = new ShardedRedis({ nodes, replicationFactor, writeConsistency: 'all' }) as unknown as AnyClient;
    for (const [name, ...args] of commands) {
      if (name === 'eval' && replicationFactor > 1) continue;
      expect(await redis[name]!(...args), name).toEqual(await bare[name]!(...args));
    }
    for (const client of borrowed) expect(await client.ping()).toBe('PONG');
    await redis.quit();
  });
});

it('a ShardedRedis refuses a borrowed client that gives replies in the forms of RESP3', () => {
  const client = new Redis({ lazyConnect: true, replyMapping: 'resp3' });
  expect(() => new ShardedRedis({ nodes: [{ id: 'only', client }] })).toThrow(InvalidArgumentError);
  client.disconnect();
});
