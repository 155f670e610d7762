/** Servers that are none for a node: found as the connection is made, told by what is wrong and what to do. */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { JumpTable, type PlacementNode, ShardedCache } from '../../src/index.ts';
import { RedisBackend, type RedisBackendOptions, type RedisTarget, ShardedRedis } from '../../src/redis/index.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';
import { eventually, outcomeOf, patientMs } from '../support/eventually.ts';
import { type RedisServer, type RedisServerOptions, startRedis } from '../support/redis.ts';
import { startSentinelGroup } from '../support/sentinel.ts';

const value = Buffer.from('v');

const hasOpenssl = spawnSync('openssl', ['version'], { stdio: 'ignore' }).status === 0;

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = await startRedis(options);
  closing.push(() => server.stop());
  return server;
}

async function administer<Result>(server: RedisServer, use: (client: Redis) => Promise<Result>): Promise<Result> {
  const client = new Redis(server.port);
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

function open(target: RedisTarget, options: RedisBackendOptions = {}): RedisBackend {
  const backend = new RedisBackend(target, { nodeName: 'cache-1', timeoutMs: patientMs, ...options });
  closing.push(() => backend.close());
  return backend;
}

const becomesReplica = (server: RedisServer, of: RedisServer) =>
  administer(server, async (client) => {
    await client.replicaof('127.0.0.1', of.port);
    await eventually(async () => (await client.info('replication')).includes('master_link_status:up'));
  });

describe.each(['ioredis', 'direct'] as const)('over the transport %s', (transport) => {
  it('a server of Redis Cluster is refused at the first call, whatever its key', async () => {
    const server = await start({ args: ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf'] });
    const backend = open({ port: server.port }, { transport });
    for (const key of ['a', 'b', 'c']) {
      await expect(backend.get(key)).rejects.toMatchObject({
        code: 'ERR_WRONG_SERVER',
        problem: 'cluster mode',
        retryable: false,
        message: expect.stringMatching(
          /^get: node cache-1 \(localhost:\d+\) is a server of Redis Cluster.*Use servers/,
        ),
      });
    }
    await expect(backend.withConnection((client) => client.get('a'))).rejects.toMatchObject({
      code: 'ERR_WRONG_SERVER',
      problem: 'cluster mode',
    });
  });

  it('a Sentinel is refused, and named as what it is', async () => {
    const group = await startSentinelGroup({ sentinels: 1, quorum: 1 });
    closing.push(() => group.stop());
    const backend = open({ port: group.addresses[0]!.port }, { transport });
    await expect(backend.set('a', value)).rejects.toMatchObject({
      code: 'ERR_WRONG_SERVER',
      problem: 'sentinel',
      message: expect.stringContaining('`sentinels` and `name`'),
    });
  });

  it("a replica is refused, and accepted for reading with reads: 'replica'", async () => {
    const primary = await start({ args: ['--repl-diskless-sync-delay', '0'] });
    const replica = await start();
    await becomesReplica(replica, primary);
    const refused = open({ port: replica.port }, { transport });
    await expect(refused.get('a')).rejects.toMatchObject({
      code: 'ERR_WRONG_SERVER',
      problem: 'replica',
      retryable: true,
    });
    const accepted = open({ port: replica.port, reads: 'replica' }, { transport });
    expect(await accepted.get('a')).toBeUndefined();
    await expect(accepted.set('a', value)).rejects.toMatchObject({ code: 'ERR_NODE_REPLY', kind: 'READONLY' });
  });

  it('a server whose ACL refuses INFO and ROLE is used all the same', async () => {
    const server = await start();
    await administer(server, (client) => client.acl('SETUSER', 'me', 'on', '>secret', '~*', '+get', '+set'));
    const backend = open({ port: server.port, username: 'me', password: 'secret' }, { transport });
    await backend.set('a', value);
    expect(await backend.get('a')).toEqual(value);
  });

  it('a server that becomes a replica is left by writes, and found again as a primary', async () => {
    const other = await start({ args: ['--repl-diskless-sync-delay', '0'] });
    const server = await start();
    const backend = open({ port: server.port }, { transport });
    await backend.set('a', value);
    await becomesReplica(server, other);
    await expect(backend.set('a', value)).rejects.toMatchObject({ code: 'ERR_NODE_REPLY', kind: 'READONLY' });
    await eventually(async () => {
      const { error } = await outcomeOf(backend.get('a'));
      return (error as { code?: string } | undefined)?.code === 'ERR_WRONG_SERVER';
    }, patientMs);
    await administer(server, (client) => client.replicaof('NO', 'ONE'));
    await eventually(() => backend.set('a', value).then(() => true), patientMs);
  });

  it('a server that becomes a replica is left by a node that only reads, and by its subscriptions', async () => {
    const other = await start({ args: ['--repl-diskless-sync-delay', '0'] });
    const server = await start();
    const redis = new ShardedRedis({
      nodes: [{ id: 'a', port: server.port }],
      ...{ transport, timeoutMs: patientMs },
      health: { probeIntervalMs: 20, probeTimeoutMs: patientMs },
    });
    closing.push(() => redis.quit());
    const demoted: unknown[] = [];
    redis.on('nodeDemoted', (event) => demoted.push(event));
    redis.on('node error', () => undefined);
    await redis.subscribe('news');
    await redis.get('key');
    await redis.withConnection('key', (client) => client.get('key'));
    const clientsOf = (from: RedisServer, type: string) =>
      administer(from, async (client) =>
        String(await client.call('CLIENT', 'LIST', 'TYPE', type))
          .split('\n')
          .filter((line) => line.includes('cmd=')),
      );
    const before = await clientsOf(server, 'pubsub');
    expect(before.length).toBe(1);
    await becomesReplica(server, other);
    // What reads would be old, and what was published would not be heard.
    await eventually(async () => (await clientsOf(server, 'pubsub')).length === 0, patientMs);
    expect(demoted).toEqual([{ node: 'a' }]);
    await administer(server, (client) => client.replicaof('NO', 'ONE'));
    const heard = new Promise((resolve) => redis.on('message', (_, message) => resolve(message)));
    await eventually(async () => (await redis.publish('news', 'again').catch(() => 0)) === 1, patientMs);
    expect(await heard).toBe('again');
    expect((await clientsOf(server, 'pubsub'))[0]).not.toBe(before[0]);
  });

  it('a server that becomes a replica is left by a node that only waits for data', async () => {
    const other = await start({ args: ['--repl-diskless-sync-delay', '0'] });
    const server = await start();
    const redis = new ShardedRedis({
      nodes: [{ id: 'a', port: server.port }],
      ...{ transport, timeoutMs: patientMs },
      // No probe tells: only the commands that wait have anything to say.
      health: { probeIntervalMs: 3_600_000, probeTimeoutMs: patientMs },
    });
    closing.push(() => redis.quit());
    redis.on('node error', () => undefined);
    const demoted = new Promise((resolve) => redis.on('nodeDemoted', resolve));
    await redis.connect();
    const waiting = outcomeOf(redis.blpop('queue', 0));
    await administer(server, (client) =>
      eventually(async () => / cmd=blpop/.test(String(await client.client('LIST'))), patientMs),
    );
    await becomesReplica(server, other);
    expect((await waiting).error).toMatchObject({ message: expect.stringMatching(/^UNBLOCKED force unblock/) });
    expect(await demoted).toEqual({ node: 'a' });
  });

  it('a server is taken for no replica when an operator ends the wait of a client', async () => {
    const server = await start();
    const redis = new ShardedRedis({ nodes: [{ id: 'a', port: server.port }], ...{ transport, timeoutMs: patientMs } });
    closing.push(() => redis.quit());
    const demoted: unknown[] = [];
    redis.on('nodeDemoted', (event) => demoted.push(event));
    const waiting = outcomeOf(redis.withConnection('key', (client) => client.blpop('key', 0)));
    await administer(server, (client) =>
      eventually(async () => {
        const [waiter] = /^id=(\d+)(?=.* cmd=blpop)/m.exec(String(await client.client('LIST')))?.slice(1) ?? [];
        return waiter !== undefined && (await client.call('CLIENT', 'UNBLOCK', waiter, 'ERROR')) === 1;
      }, patientMs),
    );
    expect((await waiting).error).toMatchObject({
      code: 'ERR_NODE_REPLY',
      cause: { message: expect.stringMatching(/^UNBLOCKED client/) },
    });
    await redis.get('key');
    expect(demoted).toEqual([]);
  });

  it('a port that speaks HTTP, one that speaks TLS and one that does not are told apart', async () => {
    const web = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1');
    await new Promise((resolve) => web.once('listening', resolve));
    closing.push(() => new Promise((resolve) => web.close(resolve)));
    const { port } = web.address() as AddressInfo;
    await expect(open({ port, host: '127.0.0.1' }, { transport }).get('a')).rejects.toMatchObject({
      code: 'ERR_NODE_PROTOCOL',
      message: expect.stringContaining('it speaks HTTP'),
    });
    const plain = await start();
    const clock = new SimulatedClock();
    const tls = { rejectUnauthorized: false };
    const secure = open({ port: plain.port, tls }, { transport, clock, connectTimeoutMs: 200 });
    const asked = outcomeOf(secure.get('a'));
    const admin = new Redis(plain.port);
    closing.push(async () => admin.disconnect());
    // It is there, and what it said is not understood.
    await eventually(async () => /connected_clients:2\b/.test(await admin.info('clients')));
    await clock.advance(200);
    expect((await asked).error).toMatchObject({
      code: 'ERR_NODE_UNAVAILABLE',
      message: expect.stringContaining('TLS'),
    });
  });

  it.skipIf(!hasOpenssl)('a port that speaks TLS, asked in the clear, is named as what it may be', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'shardring-tls-'));
    closing.push(async () => rmSync(directory, { recursive: true, force: true }));
    const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'];
    execFileSync('openssl', [...request, '-keyout', keyFile, '-out', certFile], { stdio: 'ignore' });
    const server = await start({ tls: { certFile, keyFile } });
    const backend = open({ host: '127.0.0.1', port: server.port }, { transport });
    for (const call of [() => backend.get('a'), () => backend.withConnection((client) => client.ping())]) {
      const { error } = await outcomeOf(call());
      expect(error).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', message: expect.stringMatching(/TLS.*rediss:\/\//) });
    }
  });

  it('a server that has no place for one more client says so, at the first call', async () => {
    const server = await start({ args: ['--maxclients', '1'] });
    const holder = connectTcp(server.port, '127.0.0.1');
    closing.push(async () => holder.destroy());
    await new Promise((resolve) => holder.once('connect', resolve));
    await new Promise((resolve) => holder.write('PING\r\n', resolve));
    await new Promise((resolve) => holder.once('data', resolve));
    await expect(open({ port: server.port }, { transport }).get('a')).rejects.toMatchObject({
      code: 'ERR_NODE_UNAVAILABLE',
      message: expect.stringContaining('max number of clients reached'),
    });
  });

  it('an address where nobody listens, and a name that DNS does not know, stand in the message with the reason', async () => {
    const server = await start();
    await server.stop();
    const unreachable = open({ host: '127.0.0.1', port: server.port }, { transport });
    await expect(unreachable.get('a')).rejects.toMatchObject({
      message: `get: node cache-1 (127.0.0.1:${server.port}) cannot be reached: ECONNREFUSED`,
    });
    const unknown = open({ host: 'nobody.invalid' }, { transport });
    await expect(unknown.get('a')).rejects.toMatchObject({
      message: expect.stringMatching(
        /^get: node cache-1 \(nobody\.invalid:6379\) cannot be reached: (ENOTFOUND|EAI_AGAIN): DNS/,
      ),
    });
  });

  it('credentials are asked for at each connection, pooled ones too, and shown nowhere', async () => {
    const server = await start({ password: 'hunter2-old' });
    let secret = 'hunter2-old';
    let asked = 0;
    const credentials = async () => {
      asked++;
      return { username: 'default', password: secret };
    };
    const backend = open({ port: server.port, credentials }, { transport });
    await backend.set('a', value);
    expect(await backend.withConnection((client) => client.exists('a'))).toBe(1);
    expect(asked).toBe(2);
    // The old ones are changed, and every connection is lost.
    await backend.withConnection(async (client) => {
      await client.config('SET', 'requirepass', 'hunter2-new');
      secret = 'hunter2-new';
      await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    });
    await eventually(() => backend.set('a', value).then(() => true), patientMs);
    expect(asked).toBeGreaterThan(2);
    expect(inspect(backend, { depth: 10, showHidden: true })).not.toContain('hunter2');
  });

  it('a password may be a function, for the connections of subscriptions and of applications too', async () => {
    const server = await start({ password: 'hunter2' });
    const redis = new ShardedRedis({
      nodes: [{ id: 'a', port: server.port, password: async () => 'hunter2' }],
      ...{ transport, timeoutMs: patientMs },
    });
    closing.push(() => redis.quit());
    await redis.subscribe('news');
    expect(await redis.set('key', 'x')).toBe('OK');
    expect(await redis.publish('news', 'x')).toBe(1);
    expect(await redis.multi().get('key').exec()).toEqual([[null, 'x']]);
    expect(await redis.nodeFor('key').get('key')).toBe('x');
  });

  it('a function for credentials that fails is a typed error with its reason', async () => {
    const server = await start({ password: 'hunter2' });
    const sealed = new Error('the vault is sealed');
    const backend = open({ port: server.port, credentials: () => Promise.reject(sealed) }, { transport });
    const { error } = await outcomeOf(backend.get('a'));
    expect(error).toMatchObject({ code: 'ERR_CREDENTIALS', node: 'cache-1', retryable: true, cause: sealed });
    await expect(backend.withConnection((client) => client.get('a'))).rejects.toMatchObject({
      code: 'ERR_CREDENTIALS',
      cause: sealed,
    });
    const none = open({ port: server.port, credentials: (() => ({})) as never }, { transport });
    await expect(none.get('a')).rejects.toMatchObject({ code: 'ERR_CREDENTIALS' });
    const late = open(
      { port: server.port, credentials: () => new Promise(() => undefined) },
      { transport, connectTimeoutMs: 50 },
    );
    await expect(late.get('a')).rejects.toMatchObject({ code: 'ERR_CREDENTIALS' });
  });
});

