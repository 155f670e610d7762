import { Cluster, Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { describe, expect, it } from 'vitest';
import { parseTarget } from '../../src/backend/connections/target.ts';
import { isShardringError } from '../../src/errors/index.ts';
import { RedisBackend, type RedisTarget } from '../../src/redis/index.ts';

const optionsOf = (url: string) => {
  const target = parseTarget(url);
  return target.kind === 'own' ? target.options : undefined;
};

function expectRefused(make: () => unknown, field: string): void {
  let error: unknown;
  try {
    make();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field });
  expect(isShardringError(error) && error.message).not.toContain('hunter2');
}

describe('the target of a RedisBackend', () => {
  it.each([
    ['redis://', { host: 'localhost', port: 6379 }],
    ['redis://example.com', { host: 'example.com', port: 6379 }],
    ['redis://example.com:7000/2', { host: 'example.com', port: 7000, db: 2 }],
    ['redis://example.com:7000?db=2', { host: 'example.com', port: 7000, db: 2 }],
    ['redis://[::1]:7000', { host: '::1', port: 7000 }],
    ['redis://:secret@example.com', { host: 'example.com', port: 6379, password: 'secret' }],
    ['redis://me:s%40%2F@example.com', { host: 'example.com', port: 6379, username: 'me', password: 's@/' }],
    ['rediss://example.com', { host: 'example.com', port: 6379, tls: {} }],
    ['unix:///run/redis.sock', { path: '/run/redis.sock' }],
    ['unix:/run/redis.sock', { path: '/run/redis.sock' }],
    ['unix:///run/redis.sock?db=3', { path: '/run/redis.sock', db: 3 }],
    ['unix://me:secret@/run/redis.sock', { path: '/run/redis.sock', username: 'me', password: 'secret' }],
    ['unix://:secret@/run/a%20b.sock', { path: '/run/a b.sock', password: 'secret' }],
  ])('may be %s', (url, options) => {
    expect(optionsOf(url)).toEqual(options);
  });

  it.each([
    '',
    'hunter2',
    'localhost:6379',
    'http://hunter2@example.com',
    'redis://:hunter2@example.com:port',
    'redis://:hunter2@example.com/db',
    'redis://:hunter2@example.com/-1',
    'redis://:hunter2@example.com?timeout=1',
    'redis://:hunter2@example.com#1',
    'redis://:hunter2%@example.com',
    'redis://:hunter2/word@example.com',
    'unix://',
    'unix:relative.sock',
    'unix:///run/redis.sock?host=hunter2',
  ])('may not be the text %j, which is not shown', (url) => {
    expectRefused(() => new RedisBackend(url), 'target');
  });

  it.each([[undefined], [null], [7], [[]]])('may not be %j', (target) => {
    expectRefused(() => new RedisBackend(target as unknown as RedisTarget), 'target');
  });

  it('may not be a cluster client', () => {
    const cluster = new Cluster([], { lazyConnect: true });
    expectRefused(() => new RedisBackend(cluster as unknown as RedisTarget), 'target');
    cluster.disconnect();
  });

  it.each([
    ['ioredis 6', Redis],
    ['ioredis 5', Redis5 as unknown as typeof Redis],
  ])('may be a client of %s, unless that has a key prefix', (_, RedisClass) => {
    const options = { lazyConnect: true, host: 'example.com', port: 7000 };
    expect(new RedisBackend(new RedisClass(options)).nodeName).toBe('example.com:7000');
    const prefixed = new RedisClass({ ...options, keyPrefix: 'hunter2' });
    expectRefused(() => new RedisBackend(prefixed), 'target.options.keyPrefix');
  });

  it('may not be a client of something else', () => {
    const other = { status: 'ready', sendCommand() {}, duplicate() {} };
    expectRefused(() => new RedisBackend(other), 'target');
  });

  it('may not be options with a key prefix', () => {
    expectRefused(() => new RedisBackend({ keyPrefix: 'hunter2' }), 'target.keyPrefix');
  });

  it.each([
    ['redis://user:hunter2@example.com:7000', 'example.com:7000'],
    ['redis://[::1]:7000', '[::1]:7000'],
    ['unix://user:hunter2@/run/redis.sock', '/run/redis.sock'],
  ])('gives the node its name, without user and password: %s', (url, name) => {
    expect(new RedisBackend(url).nodeName).toBe(name);
    expect(new RedisBackend(url, { nodeName: 'a' }).nodeName).toBe('a');
  });
});

describe('the options of a RedisBackend', () => {
  it.each([
    ['options.colour', { colour: 'red' }],
    ['options.keyPrefix', { keyPrefix: 7 }],
    ['options.keyPrefix', { keyPrefix: 'half of a character \ud83d' }],
    ['options.timeoutMs', { timeoutMs: 0 }],
    ['options.timeoutMs', { timeoutMs: Number.NaN }],
    ['options.connectTimeoutMs', { connectTimeoutMs: -1 }],
    ['options.nodeName', { nodeName: 7 }],
    ['options.pool', { pool: 4 }],
    ['options.pool.min', { pool: { min: 1 } }],
    ['options.pool.max', { pool: { max: 0 } }],
    ['options.pool.idleTimeoutMs', { pool: { idleTimeoutMs: 0 } }],
    ['options.clock.schedule', { clock: {} }],
  ])('are refused by name when %s is wrong', (field, options) => {
    expectRefused(() => new RedisBackend('redis://', options as object), field);
  });
});
