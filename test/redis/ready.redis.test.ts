/** Whether a ShardedRedis is ready, and what it shows of itself, with servers that run and servers that do not. */

import { inspect } from 'node:util';
import { afterEach, expect, it } from 'vitest';
import { ShardedRedis, type ShardedRedisOptions } from '../../src/redis/index.ts';
import { outcomeOf, patientMs } from '../support/eventually.ts';
import { freePort, type RedisServer, startRedis } from '../support/redis.ts';

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(): Promise<RedisServer> {
  const server = await startRedis({ password: 'hunter2' });
  closing.push(() => server.stop());
  return server;
}

function open(urls: readonly string[], options: Partial<ShardedRedisOptions> = {}): ShardedRedis {
  const nodes = urls.map((url, index) => ({ id: `cache-${index + 1}`, url }));
  const health = { probeIntervalMs: 20, probeTimeoutMs: patientMs };
  const redis = new ShardedRedis({ nodes, health, timeoutMs: patientMs, ...options });
  redis.on('node error', () => undefined);
  closing.push(() => redis.quit());
  return redis;
}

it.each(['ioredis', 'direct'] as const)(
  'a ShardedRedis without calls is ready once all its servers have answered, over %s',
  async (transport) => {
    const redis = open([(await start()).url, (await start()).url], { transport });
    expect([...redis.health().values()]).toEqual(['unknown', 'unknown']);
    await redis.ready();
    expect([...redis.health().values()]).toEqual(['up', 'up']);
    expect(await redis.set('key', 'value')).toBe('OK');
  },
);

it('a ShardedRedis is not ready without a server, says which and why, and is ready with as many as required', async () => {
  const port = await freePort();
  const redis = open([(await start()).url, `redis://127.0.0.1:${port}`]);
  await redis.ready({ atLeast: 1 });
  const { error } = await outcomeOf(redis.ready({ timeoutMs: 300 }));
  const reason = `node cache-2 (127.0.0.1:${port}) cannot be reached: ECONNREFUSED`;
  expect(error).toMatchObject({ code: 'ERR_NOT_READY', required: 2, ready: ['cache-1'], retryable: true });
  expect((error as Error).message).toContain('ready: 1 node is up after 300 ms, 2 are needed');
  expect((error as Error).message).toContain(reason);
});

it('a ShardedRedis that is logged shows its nodes and their states, and no address or password', async () => {
  const redis = open([(await start()).url, (await start()).url]);
  const unasked = inspect(redis);
  expect(unasked).toMatch(/^ShardedRedis /);
  expect(unasked).toContain("'cache-1' => 'unknown'");
  await redis.ready();
  for (const text of [inspect(redis), inspect({ redis }), inspect(redis, { depth: 9, showHidden: true })]) {
    expect(text).toContain("'cache-1' => 'up', 'cache-2' => 'up'");
    expect(text).not.toMatch(/hunter2|127\.0\.0\.1/);
  }
  await redis.quit();
  expect(inspect(redis)).toMatch(/^ShardedRedis /);
});
