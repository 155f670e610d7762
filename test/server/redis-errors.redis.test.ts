import { inspect } from 'node:util';
import { Redis, type RedisOptions } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { RedisBackend, type RedisNodeOptions } from '../../src/redis/index.ts';
import { eventually, outcomeOf, patientMs } from '../support/eventually.ts';
import { type RedisServer, type RedisServerOptions, startRedis } from '../support/redis.ts';
import { connectionKinds, type OpenBackend } from '../support/redis-clients.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const password = 'hunter2-right';
const wrongPassword = 'hunter2-wrong';
const key = 'hunter2-key';
const value = Buffer.from('hunter2-value');

/** Everything that a logger could make of an error must be free of what all the secrets above have in common. */
function expectNoSecrets(error: unknown): void {
  const seen: string[] = [
    inspect(error, { depth: 10, showHidden: true, getters: true }),
    JSON.stringify(error),
    String(error),
  ];
  for (let one = error; one instanceof Error; one = one.cause) {
    seen.push(one.message, one.stack ?? '', JSON.stringify(Object.getOwnPropertyDescriptors(one)));
  }
  expect(seen.join('\n')).not.toContain('hunter2');
}

describe.each(connectionKinds)('a RedisBackend with $title', ({ open }) => {
  const closing: (() => Promise<unknown>)[] = [];

  async function start(options: RedisServerOptions): Promise<RedisServer> {
    const server = await startRedis(options);
    closing.push(() => server.stop());
    return server;
  }

  function connect(...args: Parameters<typeof open>): OpenBackend['backend'] {
    const { backend, close } = open(...args);
    closing.push(close);
    return backend;
  }

  async function administer<Result>(server: RedisServer, use: (client: Redis) => Promise<Result>): Promise<Result> {
    const client = new Redis(server.url);
    try {
      return await use(client);
    } finally {
      client.disconnect();
    }
  }

  async function expectRefusal(call: Promise<unknown>, kind: string, retryable: boolean): Promise<void> {
    const { error } = await outcomeOf(call);
    expect(error).toMatchObject({ code: 'ERR_NODE_REPLY', kind, retryable, cause: expect.any(Error) });
    expectNoSecrets(error);
  }

  afterEach(async () => {
    // Backends first: they were opened last.
    for (const close of closing.splice(0).reverse()) await close();
  });

  it('reports a full server', async () => {
    const server = await start({ args: ['--maxmemory', '2mb', '--maxmemory-policy', 'noeviction'] });
    const backend = connect({ port: server.port });
    const large = Buffer.alloc(500_000);
    const outcomes = [];
    for (let index = 0; index < 10; index++) outcomes.push(await outcomeOf(backend.set(`${key}${index}`, large)));
    const { error } = outcomes.at(-1)!;
    await expectRefusal(Promise.reject(error), 'OOM', true);
    expect(await backend.get('absent')).toBeUndefined();
  });

  it('reports for each entry of setMany what the server rejected, and rejects if it rejected all', async () => {
    const server = await start({});
    await administer(server, (client) => client.acl('SETUSER', 'writer', 'on', `>${password}`, '+@all', '~allowed*'));
    const backend = connect({ port: server.port, username: 'writer', password });
    const failures = await backend.setMany([
      ['allowed:1', value],
      [key, value],
      ['allowed:2', value],
    ]);
    expect([...failures.keys()]).toEqual([1]);
    await expectRefusal(Promise.reject(failures.get(1)), 'NOPERM', false);
    expect(await backend.getMany(['allowed:1', 'allowed:2'])).toEqual([value, value]);
    await expectRefusal(backend.setMany([[key, value]]), 'NOPERM', false);
    await expectRefusal(backend.deleteMany(['allowed:1', key]), 'NOPERM', false);
    await expectRefusal(backend.getWithExpiry(key), 'NOPERM', false);
    expect(await backend.getWithExpiry('allowed:2')).toEqual({ value, expiresAtMs: undefined });
  });

  it('reports a replica that takes no writes, and one that has lost its primary', async () => {
    const master = await start({ args: ['--repl-diskless-sync-delay', '0'] });
    const server = await start({
      args: ['--replicaof', '127.0.0.1', `${master.port}`, '--replica-serve-stale-data', 'no'],
    });
    const options: RedisNodeOptions = { port: server.port, reads: 'replica' };
    const backend = connect(options as RedisOptions);
    await eventually(() => backend.get(key).then(() => true));
    await expectRefusal(backend.set(key, value), 'READONLY', true);
    await master.stop();
    const { error } = await eventually(async () => {
      const outcome = await outcomeOf(backend.get(key));
      return outcome.error !== undefined && outcome;
    });
    await expectRefusal(Promise.reject(error), 'MASTERDOWN', true);
  });

  it('reports a key that does not hold a string', async () => {
    const server = await start({});
    await administer(server, (client) => client.lpush(key, value));
    const backend = connect({ port: server.port });
    await expectRefusal(backend.get(key), 'WRONGTYPE', false);
    await expectRefusal(backend.increment(key, 1), 'WRONGTYPE', false);
    await expectRefusal(backend.getWithExpiry(key), 'WRONGTYPE', false);
  });

  it('reports a server that wants a password, and one that wants another', async () => {
    const server = await start({ password });
    await expectRefusal(connect({ port: server.port }).get(key), 'NOAUTH', false);
    const wrong = connect({ port: server.port, password: wrongPassword });
    await expectRefusal(wrong.get(key), 'WRONGPASS', false);
    await expectRefusal(wrong.set(key, value), 'WRONGPASS', false);
    const right = connect({ port: server.port, password });
    await right.set(key, value);
    expect(await right.get(key)).toEqual(value);
  });

  it('reports what a user may not do', async () => {
    const server = await start({});
    await administer(server, (client) =>
      client.acl('SETUSER', 'reader', 'on', `>${password}`, '~*', '+get', '+ping', '+info', '+select'),
    );
    const backend = connect({ port: server.port, username: 'reader', password });
    expect(await backend.get(key)).toBeUndefined();
    await expectRefusal(backend.set(key, value), 'NOPERM', false);
    await expectRefusal(
      connect({ port: server.port, username: 'reader', password: wrongPassword }).get(key),
      'WRONGPASS',
      false,
    );
  });

  it('does not repeat what a server quotes of a command that it does not know', async () => {
    const server = await start({ args: ['--rename-command', 'UNLINK', '', '--rename-command', 'SET', ''] });
    const backend = connect({ port: server.port });
    await expectRefusal(backend.delete(key), 'OTHER', false);
    await expectRefusal(backend.set(key, value), 'OTHER', false);
  });

  it('reads expiry times of a server that has no PEXPIRETIME, within the time of a round trip', async () => {
    const server = await start({ args: ['--rename-command', 'PEXPIRETIME', ''] });
    const backend = connect({ port: server.port });
    const expiresAtMs = Date.now() + 60_000;
    await backend.set(key, value, { expiresAtMs });
    for (let round = 0; round < 2; round++) {
      const found = await backend.getWithExpiry(key);
      expect(found?.value).toEqual(value);
      expect(Math.abs(found!.expiresAtMs! - expiresAtMs)).toBeLessThan(1_000);
      expect(Math.abs((await backend.expiresAt(key))! - expiresAtMs)).toBeLessThan(1_000);
    }
    expect(await backend.getWithExpiry('absent')).toBeUndefined();
  });

  it('reports a server that is loading its data', async () => {
    const server = await start({
      args: [
        '--enable-debug-command',
        'yes',
        '--loading-process-events-interval-bytes',
        '1024',
        '--key-load-delay',
        '500',
      ],
    });
    const backend = connect({ port: server.port });
    await backend.ping();
    const admin = new Redis(server.port);
    await admin.call('DEBUG', 'POPULATE', '2000');
    const reloaded = admin.call('DEBUG', 'RELOAD');
    const { error } = await eventually(async () => {
      const outcome = await outcomeOf(backend.get(key));
      return outcome.error !== undefined && outcome;
    });
    await expectRefusal(Promise.reject(error), 'LOADING', true);
    await reloaded;
    admin.disconnect();
    expect(await backend.get(key)).toBeUndefined();
  });

  it('reports an increment of a value that is not an integer, and leaves the value', async () => {
    const server = await start({});
    const backend = connect({ port: server.port });
    await backend.set(key, value);
    const { error } = await outcomeOf(backend.increment(key, 1));
    expect(error).toMatchObject({ code: 'ERR_NOT_AN_INTEGER', cause: expect.any(Error) });
    expectNoSecrets(error);
    expect(await backend.get(key)).toEqual(value);
  });

  it('reports a server that accepts no more clients as one that cannot be reached', async () => {
    const server = await start({ args: ['--maxclients', '1'] });
    const only = connect({ port: server.port });
    await only.ping();
    const { error } = await outcomeOf(connect({ port: server.port }).get(key));
    expect(error).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', retryable: true });
  });

  it('never shows a password, a key or a value when the server cannot be reached, stalls, or resets', async () => {
    const server = await start({ password });
    const proxy = await startTcpProxy(server);
    closing.push(() => proxy.close());
    const backend = connect({ port: proxy.port, password }, { timeoutMs: 200 });
    await backend.ping({ timeoutMs: patientMs });
    const errors: unknown[] = [];
    for (const behaviour of ['stall', 'loseReply', { answer: '?!\r\n' }, { answer: `+${value}\r\n` }] as const) {
      proxy.behaviour = behaviour;
      errors.push((await outcomeOf(backend.set(key, value))).error, (await outcomeOf(backend.increment(key, 1))).error);
      proxy.behaviour = 'forward';
      proxy.resetAll(); // Requests that a stall has dropped are missing from this connection for ever.
      await eventually(() => backend.ping().then(() => true));
    }
    await proxy.close();
    errors.push((await outcomeOf(backend.set(key, value))).error);
    await backend.close();
    errors.push((await outcomeOf(backend.set(key, value))).error);
    for (const error of errors) expectNoSecrets(error);
  });
});

