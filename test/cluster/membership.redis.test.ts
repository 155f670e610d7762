/** Changes of the nodes of a ShardedRedis, over servers that all tests share. */

import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ShardedRedis, type ShardedRedisOptions } from '../../src/redis/index.ts';
import { patientMs } from '../support/eventually.ts';
import { freePort, type RedisServer, startRedis } from '../support/redis.ts';
import { describeMembership, type Face } from './membership-suite.ts';

const ids = ['a', 'b', 'c'];
const none = { strategy: 'none' } as const;

let servers: Record<string, RedisServer>;
/** Accepts connections and says nothing. */
let silent: Server;
let deadPort: number;
const sockets: Socket[] = [];

beforeAll(async () => {
  const all = [...ids, 'd'];
  const started = await Promise.all(all.map(() => startRedis()));
  servers = Object.fromEntries(all.map((id, index) => [id, started[index]!]));
  silent = createServer((socket) => sockets.push(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  deadPort = await freePort();
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  silent.close();
  await Promise.all(Object.values(servers).map((server) => server.stop()));
});

function clientOf(options: Partial<ShardedRedisOptions> = {}): ShardedRedis {
  const redis = new ShardedRedis({
    ...{ nodes: ids.map((id) => nodeOf(id)), slots: 2 ** 10, virtualNodes: 16, timeoutMs: patientMs },
    ...{ health: { probeTimeoutMs: patientMs }, ...options },
  });
  onTestFinished(() => redis.close());
  return redis;
}

/** One that other tests may have filled is another server's. */
const nodeOf = (id: string) => ({ id, url: (servers[id] ?? servers.d!).url });

beforeEach(async () => {
  const redis = new ShardedRedis({ nodes: Object.keys(servers).map((id) => nodeOf(id)) });
  await redis.flushall();
  await redis.quit();
});

describeMembership('a ShardedRedis', async (options) => {
  const redis = clientOf(options);
  return {
    face: redis as unknown as Face,
    node: nodeOf,
    deadNode: (id) => ({
      node: { id, port: deadPort },
      start: async () => {
        const server = await startRedis({ port: deadPort });
        onTestFinished(() => server.stop());
      },
    }),
    silentNode: (id) => ({ id, port: (silent.address() as { port: number }).port }),
    write: (keys) => redis.mset(keys.flatMap((key) => [key, '1'])),
    found: async (keys) => {
      const values = await redis.mget([...keys]);
      return keys.filter((_, index) => values[index] !== null);
    },
    pass: async () => undefined,
  };
});

describe('a change of the nodes of a ShardedRedis', () => {
  it('has to name its strategy, as keys that change their node are missed', async () => {
    const redis = clientOf();
    const changes = [
      redis.addNode(nodeOf('d'), undefined as never),
      redis.removeNode('a', {} as never),
      redis.setWeight('a', 2, { onBusy: 'wait' } as never),
      redis.setPlacement((placement) => placement, {} as never),
    ];
    for (const change of changes) {
      await expect(change).rejects.toThrow(
        "options.strategy: name it: 'none'. Keys that change their node are not moved, and missed from then on.",
      );
    }
    const lazy = redis.setWeight('a', 2, { strategy: 'lazy' } as never);
    await expect(lazy).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'options.strategy' });
    expect(redis.topology.epoch).toBe(1);
  });

  it('leaves its last node', async () => {
    const redis = clientOf();
    await redis.removeNode('a', none);
    await redis.removeNode('b', none);
    const last = redis.removeNode('c', none);
    await expect(last).rejects.toThrow('cannot remove c: no node would remain. Add a replacement first.');
    expect(await redis.set('key', 'value')).toBe('OK');
  });
});
