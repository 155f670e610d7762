/** While a node is away, whoever asks is told why: what first said what is wrong with it, and since when. */

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ShardedCache } from '../../src/cache/sharded-cache.ts';
import { RedisBackend, ShardedRedis } from '../../src/redis/index.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';
import { eventually, outcomeOf } from '../support/eventually.ts';
import { freePort, type RedisServer, startRedis } from '../support/redis.ts';

let server: RedisServer;
const open: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  server = await startRedis({ password: 'hunter2' });
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
  await server.stop();
});

/** Opens a cache of one node, and lets its probes find out what the node is like. */
async function downAt(url: string) {
  const clock = new SimulatedClock();
  const backend = new RedisBackend(url, { clock, timeoutMs: 60_000 });
  const cache = new ShardedCache({ nodes: [{ id: 'cache-1', backend }], clock, timeoutMs: 60_000 });
  open.push(cache);
  const first = (await outcomeOf(cache.get('key'))).error as Error;
  const sinceMs = clock.wallMs();
  await eventually(async () => {
    await clock.advance(500);
    return cache.health().get('cache-1') === 'down';
  }, 15_000);
  return { cache, clock, first, sinceMs };
}

it.each(['get', 'set', 'increment', 'getMany'] as const)(
  'a %s says why the node is down, as it told the first call, and not that a probe has failed',
  async (operation) => {
    const port = await freePort();
    const { cache, first, sinceMs, clock } = await downAt(`redis://127.0.0.1:${port}`);
    expect(first.message).toBe(`get: node cache-1 (127.0.0.1:${port}) cannot be reached: ECONNREFUSED`);
    await clock.advance(60_000);
    const calls = {
      get: () => cache.get('key'),
      set: () => cache.set('key', 1),
      increment: () => cache.increment('key'),
      getMany: () => cache.getMany(['key']),
    };
    const { error } = await outcomeOf(calls[operation]());
    const told = operation === 'getMany' ? (error as { attempts: { error: Error }[] }).attempts[0]!.error : error;
    expect(told).toMatchObject({
      code: 'ERR_NODE_UNAVAILABLE',
      message: `${operation}: node cache-1 (127.0.0.1:${port}) cannot be reached: ECONNREFUSED`,
      cause: { code: 'ECONNREFUSED' },
      address: `127.0.0.1:${port}`,
      sinceMs,
    });
    expect(cache.healthReport().get('cache-1')).toMatchObject({
      ...{ state: 'down', sinceMs },
      fault: { code: 'ERR_NODE_UNAVAILABLE', cause: { code: 'ECONNREFUSED' } },
    });
  },
);

it('a node that speaks HTTP is down for that reason, and says so and since when', async () => {
  const web = createServer((socket) => socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await once(web.listen(0, '127.0.0.1'), 'listening');
  try {
    const { cache, first, sinceMs } = await downAt(`redis://127.0.0.1:${(web.address() as AddressInfo).port}`);
    const { error } = await outcomeOf(cache.get('key'));
    expect(first.message).toContain('HTTP');
    expect(error).toMatchObject({ code: 'ERR_NODE_PROTOCOL', message: first.message, sinceMs });
  } finally {
    web.close();
  }
});

it('a node whose password is wrong is down for that reason, however often it is tried', async () => {
  const { cache } = await downAt(`redis://:wrong@127.0.0.1:${server.port}`);
  const { error } = await outcomeOf(cache.get('key'));
  expect(error).toMatchObject({ code: 'ERR_NODE_REPLY', kind: 'WRONGPASS', operation: 'get', node: 'cache-1' });
  expect(JSON.stringify([(error as Error).message, String((error as Error).cause)])).not.toContain('wrong:');
});

it('a node whose host has no address is down for that reason', async () => {
  const { cache } = await downAt('redis://no-such-host.invalid:6379');
  const { error } = await outcomeOf(cache.get('key'));
  expect(error).toMatchObject({
    message: expect.stringMatching(
      /^get: node cache-1 \(no-such-host\.invalid:6379\) cannot be reached: (ENOTFOUND|EAI_AGAIN)/,
    ),
    cause: { code: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) },
  });
});

it('an error about a node that cannot join names its id', async () => {
  const cache = new ShardedCache({ nodes: [{ id: 'cache-1', backend: new RedisBackend(server.url) }] });
  open.push(cache);
  const port = await freePort();
  const joining = { id: 'cache-2', backend: new RedisBackend(`redis://127.0.0.1:${port}`) };
  open.push(joining.backend);
  const { error } = await outcomeOf(Promise.resolve(cache.addNode(joining)));
  expect((error as Error).message).toBe(`ping: node cache-2 (127.0.0.1:${port}) cannot be reached: ECONNREFUSED`);
});

it.each(['ioredis', 'direct'] as const)(
  'every call reports TLS options that Node.js cannot take, over the transport %s',
  async (transport) => {
    const target = { host: '127.0.0.1', port: server.port, tls: { minVersion: 'TLSv9' as never } };
    const cache = new ShardedCache({ nodes: [{ id: 'cache-1', backend: new RedisBackend(target, { transport }) }] });
    open.push(cache);
    for (const _ of [1, 2, 3]) {
      expect((await outcomeOf(cache.get('key'))).error).toMatchObject({
        code: 'ERR_NODE_UNAVAILABLE',
        cause: { code: 'ERR_TLS_INVALID_PROTOCOL_VERSION' },
      });
    }
  },
);

it('a server that was killed during a write is reported as refusing connections', async () => {
  const clock = new SimulatedClock();
  const backend = new RedisBackend(server.url, { clock });
  const cache = new ShardedCache({ nodes: [{ id: 'cache-1', backend }], clock });
  open.push(cache);
  await cache.set('key', 1);
  server.pause();
  const lost = outcomeOf(cache.set('key', 2));
  await server.kill();
  expect((await lost).error).toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME' });
  await eventually(async () => {
    await clock.advance(500);
    return (await outcomeOf(cache.get('key'))).error?.toString().endsWith('cannot be reached: ECONNREFUSED');
  }, 15_000);
});

it('a ShardedRedis says why a node is down too, in errors and events', async () => {
  const port = await freePort();
  const redis = new ShardedRedis({
    nodes: [{ id: 'cache-1', url: `redis://127.0.0.1:${port}` }],
    health: { probeIntervalMs: 20 },
  });
  open.push(redis);
  const down = new Promise<Error>((resolve) => redis.on('nodeDown', ({ error }: { error: Error }) => resolve(error)));
  redis.on('error', () => undefined);
  redis.on('node error', () => undefined);
  await outcomeOf(redis.get('key'));
  expect((await down).message).toContain(`node cache-1 (127.0.0.1:${port}) cannot be reached: ECONNREFUSED`);
  const { error } = await outcomeOf(redis.incr('key'));
  expect(error).toMatchObject({
    message: `incr: node cache-1 (127.0.0.1:${port}) cannot be reached: ECONNREFUSED`,
    cause: { code: 'ECONNREFUSED' },
  });
  expect(redis.healthReport().get('cache-1')).toMatchObject({
    state: 'down',
    fault: { cause: { code: 'ECONNREFUSED' } },
  });
});
