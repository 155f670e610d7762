/** What the compiler knows of ShardedRedis: checked by `tsc`, and run only so that it counts as a test. */

import type { Redis, RedisCommander } from 'ioredis';
import { expectTypeOf, it } from 'vitest';
import { ShardedRedis } from '../../src/redis/index.ts';

it('a ShardedRedis has the types of ioredis for commands, pipelines and transactions', async () => {
  const redis = new ShardedRedis({ nodes: [{ id: 'a', url: 'redis://127.0.0.1:1' }], lazyConnect: true });
  expectTypeOf(redis.get).toEqualTypeOf<Redis['get']>();
  expectTypeOf(redis.set).toEqualTypeOf<Redis['set']>();
  expectTypeOf(redis.hgetall).toEqualTypeOf<Redis['hgetall']>();
  expectTypeOf(redis.getBuffer).toEqualTypeOf<Redis['getBuffer']>();
  expectTypeOf(redis.subscribe).toEqualTypeOf<Redis['subscribe']>();
  expectTypeOf<ReturnType<typeof redis.pipeline>['exec']>().returns.resolves.not.toBeAny();
  expectTypeOf(redis.multi().set('key', 1).get('key').exec).toEqualTypeOf<ReturnType<Redis['multi']>['exec']>();
  expectTypeOf(redis).toMatchTypeOf<Omit<RedisCommander, 'scan' | 'scanBuffer' | 'hscan' | 'sscan' | 'zscan'>>();
  expectTypeOf(redis.nodes()).toEqualTypeOf<Redis[]>();
  expectTypeOf(redis.on('a')).toEqualTypeOf<Redis>();
  expectTypeOf(redis.nodeFor('key')).toEqualTypeOf<Redis>();
  const scan = redis.scan({ match: 'a*' });
  expectTypeOf<typeof scan extends AsyncIterable<infer Key> ? Key : never>().toEqualTypeOf<string>();
  expectTypeOf(redis.sscan('key').next).returns.resolves.toEqualTypeOf<IteratorResult<string, void>>();
  expectTypeOf(redis.sscan('key', { buffers: true }).next).returns.resolves.toEqualTypeOf<
    IteratorResult<Buffer, void>
  >();
  expectTypeOf(redis.zscan('key', { buffers: true }).next).returns.resolves.toEqualTypeOf<
    IteratorResult<readonly [member: Buffer, score: number], void>
  >();
  expectTypeOf<Awaited<ReturnType<typeof redisPage>>>().toEqualTypeOf<[cursor: string, keys: string[]]>();
  // @ts-expect-error A key is a string or bytes.
  redis.get({ key: 1 }).catch(() => undefined);
  await redis.quit();

  function redisPage() {
    return redis.scan('0', 'COUNT', 10);
  }
});
