/**
 * Nodes on servers that somebody else runs, and may use for other things.
 *
 * All keys go below `shardring-demo:<run>:<node>:`, and only those are removed at the end: nothing is ever flushed. Such a
 * server is never stopped either; "stopping" a node cuts this process off from it, which looks the same from here.
 */

import { RedisBackend } from 'shardring/redis';
import { FaultyBackend } from 'shardring/testing';
import type { DemoNodes } from './demo-nodes.ts';
import { NodeSet } from './node-set.ts';

/** @param urls  At least one. Two nodes may be on one server. */
export async function givenNodes(urls: readonly string[], runId: string): Promise<DemoNodes> {
  const set = new NodeSet();
  const opened: RedisBackend[] = [];
  const make = (url: string) => {
    const id = set.nextId();
    const redis = new RedisBackend(url, {
      nodeName: id,
      keyPrefix: `shardring-demo:${runId}:${id}:`,
      timeoutMs: 10_000,
    });
    opened.push(redis);
    const faulty = new FaultyBackend(redis, { nodeName: id });
    return set.add(id, { backend: faulty, inner: redis, stop: () => faulty.stop(), start: () => faulty.start() });
  };
  const initial = urls.map(make);
  try {
    await Promise.all(opened.map((redis) => redis.ping({ timeoutMs: 5_000 })));
  } catch (error) {
    await Promise.all(opened.map((redis) => redis.close()));
    throw error;
  }
  return {
    description: `${urls.length} given servers`,
    note: `Keys are below shardring-demo:${runId}: and go at the end. No server is stopped; a node that goes is cut off.`,
    stopping: 'is cut off from this process',
    starting: 'can be reached again, with the keys it had',
    losesKeys: false,
    areOurs: false,
    initial,
    // On the first server, below a prefix of its own: there is no other server to take.
    addOne: async () => make(urls[0]!),
    stopNode: set.stopNode,
    startNode: set.startNode,
    loads: set.loads,
    countKeys: set.countKeys,
    cleanUp: async () => {
      // Cut off first, so that nothing that is still under way writes a key after the others have gone.
      await Promise.all(set.ids().map(set.stopNode));
      await set.clearAll();
    },
    close: async () => {},
  };
}
