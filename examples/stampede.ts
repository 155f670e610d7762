// A hundred requests for one value that is not cached, and one query of the database. Then the value gets old: it is still
// answered at once, while one query brings a new one. Run it with: npx tsx examples/stampede.ts

import { MemoryBackend, ShardedCache } from 'shardring';
import { SimulatedClock } from 'shardring/testing';

const clock = new SimulatedClock();
const cache = new ShardedCache<string>({
  nodes: ['a', 'b'].map((id) => ({ id, backend: new MemoryBackend({ clock }) })),
  clock,
});

let queries = 0;
const queryDatabase = async () => `answer ${++queries}`;
const ask = () => cache.getOrSet('report', queryDatabase, { ttlMs: 10_000, staleWhileRevalidateMs: 5_000 });

const answers = await Promise.all(Array.from({ length: 100 }, ask));
console.log(new Set(answers), `by ${queries} query`);

await clock.advance(12_000);
console.log(await ask(), '(two seconds too old, answered at once)');
await clock.advance(0);
console.log(await ask(), `by ${queries} queries`);
await cache.close();
