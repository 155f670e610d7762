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
    ['valkey://example.com', /valkey:\/\/.*Use redis:\/\//],
    ['https://:hunter2@example.com', /https:\/\/.*Use rediss:\/\//],
  ])('is rejected with what is wrong with it: %j', (url, expected) => {
    const messages = [messageOf(() => new RedisBackend(url as string))];
    if (url !== undefined) messages.push(messageOf(() => new ShardedRedis({ nodes: [{ id: 'a', url }] })));
    for (const message of messages) {
      expect(message).toMatch(expected);
      expect(message).not.toContain('hunter2');
    }
  });
});

describe('a place', () => {
  it.each([
    ['url', { url: undefined }],
    ['url', { url: undefined, password: 'hunter2' }],
    ['host', { host: undefined, port: 6_380 }],
    ['host', { host: null, port: 6_380 }],
    ['url', { url: null }],
  ])('is not taken for this machine if its %s comes from an environment variable that is not set', (name, place) => {
    const value = Object.values(place)[0];
    const messages = [
      messageOf(() => new RedisBackend(place as never)),
      messageOf(() => new ShardedRedis({ nodes: [{ id: 'a', ...place } as never] })),
    ];
    expect(messages).toEqual([
      `target.${name}: It is ${value}. Is an environment variable not set?`,
      `nodes[0].${name}: It is ${value}. Is an environment variable not set?`,
    ]);
  });

  it.each(['undefined', 'null'])('is traced to an unset variable if its host is the text %j', (host) => {
    const advice = `It is the string '${host}'. Is an environment variable not set?`;
    const sentinels = [{ host, port: 26_379 }];
    expect([
      messageOf(() => new RedisBackend({ host, port: 6_380 })),
      messageOf(() => new ShardedRedis({ nodes: [{ id: 'a', host }] })),
      messageOf(() => new RedisBackend({ sentinels, name: 'group' })),
    ]).toEqual([`target.host: ${advice}`, `nodes[0].host: ${advice}`, `target.sentinels[0].host: ${advice}`]);
  });

  it('may leave an option undefined if another one says it', async () => {
    const redis = new ShardedRedis({
      nodes: [
        { id: 'a', url: 'redis://127.0.0.1:1', host: undefined },
        { id: 'b', url: undefined, host: '127.0.0.1' },
        { id: 'c', host: undefined, path: '/nowhere' },
        { id: 'd', url: undefined, client: new Redis({ lazyConnect: true }) },
      ],
      lazyConnect: true,
    });
    await redis.quit();
  });
});

describe('a node', () => {
  it('needs an id in a ShardedRedis; a url alone is rejected with that advice', () => {
    const message = messageOf(() => new ShardedRedis({ nodes: ['redis://:hunter2@localhost' as never] }));
    expect(message).toMatch(/^nodes\[0\]: .*\{ id: 'cache-1', url \}/);
    expect(message).not.toContain('hunter2');
  });

  it.each([
    ['a url', 'redis://:hunter2@localhost', /new RedisBackend\(url\)/],
    ['an id and a url', { id: 'a', url: 'redis://:hunter2@localhost' }, /new RedisBackend\(options\)/],
    ['a client', new Redis({ lazyConnect: true }), /new RedisBackend\(client\)/],
  ])('is rejected in a cache with how to make a backend of it: %s', (_, node, expected) => {
    const message = messageOf(() => new ShardedCache({ nodes: [node as never] }));
    expect(message).toMatch(/^nodes\[0\]\.backend: /);
    expect(message).toMatch(expected);
    expect(message).not.toContain('hunter2');
  });
});

describe('a backend', () => {
  const client = new Redis({ lazyConnect: true });
  const cluster = new Cluster([{ port: 1 }], { lazyConnect: true });
  it.each([
    ['a client of ioredis', client, /Use new RedisBackend\(client\)/],
    ['a client of node-redis', createClient(), /new RedisBackend\(url\)/],
    ['a client of Redis Cluster', cluster, /does its own sharding/],
    ['a ShardedRedis', new ShardedRedis({ nodes: [{ id: 'a', port: 1 }], lazyConnect: true }), /ShardedRedis/],
    ['a url', 'redis://:hunter2@localhost', /new RedisBackend\(url\)/],
    ['options of a connection', { host: 'localhost' }, /new RedisBackend\(options\)/],
  ])('is recognised when it is %s', (_, backend, expected) => {
    const message = messageOf(() => new ShardedCache({ nodes: [{ id: 'a', backend: backend as never }] }));
    expect(message).toMatch(expected);
    expect(message).not.toContain('hunter2');
  });
});
