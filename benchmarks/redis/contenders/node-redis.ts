/** The other client of Redis, `redis` on npm, on a cluster. It gathers the writes of a turn by itself. */

import { createCluster } from 'redis';
import type { Store } from '../store.ts';

export async function openNodeRedisCluster(ports: readonly number[]): Promise<Store> {
  const cluster = createCluster({ rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })) });
  await cluster.connect();
  return {
    get: (key) => cluster.get(key),
    set: (key, value) => cluster.set(key, value),
    // It has no pipeline over slots; these travel together all the same.
    mget: (keys) => Promise.all(keys.map((key) => cluster.get(key))),
    close: async () => cluster.destroy(),
  };
}
