/** Four real servers and a ShardedRedis over them, for tests. */

import type { ShardedRedisOptions } from '../../src/redis/index.ts';
import { ShardedRedis } from '../../src/redis/index.ts';
import { patientMs } from './eventually.ts';
import { type RedisServer, startRedis } from './redis.ts';

export interface Shards extends AsyncDisposable {
  readonly ids: readonly string[];
  readonly servers: readonly RedisServer[];
  readonly redis: ShardedRedis;
  /** Another client of the same servers. It is closed with the shards. */
  open(options?: Partial<ShardedRedisOptions>): ShardedRedis;
  /** A key whose node is `id`: the first of `prefix0`, `prefix1`, ... that is there. */
  keyAt(id: string, prefix?: string): string;
  server(id: string): RedisServer;
  /** Empties all servers. */
  flush(): Promise<void>;
}

export async function startShards(count: number, options: Partial<ShardedRedisOptions> = {}): Promise<Shards> {
  const servers = await Promise.all(Array.from({ length: count }, () => startRedis()));
  const ids = servers.map((_, index) => `node-${index}`);
  const clients: ShardedRedis[] = [];
  const open = (overrides: Partial<ShardedRedisOptions> = {}) => {
    const client = new ShardedRedis({
      nodes: servers.map(({ url }, index) => ({ id: ids[index]!, url })),
      timeoutMs: patientMs,
      health: { probeIntervalMs: 50, probeTimeoutMs: patientMs },
      ...options,
      ...overrides,
    });
    clients.push(client);
    return client;
  };
  const redis = open();
  await redis.connect();
  return {
    ids,
    servers,
    redis,
    open,
    keyAt(id, prefix = 'key:') {
      for (let index = 0; ; index++) {
        const key = `${prefix}${index}`;
        if (redis.topology.placement.nodeFor(key) === id) return key;
      }
    },
    server: (id) => servers[ids.indexOf(id)]!,
    async flush() {
      await redis.flushall();
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.quit()));
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}
