// One of three nodes dies while the cache is read. Run it with: npx tsx examples/failover.ts

import { MemoryBackend, ShardedCache } from 'shardring';
import { FaultyBackend } from 'shardring/testing';

const nodes = ['a', 'b', 'c'].map((id) => ({ id, backend: new FaultyBackend(new MemoryBackend()) }));
const cache = new ShardedCache({ nodes, replicationFactor: 2, writeConsistency: 'all' });
let failovers = 0;
cache.on('failover', ({ keys }) => {
  failovers += keys;
});

const keys = Array.from({ length: 1_000 }, (_, index) => `order:${index}`);
await cache.setMany(keys.map((key) => [key, 'paid']));
nodes[0]?.backend.stop(); // as a server that is killed
const hits = await cache.getMany(keys);
console.log(`${hits.size} of ${keys.length} orders found, ${failovers} of them at their replica`);
await cache.close();
