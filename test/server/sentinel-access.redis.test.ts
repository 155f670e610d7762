import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisBackend } from '../../src/server/backend/redis-backend.ts';
import { eventually, outcomeOf } from '../support/eventually.ts';
import { freePort, type RedisServer } from '../support/redis.ts';
import { type SentinelGroup, startSentinelGroup } from '../support/sentinel.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

/** A group is up after two or three seconds, and on a busy machine later. */
const hookTimeoutMs = 60_000;

/** For what is to succeed, or to end by something else than its deadline. */
const patientMs = 15_000;

const value = Buffer.from('1');

async function expectToWork(backend: RedisBackend): Promise<void> {
  await backend.set('key', value);
  expect(await backend.get('key')).toEqual(value);
  expect(await backend.withConnection((client) => client.get('key'))).toBe('1');
}

describe('a group without information', () => {
  const name = 'shard-7';
  // The sentinels' own words are waited for; see the one that is silent.
  const secrets = { password: 'hunter2', sentinelPassword: 'hunter3', sentinelCommandTimeout: 10_000 };

  async function expectUnavailable(target: object, expected: string): Promise<void> {
    await using backend = new RedisBackend({ ...secrets, ...target }, { timeoutMs: patientMs });
    const calls = [() => backend.set('key', value), () => backend.withConnection((client) => client.ping())];
    for (const call of calls) {
      // The error tells that it was not the deadline.
      const { error } = await outcomeOf(call());
      expect(error).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', node: name, retryable: true });
      const text = `${(error as Error).message} ${((error as Error).cause as Error).message}`;
      expect(text).toContain(name);
      expect(text).toContain(expected);
      expect(text).not.toMatch(/hunter/);
    }
    const known = await outcomeOf(backend.get('key'));
    expect(known.error).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE' });
    expect(known.endedAtOnce).toBe(true);
  }

  it('cannot be reached, and why: no sentinel is there', async () => {
    const [one, other] = [await freePort(), await freePort()];
    const sentinels = [one, other].map((port) => ({ host: '127.0.0.1', port }));
    await expectUnavailable({ sentinels, name }, `127.0.0.1:${other}: connect ECONNREFUSED`);
  });

  describe('though sentinels exist,', () => {
    let group: SentinelGroup;
    beforeAll(async () => {
      group = await startSentinelGroup({ sentinels: 1, sentinelPassword: 'hunter3' });
    }, hookTimeoutMs);
    afterAll(() => group.stop());

    it('cannot be reached, and why: what should be a sentinel accepts and is silent', async () => {
      await using proxy = await startTcpProxy(group.sentinels[0]!);
      proxy.behaviour = 'stall';
      await expectUnavailable(
        { sentinels: [{ host: '127.0.0.1', port: proxy.port }], name, sentinelCommandTimeout: undefined },
        'no answer within 500 ms',
      );
    });

    it('cannot be reached, and why: they do not know the name', async () => {
      await expectUnavailable({ sentinels: [...group.addresses], name }, 'No such master with that name');
    });

    it('cannot be reached, and why: their password is another', async () => {
      await expectUnavailable({ sentinels: [...group.addresses], name, sentinelPassword: 'hunter4' }, 'WRONGPASS');
    });

    it('cannot be reached, and why: they want a password', async () => {
      await expectUnavailable({ sentinels: [...group.addresses], name, sentinelPassword: undefined }, 'NOAUTH');
    });
  });
});

