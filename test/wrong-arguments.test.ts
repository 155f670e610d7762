/** One thing given where another belongs: a client for options, a backend for a client, one face of the library for the other. */

import { Redis } from 'ioredis';
import { afterAll, describe, expect, it } from 'vitest';
import { shardringDriver as bentocacheDriver } from '../src/adapters/bentocache.ts';
import { KeyvStore } from '../src/adapters/keyv.ts';
import { asNodeRedis } from '../src/adapters/node-redis/facade.ts';
import { SessionStore } from '../src/adapters/session.ts';
import { shardringDriver as unstorageDriver } from '../src/adapters/unstorage.ts';
import { MemoryBackend, ShardedCache } from '../src/index.ts';
import { RedisBackend, ShardedRedis } from '../src/redis/index.ts';

const url = 'redis://127.0.0.1:1';
const redis = new ShardedRedis({ nodes: [{ id: 'a', url }], lazyConnect: true });
const cache = new ShardedCache({ nodes: [{ id: 'a', backend: new MemoryBackend() }] });
const client = new Redis({ lazyConnect: true });
const backend = new RedisBackend(url);

afterAll(async () => {
  client.disconnect();
  await Promise.all([redis.quit(), cache.close(), backend.close()]);
});

const things: Record<string, unknown> = {
  ...{ 'a ShardedRedis': redis, 'a ShardedCache': cache, 'a client': client, 'a RedisBackend': backend },
  ...{ 'a MemoryBackend': new MemoryBackend(), 'a facade': asNodeRedis(redis as never), 'a class': MemoryBackend },
  ...{ 'a Map': new Map(), 'a promise of a client': Promise.resolve(client), 'an array': [client] },
};

/** Each with what it may be given. */
const places: Record<string, [give: (thing: never) => unknown, ...allowed: string[]]> = {
  'options of a ShardedRedis': [(thing) => new ShardedRedis(thing)],
  'options of a ShardedCache': [(thing) => new ShardedCache(thing)],
  'options of a MemoryBackend': [(thing) => new MemoryBackend(thing)],
  'the place of a RedisBackend': [(thing) => new RedisBackend(thing), 'a client'],
  'options of a RedisBackend': [(thing) => new RedisBackend(url, thing)],
  'the url of a RedisBackend': [(thing) => new RedisBackend({ url: thing })],
  'the url of a node': [(thing) => new ShardedRedis({ nodes: [{ id: 'a', url: thing }] })],
  'the client of a node': [
    (thing) => new ShardedRedis({ nodes: [{ id: 'a', client: thing }], lazyConnect: true }),
    'a client',
  ],
  'the backend of a node': [
    (thing) => new ShardedCache({ nodes: [{ id: 'a', backend: thing }] }),
    ...['a RedisBackend', 'a MemoryBackend'],
  ],
  'options of a KeyvStore': [(thing) => new KeyvStore(thing)],
  'options of a SessionStore': [(thing) => new SessionStore(thing)],
  'options of unstorageDriver': [(thing) => unstorageDriver(thing)],
  'options of bentocacheDriver': [(thing) => bentocacheDriver(thing)],
  'the client of a KeyvStore': [(thing) => new KeyvStore({ client: thing }), 'a ShardedRedis', 'a client'],
  'the client of a SessionStore': [(thing) => new SessionStore({ client: thing }), 'a ShardedRedis', 'a client'],
  'the client of asNodeRedis': [(thing) => asNodeRedis(thing), 'a ShardedRedis', 'a client'],
};

describe.each(Object.entries(places))('%s', (_place, [give, ...allowed]) => {
  it.each(Object.keys(things).filter((name) => !allowed.includes(name)))('cannot be %s, and says so', (name) => {
    const refusal = expect.objectContaining({
      code: 'ERR_INVALID_ARGUMENT',
      message: expect.stringMatching(
        /expected .* got (an object \((?!Object)\w+\)|an array of 1|a function)|It is a client|is not a backend|backend\.\w+: expected an? \w+, got undefined|at least one/,
      ),
    });
    expect(() => give(things[name] as never)).toThrow(refusal);
  });
});

describe('options', () => {
  it('may be of a class of yours, as long as it has no others', () => {
    class Settings {
      maxEntries = 10;
    }
    expect(new MemoryBackend(new Settings())).toBeInstanceOf(MemoryBackend);
  });
});
