import type { Redis } from 'ioredis';
import type { Redis as Redis5 } from 'ioredis5';
import type { Redis as Valkey } from 'iovalkey';
import { describe, expectTypeOf, it } from 'vitest';
import type { IoredisClient, NodeRedisFacade } from '../../../src/adapters/node-redis/facade.ts';
import type { SessionClient } from '../../../src/adapters/session.ts';
import type { ShardedRedis } from '../../../src/redis/index.ts';

describe('the types of asNodeRedis and of the session store', () => {
  it('take a ShardedRedis and clients of ioredis and iovalkey as they are', () => {
    expectTypeOf<ShardedRedis>().toExtend<IoredisClient>();
    expectTypeOf<Redis>().toExtend<IoredisClient>();
    expectTypeOf<Redis5>().toExtend<IoredisClient>();
    expectTypeOf<Valkey>().toExtend<IoredisClient>();
    expectTypeOf<ShardedRedis>().toExtend<SessionClient>();
    expectTypeOf<Redis>().toExtend<SessionClient>();
    expectTypeOf<Redis5>().toExtend<SessionClient>();
    expectTypeOf<Valkey>().toExtend<SessionClient>();
  });

  it('describe arguments and replies', () => {
    type Facade = NodeRedisFacade;
    expectTypeOf<ReturnType<Facade['get']>>().resolves.toEqualTypeOf<string | null>();
    expectTypeOf<ReturnType<Facade['mGet']>>().resolves.toEqualTypeOf<(string | null)[]>();
    expectTypeOf<ReturnType<Facade['hGetAll']>>().resolves.toEqualTypeOf<Record<string, string>>();
    expectTypeOf<ReturnType<Facade['eval']>>().resolves.toEqualTypeOf<unknown>();
    expectTypeOf<Facade['hSet']>().toBeCallableWith('key', 'field', 1);
    expectTypeOf<Facade['hSet']>().toBeCallableWith('key', { field: 'value' });
    expectTypeOf<Facade['set']>().toBeCallableWith('key', Buffer.from('v'), { expiration: { type: 'EX', value: 1 } });
    // @ts-expect-error An expiry has a value.
    expectTypeOf<Facade['set']>().toBeCallableWith('key', 'value', { expiration: { type: 'EX' } });
    expectTypeOf<Facade>().not.toHaveProperty('subscribe');
  });
});
