/**
 * Scans whose server becomes another process: a restart with its data, a replica that is promoted, an address that leads
 * elsewhere. Each process has its keys in an order of its own, and takes the cursors of any other without complaint.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { ShardedCache } from '../../../src/index.ts';
import { RedisBackend, ShardedRedis, type ShardedRedisOptions } from '../../../src/redis/index.ts';
import { parseOptions } from '../../../src/server/options.ts';
import { RedisServer } from '../../../src/server/server.ts';
import { parseTarget } from '../../../src/server/target.ts';
import { eventually, patientMs } from '../../support/eventually.ts';
import { type RedisServer as ServerProcess, startRedis } from '../../support/redis.ts';
import { connectionKinds } from '../../support/redis-clients.ts';
import { startSentinelGroup } from '../../support/sentinel.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).reverse()) await cleanUp();
});

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

/** Many pages of 1,000, so that half of a scan leaves much to miss. */
const keys = names('key:', 6_000);
const fields = names('field:', 3_000);

async function startServer(args: readonly string[] = []): Promise<ServerProcess> {
  const server = await startRedis({ args });
  cleanups.push(() => server.stop());
  return server;
}

/**
 * Keeps its data when it is killed and started again: by default Redis holds writes back, though it has confirmed them, while an
 * earlier one is on its way to the disk.
 */
function startDurableServer(): Promise<ServerProcess> {
  const directory = mkdtempSync(join(tmpdir(), 'shardring-data-'));
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
  return startServer(['--dir', directory, '--appendonly', 'yes', '--appendfsync', 'always']);
}

async function clientOf(server: { readonly port: number }, options: object = {}): Promise<Redis> {
  const client = new Redis({ port: server.port, lazyConnect: true, ...options });
  client.on('error', () => undefined);
  cleanups.push(() => client.disconnect());
  await client.connect();
  return client;
}

/** The same keys, and in one of them many fields, members and scores. */
async function fill(server: ServerProcess): Promise<void> {
  const client = await clientOf(server);
  await client.mset(keys.flatMap((key) => [key, '1']));
  await client.hset('hash', Object.fromEntries(fields.map((field) => [field, '1'])));
}

/** An address that leads to one of two servers with the same keys, and then to the other. */
async function startMovingAddress() {
  const [first, second] = await Promise.all([startServer(), startServer()]);
  await Promise.all([fill(first), fill(second)]);
  const target = { port: first.port };
  const proxy = await startTcpProxy(target);
  cleanups.push(() => proxy.close());
  /** Ends the connections, and resolves once somebody has come back. Nothing may be in flight. */
  const move = async () => {
    target.port = second.port;
    const accepted = proxy.acceptedCount;
    proxy.resetAll();
    await eventually(() => proxy.acceptedCount > accepted);
  };
  return { proxy, move, second };
}

/** Everything that comes, `act` being done once half of what there is has come. */
async function collectAround<Item>(items: AsyncIterable<Item>, half: number, act: () => unknown): Promise<Set<Item>> {
  const seen = new Set<Item>();
  let count = 0;
  for await (const item of items) {
    seen.add(item);
    if (++count === half) await act();
  }
  return seen;
}

async function* flat<Item>(pages: AsyncIterable<readonly Item[]>): AsyncGenerator<Item> {
  for await (const page of pages) yield* page;
}

async function* pagesOf(redis: ShardedRedis): AsyncGenerator<string[]> {
  let cursor = '0';
  do {
    const [next, page] = await redis.scan(cursor, 'COUNT', 500);
    yield page;
    cursor = next;
  } while (cursor !== '0');
}

const missing = (expected: readonly string[], seen: ReadonlySet<unknown>) => expected.filter((key) => !seen.has(key));

/** The ways a node of a ShardedRedis comes by its connection. */
const transports: readonly [title: string, nodeAt: (port: number) => Promise<Partial<ShardedRedisOptions>>][] = [
  ['ioredis', async (port) => ({ nodes: [{ id: 'a', port }] })],
  ['the direct transport', async (port) => ({ nodes: [{ id: 'a', port }], transport: 'direct' })],
  ['a borrowed client', async (port) => ({ nodes: [{ id: 'a', client: await clientOf({ port }) }] })],
];

