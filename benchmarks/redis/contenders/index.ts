/** Who takes part, in the order of the tables. */

import type { Ports, Store } from '../store.ts';

export type Family = 'plain' | 'cluster' | 'proxy';

export interface Contender {
  readonly name: string;
  /** Which of the servers it stands on. */
  readonly on: Family;
  /** Imports what it needs itself, so that a process of one contender has no other in it. */
  open(ports: Ports): Promise<Store>;
}

/** All ratios are to this one: what a careful user writes by hand. */
export const baseName = 'ioredis by modulo';

export const contenders: readonly Contender[] = [
  { name: baseName, on: 'plain', open: async ({ plain }) => (await import('./ioredis.ts')).openModulo(plain) },
  {
    name: 'ioredis by modulo, auto-pipelining',
    on: 'plain',
    open: async ({ plain }) => (await import('./ioredis.ts')).openModulo(plain, { enableAutoPipelining: true }),
  },
  {
    name: 'one ioredis, one server',
    on: 'plain',
    open: async ({ plain }) => (await import('./ioredis.ts')).openSingle(plain[0]!),
  },
  {
    name: 'ioredis Cluster',
    on: 'cluster',
    open: async ({ cluster }) => (await import('./ioredis.ts')).openCluster(cluster!),
  },
  {
    name: 'node-redis cluster',
    on: 'cluster',
    open: async ({ cluster }) => (await import('./node-redis.ts')).openNodeRedisCluster(cluster!),
  },
  {
    name: 'ioredis through twemproxy',
    on: 'proxy',
    open: async ({ proxy }) => {
      const { openSingle, proxyOptions } = await import('./ioredis.ts');
      return openSingle(proxy!, proxyOptions);
    },
  },
  {
    name: 'bare sockets (floor)',
    on: 'plain',
    open: async ({ plain }) => (await import('./floor.ts')).openFloor(plain),
  },
  { name: 'ShardedCache', on: 'plain', open: async ({ plain }) => (await import('./ours.ts')).openCache(plain) },
  {
    name: 'ShardedCache, batching: false',
    on: 'plain',
    open: async ({ plain }) => (await import('./ours.ts')).openCache(plain, { batching: false }),
  },
  {
    name: 'ShardedCache, direct transport',
    on: 'plain',
    open: async ({ plain }) => (await import('./ours.ts')).openCache(plain, { transport: 'direct' }),
  },
  { name: 'ShardedRedis', on: 'plain', open: async ({ plain }) => (await import('./ours.ts')).openRedis(plain) },
  {
    name: 'ShardedRedis, batching: false',
    on: 'plain',
    open: async ({ plain }) => (await import('./ours.ts')).openRedis(plain, { batching: false }),
  },
  {
    name: 'ShardedRedis, direct transport',
    on: 'plain',
    open: async ({ plain }) => (await import('./ours.ts')).openRedis(plain, { transport: 'direct' }),
  },
];

/** @throws {Error} Nobody has this name. */
export function contenderNamed(name: string): Contender {
  const found = contenders.find((contender) => contender.name === name);
  if (found === undefined) throw new Error(`There is no contender ${name}.`);
  return found;
}
