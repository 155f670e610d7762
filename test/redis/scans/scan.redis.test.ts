/** Scans of three real servers, one of which is killed by its process id. */

import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NodeUnavailableError } from '../../../src/errors/index.ts';
import { type ReadElements, scanElements } from '../../../src/redis/scans/element-scan.ts';
import { scanAllPages, scanKeys, scanOnePage } from '../../../src/redis/scans/scan.ts';
import type { ScanArgument, ScanOptions } from '../../../src/redis/scans/scan-options.ts';
import type { ScanNode } from '../../../src/redis/scans/scan-pages.ts';
import { elementPages, ScanStream, streamArguments } from '../../../src/redis/scans/scan-stream.ts';
import { pageAt } from '../../../src/server/backend/scan-position.ts';
import { identityOf } from '../../../src/server/link/server-identity.ts';
import { CallLimits } from '../../../src/server/sending/call.ts';
import { eventually } from '../../support/eventually.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';

const ids = ['a', 'b', 'c'];
let servers: RedisServer[];
let clients: Redis[];
let nodes: ScanNode[];

beforeAll(async () => {
  servers = await Promise.all(ids.map(() => startRedis()));
  clients = servers.map(({ port }) => {
    const client = new Redis({ port, enableOfflineQueue: false, lazyConnect: true, maxRetriesPerRequest: 0 });
    client.on('error', () => undefined);
    return client;
  });
  await Promise.all(clients.map((client) => client.connect()));
  nodes = clients.map((client, index) => nodeOf(client, ids[index]!));
});

afterAll(async () => {
  for (const client of clients) client.disconnect();
  await Promise.all(servers.map((server) => server.stop()));
});

function nodeOf(client: Redis, id: string): ScanNode {
  let connectionCount = 1;
  client.on('ready', () => connectionCount++);
  const runId = async () => identityOf(undefined, await client.info('server')).runId!;
  return {
    id,
    runId,
    async scanPage(position, args) {
      try {
        const read = pagesOf(client, (cursor) => ['scan', cursor, ...args]);
        const { page, next } = await pageAt({ connectionCount, runId }, position, 'scan', noLimits, read);
        return { next, keys: page.items };
      } catch (cause) {
        throw new NodeUnavailableError(id, 'scan', { cause });
      }
    },
  };
}

const pagesOf = (client: Redis, commandAt: (cursor: string) => ScanArgument[]) => async (at: string) => {
  const [command, ...args] = commandAt(at);
  const [cursor, items] = (await client.callBuffer(command as string, ...args)) as [Buffer, Buffer[]];
  return { cursor: cursor.toString(), items };
};

const noLimits = new CallLimits(1_000, Number.POSITIVE_INFINITY, undefined);

const scope = () => ({ nodes, isOwner: () => true, checksum: 'of a placement' });
const scan = (options: ScanOptions = {}) => scanKeys(scope(), options);

/** As many keys on each server, named after it. */
async function fill(count: number): Promise<Set<string>> {
  const keys = new Set<string>();
  await Promise.all(clients.map((client) => client.flushall()));
  await Promise.all(clients.map((_, index) => fillOne(index, count, keys)));
  return keys;
}

