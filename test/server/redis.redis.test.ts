import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RedisBackend } from '../../src/redis/index.ts';
import { eventually } from '../support/eventually.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { connectionKinds } from '../support/redis-clients.ts';

const value = Buffer.from([0, 1, 2, 255, 13, 10]);

let server: RedisServer;
let observer: Redis;

beforeAll(async () => {
  server = await startRedis({ unixSocket: true });
  observer = new Redis(server.port);
});

afterAll(async () => {
  observer.disconnect();
  await server.stop();
});

beforeEach(async () => {
  await observer.flushall();
});

async function expectToWork(backend: RedisBackend): Promise<void> {
  await backend.set('key', value);
  expect(await backend.get('key')).toEqual(value);
  expect(await backend.get('absent')).toBeUndefined();
}

describe('a RedisBackend reaches its server', () => {
  it('by a URL', async () => {
    await using backend = new RedisBackend(server.url);
    await expectToWork(backend);
    expect(backend.nodeName).toBe(`127.0.0.1:${server.port}`);
  });

  it('by options of ioredis', async () => {
    await using backend = new RedisBackend({ host: '127.0.0.1', port: server.port, db: 2 });
    await expectToWork(backend);
    expect(await observer.call('DBSIZE')).toBe(0);
  });

  it('by a host name, and by an address of IPv4 that stands for it', async () => {
    await using backend = new RedisBackend(`redis://localhost:${server.port}?family=4`);
    await expectToWork(backend);
  });

  it('by a socket file', async () => {
    await using backend = new RedisBackend(`unix://${server.socketPath}`);
    await expectToWork(backend);
    expect(backend.nodeName).toBe(server.socketPath);
  });

  it.each(['/3', '?db=3'])('in the database that the URL names with %s', async (suffix) => {
    await using backend = new RedisBackend(server.url + suffix);
    await expectToWork(backend);
    expect(await observer.exists('key')).toBe(0);
    await observer.select(3);
    expect(await observer.getBuffer('key')).toEqual(value);
    await observer.select(0);
  });

  it('in the database that the URL of a socket file names', async () => {
    await using backend = new RedisBackend(`unix://${server.socketPath}?db=4`);
    await expectToWork(backend);
    expect(await observer.exists('key')).toBe(0);
  });

  it('as a user, with a password of any characters', async () => {
    const password = 'p@ss:w/ö rd%#?';
    await observer.acl('SETUSER', 'someone', 'on', `>${password}`, '~*', '+@all');
    const credentials = `someone:${encodeURIComponent(password)}@`;
    await using byNetwork = new RedisBackend(`redis://${credentials}127.0.0.1:${server.port}`);
    await using bySocket = new RedisBackend(`unix://${credentials}${server.socketPath}`);
    for (const backend of [byNetwork, bySocket]) {
      await expectToWork(backend);
      expect(await backend.withConnection((client) => client.acl('WHOAMI'))).toBe('someone');
    }
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
  `TLS${hasOpenssl ? '' : ' (skipped: there is no openssl to make a certificate with)'}`,
  () => {
    let directory: string;
    let tlsServer: RedisServer;
    let certificate: string;

    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), 'shardring-tls-'));
      const certFile = join(directory, 'cert.pem');
      const keyFile = join(directory, 'key.pem');
      const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
      const options = [
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
      execFileSync('openssl', [...options, ...subject], { stdio: 'ignore' });
      certificate = readFileSync(certFile, 'utf8');
      tlsServer = await startRedis({ tls: { certFile, keyFile }, password: 'hunter2' });
    });

    afterAll(async () => {
      await tlsServer.stop();
      rmSync(directory, { recursive: true, force: true });
    });

    it('works with a certificate that the application trusts', async () => {
      const tls = { ca: certificate };
      await using backend = new RedisBackend({ host: '127.0.0.1', port: tlsServer.port, password: 'hunter2', tls });
      await expectToWork(backend);
      await expect(backend.withConnection((client) => client.ping())).resolves.toBe('PONG');
    });

    it('refuses a server whose certificate nobody vouches for', async () => {
      expect(tlsServer.url).toMatch(/^rediss:/);
      await using backend = new RedisBackend(tlsServer.url);
      const cause = { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' };
      await expect(backend.get('key')).rejects.toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', cause });
    });

    it('reports that a TLS-only server cannot be reached without TLS', async () => {
      await using backend = new RedisBackend(`redis://127.0.0.1:${tlsServer.port}`);
      await expect(backend.get('key')).rejects.toMatchObject({ code: 'ERR_NODE_UNAVAILABLE' });
    });
  },
);

