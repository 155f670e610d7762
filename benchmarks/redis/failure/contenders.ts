/** Who is put before a failing node, each with the same deadline for a call. */

import type { LocatingStore } from '../store.ts';

/** Of a call, in milliseconds. With ioredis it is `commandTimeout`; without it a call to a stopped server never ends. */
export const deadlineMs = 500;

export interface FailureContender {
  readonly name: string;
  readonly on: 'plain' | 'cluster';
  /** Promises are then checked, not only shown. */
  readonly isOurs: boolean;
  open(ports: readonly number[]): Promise<LocatingStore>;
}

export const failureContenders: readonly FailureContender[] = [
  {
    name: 'ioredis by modulo',
    on: 'plain',
    isOurs: false,
    async open(ports) {
      const { openModulo } = await import('../contenders/ioredis.ts');
      const { moduloIndex } = await import('../contenders/modulo.ts');
      const store = await openModulo(ports, { commandTimeout: deadlineMs });
      return { ...store, nodeOf: (key) => moduloIndex(key, ports.length) };
    },
  },
  {
    name: 'ioredis Cluster',
    on: 'cluster',
    isOurs: false,
    async open(ports) {
      const { connectedCluster, masterIndexes } = await import('../contenders/ioredis.ts');
      const cluster = await connectedCluster(ports, { commandTimeout: deadlineMs });
      return {
        get: (key) => cluster.get(key),
        set: (key, value) => cluster.set(key, value),
        nodeOf: masterIndexes(cluster, ports),
        close: async () => cluster.disconnect(),
      };
    },
  },
  {
    name: 'ShardedCache',
    on: 'plain',
    isOurs: true,
    open: async (ports) => (await import('../contenders/ours.ts')).cacheWithDeadline(ports, deadlineMs),
  },
  {
    name: 'ShardedRedis',
    on: 'plain',
    isOurs: true,
    open: async (ports) => (await import('../contenders/ours.ts')).redisWithDeadline(ports, deadlineMs),
  },
];
