/** What is given in place of a node's server or backend is recognised, and the message says what to write. */

import { Cluster, Redis } from 'ioredis';
import { createClient } from 'redis';
import { describe, expect, it } from 'vitest';
import { ShardedCache } from '../../src/index.ts';
import { RedisBackend, ShardedRedis } from '../../src/redis/index.ts';

function messageOf(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    return (error as Error).message;
  }
  throw new Error('it was accepted');
}

describe('a url', () => {
  it.each([
    ['', /empty.*environment variable/],
    ['undefined', /'undefined'.*environment variable/],
    ['null', /'null'.*environment variable/],
    [undefined, /undefined.*environment variable/],
    ['redis://undefined:6379', /host 'undefined'.*environment variable/],
    ['redis://:hunter2@undefined:6379', /host 'undefined'.*environment variable/],
    ['redis://localhost:undefined', /port 'undefined'.*environment variable/],
    ['localhost:6379', /no scheme.*redis:\/\//],
    ['10.0.0.1:6379', /no scheme.*redis:\/\//],
    ['user:hunter2@example.com', /no scheme.*redis:\/\//],
    ['valkey://example.com', /valkey:\/\/.*Write redis:\/\//],
    ['https://:hunter2@example.com', /https:\/\/.*Write rediss:\/\//],
  ])('that is %j is told by what is wrong with it', (url, expected) => {
    const messages = [messageOf(() => new RedisBackend(url as string))];
    if (url !== undefined) messages.push(messageOf(() => new ShardedRedis({ nodes: [{ id: 'a', url }] })));
    for (const message of messages) {
      expect(message).toMatch(expected);
      expect(message).not.toContain('hunter2');
    }
  });
});

describe('a backend', () => {
  const client = new Redis({ lazyConnect: true });
  const cluster = new Cluster([{ port: 1 }], { lazyConnect: true });
  it.each([
    ['a client of ioredis', client, /Wrap it: new RedisBackend\(client\)/],
    ['a client of node-redis', createClient(), /new RedisBackend\(url\)/],
    ['a client of Redis Cluster', cluster, /does its own sharding/],
    ['a ShardedRedis', new ShardedRedis({ nodes: [{ id: 'a', port: 1 }], lazyConnect: true }), /ShardedRedis/],
    ['a url', 'redis://:hunter2@localhost', /new RedisBackend\(url\)/],
    ['options of a connection', { host: 'localhost' }, /new RedisBackend\(options\)/],
  ])('that is %s is recognised', (_, backend, expected) => {
    const message = messageOf(() => new ShardedCache({ nodes: [{ id: 'a', backend: backend as never }] }));
    expect(message).toMatch(expected);
    expect(message).not.toContain('hunter2');
  });
});