describe('a group whose servers and sentinels have passwords', () => {
  const [password, sentinelPassword] = ['p@ss:w/ö#?', 'another'];
  let group: SentinelGroup;
  let common: { sentinels: { host: string; port: number }[]; name: string; sentinelPassword: string };

  beforeAll(async () => {
    group = await startSentinelGroup({ password, sentinelPassword });
    common = { sentinels: [...group.addresses], name: group.name, sentinelPassword };
    for (const server of group.servers) {
      const rights = ['~*', '+@read', '+@write', '+@connection', '-@dangerous'];
      await group.clientOf(server).acl('SETUSER', 'app', 'on', '>secret', ...rights);
    }
  }, hookTimeoutMs);
  afterAll(() => group.stop());

  it('works', async () => {
    await using backend = new RedisBackend({ ...common, password }, { timeoutMs: patientMs });
    await expectToWork(backend);
  });

  it('works for a user that may not ask for the role, in a database of its own, and for reading from replicas', async () => {
    const target = { ...common, username: 'app', password: 'secret', db: 3, reads: 'replica' as const };
    await using backend = new RedisBackend(target, { timeoutMs: patientMs });
    await expect(backend.withConnection((client) => client.role())).rejects.toMatchObject({ kind: 'NOPERM' });
    await backend.set('key', value);
    await eventually(async () => {
      const info = await group.clientOf(group.servers[1]!).info('commandstats');
      await backend.get('key');
      return /cmdstat_get:/.test(info);
    });
    expect(await backend.get('key')).toEqual(value);
  });

  it('asks a function for the credentials of its servers at each connection, after a switch too', {
    timeout: 90_000,
  }, async () => {
    // The sentinels' own password stays as it is given.
    let asked = 0;
    const credentials = async () => {
      asked++;
      return { password };
    };
    await using backend = new RedisBackend({ ...common, credentials }, { timeoutMs: patientMs });
    await expectToWork(backend);
    expect(asked).toBe(2);
    const master = await group.master();
    await group.clientOf(group.sentinels[0]!).call('SENTINEL', 'FAILOVER', group.name);
    await group.switchedFrom(master);
    await eventually(() => expectToWork(backend).then(() => true));
    expect(asked).toBeGreaterThan(2);
    expect(inspect(backend, { depth: 10, showHidden: true })).not.toContain(password);
  });

  it('fails its calls with the error that the function for the credentials failed', async () => {
    const sealed = new Error('the vault is sealed');
    const target = { ...common, credentials: () => Promise.reject(sealed) };
    await using backend = new RedisBackend(target, { timeoutMs: patientMs });
    const expected = { code: 'ERR_CREDENTIALS', node: group.name, cause: sealed };
    await expect(backend.get('key')).rejects.toMatchObject(expected);
    await expect(backend.withConnection((client) => client.ping())).rejects.toMatchObject(expected);
  });

  it('finds the other sentinels by the one that is configured', async () => {
    const target = { ...common, sentinels: [common.sentinels[0]!], password };
    await using backend = new RedisBackend(target, { timeoutMs: patientMs });
    await expectToWork(backend);
    await group.sentinels[0]!.kill();
    await group.clientOf(group.servers[0]!).call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await eventually(() => backend.set('key', value).then(() => true));
    await group.sentinels[0]!.restart();
  });

  it.each([
    ['ioredis 6', Redis],
    ['ioredis 5', Redis5 as unknown as typeof Redis],
  ])('works with a borrowed client of %s, whose kind of connection is made for others too', async (_, RedisClass) => {
    const client = new RedisClass({ ...common, password, lazyConnect: true });
    client.on('error', () => undefined);
    await using backend = new RedisBackend(client, { timeoutMs: patientMs });
    await expectToWork(backend);
    const [role] = await backend.withConnection((lent) => lent.role());
    expect(role).toBe('master');
    client.disconnect();
  });
});

