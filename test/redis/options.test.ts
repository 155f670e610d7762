import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../src/errors/index.ts';
import { ShardedRedis } from '../../src/redis/index.ts';

const node = { id: 'a', url: 'redis://127.0.0.1:1' };
const base = { nodes: [node], lazyConnect: true };

/** What the constructor says of the options; nothing is opened. */
function refusalOf(options: object): InvalidArgumentError {
  try {
    void new ShardedRedis(options as never).quit();
  } catch (error) {
    if (error instanceof InvalidArgumentError) return error;
    throw error;
  }
  throw new Error('the options were taken');
}

describe('a ShardedRedis', () => {
  it.each([
    ['options.replicas', { ...base, replicas: 2 }],
    ['nodes', { nodes: [] }],
    ['nodes[0].id', { nodes: [{ url: node.url }] }],
    ['nodes[0]', { nodes: [{ id: 'a' }] }],
    ['nodes[0].url', { nodes: [{ id: 'a', url: 'http://127.0.0.1' }] }],
    ['nodes[0].url', { nodes: [{ id: 'a', url: 'redis://user:secret@[broken' }] }],
    ['nodes[0].weight', { nodes: [{ ...node, weight: 0 }] }],
    ['nodes[0].wieght', { nodes: [{ ...node, wieght: 3 }] }],
    ['nodes[0].backend', { nodes: [{ id: 'a', backend: {} }] }],
    ['nodes[0].monitor', { nodes: [{ ...node, monitor: true }] }],
    ['nodes[0].prot', { nodes: [{ id: 'a', host: '127.0.0.1', prot: 1 }] }],
    ['nodes[0].keyPrefix', { nodes: [{ id: 'a', host: '127.0.0.1', keyPrefix: 'x' }] }],
    ['nodes[0].timeoutMs', { nodes: [{ ...node, timeoutMs: 50 }] }],
    ['nodes[0].transport', { nodes: [{ ...node, transport: 'direct' }] }],
    ['nodes[0].client', { nodes: [{ id: 'a', client: { sendCommand() {} } }] }],
    ['nodes[0].client', { nodes: [{ id: 'a', client: {} }] }],
    ['nodes[0].client', { nodes: [{ id: 'a', client: { host: '127.0.0.1' } }] }],
    ['nodes[0].client', { nodes: [{ id: 'a', client: null }] }],
    ['nodes[0].client', { nodes: [{ id: 'a', client: Promise.resolve() }] }],
    ['nodes[0].port', { nodes: [{ id: 'a', url: 'redis://127.0.0.1:1', port: 2 }] }],
    ['nodes[0].host', { nodes: [{ id: 'a', host: 7 }] }],
    ['nodes[0].tls', { nodes: [{ ...node, tls: 5 }] }],
    ['nodes[0].password', { nodes: [{ ...node, password: {} }] }],
    ['nodes[0].sentinels', { nodes: [{ id: 'a', sentinels: [], name: 'group' }] }],
    ['nodes[1].id', { nodes: [node, node] }],
    ['replicationFactor', { ...base, replicationFactor: 2 }],
    ['writeConsistency', { ...base, writeConsistency: 'most' }],
    ['timeoutMs', { ...base, timeoutMs: 0 }],
    ['timeoutMs', { ...base, timeoutMs: 2 ** 31 }],
    ['connectTimeoutMs', { ...base, connectTimeoutMs: -1 }],
    ['connectTimeoutMs', { ...base, connectTimeoutMs: 2 ** 31 }],
    ['pool.idleTimeoutMs', { ...base, pool: { idleTimeoutMs: 2 ** 31 } }],
    ['health.probeIntervalMs', { ...base, health: { probeIntervalMs: 2 ** 31 } }],
    ['health.probeTimeoutMs', { ...base, health: { probeTimeoutMs: 2 ** 31 } }],
    ['keyPrefix', { ...base, keyPrefix: '\ud800' }],
    ['lazyConnect', { ...base, lazyConnect: 'yes' }],
    ['batching', { ...base, batching: 1 }],
    ['pool.max', { ...base, pool: { max: 0 } }],
    ['pool.size', { ...base, pool: { size: 1 } }],
    ['maxBlocking', { ...base, maxBlocking: 0 }],
    ['scripts', { ...base, scripts: 'maybe' }],
    ['health.probeIntervalMs', { ...base, health: { probeIntervalMs: 1 } }],
    ['placement.nodeFor', { ...base, placement: {} }],
  ])('rejects a wrong option %s by its name', (field, options) => {
    const { message, field: found } = refusalOf(options);
    expect(found.replace(/^options\.pool/, 'pool')).toBe(field);
    expect(message).not.toContain('secret');
  });

  it('accepts no longer time for a connection or for readiness than a timer can be set for', async () => {
    const redis = new ShardedRedis(base);
    const tooLong = { timeoutMs: 2 ** 31 };
    const refusal = { code: 'ERR_INVALID_ARGUMENT', field: 'options.timeoutMs' };
    await expect(redis.withConnection('key', () => 1, tooLong)).rejects.toMatchObject(refusal);
    await expect(redis.ready(tooLong)).rejects.toMatchObject(refusal);
    await redis.quit();
  });

  it.each([
    ['options', (redis: ShardedRedis) => redis.scanStream(null as never)],
    ['options', (redis: ShardedRedis) => redis.scanStream(new AbortController().signal as never)],
    ['options.match', (redis: ShardedRedis) => redis.scanStream({ match: 5 as never })],
    ['options.match', (redis: ShardedRedis) => redis.hscanStream('key', { match: {} as never })],
    ['commands', (redis: ShardedRedis) => redis.pipeline(5 as never)],
    ['commands', (redis: ShardedRedis) => redis.pipeline(['get'] as never)],
  ])('names %s when a stream or a pipeline gets the wrong value', async (field, call) => {
    const redis = new ShardedRedis(base);
    expect(() => call(redis)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field }));
    await redis.quit();
  });

  it('is logged without addresses and passwords', async () => {
    const redis = new ShardedRedis({ ...base, nodes: [{ ...node, password: 'secret' }] });
    expect(JSON.stringify(redis)).toContain('"nodes":["a"]');
    expect(inspect(redis)).toContain("'a' => 'unknown'");
    for (const text of [JSON.stringify(redis), inspect(redis, { depth: 9, showHidden: true }), inspect({ redis })]) {
      expect(text).not.toContain('secret');
      expect(text).not.toContain('127.0.0.1');
    }
    await redis.quit();
  });

  it('keeps what is given beside a URL that only implies it', async () => {
    const checkServerIdentity = () => undefined;
    const secured = { id: 'a', url: 'rediss://127.0.0.1', port: 1, tls: { ca: 'PEM', checkServerIdentity } };
    const redis = new ShardedRedis({ ...base, nodes: [secured] });
    expect(redis.nodeFor('key').options).toMatchObject({ port: 1, tls: { ca: 'PEM', checkServerIdentity } });
    await redis.quit();
  });

  it('takes a URL with further options of ioredis beside it', async () => {
    const redis = new ShardedRedis({ ...base, nodes: [{ ...node, db: 3, username: 'app', password: 'secret' }] });
    expect(redis.nodeFor('key').options).toMatchObject({ host: '127.0.0.1', port: 1, db: 3, username: 'app' });
    await redis.quit();
  });

  it('keeps nodes that can be read only once, for itself and for duplicates', async () => {
    function* once() {
      yield node;
      yield { ...node, id: 'b' };
    }
    const redis = new ShardedRedis({ ...base, nodes: once() });
    const second = redis.duplicate();
    const third = second.duplicate({ timeoutMs: 10 });
    for (const made of [redis, second, third]) {
      expect(made.nodes()).toHaveLength(2);
      expect([...made.options.nodes]).toEqual([node, { ...node, id: 'b' }]);
      expect([...made.options.nodes]).toHaveLength(2);
      await made.quit();
    }
  });

  it('says what a wrong list of nodes is, before it reads anything', () => {
    expect(refusalOf({ ...base, nodes: 'ab' }).message).toMatch(/^nodes: expected an iterable .* got a string/);
    expect(refusalOf({ ...base, nodes: undefined }).field).toBe('nodes');
    expect(refusalOf({ ...base, nodes: { [Symbol.iterator]: 1 } }).field).toBe('nodes');
    expect(refusalOf(undefined as never).field).toBe('options');
  });
});
