import { createRequire } from 'node:module';
import { Cluster, Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { describe, expect, it } from 'vitest';
import { isShardringError } from '../../src/errors/index.ts';
import { RedisBackend, type RedisTarget, ShardedRedis } from '../../src/redis/index.ts';
import { parseTarget } from '../../src/server/target.ts';

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
    'redis://:hunter2@example.com:0',
    'redis://:hunter2@example.com/1?db=2',
    'redis://:hunter2@example.com?db=1&db=2',
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

  it('may not be a client of another system', () => {
    const other = { status: 'ready', sendCommand() {}, duplicate() {} };
    expectRefused(() => new RedisBackend(other), 'target');
  });

  it.each([
    // What a URL only implies gives way to what is given.
    [
      { url: 'rediss://example.com', tls: { ca: 'PEM' } },
      { host: 'example.com', port: 6379, tls: { ca: 'PEM' } },
    ],
    [
      { url: 'redis://example.com', tls: { ca: 'PEM' } },
      { host: 'example.com', port: 6379, tls: { ca: 'PEM' } },
    ],
    [
      { url: 'rediss://example.com', tls: null },
      { host: 'example.com', port: 6379, tls: {} },
    ],
    [
      { url: 'redis://example.com', port: 7000 },
      { host: 'example.com', port: 7000 },
    ],
    [
      { url: 'redis://', host: 'example.com' },
      { host: 'example.com', port: 6379 },
    ],
    [{ url: 'redis://', path: '/run/redis.sock' }, { path: '/run/redis.sock' }],
    [
      { url: 'redis://example.com', db: 3, password: 'p' },
      { host: 'example.com', port: 6379, db: 3, password: 'p' },
    ],
    [
      { url: 'redis://example.com', username: null, password: undefined },
      { host: 'example.com', port: 6379 },
    ],
    [
      { url: 'unix:///run/redis.sock', db: 3 },
      { path: '/run/redis.sock', db: 3 },
    ],
    // Said twice, and the same.
    [
      { url: 'redis://me@example.com:7000/2', port: 7000, db: 2, username: 'me' },
      { port: 7000, db: 2, username: 'me' },
    ],
    // Settings from the environment are text.
    [
      { host: 'example.com', port: '7000', db: '2' },
      { host: 'example.com', port: 7000, db: 2 },
    ],
    // Null says something there.
    [
      { host: 'fe80::1%eth0', retryStrategy: null, maxRetriesPerRequest: null },
      { retryStrategy: null, maxRetriesPerRequest: null },
    ],
  ])('may be the options %j', (given, options) => {
    const target = parseTarget(given);
    expect(target.kind === 'own' && target.options).toMatchObject(options);
    expect(target.kind === 'own' && target.options).not.toHaveProperty('url');
    expect(new RedisBackend(given as RedisTarget).nodeName).toBe(target.address);
  });

  it.each([
    ['port', { url: 'redis://example.com:6379', port: 7000 }],
    ['host', { url: 'redis://example.com', host: 'example.org' }],
    ['db', { url: 'redis://example.com/0', db: 2 }],
    ['db', { url: 'redis://example.com?db=1', db: 2 }],
    ['family', { url: 'redis://example.com?family=4', family: 6 }],
    ['username', { url: 'redis://me@example.com', username: 'hunter2' }],
    ['password', { url: 'redis://:secret@example.com', password: 'hunter2' }],
    ['path', { url: 'unix:///run/redis.sock', path: '/run/hunter2.sock' }],
    ['host', { url: 'unix:///run/redis.sock', host: 'example.com' }],
    ['port', { url: 'unix:///run/redis.sock', port: 7000 }],
    ['host', { url: 'redis://example.com', path: '/run/redis.sock' }],
    ['host', { url: 'redis://example.com', sentinels: [{}], name: 'group' }],
    ['host', { host: 'example.com', path: '/run/redis.sock' }],
    ['port', { port: 7000, path: '/run/redis.sock' }],
    ['host', { host: 'example.com', sentinels: [{}], name: 'group' }],
    ['port', { port: 7000, sentinels: [{}], name: 'group' }],
  ])('may not contradict itself in %s: %j', (field, options) => {
    expectRefused(() => new RedisBackend(options as RedisTarget), `target.${field}`);
  });

  const sentinels = (...list: unknown[]) => ({ sentinels: list, name: 'group' });

  it.each([
    ['url', { url: 7 }],
    ['url', { url: '' }],
    ['host', { host: 7 }],
    ['host', { host: '' }],
    ['host', { host: { hunter2: 1 } }],
    ['host', { host: 'redis://hunter2@example.com' }],
    ['host', { host: 'example.com:6379' }],
    ['host', { host: '[::1]' }],
    ['port', { port: Number.NaN }],
    ['port', { port: 0 }],
    ['port', { port: 65_536 }],
    ['port', { port: 6379.5 }],
    ['port', { port: 'hunter2' }],
    ['path', { path: '' }],
    ['path', { path: 7 }],
    ['db', { db: -1 }],
    ['db', { db: 0.5 }],
    ['db', { db: 'hunter2' }],
    ['tls', { tls: 5 }],
    ['tls', { tls: true }],
    ['tls', { tls: [] }],
    ['tls', { tls: Promise.resolve({ ca: 'hunter2' }) }],
    ['tls', { tls: Buffer.from('hunter2') }],
    ['tls.rejectUnauthorized', { tls: { rejectUnauthorized: 'false' } }],
    ['tls.rejectUnauthorized', { tls: { rejectUnauthorized: 0 } }],
    ['tls.checkServerIdentity', { tls: { checkServerIdentity: true } }],
    ['tls.servername', { tls: { servername: 7 } }],
    ['scripts', { scripts: new Map() }],
    ['scripts.sum', { scripts: { sum: 'return 1' } }],
    ['scripts.sum.lua', { scripts: { sum: { numberOfKeys: 1 } } }],
    ['himportFieldsets', { himportFieldsets: {} }],
    ['himportFieldsets', { himportFieldsets: [{ name: 'a' }] }],
    ['himportFieldsets', { himportFieldsets: ['a', 'b'].map(() => ({ name: 'hunter2', fields: [] })) }],
    ['username', { username: 7 }],
    ['password', { password: {} }],
    ['password', { password: 7 }],
    ['family', { family: 5 }],
    ['connectionName', { connectionName: 7 }],
    ['connectTimeout', { connectTimeout: 2 ** 31 }],
    ['connectTimeout', { connectTimeout: -1 }],
    ['commandTimeout', { commandTimeout: 2 ** 31 }],
    ['socketTimeout', { socketTimeout: Number.POSITIVE_INFINITY }],
    ['keepAlive', { keepAlive: '30' }],
    ['noDelay', { noDelay: 'no' }],
    ['readOnly', { readOnly: 1 }],
    ['protocol', { protocol: 4 }],
    ['maxRetriesPerRequest', { maxRetriesPerRequest: -1 }],
    ['reconnectOnError', { reconnectOnError: true }],
    ['Connector', { Connector: {} }],
    ['adress', { adress: 'example.com' }],
    ['name', { ...sentinels({}), name: 7 }],
    ['sentinels[0].host', sentinels({ host: 7 })],
    ['sentinels[0].port', sentinels({ port: 0 })],
    ['sentinels[1].prot', sentinels({}, { prot: 26_379 })],
    ['sentinelCommandTimeout', { ...sentinels({}), sentinelCommandTimeout: 2 ** 31 }],
    ['sentinelPassword', { ...sentinels({}), sentinelPassword: {} }],
    ['sentinelTLS', { ...sentinels({}), sentinelTLS: 1 }],
    ['sentinelMaxConnections', { ...sentinels({}), sentinelMaxConnections: 0 }],
    ['preferredSlaves', { ...sentinels({}), preferredSlaves: '10.0.0.1' }],
    ['updateSentinels', { ...sentinels({}), updateSentinels: 'no' }],
    ["natMap['10.0.0.1:6379'].port", { ...sentinels({}), natMap: { '10.0.0.1:6379': { host: 'example.com' } } }],
  ])('may not have a %s like that: %j', (field, options) => {
    expectRefused(() => new RedisBackend(options as unknown as RedisTarget), `target.${field}`);
  });

  it.each([
    ['a URL object', new URL('redis://:hunter2@example.com')],
    ['the promise of one', Promise.resolve('redis://:hunter2@example.com')],
    ['a Map', new Map([['host', 'example.com']])],
    ['what inherits its options', Object.create({ host: 'example.com' })],
  ])('may not be %s, which has no options of its own and would lead to the default place', (_, target) => {
    expectRefused(() => new RedisBackend(target as RedisTarget), 'target');
  });

  it.each([
    { name: 'group', sentinelPassword: 'hunter2' },
    { url: 'redis://example.com', name: 'group' },
    { host: 'example.com', natMap: { '10.0.0.1:6379': { host: 'example.com', port: 1 } } },
  ])('may not have options of a group without its sentinels: %j', (options) => {
    expectRefused(() => new RedisBackend(options), `target.${'name' in options ? 'name' : 'natMap'}`);
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

describe('credentials by a function, beside a URL', () => {
  const password = async () => 'hunter2';

  it('take the user of the URL, and leave neither user nor password among the options', async () => {
    const target = parseTarget({ url: 'redis://app@host', password });
    if (target.kind !== 'own') throw new Error('it is borrowed');
    expect(await target.credentials?.()).toEqual({ username: 'app', password: 'hunter2' });
    expect(Object.keys(target.options).toSorted()).toEqual(['host', 'port']);
  });

  it.each([
    ['target.password', { url: 'redis://app:secret@host', password }],
    ['target.username', { url: 'redis://app@host', credentials: async () => ({ password: 'hunter2' }) }],
    ['target.password', { url: 'redis://:secret@host', credentials: async () => ({ password: 'hunter2' }) }],
  ])('are refused where %s is given twice', (field, target) => {
    expect(() => parseTarget(target)).toThrow(
      expect.objectContaining({ field, message: expect.not.stringContaining('secret') }),
    );
  });
});

it('a client of ioredis 4 is refused, with what to install, by backends and by nodes of a ShardedRedis', () => {
  const OldRedis = createRequire(import.meta.url)('ioredis4') as typeof Redis;
  const client = new OldRedis({ lazyConnect: true });
  const message = /It is a client of ioredis 4 or older\. .*npm install "ioredis@>=5\.4 <7"/;
  expectRefused(() => new RedisBackend(client), 'target');
  expect(() => new RedisBackend(client)).toThrow(message);
  expect(() => new ShardedRedis({ nodes: [{ id: 'a', client }] })).toThrow(message);
  new RedisBackend(new Redis({ lazyConnect: true }));
  new RedisBackend(new Redis5({ lazyConnect: true }) as unknown as Redis);
});

describe('the options of a RedisBackend', () => {
  it.each([
    ['options.colour', { colour: 'red' }],
    ['options.keyPrefix', { keyPrefix: 7 }],
    ['options.keyPrefix', { keyPrefix: 'half of a character \ud83d' }],
    ['options.timeoutMs', { timeoutMs: 0 }],
    ['options.timeoutMs', { timeoutMs: Number.NaN }],
    ['options.timeoutMs', { timeoutMs: 2 ** 31 }],
    ['options.connectTimeoutMs', { connectTimeoutMs: 2 ** 31 }],
    ['options.pool.idleTimeoutMs', { pool: { idleTimeoutMs: 2 ** 31 } }],
    ['options.connectTimeoutMs', { connectTimeoutMs: -1 }],
    ['options.nodeName', { nodeName: 7 }],
    ['options.pool', { pool: 4 }],
    ['options.pool.min', { pool: { min: 1 } }],
    ['options.pool.max', { pool: { max: 0 } }],
    ['options.pool.idleTimeoutMs', { pool: { idleTimeoutMs: 0 } }],
    ['options.clock', { clock: null }],
    ['options.clock.nowMs', { clock: {} }],
    ['options.clock.schedule', { clock: { nowMs: () => 0, wallMs: () => 0 } }],
    ['options', Promise.resolve({ timeoutMs: 5 })],
    ['options', new AbortController().signal],
    ['options.pool', { pool: new Map([['max', 1]]) }],
  ])('are refused by name when %s is wrong', (field, options) => {
    expectRefused(() => new RedisBackend('redis://', options as object), field);
  });
});