describe('a RedisBackend with a client of its own', () => {
  it('never writes into another database when the one it was told does not exist', async () => {
    await using server = await startRedis();
    await using backend = new RedisBackend(`redis://127.0.0.1:${server.port}/99`);
    await expect(backend.set(key, value)).rejects.toMatchObject({ code: 'ERR_NODE_REPLY', kind: 'OTHER' });
    await expect(backend.set(key, value)).rejects.toMatchObject({ code: 'ERR_NODE_REPLY', kind: 'OTHER' });
    await using first = new RedisBackend(server.url);
    expect(await first.get(key)).toBeUndefined();
  });

  it('names an unreachable address without the password', async () => {
    await using backend = new RedisBackend(`redis://user:${password}@127.0.0.1:1`);
    const { error } = await outcomeOf(backend.get(key));
    expect(error).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', node: '127.0.0.1:1' });
    expectNoSecrets(error);
  });

  it('emits no unhandled rejection and leaves no listener on a borrowed client', async () => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown) => void unhandled.push(reason);
    process.on('unhandledRejection', listen);
    await using server = await startRedis();
    const client = new Redis(server.port);
    client.on('error', () => undefined);
    const events = ['connect', 'ready', 'error', 'close', 'end'];
    const countListeners = () => events.map((event) => client.listenerCount(event));
    await eventually(() => client.status === 'ready');
    const before = countListeners();
    const backend = new RedisBackend(client, { timeoutMs: 200 });
    await backend.ping({ timeoutMs: patientMs });
    await server.kill();
    await Promise.all(Array.from({ length: 20 }, () => outcomeOf(backend.set(key, value))));
    await backend.close();
    await server.restart();
    await eventually(() => client.ping());
    // Those of ioredis itself come and go while it connects again.
    expect(countListeners()).toEqual(before);
    client.disconnect();
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', listen);
    expect(unhandled).toEqual([]);
  });
});
