/** ShardedRedis on servers that answer what their commands cannot have: typed errors, and a clean connection after them. */

import { afterEach, describe, expect, it } from 'vitest';
import { ShardedRedis } from '../../src/redis/index.ts';
import { eventually } from '../support/eventually.ts';
import { type FakeRedis, startFakeRedis, welcome } from '../support/fake-redis.ts';
import { freePort } from '../support/redis.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

describe.each(['ioredis', 'direct'] as const)('a reply to ShardedRedis that cannot be right, over %s', (transport) => {
  async function start(name: string, bytes: string) {
    const fakes: FakeRedis[] = [];
    for (let node = 0; node < 2; node++) {
      const fake = await startFakeRedis((command) => (command.name === name ? bytes : (welcome(command) ?? '+OK\r\n')));
      closers.push(async () => fake[Symbol.asyncDispose]());
      fakes.push(fake);
    }
    const nodes = fakes.map(({ port }, index) => ({ id: `node-${index}`, host: '127.0.0.1', port }));
    const redis = new ShardedRedis({ nodes, transport });
    closers.push(() => redis.quit());
    await redis.connect();
    return { redis, fakes };
  }

  const keys = Array.from({ length: 20 }, (_, index) => `key ${index}`);

  it.each<[string, string, (redis: ShardedRedis) => Promise<unknown>]>([
    ['get', ':1\r\n', (redis) => redis.get('key')],
    ['hget', '*0\r\n', (redis) => redis.hget('key', 'field')],
    ['mget', '*2\r\n$1\r\na\r\n-ERR no\r\n', (redis) => redis.mget(keys)],
    ['mget', '$1\r\na\r\n', (redis) => redis.mget(keys)],
    ['exists', '$1\r\n1\r\n', (redis) => redis.exists(keys)],
    ['keys', ':1\r\n', (redis) => redis.keys('*')],
    ['exists', ':9223372036854775807\r\n', (redis) => redis.exists(keys)],
    ['exists', ':2\r\n', (redis) => redis.exists('key')],
    ['exists', ':-5\r\n', (redis) => redis.exists(keys)],
    ['dbsize', ':-5\r\n', (redis) => redis.dbsize()],
    ['llen', ':-1\r\n', (redis) => redis.llen('key')],
    ['sismember', ':2\r\n', (redis) => redis.sismember('key', 'member')],
    ['dbsize', ':9223372036854775807\r\n', (redis) => redis.dbsize()],
    ['pubsub', '*2\r\n$1\r\na\r\n:9223372036854775807\r\n', (redis) => redis.pubsub('NUMSUB', 'a')],
    ['smembers', '$1\r\na\r\n', (redis) => redis.smembers('key')],
    ['hgetall', '*1\r\n$1\r\na\r\n', (redis) => redis.hgetall('key')],
    ['exec', '*-1\r\n', (redis) => redis.multi().get('key').exec()],
    ['dbsize', '+OK\r\n', (redis) => redis.dbsize()],
    ['scan', '*2\r\n$1\r\nx\r\n*0\r\n', (redis) => redis.scan('0')],
    ['script', '*1\r\n:1\r\n', (redis) => redis.script('EXISTS', 'a', 'b')],
    ['pubsub', '*1\r\n$1\r\na\r\n', (redis) => redis.pubsub('NUMSUB', 'a')],
  ])('is a typed error that can be retried (%s: %j)', async (name, bytes, run) => {
    const { redis } = await start(name, bytes);
    await expect(run(redis)).rejects.toMatchObject({ code: 'ERR_NODE_PROTOCOL', retryable: true });
    expect(await eventually(() => redis.set('key', 'value'))).toBe('OK');
  });

  it('leaves the outcome of a command that takes data unknown', async () => {
    const { redis } = await start('blpop', ':1\r\n');
    await expect(redis.blpop('key', 1)).rejects.toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME' });
  });

  it('leaves the outcome of a write unknown', async () => {
    const { redis } = await start('incr', '$1\r\n5\r\n');
    await expect(redis.incr('key')).rejects.toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME' });
    await expect(redis.multi().incr('key').exec()).rejects.toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME' });
    await expect(redis.del(keys)).rejects.toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME' });
  });
});

it('an error names the command that found no connection of its own', async () => {
  const port = await freePort(); // Nobody listens there.
  const redis = new ShardedRedis({ nodes: [{ id: 'node', host: '127.0.0.1', port }] });
  closers.push(() => redis.quit());
  redis.on('error', () => undefined);
  await expect(redis.blpop('key', 1)).rejects.toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', operation: 'blpop' });
});
