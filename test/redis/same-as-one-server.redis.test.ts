/** Random commands on four servers must answer as one server does: one real server, by ioredis, is the oracle. */

import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ShardedRedis } from '../../src/redis/index.ts';
import { answerOf, type Client, command, sorted } from '../support/random-commands.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { type Shards, startShards } from '../support/shards.ts';

describe('ShardedRedis over four servers', () => {
  let server: RedisServer;
  let one: Redis;
  let shards: Shards;
  beforeAll(async () => {
    [server, shards] = await Promise.all([startRedis(), startShards(4)]);
    one = new Redis(server.url);
  });
  afterAll(async () => {
    one.disconnect();
    await shards[Symbol.asyncDispose]();
    await server.stop();
  });
  const clear = () => Promise.all([one.flushall(), shards.flush()]);

  it('answers every command as one server does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 40 }), async (commands) => {
        await clear();
        for (const each of commands) {
          const [expected, actual] = [await answerOf(one, each), await answerOf(shards.redis, each)];
          expect(sorted(each[0], actual), each[0]).toEqual(sorted(each[0], expected));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('answers commands that are sent without waiting as one server does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 60 }), async (commands) => {
        await clear();
        // DBSIZE sees all nodes, each at its own moment.
        const simple = commands.filter(([name]) => name !== 'dbsize');
        const expected = await Promise.all(simple.map((each) => answerOf(one, each)));
        const actual = await Promise.all(simple.map((each) => answerOf(shards.redis, each)));
        for (const [index, [name]] of simple.entries()) {
          expect(sorted(name, actual[index]), name).toEqual(sorted(name, expected[index]));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('answers a pipeline as one server does, in the order written', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 60 }), async (commands) => {
        await clear();
        const simple = commands.filter(([name]) => name !== 'dbsize');
        const run = async (client: Redis | ShardedRedis) => {
          const pipeline = client.pipeline();
          for (const [name, ...args] of simple) (pipeline as unknown as Client)[name]!(...args);
          return ((await pipeline.exec()) ?? []).map(([error, reply], index) =>
            error === null ? sorted(simple[index]![0], reply) : `${error.name}: ${error.message}`,
          );
        };
        expect(await run(shards.redis)).toEqual(await run(one));
      }),
      { numRuns: 40 },
    );
  });

  it('answers a transaction on keys of one tag as one server does', async () => {
    const ofOneTag = command.filter(
      ([name, ...args]) =>
        !['dbsize', 'call', 'eval'].includes(name) &&
        args.length > 0 &&
        String(args[name === 'bitop' ? 1 : 0]).startsWith('{tag}'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(ofOneTag, { minLength: 1, maxLength: 12 }), async (commands) => {
        await clear();
        const run = async (client: Redis | ShardedRedis) => {
          const transaction = client.multi();
          for (const [name, ...args] of commands) (transaction as unknown as Client)[name]!(...args);
          return ((await transaction.exec()) ?? []).map(([error, reply], index) =>
            error === null ? sorted(commands[index]![0], reply) : `${error.name}: ${error.message}`,
          );
        };
        expect(await run(shards.redis)).toEqual(await run(one));
      }),
      { numRuns: 40 },
    );
  });
});
