/** DirectClient with real servers: the contract of a backend over it, loss of connections, TLS, users, socket files. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RedisBackend, type RedisBackendOptions } from '../../../src/redis/index.ts';
import { DirectClient } from '../../../src/server/direct/direct-client.ts';
import { DirectCommand } from '../../../src/server/direct/direct-command.ts';
import type { DirectClientOptions } from '../../../src/server/direct/direct-options.ts';
import { describeBackend } from '../../../src/testing/backend-suite.ts';
import { eventually, outcomeOf } from '../../support/eventually.ts';
import { passTime } from '../../support/pass-time.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';

/** For what is to succeed, or to end by something else than its deadline: a busy machine may take its time. */
const patientMs = 15_000;

const value = Buffer.from('1');

function open(options: DirectClientOptions, backendOptions: RedisBackendOptions = {}) {
  const client = new DirectClient({ host: '127.0.0.1', ...options });
  const backend = new RedisBackend(client, { timeoutMs: patientMs, ...backendOptions });
  const close = async () => {
    await backend.close();
    client.disconnect();
  };
  return { client, backend, close };
}

/** Forwards in pieces of a few bytes, each in a packet of its own. */
async function startSlicer(port: number) {
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    client.setNoDelay(true);
    client.on('data', (request) => upstream.write(request));
    upstream.on('data', (reply: Buffer) => {
      let at = 0;
      const next = () => {
        if (at >= reply.length) return void upstream.resume();
        const size = 1 + ((at * 7) % 5);
        client.write(reply.subarray(at, at + size));
        at += size;
        setImmediate(next);
      };
      upstream.pause();
      next();
    });
    client.on('close', () => upstream.destroy()).on('error', () => undefined);
    upstream.on('close', () => client.destroy()).on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as { port: number }).port, close: () => server.close() };
}

