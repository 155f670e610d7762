import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RedisBackend, ShardedRedis } from '../../src/redis/index.ts';
import { eventually, outcomeOf } from '../support/eventually.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { connectionKinds, type OpenBackend } from '../support/redis-clients.ts';

/** For what is to succeed: a busy machine may take its time. */
const patientMs = 15_000;

describe.each(connectionKinds)('connections that users have one after the other, with $title', ({ open }) => {
  let server: RedisServer;
  let observer: Redis;
  let opened: OpenBackend;
  let backend: RedisBackend;

  beforeAll(async () => {
    server = await startRedis();
    observer = new Redis(server.port);
    observer.on('error', () => undefined);
    await observer.call('ACL', 'SETUSER', 'other', 'on', '>secret', '~*', '+@all');
  });

  afterAll(async () => {
    observer.disconnect();
    await server.stop();
  });

  beforeEach(() => {
    const pool = { max: 1 };
    opened = open({ port: server.port, connectionName: 'ours' }, { timeoutMs: patientMs, pool });
    backend = opened.backend;
  });

  afterEach(() => opened.close());

  const idOf = () => backend.withConnection((client) => client.client('ID'));

  /** What the server says of the connection that the next user gets. */
  const nextUser = () =>
    backend.withConnection(async (client) => {
      const [user, info] = [await client.call('ACL', 'WHOAMI'), String(await client.call('CLIENT', 'INFO'))];
      const fields = new Map(
        info
          .trim()
          .split(' ')
          .map((field) => field.split('=') as [string, string]),
      );
      return { user, db: fields.get('db'), name: fields.get('name'), flags: fields.get('flags') };
    });

  it.each([
    ['authenticated as somebody else', (client: Redis) => client.auth('other', 'secret')],
    ['authenticated as somebody else by call', (client: Redis) => client.call('AUTH', 'other', 'secret')],
    ['selected another database by call', (client: Redis) => client.call('SELECT', '5')],
    ['selected another database in a pipeline', (client: Redis) => client.pipeline().select(5).exec()],
    ['selected another database in a transaction', (client: Redis) => client.multi().select(5).exec()],
    ['said hello anew', (client: Redis) => client.call('HELLO', '2', 'SETNAME', 'theirs')],
    ['named it', (client: Redis) => client.client('SETNAME', 'theirs')],
    ['tracked keys', (client: Redis) => client.call('CLIENT', 'TRACKING', 'ON', 'BCAST', 'REDIRECT', '1')],
    ['asked not to be evicted', (client: Redis) => client.call('client', 'no-evict', 'on')],
    ['turned replies off', (client: Redis) => void client.call('CLIENT', 'REPLY', 'OFF').catch(() => undefined)],
    ['reset it', (client: Redis) => client.call('RESET')],
    ['monitored the server', (client: Redis) => client.call('MONITOR')],
    ['subscribed', (client: Redis) => client.subscribe('channel')],
    ['announced a cluster command', (client: Redis) => client.call('ASKING')],
    ['sent a command that nobody knows', (client: Redis) => client.call('NO.SUCH', 'thing').catch(() => undefined)],
    ['put a method on it', (client: Redis) => client.defineCommand('get', { lua: 'return 1', numberOfKeys: 1 })],
    ['listened to it', (client: Redis) => client.on('message', () => undefined)],
    ['put a prefix before its keys', (client: Redis) => void Object.assign(client.options, { keyPrefix: 'theirs:' })],
    ['left a transaction open', (client: Redis) => client.call('MULTI')],
    ['left a WATCH', (client: Redis) => client.watch('key')],
  ])('give the next user nothing of one who %s', async (_, use) => {
    await idOf();
    await outcomeOf(backend.withConnection(use as (client: Redis) => unknown, { timeoutMs: patientMs }));
    const { flags, ...rest } = await nextUser();
    expect(rest).toEqual({ user: 'default', db: '0', name: 'ours' });
    expect(flags).toBe('N');
    await observer.set('key', 'by another');
    await backend.withConnection(async (client) => {
      expect(client.listenerCount('message')).toBe(0);
      expect(await client.get('key')).toBe('by another');
      expect(await client.multi().get('key').exec()).toEqual([[null, 'by another']]);
    });
  });

  it('are used again after commands that leave no trace', async () => {
    const first = await idOf();
    await backend.withConnection(async (client) => {
      await client.set('key', '1');
      await client.eval('return redis.call("GET", KEYS[1])', 1, 'key');
      await client.watch('key');
      await client.multi().incr('key').exec();
      await client.pipeline().get('key').publish('channel', 'message').exec();
      await client.client('ID');
      await client.incr('no number').catch(() => undefined);
    });
    expect(await idOf()).toBe(first);
  });

  it('end with their use for a user who keeps the client', async () => {
    const kept = await backend.withConnection((client) => [client] as const);
    const { error } = await outcomeOf(kept[0].select(5));
    expect(error).toMatchObject({ code: 'ERR_CLOSED' });
    const next = backend.withConnection(async (client) => {
      kept[0].disconnect();
      await turn();
      return client.ping();
    });
    expect(await next).toBe('PONG');
    expect(await nextUser()).toMatchObject({ db: '0' });
  });

  it('answer the user before they are cleaned, so a server that hangs does not delay the user', async () => {
    const use = backend.withConnection(async (client) => {
      await client.watch('key');
      server.pause();
      return 'done';
    });
    try {
      expect(await use).toBe('done');
    } finally {
      server.resume();
    }
    expect(await nextUser()).toMatchObject({ flags: 'N' });
  });

  describe('once they are lost', () => {
    const killed = async (client: Redis) => {
      const id = await client.client('ID');
      await observer.call('CLIENT', 'KILL', 'ID', id);
      await eventually(() => client.status === 'end');
    };

    it('reject commands that were never sent as such, and the use as unknown', async () => {
      let inner: unknown;
      const { error } = await outcomeOf(
        backend.withConnection(async (client) => {
          await killed(client);
          inner = (await outcomeOf(client.get('key'))).error;
          throw inner;
        }),
      );
      expect(inner).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', operation: 'withConnection' });
      expect((inner as Error).message).toMatch(/cannot be reached: the connection was closed\.$/);
      expect(error).toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME', operation: 'withConnection' });
    });

    it.each([
      ['a wait for data', (client: Redis) => client.blpop('list', 0)],
      [
        'a wait for data in a pipeline',
        async (client: Redis) => {
          const [[error]] = (await client.pipeline().blpop('list', 0).exec()) as unknown as [[Error]];
          throw error;
        },
      ],
    ])('reject %s that was sent as unknown', async (_, use) => {
      const lost = outcomeOf(backend.withConnection(use as (client: Redis) => Promise<unknown>));
      await eventually(async () => String(await observer.client('LIST')).includes('cmd=blpop'));
      await observer.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      expect((await lost).error).toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME', operation: 'withConnection' });
    });

    it('reject a WATCH that was lost on its way as unknown', async () => {
      await idOf();
      const lost = outcomeOf(
        backend.withConnection((client) => {
          server.pause();
          const watched = client.watch('key');
          client.stream?.destroy();
          return watched;
        }),
      );
      try {
        expect((await lost).error).toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME', operation: 'withConnection' });
      } finally {
        server.resume();
      }
    });

    it('end a use that waits for something else, but not at once', async () => {
      const hasty = open({ port: server.port, connectionName: 'ours' }, { timeoutMs: 500 });
      try {
        await eventually(() => hasty.backend.withConnection((client) => client.ping()));
        const { error } = await outcomeOf(
          hasty.backend.withConnection(async (client) => {
            await killed(client);
            return new Promise(() => undefined);
          }),
        );
        expect(error).toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME' });
      } finally {
        await hasty.close();
      }
    });

    it('pass on the result or error that their user makes of it', async () => {
      const result = backend.withConnection(async (client) => {
        await killed(client);
        return client.get('key').catch(() => 'nothing');
      });
      expect(await result).toBe('nothing');
    });
  });
});

