import { describe, expect, it } from 'vitest';
import { HashRing } from '../../src/placement/ring/hash-ring.ts';
import { outcomeOf, patientMs } from '../support/eventually.ts';
import { startShards } from '../support/shards.ts';

const none = { strategy: 'none' } as const;

describe('a node that is removed from a ShardedRedis', () => {
  it('ends what waits there for data, and says that the nodes have changed and not that the client is closed', async () => {
    await using shards = await startShards(3, { timeoutMs: patientMs });
    const { redis } = shards;
    const id = redis.explain('queue').nodes[0]!.id;
    const waiting = outcomeOf(redis.blpop('queue', 0));
    const server = redis.on(id);
    await expect.poll(async () => /blocked_clients:1/.test(await server.info('clients'))).toBe(true);
    await redis.removeNode(id, none);
    expect((await waiting).error).toMatchObject({
      code: 'ERR_NODES_CHANGED',
      node: id,
      operation: 'blpop',
      retryable: true,
    });
    const again = redis.blpop('queue', 0);
    await redis.rpush('queue', 'item');
    expect(await again).toEqual(['queue', 'item']);
  });
});

describe('a duplicate of a ShardedRedis whose nodes have changed', () => {
  it('begins with the nodes and the placement in force', async () => {
    await using shards = await startShards(3, { timeoutMs: patientMs });
    const { redis } = shards;
    await redis.removeNode(redis.topology.placement.nodes[0]!.id, none);
    await redis.setPlacement((current) => HashRing.create(current.nodes, { hashSeed: 7 }), none);
    const copy = redis.duplicate();
    try {
      expect(copy.topology.placement.checksum).toBe(redis.topology.placement.checksum);
      await redis.set('key', 'value');
      expect(await copy.get('key')).toBe('value');
      const other = redis.duplicate({ nodes: redis.options.nodes, lazyConnect: true });
      expect(other.topology.placement.nodes).toHaveLength(3);
      await other.quit();
    } finally {
      await copy.quit();
    }
  });
});