for (const protocol of [2, 3] as const) {
  describe(`a DirectClient over RESP${protocol}`, () => {
    let server: RedisServer;
    let observer: Redis;
    const opened: (() => Promise<void>)[] = [];

    beforeAll(async () => {
      server = await startRedis();
      observer = new Redis(server.port);
    });

    afterAll(async () => {
      await Promise.all(opened.map((close) => close()));
      observer.disconnect();
      await server.stop();
    });

    describeBackend(
      { describe, it },
      {
        name: 'RedisBackend with a direct connection',
        async create({ keyPrefix, joinsStore }) {
          const options = { ...(keyPrefix === undefined ? {} : { keyPrefix }), timeoutMs: patientMs };
          const { backend, close } = open({ port: server.port, protocol }, options);
          opened.push(close);
          if (!joinsStore) await observer.flushall();
          return backend;
        },
        passTime,
        nowMs: () => Date.now(),
        unsupported: { exactTime: "a server's clock cannot be stopped" },
      },
    );

    it('gets the same replies as ioredis gives, of every kind', async () => {
      const { client, close } = open({ port: server.port, protocol });
      const reference = new Redis(server.port, { protocol: 2, lazyConnect: true });
      await Promise.all([client.connect(), reference.connect()]);
      await reference.mset('string', Buffer.from([0, 255, 13, 10]), 'empty', '');
      await reference.hset('hash', 'field', 'value', 'other', '1.5');
      await reference.zadd('sorted', 1.5, 'one', 'inf', 'two');
      await reference.sadd('set', 'member');
      const asked: [string, ...(string | number)[]][] = [
        ...(['get string', 'get empty', 'get none', 'mget string none', 'strlen string'] as const).map(
          (text) => text.split(' ') as [string, ...string[]],
        ),
        ['hgetall', 'hash'],
        ['hget', 'hash', 'field'],
        ['zscore', 'sorted', 'one'],
        ['zscore', 'sorted', 'two'],
        ['smembers', 'set'],
        ['sismember', 'set', 'member'],
        ['set', 'string', 'x'],
        ['eval', "return {1, 'two', {3, false}, redis.error_reply('ERR four')}", 0],
        ['config', 'get', 'maxmemory'],
        ['lpop', 'none', 3],
        ['geopos', 'none', 'a'],
        ['incrby', 'number', '9007199254740993'],
      ];
      for (const [name, ...args] of asked) {
        const got = await (client.callBuffer(name, ...args) as Promise<unknown>);
        if (name === 'incrby') await reference.del('number');
        // In capitals ioredis knows no transformation of its own for it.
        const wanted = await reference.callBuffer(name.toUpperCase(), ...args);
        expect(JSON.stringify(got), name).toBe(JSON.stringify(wanted));
        expect(got, name).toStrictEqual(name === 'eval' ? got : wanted);
      }
      const refused = await outcomeOf(client.callBuffer('lpush', 'string', 'a') as Promise<unknown>);
      const wanted = await outcomeOf(reference.callBuffer('lpush', 'string', 'a'));
      expect((refused.error as Error).message).toBe((wanted.error as Error).message);
      expect((refused.error as Error).name).toBe('ReplyError');
      reference.disconnect();
      await close();
    });

    it('sends commands made by ioredis, with the same results as ioredis', async () => {
      const { client, close } = open({ port: server.port, protocol });
      await client.connect();
      await observer.del('of-ioredis');
      await observer.hset('of-ioredis', 'field', 'value');
      await observer.zadd('of-ioredis-sorted', 1, 'a', 2, 'b');
      const send = (command: InstanceType<typeof Redis.Command>) => {
        const { promise } = command;
        client.sendCommand(command as never);
        return promise;
      };
      const text = { replyEncoding: 'utf8' } as const;
      expect(await send(new Redis.Command('hgetall', ['of-ioredis'], text))).toEqual({ field: 'value' });
      const range = await send(new Redis.Command('zrange', ['of-ioredis-sorted', '0', '-1', 'WITHSCORES'], text));
      expect(range).toEqual(await observer.zrange('of-ioredis-sorted', '0', '-1', 'WITHSCORES'));
      const refused = await outcomeOf(send(new Redis.Command('get', ['of-ioredis'], text)) as Promise<unknown>);
      expect(refused.error).toMatchObject({ name: 'ReplyError', command: { name: 'get', args: ['of-ioredis'] } });
      await close();
    });

    it('puts together replies that arrive in pieces of a few bytes', async () => {
      const slicer = await startSlicer(server.port);
      const { backend, close } = open({ port: slicer.port, protocol });
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(fc.tuple(fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 200 })), {
            maxLength: 10,
            selector: ([key]) => key,
          }),
          async (entries) => {
            await backend.setMany(entries);
            const keys = entries.map(([key]) => key);
            const [many, ...each] = await Promise.all([
              backend.getMany([...keys, 'no such key']),
              ...keys.map((key) => backend.get(key)),
            ]);
            const wanted = entries.map(([, bytes]) => Buffer.from(bytes));
            expect(many).toEqual([...wanted, undefined]);
            expect(each).toEqual(wanted);
          },
        ),
        { numRuns: 20 },
      );
      await close();
      slicer.close();
    });

    it('carries a value of 30 MB there and back among others', async () => {
      const { backend, close } = open({ port: server.port, protocol });
      const large = Buffer.alloc(30 * 1024 * 1024, 'large ');
      const [, , got] = await Promise.all([
        backend.set('large', large),
        backend.set('small', value),
        backend.get('small'),
      ]);
      expect(got).toEqual(value);
      const [first, second] = await Promise.all([backend.get('large'), backend.get('small')]);
      expect(Buffer.compare(first as Buffer, large)).toBe(0);
      expect(second).toEqual(value);
      await backend.delete('large');
      await close();
    });
  });
}