async function open(options: Partial<ShardedRedisOptions>): Promise<ShardedRedis> {
  const patient = { timeoutMs: patientMs, health: { probeTimeoutMs: patientMs } };
  const redis = new ShardedRedis({ ...patient, ...options } as ShardedRedisOptions);
  redis.on('node error', () => undefined);
  redis.on('error', () => undefined);
  cleanups.push(() => redis.quit());
  await redis.connect();
  return redis;
}

describe.each(transports)('a scan of a ShardedRedis over %s', (_, optionsFor) => {
  it('that goes on after its server was killed and came back with its data misses no key', async () => {
    const server = await startDurableServer();
    await fill(server);
    const redis = await open(await optionsFor(server.port));
    const scan = redis.scan();
    const seen = new Set<string>();
    for await (const key of scan) if (seen.add(key).size === keys.length / 2) break;
    await server.kill();
    await server.restart();
    const { cursor } = scan;
    const rest = await eventually(() => collectAround(redis.scan({ cursor }), 0, () => undefined));
    expect(missing(keys, new Set([...seen, ...rest]))).toEqual([]);
    expect(missing([...keys, 'hash'], rest)).toEqual([]); // From the start.
  });

  it('that goes on in another client misses no key and does not begin anew', async () => {
    const server = await startServer();
    await fill(server);
    const redis = await open(await optionsFor(server.port));
    const scan = redis.scan();
    const seen = new Set<string>();
    for await (const key of scan) if (seen.add(key).size === keys.length / 2) break;
    const other = await open(await optionsFor(server.port));
    const rest = await collectAround(other.scan({ cursor: scan.cursor }), 0, () => undefined);
    expect(missing(keys, new Set([...seen, ...rest]))).toEqual([]);
    expect(rest.size).toBeLessThan(0.9 * keys.length);
  });

  it.each<[string, (redis: ShardedRedis) => AsyncIterable<string>]>([
    ['scan()', (redis) => redis.scan()],
    ['scanStream()', (redis) => flat<string>(redis.scanStream({ count: 500, highWaterMark: 1 }))],
    ['scan(cursor)', (redis) => flat(pagesOf(redis))],
  ])('misses no key when another server answers in the middle of %s', async (_title, begin) => {
    const { proxy, move } = await startMovingAddress();
    const redis = await open(await optionsFor(proxy.port));
    const seen = await collectAround(begin(redis), keys.length / 2, () => redis.ping().then(move));
    expect(missing(keys, seen)).toEqual([]);
  });

  it.each<[string, (redis: ShardedRedis) => AsyncIterable<string>]>([
    ['hscan()', (redis) => fieldsOf(redis.hscan('hash', { count: 200 }))],
    ['hscanStream()', (redis) => flat<string>(redis.hscanStream('hash', { count: 200, highWaterMark: 1 }))],
  ])('misses no field when another server answers in the middle of %s', async (_title, begin) => {
    const { proxy, move } = await startMovingAddress();
    const redis = await open(await optionsFor(proxy.port));
    const seen = await collectAround(begin(redis), fields.length / 2, () => redis.ping().then(move));
    expect(missing(fields, seen)).toEqual([]);
  });
});

async function* fieldsOf(pairs: AsyncIterable<readonly [string, string]>): AsyncGenerator<string> {
  for await (const [field] of pairs) yield field;
}

describe.each(connectionKinds)('a RedisBackend with $title', ({ open: openBackend }) => {
  it('lists every key when another server answers in the middle', async () => {
    const { proxy, move } = await startMovingAddress();
    const { backend, close } = openBackend({ host: '127.0.0.1', port: proxy.port });
    cleanups.push(close);
    const seen = await collectAround(backend.scan(), keys.length / 2, move);
    expect(missing(keys, seen)).toEqual([]);
  });
});