it('a use of a connection ends by its own deadline on a server that hangs, and not by that of the client', async () => {
  await using server = await startRedis();
  const backend = new RedisBackend(server.url, { timeoutMs: 60_000 });
  await backend.withConnection((client) => client.ping());
  server.pause();
  try {
    const ends = [
      (client: Redis) => client.get('key'),
      (client: Redis) => client.watch('key'),
      (client: Redis) => client.multi().set('key', '1').exec(),
      () => new Promise(() => undefined),
    ];
    const outcomes = ends.map((use) => outcomeOf(backend.withConnection(use as () => unknown, { timeoutMs: 200 })));
    for (const { error, elapsedMs } of await Promise.all(outcomes)) {
      expect((error as { code: string }).code).toMatch(/ERR_TIMEOUT|ERR_UNKNOWN_OUTCOME/);
      expect(elapsedMs).toBeLessThan(30_000); // The client's would be 60 s.
    }
  } finally {
    server.resume();
    await backend.close();
  }
});

it('a use with timeoutMs Infinity ends only by itself, with either face', async () => {
  await using server = await startRedis();
  const backend = new RedisBackend(server.url);
  const redis = new ShardedRedis({ nodes: [{ id: 'a', url: server.url }] });
  const options = { timeoutMs: Number.POSITIVE_INFINITY };
  try {
    expect(await backend.withConnection((client) => client.ping(), options)).toBe('PONG');
    expect(await redis.withConnection('key', (client) => client.ping(), options)).toBe('PONG');
  } finally {
    await Promise.all([backend.close(), redis.quit()]);
  }
});

it('withConnection rejects invalid options', async () => {
  const backend = new RedisBackend('redis://127.0.0.1:1');
  const use = () => 1;
  for (const options of [
    { timeoutMs: Number.NaN },
    { timeoutMs: -1 },
    { timeoutMs: '5' },
    { timeout: 5 },
    { signal: {} },
  ]) {
    await expect(backend.withConnection(use, options as object)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    });
  }
  await expect(backend.withConnection('use' as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
  await backend.close();
});

it('a signal has one listener, however many wait for a connection with it, and ends them all', async () => {
  await using server = await startRedis();
  const backend = new RedisBackend(server.url, { pool: { max: 1 }, timeoutMs: patientMs });
  const controller = new AbortController();
  const { signal } = controller;
  const ends: (() => void)[] = [];
  const held = backend.withConnection(() => new Promise<void>((resolve) => void ends.push(resolve)));
  await eventually(() => ends.length === 1);
  const waiting = Array.from({ length: 5_000 }, () => outcomeOf(backend.withConnection(() => 1, { signal })));
  await turn();
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  const reason = new Error('no longer wanted');
  controller.abort(reason);
  for (const { error } of await Promise.all(waiting)) expect(error).toBe(reason);
  ends[0]!();
  await held;
  expect(await backend.withConnection((client) => client.ping())).toBe('PONG');
  await backend.close();
});