describe('a RedisBackend with a direct connection', () => {
  let server: RedisServer;
  let proxy: TcpProxy;
  let observer: Redis;
  let opened: ReturnType<typeof open>;

  beforeEach(async () => {
    server = await startRedis();
    proxy = await startTcpProxy(server);
    observer = new Redis(server.port);
    observer.on('error', () => undefined);
    opened = open({ port: proxy.port });
  });

  afterEach(async () => {
    await opened.close();
    observer.disconnect();
    await proxy.close();
    await server.stop();
  });

  it('fails at once when the server was killed, and works by itself when it is back', async () => {
    const { backend, close } = open({ port: server.port });
    await backend.set('key', value);
    await server.kill();
    const first = await outcomeOf(backend.get('key'));
    expect(first.error).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE' });
    // The first one may have ended with its connection, before anything was known of the next.
    const known = await eventually(async () => {
      const outcome = await outcomeOf(backend.get('key'));
      return outcome.endedAtOnce && outcome;
    });
    expect(known.error).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', cause: { code: 'ECONNREFUSED' } });
    await server.restart();
    await eventually(() => backend.set('key', value).then(() => true));
    expect(await backend.get('key')).toEqual(value);
    await close();
  });

  it('executes an increment whose reply was lost once, and says that it does not know', async () => {
    const { backend } = opened;
    await backend.ping();
    proxy.behaviour = 'loseReply';
    const { error } = await outcomeOf(backend.increment('counter', 1));
    expect(error).toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME', operation: 'increment' });
    proxy.behaviour = 'forward';
    await eventually(() => backend.ping().then(() => true));
    expect(await backend.get('counter')).toEqual(value);
    expect(await observer.get('counter')).toBe('1');
  });

  it('fails calls in flight at once when the connection is reset', async () => {
    const { backend, client } = opened;
    await backend.ping();
    proxy.behaviour = 'stall';
    const calls = [
      outcomeOf(backend.get('key', { timeoutMs: 60_000 })),
      outcomeOf(backend.set('key', value, { timeoutMs: 60_000 })),
    ];
    await eventually(() => client.commandQueue?.length === 2);
    proxy.resetAll();
    const [read, write] = await Promise.all(calls);
    expect(read!.error).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', cause: { code: 'ECONNRESET' } });
    expect(write!.error).toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME' });
  });

  it('reports that something other than Redis does not speak the protocol', async () => {
    const { backend } = opened;
    await backend.ping();
    proxy.behaviour = { answer: 'HTTP/1.1 400 Bad Request\r\n\r\n' };
    const { error } = await outcomeOf(backend.get('key'));
    expect(error).toMatchObject({ code: 'ERR_NODE_PROTOCOL' });
    proxy.behaviour = { answer: '?!\r\n' };
    await eventually(async () => (await outcomeOf(backend.get('key'))).error !== undefined);
    proxy.behaviour = 'forward';
    await eventually(() => backend.ping().then(() => true));
  });

  it('keeps deadlines while the server is stopped, and the right order of replies after', async () => {
    const { backend } = opened;
    await backend.set('a', Buffer.from('a'));
    await backend.set('b', Buffer.from('b'));
    server.pause();
    const late = await outcomeOf(() => backend.get('a', { timeoutMs: 50 }));
    expect(late.error).toMatchObject({ code: 'ERR_TIMEOUT', timeoutMs: 50 });
    expect(late.elapsedMs).toBeGreaterThanOrEqual(48);
    expect(late.elapsedMs).toBeLessThan(10_000); // Nothing else would end it: the connection stays open.
    const other = backend.get('b');
    server.resume();
    expect(await other).toEqual(Buffer.from('b'));
  });

  it('gives every reply to its caller while connections are lost again and again', async () => {
    const { backend } = opened;
    const keys = Array.from({ length: 50 }, (_, index) => `key ${index}`);
    await eventually(() => backend.setMany(keys.map((key) => [key, Buffer.from(key)])).then(() => true));
    let [right, failed, isOver] = [0, 0, false];
    const caller = async (number: number) => {
      for (let time = number; !isOver; time++) {
        const key = keys[time % keys.length]!;
        const { value: got, error } = await outcomeOf(backend.get(key));
        if (error === undefined) {
          expect(String(got)).toBe(key);
          right++;
        } else {
          failed++;
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    };
    const callers = Promise.all(Array.from({ length: 20 }, (_, number) => caller(number)));
    for (let round = 0; round < 10; round++) {
      const before = right;
      await eventually(() => right > before + 200);
      proxy.resetAll();
    }
    isOver = true;
    await callers;
    expect(failed).toBeGreaterThan(0);
  });
});

describe('DirectClient', () => {
  it('works over a socket file, in the database asked for', async () => {
    await using server = await startRedis({ unixSocket: true });
    const { backend, close } = open({ path: server.socketPath!, db: 3 });
    await backend.set('key', value);
    const observer = new Redis(server.port, { db: 3 });
    expect(await observer.get('key')).toBe('1');
    observer.disconnect();
    await close();
  });

  it.each([2, 3] as const)('logs in by password and as a user, over RESP%i', async (protocol) => {
    await using server = await startRedis({ password: 'hunter2' });
    const admin = new Redis(server.url);
    await admin.call('ACL', 'SETUSER', 'ann', 'on', '>sesame', '~*', '+@all');
    const places = [{ password: 'hunter2' }, { username: 'ann', password: 'sesame', connectionName: 'of-ann' }];
    for (const place of places) {
      const { client, close } = open({ port: server.port, protocol, ...place });
      await client.connect();
      const list = String(await (client.callBuffer('client', 'info') as Promise<unknown>));
      expect(list).toContain(`user=${place.username ?? 'default'} `);
      if (place.connectionName !== undefined) expect(list).toContain(`name=${place.connectionName} `);
      expect(list).toContain(`resp=${protocol}`);
      await close();
    }
    const wrong = open({ port: server.port, protocol, username: 'ann', password: 'no' });
    await expect(wrong.backend.get('key')).rejects.toMatchObject({ code: 'ERR_NODE_REPLY', kind: 'WRONGPASS' });
    await wrong.close();
    const none = open({ port: server.port, protocol });
    const { error } = await outcomeOf(none.backend.get('key'));
    expect(error).toMatchObject({ code: 'ERR_NODE_REPLY', kind: 'NOAUTH' });
    await none.close();
    admin.disconnect();
  });

  it('understands every reply that a pipeline of any commands gets from a server', async () => {
    await using server = await startRedis();
    const { client, close } = open({ port: server.port });
    await client.connect();
    const anyCommand = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => ['echo', Buffer.from(bytes)] as const),
      fc.string({ unit: 'binary' }).map((text) => ['echo', text] as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(anyCommand, { maxLength: 50 }), async (commands) => {
        const replies = commands.map(([name, arg]) => {
          const command = new DirectCommand(name, [arg]);
          const { promise } = command;
          client.sendCommand(command);
          return promise;
        });
        expect(await Promise.all(replies)).toEqual(commands.map(([, arg]) => Buffer.from(arg as string)));
      }),
      { numRuns: 100 },
    );
    await close();
  });
});

