/** Scripts that a server has forgotten keep their place among the calls of their node, and are executed once. */

import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ShardedRedis } from '../../src/redis/index.ts';
import { eventually } from '../support/eventually.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

type Scripted = ShardedRedis & { mark(key: string, counter: string, value: string): Promise<string> };
type Marking = { mark(...args: string[]): unknown };

const lua = `redis.call('INCR', KEYS[2]) redis.call('SET', KEYS[1], ARGV[1]) return ARGV[1]`;

describe.each([
  ['ioredis', 1],
  ['direct', 1],
  ['ioredis', 2],
] as const)('a script of a server that has forgotten it, over %s with %i copies', (transport, replicationFactor) => {
  let servers: RedisServer[];
  let redis: Scripted;
  beforeAll(async () => {
    servers = await Promise.all([startRedis(), startRedis()]);
    redis = new ShardedRedis({
      nodes: servers.map(({ url }, index) => ({ id: `node-${index}`, url })),
      transport,
      replicationFactor,
      ...(replicationFactor > 1 ? { scripts: 'deterministic' as const } : {}),
    }) as Scripted;
    redis.defineCommand('mark', { numberOfKeys: 2, lua });
  });
  afterAll(async () => {
    await redis.quit();
    await Promise.all(servers.map((server) => server.stop()));
  });

  const forget = () =>
    Promise.all(
      servers.map(async ({ port }) => {
        const client = new Redis(port);
        await client.script('FLUSH');
        client.disconnect();
      }),
    );

  it.each<[string, (key: string, counter: string) => Promise<unknown>]>([
    ['in a pipeline', (key, counter) => piped(key, counter)],
    [
      'in calls that nobody waits for',
      (key, counter) =>
        Promise.all([redis.set(key, 'before'), redis.mark(key, counter, 'script'), redis.set(key, 'after')]),
    ],
    [
      'in a transaction',
      (key, counter) => {
        const transaction = redis.multi();
        (transaction as unknown as Marking).mark(key, counter, 'script');
        return transaction.set(key, 'after').exec();
      },
    ],
  ])('is executed once, and before what is called after it, %s', async (how, run) => {
    const [key, counter] = [`{${how}}`, `counter of {${how}}`];
    await redis.mark(key, counter, 'known');
    for (let round = 1; round <= 5; round++) {
      await forget();
      await run(key, counter);
      expect(await redis.get(key)).toBe('after');
      expect(await redis.get(counter)).toBe(String(1 + round));
    }
  });

  function piped(key: string, counter: string) {
    const pipeline = redis.pipeline();
    (pipeline as unknown as Marking).mark(key, counter, 'script');
    return pipeline.set(key, 'after').exec();
  }

  it('is executed before what is called after it when its server has been restarted', async () => {
    const key = '{started anew}';
    await redis.mark(key, `counter of ${key}`, 'known');
    await Promise.all(servers.map((server) => server.restart()));
    // At every node: a copy whose node is still away would miss what is written.
    // SCRIPT EXISTS asks all.
    await eventually(() => redis.script('EXISTS', '0'.repeat(40)));
    await Promise.all([redis.mark(key, `counter of ${key}`, 'script'), redis.set(key, 'after')]);
    expect(await redis.get(key)).toBe('after');
    expect(await redis.get(`counter of ${key}`)).toBe('1');
  });
});
