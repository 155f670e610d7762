// The program on the first screen of the README. Run it with: npx tsx examples/quick-start.ts

import { MemoryBackend, ShardedCache } from 'shardring';

const cache = new ShardedCache({
  nodes: ['a', 'b', 'c', 'd'].map((id) => ({ id, backend: new MemoryBackend() })),
  replicationFactor: 2,
});
await cache.set('user:42', { name: 'Ada' }, { ttlMs: 60_000 });
console.log(await cache.get('user:42'));
console.log(
  cache
    .explain('user:42')
    .nodes.map(({ id, role }) => `${id} ${role}`)
    .join(', '),
);
const plan = await cache.addNode({ id: 'e', backend: new MemoryBackend() });
console.log(`${(100 * plan.movedShare).toFixed(1)} % of all copies move, ${plan.needlessMoves} needlessly`);
await cache.close();