describe('a RedisBackend with a prefix', () => {
  it('clears every key below it when another server answers in the middle', async () => {
    const { proxy, move, second } = await startMovingAddress();
    const options = { keyPrefix: 'key:' };
    const server = new RedisServer(parseTarget({ host: '127.0.0.1', port: proxy.port }), parseOptions(options));
    const backend = new RedisBackend(server, options);
    cleanups.push(() => backend.close());
    const call = server.call.bind(server);
    let scans = 0;
    server.call = async (spec, args, limits) => {
      if (spec.name === 'scan' && ++scans === 3) await move();
      return call(spec, args, limits);
    };
    await backend.clear();
    expect(await (await clientOf(second)).dbsize()).toBe(1);
  });
});

describe('a ShardedCache', () => {
  it('lists every key once when another server answers in the middle', async () => {
    const { proxy, move } = await startMovingAddress();
    const cache = new ShardedCache({
      nodes: [{ id: 'a', backend: new RedisBackend({ host: '127.0.0.1', port: proxy.port }) }],
      virtualNodes: 8,
    });
    cleanups.push(() => cache.close());
    const listed: string[] = [];
    for await (const key of cache.keys()) if (listed.push(key) === keys.length / 2) await move();
    expect(missing(keys, new Set(listed))).toEqual([]);
    expect(new Set(listed).size).toBe(listed.length);
  });
});

describe('a scan of keys with copies', () => {
  it('misses no field when the holder that was asked is killed in the middle', async () => {
    const servers = await Promise.all([startServer(), startServer()]);
    await Promise.all(servers.map(fill));
    const redis = await open({
      nodes: servers.map(({ port }, index) => ({ id: `${index}`, port })),
      replicationFactor: 2,
    });
    const first = servers[Number(redis.topology.placement.nodeFor('hash'))]!;
    const scan = redis.hscan('hash', { count: 200 });
    const seen = await collectAround(fieldsOf(scan), fields.length / 2, () => first.kill());
    expect(missing(fields, seen)).toEqual([]);
  });
});

describe('a scan of a group that Sentinel manages', () => {
  it('misses no key when a replica is promoted in the middle', async () => {
    const group = await startSentinelGroup({ sentinels: 1, quorum: 1 });
    cleanups.push(() => group.stop());
    await fill(group.servers[0]!);
    const nodes = [{ id: 'a', sentinels: [...group.addresses], name: group.name }];
    const redis = await open({ nodes });
    const replica = group.clientOf(group.servers[1]!);
    await eventually(async () => (await replica.dbsize()) === keys.length + 1);
    const scan = redis.scan();
    const seen = new Set<string>();
    for await (const key of scan) if (seen.add(key).size === keys.length / 2) break;
    await group.clientOf(group.sentinels[0]!).call('SENTINEL', 'FAILOVER', group.name);
    await group.switchedFrom(group.servers[0]!);
    const { cursor } = scan;
    const runs = async () => ((await redis.on('a').info('server')).match(/^run_id:\w+/m) ?? [''])[0];
    const promoted = (await replica.info('server')).match(/^run_id:\w+/m)![0];
    await eventually(async () => (await runs()) === promoted);
    const rest = await eventually(() => collectAround(redis.scan({ cursor }), 0, () => undefined));
    expect(missing(keys, new Set([...seen, ...rest]))).toEqual([]);
  });
});

describe('a scan by a user who may not ask INFO', () => {
  it('goes on where it stood over the same connection, and from the start over another one', async () => {
    const server = await startServer();
    await fill(server);
    const admin = await clientOf(server);
    await admin.call('ACL', 'SETUSER', 'scanner', 'on', '>secret', '~*', '&*', '+@all', '-info');
    const nodes = [{ id: 'a', port: server.port, username: 'scanner', password: 'secret' }];
    const redis = await open({ nodes });
    const scan = redis.scan();
    const seen = new Set<string>();
    for await (const key of scan) if (seen.add(key).size === keys.length / 2) break;
    const { cursor } = scan;
    const rest = await collectAround(redis.scan({ cursor }), 0, () => undefined);
    expect(missing(keys, new Set([...seen, ...rest]))).toEqual([]);
    expect(rest.size).toBeLessThan(0.9 * keys.length);
    const other = await open({ nodes });
    expect(missing(keys, await collectAround(other.scan({ cursor }), 0, () => undefined))).toEqual([]);
  });
});