describe.each(connectionKinds)('a RedisBackend with $title', ({ open }) => {
  it('writes keys and values as any other client reads them', async () => {
    const { backend, close } = open({ port: server.port }, { keyPrefix: 'app:' });
    await backend.set('schlüssel 🗝', value);
    expect(await observer.getBuffer('app:schlüssel 🗝')).toEqual(value);
    await backend.set('\ud800', value);
    expect(await observer.getBuffer(Buffer.from('6170703aeda080', 'hex'))).toEqual(value);
    await close();
  });

  it('omits keys from a scan that are the encoding of no string', async () => {
    const { backend, close } = open({ port: server.port }, { keyPrefix: 'app:' });
    await observer.mset(Buffer.from('app:\xff', 'latin1'), '1', 'app:good', '1', 'other', '1');
    const keys: string[] = [];
    for await (const key of backend.scan()) keys.push(key);
    expect(keys).toEqual(['good']);
    await close();
  });

  it('clears everything below its prefix, whatever characters that has, and nothing else', async () => {
    const keyPrefix = 'a*p[p]?\\:';
    const { backend, close } = open({ port: server.port }, { keyPrefix });
    const others = ['app:1', 'aXp[p]?\\:1', 'a*p[p]x\\:1', 'a*pp?\\:1', 'a*p[p]?:1'];
    for (const key of others) await observer.set(key, '1');
    const entries = Array.from({ length: 2_500 }, (_, index) => [`${index}`, value] as const);
    expect((await backend.setMany(entries)).size).toBe(0);
    await observer.set(Buffer.concat([Buffer.from(keyPrefix), Buffer.of(0xff)]), 'no string has this key');
    await backend.clear();
    expect((await observer.keys('*')).sort()).toEqual([...others].sort());
    await close();
  });

  it('carries calls on more keys than fit into one command', async () => {
    const { backend, close } = open({ port: server.port }, { timeoutMs: 10_000 });
    const entries = Array.from({ length: 2_345 }, (_, index) => [`key ${index}`, Buffer.from(`${index}`)] as const);
    const keys = entries.map(([key]) => key);
    expect((await backend.setMany(entries, { expiresAtMs: Date.now() + 60_000 })).size).toBe(0);
    expect(await backend.getMany(keys)).toEqual(entries.map(([, each]) => each));
    expect(await backend.getMany([])).toEqual([]);
    const deleted = await backend.deleteMany([...keys, 'absent']);
    expect(deleted).toEqual([...keys.map(() => true), false]);
    await close();
  });

  it('makes one connection for calls that come before there is one', async () => {
    const { backend, close } = open({ port: server.port, connectionName: 'counted' });
    await Promise.all(Array.from({ length: 100 }, (_, index) => backend.set(`${index}`, value)));
    const list = String(await observer.client('LIST'));
    expect(list.match(/name=counted/g)).toHaveLength(1);
    await close();
  });
});

describe('a borrowed client', () => {
  it('stays open, with its own commands working, when the backend is closed', async () => {
    const client = new Redis(server.port);
    const backend = new RedisBackend(client);
    await backend.set('key', value);
    await backend.close();
    await expect(backend.get('key')).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    expect(await client.getBuffer('key')).toEqual(value);
    client.disconnect();
  });

  it('may be shared by two backends with prefixes of their own', async () => {
    const client = new Redis(server.port);
    await using one = new RedisBackend(client, { keyPrefix: 'one:' });
    await using other = new RedisBackend(client, { keyPrefix: 'other:' });
    await one.set('key', value);
    expect(await other.get('key')).toBeUndefined();
    await other.set('key', value);
    await one.clear();
    expect(await other.get('key')).toEqual(value);
    client.disconnect();
  });

  it('makes calls fail at once if its owner has closed it', async () => {
    const client = new Redis(server.port);
    await using backend = new RedisBackend(client, { timeoutMs: 60_000 });
    await backend.ping();
    client.disconnect();
    await eventually(() => client.status === 'end');
    await expect(backend.get('key')).rejects.toMatchObject({ code: 'ERR_NODE_UNAVAILABLE' });
  });
});