describe('a group behind addresses that its sentinels do not know', () => {
  it.each(['table', 'function'])('is reached by a natMap that is a %s, before and after a switch', async (kind) => {
    // The sentinels are asked to switch, and are to do so for no other reason.
    await using group = await startSentinelGroup({ downAfterMs: 30_000 });
    const [master, replica] = group.servers as [RedisServer, RedisServer];
    await using masterProxy = await startTcpProxy(master);
    await using replicaProxy = await startTcpProxy(replica);
    const table = {
      [`127.0.0.1:${master.port}`]: { host: '127.0.0.1', port: masterProxy.port },
      [`127.0.0.1:${replica.port}`]: { host: '127.0.0.1', port: replicaProxy.port },
    };
    const natMap = kind === 'table' ? table : (key: string) => table[key] ?? null;
    const target = { sentinels: [...group.addresses], name: group.name, natMap };
    await using backend = new RedisBackend(target, { timeoutMs: patientMs });
    await expectToWork(backend);
    expect(masterProxy.acceptedCount).toBe(2);
    expect(replicaProxy.acceptedCount).toBe(0);
    await group.clientOf(group.sentinels[0]!).call('SENTINEL', 'FAILOVER', group.name);
    await group.switchedFrom(master);
    await eventually(async () => {
      await backend.set('key', value);
      return masterProxy.connectionCount === 0 && replicaProxy.connectionCount > 0;
    });
    await eventually(() => expectToWork(backend).then(() => true));
  });

  it('is read from its replica by a natMap too', async () => {
    await using group = await startSentinelGroup({ sentinels: 1 });
    const replica = group.servers[1]!;
    await using proxy = await startTcpProxy(replica);
    const natMap = { [`127.0.0.1:${replica.port}`]: { host: '127.0.0.1', port: proxy.port } };
    const target = { sentinels: [...group.addresses], name: group.name, natMap, reads: 'replica' as const };
    await using backend = new RedisBackend(target, { timeoutMs: patientMs });
    await backend.set('key', value);
    await eventually(async () => (await backend.get('key')) !== undefined && proxy.connectionCount === 1);
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
  `a group that speaks TLS${hasOpenssl ? '' : ' (skipped: there is no openssl to make a certificate with)'}`,
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'shardring-sentinel-tls-'));
    let group: SentinelGroup;
    let tls: { ca: string };
    let common: object;

    beforeAll(async () => {
      const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
      const files = ['-keyout', keyFile, '-out', certFile];
      const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
      const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...files, ...subject];
      execFileSync('openssl', request, { stdio: 'ignore' });
      group = await startSentinelGroup({ tls: { certFile, keyFile }, sentinels: 2 });
      tls = { ca: readFileSync(certFile, 'utf8') };
      common = { sentinels: [...group.addresses], name: group.name };
    }, hookTimeoutMs);
    afterAll(async () => {
      await group.stop();
      rmSync(directory, { recursive: true, force: true });
    });

    it('works with a certificate that the application trusts, for servers and sentinels', async () => {
      const target = { ...common, tls, sentinelTLS: tls, enableTLSForSentinelMode: true, reads: 'replica' as const };
      await using backend = new RedisBackend(target, { timeoutMs: patientMs });
      await backend.set('key', value);
      expect(await eventually(() => backend.get('key'))).toEqual(value);
      expect(await backend.withConnection((client) => client.ping())).toBe('PONG');
    });

    it('refuses sentinels whose certificate nobody vouches for', async () => {
      const target = { ...common, tls, sentinelTLS: {}, enableTLSForSentinelMode: true };
      await using backend = new RedisBackend(target, { timeoutMs: patientMs });
      const cause = { message: expect.stringContaining('self-signed certificate') };
      await expect(backend.get('key')).rejects.toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', cause });
    });

    it('refuses servers whose certificate nobody vouches for', async () => {
      const target = { ...common, tls: {}, sentinelTLS: tls, enableTLSForSentinelMode: true };
      await using backend = new RedisBackend(target, { timeoutMs: patientMs });
      const cause = { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' };
      await expect(backend.get('key')).rejects.toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', cause });
    });

    it('is not reached in the clear by mistake: options that ioredis would ignore are refused', () => {
      expect(() => new RedisBackend({ ...common, tls, sentinelTLS: tls })).toThrow('enableTLSForSentinelMode');
    });
  },
);
