/** Nodes on redis-servers that the demo starts and ends itself. Stopping one is SIGKILL; it comes back on the same port, empty. */

import { RedisBackend } from 'shardring/redis';
import { type RedisServer, startRedis } from '../../../test/support/redis.ts';
import type { DemoNodes } from './demo-nodes.ts';
import { NodeSet } from './node-set.ts';

export async function spawnedNodes(count: number): Promise<DemoNodes> {
  const set = new NodeSet();
  const servers: RedisServer[] = [];
  const make = async () => {
    const server = await startRedis();
    servers.push(server);
    const id = set.nextId();
    const redis = new RedisBackend(server.url, { nodeName: id });
    return set.add(id, { backend: redis, inner: redis, stop: () => server.kill(), start: () => server.restart() });
  };
  const close = async () => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  try {
    const initial = [];
    // One after the other, so that ids and ports go together in the same order every time.
    for (let started = 0; started < count; started++) initial.push(await make());
    return {
      description: `${count} redis-servers`,
      note: `Started for this run on the ports ${servers.map(({ port }) => port).join(', ')}.`,
      stopping: 'is killed with SIGKILL',
      starting: 'is started again on the same port, empty',
      losesKeys: true,
      areOurs: true,
      initial,
      addOne: make,
      stopNode: set.stopNode,
      startNode: set.startNode,
      loads: set.loads,
      countKeys: set.countKeys,
      cleanUp: async () => {},
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
