/** ioredis in every way that its users shard with it. Defaults are its own, but for what a row's name says. */

import { Cluster, Redis } from 'ioredis';
import { crc16 } from '../../../src/hash/crc16.ts';
import type { Store } from '../store.ts';
import { mergedByGroup, moduloStore } from './modulo.ts';

const host = '127.0.0.1';

export interface ClientOptions {
  readonly enableAutoPipelining?: boolean;
  readonly commandTimeout?: number;
  readonly protocol?: 2 | 3;
  readonly enableReadyCheck?: boolean;
  readonly disableClientInfo?: boolean;
}

export async function openModulo(ports: readonly number[], options: ClientOptions = {}): Promise<Store> {
  const clients = ports.map((port) => new Redis({ ...options, port, host }));
  // Without a listener it prints what it meets, which in the benchmark of failures is what is counted.
  for (const client of clients) client.on('error', () => undefined);
  await Promise.all(clients.map((client) => client.ping()));
  return moduloStore(clients, async () => {
    for (const client of clients) client.disconnect();
  });
}

/** One client on one server; or on a proxy, which then does the sharding. */
export async function openSingle(port: number, options: ClientOptions = {}): Promise<Store> {
  const client = new Redis({ ...options, port, host });
  await client.get('any');
  return {
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    mget: (keys) => client.mget([...keys]),
    close: async () => client.disconnect(),
  };
}

/** What twemproxy understands: no RESP3, no INFO, no CLIENT. */
export const proxyOptions: ClientOptions = { protocol: 2, enableReadyCheck: false, disableClientInfo: true };

/**
 * A cluster refuses an MGET over slots, so the keys are grouped by their master and asked for by a pipeline of GETs each,
 * which is the fastest that its interface has for it.
 */
export async function openCluster(ports: readonly number[], redisOptions: ClientOptions = {}): Promise<Store> {
  const cluster = await connectedCluster(ports, redisOptions);
  const masterOf = masterIndexes(cluster, ports);
  return {
    get: (key) => cluster.get(key),
    set: (key, value) => cluster.set(key, value),
    mget: (keys) =>
      mergedByGroup(keys, ports.length, masterOf, async (_master, part) => {
        const pipeline = cluster.pipeline();
        for (const key of part) pipeline.get(key);
        const replies = (await pipeline.exec()) ?? [];
        return replies.map(([error, value]) => {
          if (error) throw error;
          return value as string | null;
        });
      }),
    close: async () => cluster.disconnect(),
  };
}

export async function connectedCluster(ports: readonly number[], redisOptions: ClientOptions): Promise<Cluster> {
  const cluster = new Cluster(
    ports.map((port) => ({ port, host })),
    { redisOptions },
  );
  cluster.on('error', () => undefined);
  await cluster.ping();
  return cluster;
}

/** From a key to the place of its master in `ports`. */
export function masterIndexes(cluster: Cluster, ports: readonly number[]): (key: string) => number {
  const indexByName = new Map(ports.map((port, index) => [`${host}:${port}`, index]));
  const indexBySlot = cluster.slots.map((nodes) => indexByName.get(nodes[0] ?? '') ?? -1);
  // No key here has a hash tag.
  return (key) => indexBySlot[crc16(key) % 16_384]!;
}
