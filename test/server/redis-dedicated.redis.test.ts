import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RedisBackend } from '../../src/redis/index.ts';
import { eventually, outcomeOf } from '../support/eventually.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { connectionKinds, type OpenBackend } from '../support/redis-clients.ts';

const value = Buffer.from('1');

/** For what is to succeed: a busy machine may take its time. */
const patientMs = 15_000;

describe.each(connectionKinds)('withConnection of a RedisBackend with $title', ({ open }) => {
  let server: RedisServer;
  let opened: OpenBackend;
  let backend: RedisBackend;
  let observer: Redis;

  beforeAll(async () => {
    server = await startRedis();
    observer = new Redis(server.port);
    observer.on('error', () => undefined);
  });

  afterAll(async () => {
    observer.disconnect();
    await server.stop();
  });

  beforeEach(async () => {
    await observer.flushall();
    opened = open({ port: server.port, connectionName: 'ours' }, { timeoutMs: patientMs, pool: { max: 2 } });
    backend = opened.backend;
    await backend.ping();
  });

  afterEach(async () => {
    await opened.close();
    // What a test sees at the server is its own.
    await eventually(async () => (await connectionCount()) === 0);
  });

  const connectionCount = async () => String(await observer.client('LIST')).match(/name=ours/g)?.length ?? 0;
  const idOf = () => backend.withConnection((client) => client.client('ID'));

  it('opens nothing before the first use, and uses a connection again', async () => {
    expect(await connectionCount()).toBe(1);
    const first = await idOf();
    expect(await idOf()).toBe(first);
    expect(await connectionCount()).toBe(2);
  });

  it('runs a transaction that notices a write by another', async () => {
    await backend.set('key', value);
    const attempt = (disturb: boolean) =>
      backend.withConnection(async (client) => {
        await client.watch('key');
        if (disturb) await backend.set('key', Buffer.from('5'));
        const before = Number(await client.get('key'));
        return client
          .multi()
          .set('key', before + 1)
          .exec();
      });
    expect(await attempt(true)).toBeNull();
    expect(await attempt(false)).toEqual([[null, 'OK']]);
    expect(String(await backend.get('key'))).toBe('6');
  });

  it('waits for a list without holding up any other call', async () => {
    const popped = backend.withConnection((client) => client.blpop('list', 10));
    await eventually(async () => String(await observer.client('LIST')).includes('cmd=blpop'));
    await backend.set('key', value);
    expect(await backend.get('key')).toEqual(value);
    await observer.lpush('list', 'item');
    expect(await popped).toEqual(['list', 'item']);
  });

  it('does not hand on a WATCH or a MULTI that the last user left', async () => {
    const first = await backend.withConnection(async (client) => {
      await client.watch('key');
      await client.call('MULTI');
      return client.client('ID').then(
        () => undefined,
        () => undefined,
      );
    });
    expect(first).toBeUndefined();
    await observer.set('key', 'changed');
    await backend.withConnection(async (client) => {
      expect(await client.get('key')).toBe('changed');
      expect(await client.multi().get('key').exec()).toEqual([[null, 'changed']]);
    });
  });

  it.each([
    ['threw', async () => Promise.reject(new Error('mine'))],
    ['selected another database', (client: Redis) => client.select(5)],
    ['subscribed', (client: Redis) => client.subscribe('channel')],
    ['left a command waiting', (client: Redis) => void client.blpop('never', 0).catch(() => undefined)],
  ])('closes a connection whose user %s', async (_, use) => {
    const first = await idOf();
    await outcomeOf(backend.withConnection(use as (client: Redis) => unknown));
    expect(await idOf()).not.toBe(first);
    await eventually(async () => (await connectionCount()) === 2);
  });

  it('passes on what its user threw', async () => {
    const mine = new Error('mine');
    await expect(backend.withConnection(() => Promise.reject(mine))).rejects.toBe(mine);
    await expect(
      backend.withConnection(() => {
        throw mine;
      }),
    ).rejects.toBe(mine);
  });

  it('gives an error of the server without the arguments of the command', async () => {
    const { error } = await outcomeOf(backend.withConnection((client) => client.call('INCRBY', 'hunter2', 'hunter2')));
    expect(error).toMatchObject({ code: 'ERR_NODE_REPLY', operation: 'withConnection' });
    expect(JSON.stringify([error, (error as Error).cause, String(error)])).not.toContain('hunter2');
  });

  it('makes callers beyond the maximum of connections wait, up to their deadline', async () => {
    const endings: (() => void)[] = [];
    const held = [1, 2].map(() =>
      backend.withConnection(() => new Promise<void>((resolve) => void endings.push(resolve))),
    );
    await eventually(() => endings.length === 2);
    const late = await outcomeOf(backend.withConnection(() => 'never', { timeoutMs: 50 }));
    expect(late.error).toMatchObject({ code: 'ERR_TIMEOUT', operation: 'withConnection' });
    const waiting = backend.withConnection(() => 'served');
    for (const end of endings) end();
    expect(await waiting).toBe('served');
    await Promise.all(held);
  });

  it('says that no reply was missing if the function itself takes too long', async () => {
    const endless = () => new Promise<void>(() => undefined);
    await idOf(); // The use begins at once: a connection is there.
    const idle = await outcomeOf(backend.withConnection(endless, { timeoutMs: 2_000 }));
    expect(idle.error).toMatchObject({
      code: 'ERR_TIMEOUT',
      message: expect.stringMatching(/your function did not finish within 2000 ms; it was not waiting for node/),
      isOwnTime: true,
    });
    await idOf();
    const use = async (client: Redis) => {
      await client.set('key', 'value');
      await endless();
    };
    const { error } = await outcomeOf(backend.withConnection(use, { timeoutMs: 2_000 }));
    expect(error).toMatchObject({
      code: 'ERR_UNKNOWN_OUTCOME',
      message: expect.stringMatching(/your function did not finish within 2000 ms; it was not waiting for node/),
    });
  });

  it('ends a use by the deadline given, and does not know what it has done', async () => {
    await idOf(); // The use begins at once: a connection is there.
    const { error, elapsedMs } = await outcomeOf(() =>
      backend.withConnection((client) => client.blpop('list', 0), { timeoutMs: 200 }),
    );
    expect(error).toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME', cause: { code: 'ERR_TIMEOUT', timeoutMs: 200 } });
    expect(elapsedMs).toBeGreaterThanOrEqual(198);
    expect(elapsedMs).toBeLessThan(patientMs); // The list stays empty for ever.
    expect(await idOf()).toBeGreaterThan(0);
  });

  it('ends a use by its signal', async () => {
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    const call = outcomeOf(backend.withConnection((client) => client.blpop('list', 0), { signal: controller.signal }));
    await eventually(async () => String(await observer.client('LIST')).includes('cmd=blpop'));
    controller.abort(reason);
    expect((await call).error).toBe(reason);
    await expect(backend.withConnection(() => 1, { signal: controller.signal })).rejects.toBe(reason);
  });

  it('closes its connections with the backend, those in use after a while', async () => {
    const hasty = open({ port: server.port, connectionName: 'ours' }, { timeoutMs: 500 });
    await eventually(() => hasty.backend.withConnection((client) => client.ping()));
    const use = outcomeOf(hasty.backend.withConnection((client) => client.blpop('list', 0)));
    await eventually(async () => String(await observer.client('LIST')).includes('cmd=blpop'));
    await hasty.close();
    expect((await use).error).toBeInstanceOf(Error);
    await eventually(async () => (await connectionCount()) === 1); // Of the backend that all tests have.
    await expect(hasty.backend.withConnection(() => 1)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });

  it('says that the node cannot be reached', async () => {
    await server.kill();
    const { error } = await outcomeOf(backend.withConnection((client) => client.ping()));
    expect(error).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', operation: 'withConnection' });
    await server.restart();
    await eventually(() => backend.withConnection((client) => client.ping()));
  });
});

it('withConnection lets its user change to RESP3, and hands the connection to nobody after that', async () => {
  const server = await startRedis();
  const backend = new RedisBackend(server.url);
  const [greeting, value] = await backend.withConnection(async (client) => {
    await client.set('key', 'value');
    return [await client.call('HELLO', '3'), await client.get('key')] as const;
  });
  expect(JSON.stringify(greeting)).toContain('proto');
  expect(value).toBe('value');
  const next: unknown = await backend.withConnection((client) => client.call('HELLO'));
  expect(JSON.stringify(next)).toMatch(/"proto",2/);
  await backend.close();
  await server.stop();
});