describe('one server behind two ids', () => {
  const nodesOf = (server: RedisServer, options: readonly RedisBackendOptions[], dbs: readonly number[] = [0, 0]) =>
    options.map((each, index) => ({
      id: `node-${index}`,
      backend: new RedisBackend({ port: server.port, db: dbs[index]! }, { timeoutMs: patientMs, ...each }),
    }));

  function makeCache(nodes: ReturnType<typeof nodesOf>, options: object = {}) {
    const cache = new ShardedCache({ nodes, timeoutMs: patientMs, ...options });
    closing.push(() => cache.close());
    const told: unknown[] = [];
    cache.on('sharedServer', (event) => told.push(event));
    const outcomes = () => Promise.all(nodes.map(async ({ backend }) => (await outcomeOf(backend.ping())).error));
    return { cache, told, outcomes };
  }

  it('is an event and a typed error for the higher id, whichever connects first', async () => {
    const server = await start();
    for (const first of [0, 1]) {
      const nodes = nodesOf(server, [{}, { transport: 'direct' }]);
      const { told } = makeCache(nodes);
      await outcomeOf(nodes[first]!.backend.ping());
      await outcomeOf(nodes[1 - first]!.backend.ping());
      await eventually(async () => {
        const { error } = await outcomeOf(nodes[1]!.backend.get('key'));
        return (error as { code?: string } | undefined)?.code === 'ERR_WRONG_SERVER';
      }, patientMs);
      await expect(nodes[1]!.backend.get('key')).rejects.toMatchObject({
        problem: 'shared',
        other: 'node-0',
        message: expect.stringMatching(/node node-1 \(.*\) has the same server as node node-0.*`allowSharedServers`/),
      });
      await expect(nodes[1]!.backend.withConnection((client) => client.set('key', 'v'))).rejects.toMatchObject({
        code: 'ERR_WRONG_SERVER',
        problem: 'shared',
        message: expect.stringMatching(/^withConnection: node node-1/),
      });
      expect(await nodes[0]!.backend.get('key')).toBeUndefined();
      expect(told).toEqual([{ nodes: ['node-0', 'node-1'], sharesKeys: true, refused: 'node-1' }]);
    }
  });

  it('is only reported where databases or prefixes keep the keys of one copy apart', async () => {
    const server = await start();
    for (const nodes of [
      nodesOf(server, [{}, {}], [0, 1]),
      nodesOf(server, [{ keyPrefix: 'a:' }, { keyPrefix: 'b:' }]),
    ]) {
      const { outcomes, told } = makeCache(nodes);
      expect(await outcomes()).toEqual([undefined, undefined]);
      expect(told).toEqual([{ nodes: ['node-0', 'node-1'], sharesKeys: false, refused: undefined }]);
    }
  });

  it('is refused with copies, also where the keys are apart, and allowed for whoever means it', async () => {
    const server = await start();
    const refused = makeCache(nodesOf(server, [{}, {}], [0, 1]), { replicationFactor: 2 });
    await eventually(async () => {
      const [, error] = await refused.outcomes();
      return (error as { code?: string } | undefined)?.code === 'ERR_WRONG_SERVER';
    }, patientMs);
    const allowed = makeCache(nodesOf(server, [{}, {}]), { replicationFactor: 2, allowSharedServers: true });
    expect(await allowed.outcomes()).toEqual([undefined, undefined]);
    expect(allowed.told).toEqual([]);
  });

  it('is found by addNode, which leaves the cache as it was', async () => {
    const server = await start();
    const [node, same] = nodesOf(server, [{}, {}]);
    const { cache } = makeCache([node!]);
    await cache.set('key', 'x');
    const joining = { ...same!, id: 'a-lower-id' };
    closing.push(() => same!.backend.close());
    await expect(cache.addNode(joining)).rejects.toMatchObject({ code: 'ERR_WRONG_SERVER', problem: 'shared' });
    expect(await cache.get('key')).toBe('x');
    expect([...cache.health().keys()]).toEqual(['node-0']);
  });

  it('is found by addNode before any other call too', async () => {
    const server = await start();
    const [node, same] = nodesOf(server, [{}, {}]);
    const { cache } = makeCache([node!]);
    closing.push(() => same!.backend.close());
    await expect(cache.addNode(same!)).rejects.toMatchObject({ code: 'ERR_WRONG_SERVER', problem: 'shared' });
    expect(cache.topology.epoch).toBe(1);
  });

  it('is not found where the placement refused the node that reached the server first', async () => {
    const [first, second] = [await start(), await start()];
    const [node] = nodesOf(first, [{}]);
    const placement = (nodes: readonly PlacementNode[]) => JumpTable.create(nodes);
    const { cache, told } = makeCache([node!], { placement });
    const [tooHeavy, same] = nodesOf(second, [{}, {}]);
    closing.push(() => tooHeavy!.backend.close());
    const joining = { ...tooHeavy!, id: 'heavy', weight: 2 };
    await expect(cache.addNode(joining)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'node.weight' });
    await cache.addNode(same!);
    expect([...cache.health().keys()]).toEqual(['node-0', 'node-1']);
    expect(told).toEqual([]);
  });

  it('is found in a ShardedRedis, between a URL and a borrowed client', async () => {
    const server = await start();
    const client = new Redis(server.port);
    closing.push(async () => client.disconnect());
    await client.ping();
    const redis = new ShardedRedis({
      nodes: [
        { id: 'a', client },
        { id: 'b', url: server.url },
      ],
      timeoutMs: patientMs,
    });
    closing.push(() => redis.quit());
    redis.on('node error', () => undefined);
    const told = new Promise((resolve) => redis.on('sharedServer', resolve));
    expect(await told).toEqual({ nodes: ['a', 'b'], sharesKeys: true, refused: 'b' });
    // Whatever takes a connection of its own is refused as calls are.
    for (let index = 0; index < 20; index++) {
      const key = `key-${index}`;
      const isOfB = (await outcomeOf(redis.set(key, 'v'))).error !== undefined;
      const uses: Promise<unknown>[] = [
        redis.multi().set(key, 'v').exec(),
        redis.blpop(`{${key}}`, 0.01),
        redis.withConnection(key, () => 1),
      ];
      for (const { error } of await Promise.all(uses.map((use) => outcomeOf(use)))) {
        expect((error as { code?: string } | undefined)?.code).toBe(isOfB ? 'ERR_WRONG_SERVER' : undefined);
      }
    }
  });

  it('is refused when two nodes borrow one client, in whatever order they are given', async () => {
    const server = await start();
    for (const ids of [
      ['a', 'b'],
      ['b', 'a'],
    ]) {
      const client = new Redis(server.port);
      closing.push(async () => client.disconnect());
      await client.ping();
      const cache = new ShardedCache({
        nodes: ids.map((id) => ({ id, backend: new RedisBackend(client) })),
        ...{ replicationFactor: 2, writeConsistency: 'all', timeoutMs: patientMs },
      });
      closing.push(() => cache.close());
      await expect(cache.ready({ timeoutMs: 300 })).rejects.toMatchObject({ attempts: [{ node: 'b' }] });
      await expect(cache.set('key', 1)).rejects.toMatchObject({ code: 'ERR_WRITE_CONSISTENCY' });
    }
  });

  it.each(['borrowed', 'own'])(
    'is over once the other node has left, also for a backend (%s) that was refused',
    async (kind) => {
      const server = await start();
      const client = new Redis(server.port);
      closing.push(async () => client.disconnect());
      await client.ping();
      const [node] = nodesOf(server, [{}]);
      const elsewhere = nodesOf(await start(), [{}])[0]!;
      const { cache } = makeCache([node!, { ...elsewhere, id: 'elsewhere' }]);
      await cache.ready();
      const backend = kind === 'own' ? new RedisBackend(server.url) : new RedisBackend(client);
      closing.push(() => backend.close());
      await expect(cache.addNode({ id: 'same', backend })).rejects.toMatchObject({ code: 'ERR_WRONG_SERVER' });
      await cache.removeNode('node-0', { strategy: 'none' });
      await cache.addNode({ id: 'same', backend });
      await cache.ready();
      expect(await backend.get('key')).toBeUndefined();
    },
  );

  it('is over for a borrowed client in the cache too, once the other node has left', async () => {
    const server = await start();
    const client = new Redis(server.port);
    closing.push(async () => client.disconnect());
    await client.ping();
    const [first] = nodesOf(server, [{}]);
    const elsewhere = nodesOf(await start(), [{}])[0]!;
    const second = { id: 'node-1', backend: new RedisBackend(client) };
    const { cache } = makeCache([first!, second, { ...elsewhere, id: 'elsewhere' }]);
    await expect(cache.ready({ timeoutMs: 300 })).rejects.toMatchObject({ attempts: [{ node: 'node-1' }] });
    await cache.removeNode('node-0', { strategy: 'none' });
    await cache.ready();
    expect(await second.backend.get('key')).toBeUndefined();
  });

  const pairs = ['two URLs', 'a URL and a borrowed client', 'a borrowed client and a URL', 'two borrowed clients'];
  for (const face of ['ShardedCache', 'ShardedRedis'] as const) {
    it.each(pairs)(`keeps a ${face} from being ready, and a write from having two copies, by %s`, async (pair) => {
      const server = await start();
      const borrowed = () => {
        const client = new Redis(server.port);
        closing.push(async () => client.disconnect());
        return client;
      };
      const url = () => server.url;
      const kinds = {
        'two URLs': [url, url],
        'a URL and a borrowed client': [url, borrowed],
        'a borrowed client and a URL': [borrowed, url],
        'two borrowed clients': [borrowed, borrowed],
      }[pair]!;
      const targets = kinds.map((make) => make());
      // Clients that are connected are the quickest.
      for (const target of targets) if (typeof target !== 'string') await target.ping();
      const settings = { replicationFactor: 2, writeConsistency: 'all', timeoutMs: patientMs } as const;
      const idOf = (index: number) => `node-${index}`;
      const store =
        face === 'ShardedCache'
          ? new ShardedCache({
              nodes: targets.map((target, index) => ({ id: idOf(index), backend: new RedisBackend(target as string) })),
              ...settings,
            })
          : new ShardedRedis({
              nodes: targets.map((target, index) =>
                typeof target === 'string' ? { id: idOf(index), url: target } : { id: idOf(index), client: target },
              ),
              ...settings,
            });
      closing.push(() => store.close());
      if (store instanceof ShardedRedis) store.on('node error', () => undefined);
      await expect(store.ready({ timeoutMs: 300 })).rejects.toMatchObject({
        code: 'ERR_NOT_READY',
        attempts: [{ node: 'node-1', error: { code: 'ERR_WRONG_SERVER' } }],
      });
      await expect(store.set('key', 'after')).rejects.toMatchObject({ code: 'ERR_WRITE_CONSISTENCY' });
    });
  }
});
