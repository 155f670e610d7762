/** Random commands, and what a client answers to them, for tests that compare clients. */

import fc from 'fast-check';
import type { Redis } from 'ioredis';
import type { ShardedRedis } from '../../src/redis/index.ts';

export type Command = readonly [name: string, ...args: unknown[]];

const specialKeys = ['', '__proto__', 'constructor', 'nul\0inside', '🙂', 'x'.repeat(5_000), 'a{b', '{}c'];
const key = fc.oneof(
  fc.integer({ min: 0, max: 9 }).map((index) => `key:${index}`),
  fc.constantFrom(...specialKeys),
);
/** Keys of one tag, and so of one node. */
const tagged = fc.integer({ min: 0, max: 4 }).map((index) => `{tag}:${index}`);
const value = fc.oneof(fc.string({ maxLength: 8 }), fc.integer({ min: -9, max: 9 }), fc.constant('naïve 🙂'));
const keys = fc.array(key, { minLength: 1, maxLength: 8 });
const taggedKeys = fc.array(tagged, { minLength: 2, maxLength: 4 });
const pairs = fc.array(fc.tuple(key, value), { minLength: 1, maxLength: 6 });

export const command: fc.Arbitrary<Command> = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('get', 'getBuffer', 'strlen', 'type', 'ttl', 'exists', 'lrange', 'llen', 'hgetall', 'scard'),
      key,
    )
    .map(([name, of]): Command => (name === 'lrange' ? [name, of, 0, -1] : [name, of])),
  fc.tuple(fc.constantFrom('set', 'append', 'setnx', 'getset', 'lpush', 'rpush', 'sadd'), key, value),
  fc.tuple(fc.constantFrom('incr', 'decr', 'lpop', 'rpop', 'del', 'persist'), key),
  fc.tuple(key, value).map(([of, what]): Command => ['hset', of, { field: what, other: 1 }]),
  fc.tuple(key, value).map(([of, what]): Command => ['zadd', of, 1, String(what), 2, 'other']),
  fc
    .tuple(fc.constantFrom('zrange', 'zrangeBuffer'), key)
    .map(([name, of]): Command => [name, of, 0, -1, 'WITHSCORES']),
  fc
    .tuple(fc.constantFrom('mget', 'mgetBuffer', 'del', 'unlink', 'exists', 'touch'), keys)
    .map(([name, of]): Command => [name, ...of]),
  keys.map((of): Command => ['mget', of]),
  pairs.map((of): Command => ['mset', ...of.flat()]),
  pairs.map((of): Command => ['mset', Object.fromEntries(of)]),
  taggedKeys.map((of): Command => ['sunion', ...of]),
  taggedKeys.map((of): Command => ['bitop', 'OR', ...of]),
  fc.tuple(tagged, tagged).map(([from, to]): Command => ['rename', from, to]),
  fc.tuple(tagged, value).map(([of, what]): Command => ['sadd', of, what]),
  fc.tuple(tagged, value).map(([of, what]): Command => ['call', 'SET', of, what]),
  fc
    .tuple(tagged, tagged, value)
    .map(
      ([a, b, what]): Command => [
        'eval',
        "redis.call('SET', KEYS[1], ARGV[1]) return {KEYS[2], redis.call('EXISTS', KEYS[2])}",
        2,
        a,
        b,
        what,
      ],
    ),
  fc.constant(['dbsize'] as Command),
  fc.constant(['incr'] as unknown as Command),
);

export type Client = Record<string, (...args: unknown[]) => Promise<unknown>>;

/** The reply, or the server's words. */
export async function answerOf(client: Redis | ShardedRedis, [name, ...args]: Command): Promise<unknown> {
  try {
    return await (client as unknown as Client)[name]!(...args);
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

export const sorted = (name: string, reply: unknown) =>
  name === 'sunion' && Array.isArray(reply) ? [...reply].sort() : reply;
