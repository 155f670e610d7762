/** Closing while a server hangs: it ends within the time of a call, however long all other limits are. */

import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ShardedCache } from '../../src/index.ts';
import { RedisBackend, ShardedRedis } from '../../src/redis/index.ts';
import { eventually, outcomeOf } from '../support/eventually.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

const timeoutMs = 500;

/** What else could be waited for. No test lasts as long. */
const foreverMs = 120_000;

const limits = { timeoutMs, connectTimeoutMs: foreverMs, pool: { max: 1 } };

/** Outcomes in time: a busy machine may take its time, and forever is longer. */
const patientMs = 30_000;

let server: RedisServer;
let observer: Redis;

beforeEach(async () => {
  server = await startRedis();
  observer = new Redis(server.port);
});

afterEach(async () => {
  server.resume();
  observer.disconnect();
  await server.stop();
});

const isRunning = (command: string) => async () =>
  String(await observer.client('LIST')).includes(`cmd=${command} `) || undefined;

const codeOf = async (call: Promise<unknown>) =>
  ((await outcomeOf(call)).error as { code?: string } | undefined)?.code ?? 'none';

describe('a ShardedRedis that is closed', () => {
  let redis: ShardedRedis;
  let key: string;

  beforeEach(async () => {
    // Without further probes: on a slow machine the node could be down before all calls have begun.
    const health = { probeIntervalMs: 600_000 };
    redis = new ShardedRedis({ nodes: [{ id: 'a', url: server.url }], health, ...limits });
    redis.on('node error', () => undefined);
    key = 'key';
    await redis.set(key, 'value');
  });

  afterEach(() => redis.quit());

  it('rejects all calls that wait for a hanging server, and is closed within the time of a call', {
    timeout: patientMs,
  }, async () => {
    const popped = codeOf(redis.blpop('list', 0));
    await eventually(isRunning('blpop'));
    let isHeld = false;
    const held = codeOf(
      redis.withConnection(key, async (client) => {
        isHeld = true;
        return client.blpop('other list', 0);
      }),
    );
    await eventually(() => isHeld);
    await eventually(async () => String(await observer.client('LIST')).split('cmd=blpop ').length > 2);
    const scan = redis.scan({ count: 1 });
    await scan.next();
    server.pause();
    const waiting = {
      popped,
      held,
      forPool: codeOf(redis.withConnection(key, (client) => client.ping(), { timeoutMs: foreverMs })),
      transaction: codeOf(redis.multi().get(key).exec()),
      newWait: codeOf(redis.blpop('third list', 0)),
      subscription: codeOf(redis.subscribe('channel')),
      write: codeOf(redis.set(key, 'new')),
      read: codeOf(redis.get(key)),
      scan: codeOf(scan.next().then(() => scan.next())),
    };
    const closing = redis.quit();
    expect(await closing).toBe('OK');
    const codes = Object.fromEntries(
      await Promise.all(Object.entries(waiting).map(async ([name, code]) => [name, await code] as const)),
    );
    expect(codes).toMatchObject({
      popped: 'ERR_CLOSED',
      held: 'ERR_CLOSED',
      forPool: 'ERR_CLOSED',
      newWait: 'ERR_CLOSED',
    });
    expect(codes.write).toBe('ERR_UNKNOWN_OUTCOME');
    for (const code of Object.values(codes)) expect(code).toMatch(/^ERR_(CLOSED|TIMEOUT|UNKNOWN_OUTCOME)$|^none$/);
  });

  it('ends calls whose own time is longer than that', { timeout: patientMs }, async () => {
    const backend = new RedisBackend(server.url, limits);
    await backend.ping();
    server.pause();
    const [read, write] = [
      codeOf(backend.get(key, { timeoutMs: foreverMs })),
      outcomeOf(backend.set(key, Buffer.from('1'), { timeoutMs: foreverMs })),
    ];
    await backend.close();
    expect(await read).toBe('ERR_CLOSED');
    expect((await write).error).toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME', cause: { code: 'ERR_CLOSED' } });
  });

  it('does not wait for connections that are being made', { timeout: patientMs }, async () => {
    server.pause();
    const waiting = codeOf(redis.withConnection(key, (client) => client.ping(), { timeoutMs: foreverMs }));
    const closing = redis.quit();
    expect(await waiting).toBe('ERR_CLOSED');
    expect(await closing).toBe('OK');
  });
});

describe('a ShardedCache over Redis that is closed', () => {
  it('ends within the time of a call while its server hangs', { timeout: patientMs }, async () => {
    const backend = new RedisBackend(server.url, { ...limits, timeoutMs: foreverMs });
    const cache = new ShardedCache({ nodes: [{ id: 'a', backend }], timeoutMs });
    await cache.set('key', 'value');
    const keys = cache.keys();
    expect((await keys.next()).value).toBe('key');
    const held = codeOf(backend.withConnection((client) => client.blpop('list', 0)));
    await eventually(isRunning('blpop'));
    server.pause();
    const calls = [
      cache.get('key'),
      cache.getOrSet('other', () => 1, { whenUnavailable: 'fail' }),
      cache.increment('count'),
      keys.next(),
    ].map(codeOf);
    await cache.close();
    for (const code of await Promise.all(calls.slice(0, 3))) expect(code).toMatch(/^ERR_/);
    expect(await codeOf(keys.next())).toMatch(/^ERR_CLOSED$|^none$/);
    server.resume();
    await observer.rpush('list', 'item'); // What an application holds ends with its backend, which waits for it.
    expect(await held).toBe('none');
  });
});