const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasOpenssl)(
  `DirectClient over TLS${hasOpenssl ? '' : ' (skipped: there is no openssl to make a certificate with)'}`,
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'shardring-direct-tls-'));
    const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
    let server: RedisServer;

    beforeAll(async () => {
      const make = [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '2',
        '-keyout',
        keyFile,
        '-out',
        certFile,
      ];
      const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
      execFileSync('openssl', [...make, ...subject], { stdio: 'ignore' });
      server = await startRedis({ tls: { certFile, keyFile }, password: 'hunter2' });
    });

    afterAll(async () => {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    });

    it('works with a certificate that the application trusts', async () => {
      const tls = { ca: readFileSync(certFile, 'utf8') };
      const { backend, close } = open({ port: server.port, password: 'hunter2', tls });
      const large = Buffer.alloc(5_000_000, 'x');
      await Promise.all([backend.set('key', large), backend.set('other', value)]);
      const [first, second] = await Promise.all([backend.get('key'), backend.get('other')]);
      expect(Buffer.compare(first as Buffer, large)).toBe(0);
      expect(second).toEqual(value);
      await close();
    });

    it('refuses a server whose certificate nobody vouches for', async () => {
      const { backend, close } = open({ port: server.port, password: 'hunter2', tls: {} });
      const cause = { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' };
      await expect(backend.get('key')).rejects.toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', cause });
      await close();
    });

    it('cannot reach a TLS-only server without TLS', async () => {
      const { backend, close } = open({ port: server.port });
      await expect(backend.get('key')).rejects.toMatchObject({ code: 'ERR_NODE_UNAVAILABLE' });
      await close();
    });
  },
);