async function fillOne(index: number, count: number, keys = new Set<string>()): Promise<void> {
  const pairs = Array.from({ length: count }, (_, number) => `${ids[index]}:${number}`);
  for (const key of pairs) keys.add(key);
  await clients[index]!.mset(pairs.flatMap((key) => [key, 'x']));
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

describe('a scan of three servers', () => {
  it('gives every key, whatever the size of the pages', async () => {
    const keys = await fill(700);
    for (const count of [1, 10, 100_000, undefined]) expect(new Set(await collect(scan({ count })))).toEqual(keys);
  });

  it('finds by name and by type', async () => {
    await fill(50);
    await clients[1]!.sadd('b:set', 'x');
    expect((await collect(scan({ match: '?:7' }))).sort()).toEqual(['a:7', 'b:7', 'c:7']);
    expect(await collect(scan({ type: 'set' }))).toEqual(['b:set']);
  });

  it('gives every key that is there throughout, while others come and go and the tables grow', async () => {
    const keys = await fill(500);
    const seen = new Set<string | Buffer>();
    let written = 0;
    for await (const key of scan({ count: 20 })) {
      seen.add(key);
      if (++written % 10 === 0) {
        await Promise.all(clients.map((client) => client.set(`new:${written}`, 'x')));
        await Promise.all(clients.map((client) => client.del(`new:${written - 50}`)));
      }
      if (written > 20_000) throw new Error('the scan does not end');
    }
    for (const key of keys) expect(seen).toContain(key);
  });

  it('goes on from its cursor, in steps, without losing a key', async () => {
    const keys = await fill(300);
    const seen = new Set<string | Buffer>();
    let cursor: string | undefined;
    for (let step = 0; step < 20; step++) {
      const keysFound = scan({ count: 10, cursor });
      let taken = 0;
      for await (const key of keysFound) {
        seen.add(key);
        if (++taken === 25) break;
      }
      cursor = keysFound.cursor;
    }
    for await (const key of scan({ cursor })) seen.add(key);
    expect(seen).toEqual(keys);
  });

  it('goes a page at a time with a decimal cursor', async () => {
    const keys = await fill(300);
    const seen = new Set<string>();
    let cursor = '0';
    let pages = 0;
    do {
      const [next, page] = await scanOnePage(scope(), cursor, ['COUNT', 10]);
      for (const key of page) seen.add(key.toString());
      cursor = next;
      pages++;
    } while (cursor !== '0');
    expect(seen).toEqual(keys);
    expect(pages).toBeGreaterThan(50);
  });

  it('streams arrays of keys', async () => {
    const keys = await fill(300);
    const pages = scanAllPages(scope(), streamArguments({ match: 'a:*', count: 50 }));
    const found = (await collect(new ScanStream(pages))) as Buffer[][];
    expect(new Set(found.flat().map(String))).toEqual(new Set([...keys].filter((key) => key.startsWith('a:'))));
  });

  it('ends with the error of a server that is killed, and goes on once it is back, with all of its keys', async () => {
    const keys = await fill(300);
    const keysFound = scan({ count: 10 });
    const seen = new Set<string | Buffer>();
    let taken = 0;
    await expect(
      (async () => {
        for await (const key of keysFound) {
          seen.add(key);
          if (++taken === 100) await servers[1]!.kill();
        }
      })(),
    ).rejects.toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', node: 'b' });
    expect(keysFound.failedNode).toBe('b');
    expect(seen.size).toBeLessThan(keys.size);

    await servers[1]!.restart();
    await eventually(() => clients[1]!.ping());
    await fillOne(1, 300);
    // What the killed server had given before does not count: its place in the new one is not known.
    const rest = new Set(await collect(scan({ cursor: keysFound.cursor })));
    for (const key of keys) {
      if (key.startsWith('b:')) expect(rest).toContain(key);
      else expect(seen.has(key) || rest.has(key)).toBe(true);
    }
  });
});

describe('a scan of one key', () => {
  it('gives fields, members and scores of keys of any size', async () => {
    const client = clients[0]!;
    const numbers = Array.from({ length: 2_000 }, (_, index) => index);
    await client.flushall();
    await client.hset('hash', Object.fromEntries(numbers.map((number) => [`f${number}`, `v${number}`])));
    await client.sadd('set', ...numbers);
    await client.zadd('zset', ...numbers.flatMap((number) => [number / 4, `m${number}`]));
    await client.zadd('zset', '-inf', 'low');
    const reader =
      (command: string, key: string): ReadElements =>
      async ({ cursor }, args) => {
        const page = await pagesOf(client, (at) => [command, key, at, ...args])(cursor);
        return { items: page.items, next: page.cursor === '0' ? undefined : { cursor: page.cursor, run: 'same' } };
      };
    const fields = await collect(scanElements('hscan', reader('hscan', 'hash'), { count: 100 }));
    expect(new Map(fields)).toEqual(new Map(numbers.map((number) => [`f${number}`, `v${number}`])));
    const members = await collect(scanElements('sscan', reader('sscan', 'set'), { match: '1?' }));
    expect(new Set(members)).toEqual(new Set(numbers.slice(10, 20).map(String)));
    const scores = new Map(await collect(scanElements('zscan', reader('zscan', 'zset'), {})));
    expect(scores.get('m3')).toBe(0.75);
    expect(scores.get('low')).toBe(Number.NEGATIVE_INFINITY);
    expect(scores.size).toBe(2_001);

    const pages = elementPages(reader('hscan', 'hash'), ['COUNT', 100]);
    const flat = ((await collect(new ScanStream(pages))) as Buffer[][]).flat();
    expect(flat).toHaveLength(4_000);
  });
});
