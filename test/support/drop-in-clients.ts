/**
 * What other libraries are given as their client: one of ioredis, as they expect it, and a ShardedRedis over four servers.
 * Each test of a library runs on both, so that a test that asks for too much fails on the first.
 */

import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { ShardedRedis, type ShardedRedisOptions } from '../../src/redis/index.ts';
import { patientMs } from './eventually.ts';
import { type RedisServer, startRedis } from './redis.ts';

export interface DropIn {
  readonly client: Redis;
  readonly servers: readonly RedisServer[];
  /** Another client of the same servers. It is closed with this one. */
  another(options?: { lazyConnect?: boolean }): Redis;
  /** The ordinary ioredis client of the server that holds the key. */
  nodeFor(key: string): Redis;
  /** The server that holds the key. */
  serverOf(key: string): RedisServer;
  /** How many keys each server holds. */
  keyCounts(): Promise<number[]>;
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface DropInKind {
  readonly title: string;
  readonly serverCount: number;
  open(): Promise<DropIn>;
}

/** How clients of a kind are made, and how they tell where a key is. */
interface Ways {
  make(servers: readonly RedisServer[], options: { lazyConnect?: boolean }): Redis;
  nodeFor(client: Redis, key: string): Redis;
  serverIndexOf(client: Redis, key: string): number;
}

const kind = (title: string, serverCount: number, { make, nodeFor, serverIndexOf }: Ways): DropInKind => ({
  title,
  serverCount,
  async open() {
    const servers = await Promise.all(Array.from({ length: serverCount }, () => startRedis()));
    const observers = servers.map(({ port }) => new Redis({ port, lazyConnect: true }));
    const clients: Redis[] = [];
    const another: DropIn['another'] = (options = {}) => {
      const client = make(servers, options);
      client.on('error', () => undefined);
      clients.push(client);
      return client;
    };
    const client = another();
    return {
      client,
      servers,
      nodeFor: (key) => nodeFor(client, key),
      serverOf: (key) => servers[serverIndexOf(client, key)]!,
      another,
      keyCounts: () => Promise.all(observers.map((observer) => observer.dbsize())),
      async flush() {
        await Promise.all(observers.map((observer) => observer.flushall()));
      },
      async close() {
        for (const client of [...clients, ...observers]) client.disconnect();
        await Promise.all(servers.map((server) => server.stop()));
      },
    };
  },
});

/** A ShardedRedis stands in for a client of ioredis: by what it can do, and not by its class. */
const asRedis = (client: ShardedRedis) => client as unknown as Redis;
const asSharded = (client: Redis) => client as unknown as ShardedRedis;

const single = { nodeFor: (client: Redis) => client, serverIndexOf: () => 0 };

/** What an application may have in place of ioredis 6. */
export const olderKinds: readonly DropInKind[] = [
  kind('a client of ioredis 5', 1, {
    ...single,
    make: ([server], options) => new Redis5({ port: server!.port, ...options }) as unknown as Redis,
  }),
];

const patient = { timeoutMs: patientMs, health: { probeTimeoutMs: patientMs } };

const sharded = (title: string, serverCount: number, extra: Partial<ShardedRedisOptions>): DropInKind => {
  const ids = Array.from({ length: serverCount }, (_, index) => `node-${index}`);
  return kind(title, serverCount, {
    make(servers, options) {
      const nodes = servers.map(({ url }, index) => ({ id: ids[index]!, url }));
      return asRedis(new ShardedRedis({ nodes, ...patient, ...extra, ...options }));
    },
    nodeFor: (client, key) => asSharded(client).nodeFor(key),
    serverIndexOf: (client, key) => ids.indexOf(asSharded(client).topology.placement.nodeFor(key)),
  });
};

export const dropInKinds: readonly DropInKind[] = [
  kind('a client of ioredis', 1, {
    ...single,
    make: ([server], options) => new Redis({ port: server!.port, ...options }),
  }),
  sharded('a ShardedRedis of four servers', 4, {}),
];

/** Each key on two servers. Scripts run on both. */
export const withCopies: DropInKind = sharded('a ShardedRedis with two copies', 3, {
  replicationFactor: 2,
  scripts: 'deterministic',
});
