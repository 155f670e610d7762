/**
 * 100,000 keys over four memory nodes, in batches of 100, against a plain Map that stores the same bytes.
 *
 * The Map is the floor: no ring, no limits, no expiry, no isolation of the stored bytes. What this does not show: larger
 * values, eviction, and what a garbage collection costs an application with a large heap.
 */

import { MemoryBackend, ShardedCache } from 'shardring';
import { fail, measure, printMeasured } from './support/rounds.ts';

const smoke = process.argv.includes('--smoke');
const rounds = smoke ? 2 : 15;
const keyCount = smoke ? 10_000 : 100_000;
const batch = 100;
const keys = Array.from({ length: keyCount }, (_, index) => `user:${index}`);
const value = 'v'.repeat(98);
const bytes = Buffer.from('v'.repeat(100));

const nodes = () => ['a', 'b', 'c', 'd'].map((id) => ({ id, backend: new MemoryBackend() }));
const json = new ShardedCache<string>({ nodes: nodes() });
const raw = new ShardedCache<Uint8Array>({ nodes: nodes(), codec: 'bytes' });
const map = new Map<string, Buffer>();
const batches = Array.from({ length: keyCount / batch }, (_, index) => keys.slice(index * batch, (index + 1) * batch));

const setMap = () => {
  for (const part of batches) for (const key of part) map.set(key, Buffer.from(JSON.stringify(value)));
};
const getMap = () => {
  let found = 0;
  for (const part of batches) for (const key of part) if (JSON.parse(map.get(key)!.toString()) === value) found++;
  if (found !== keyCount) fail('the Map lost a key');
};
const setCache = (cache: ShardedCache<never>, stored: unknown) => async () => {
  for (const part of batches) await cache.setMany(part.map((key) => [key, stored as never]));
};
const getCache = (cache: ShardedCache<never>) => async () => {
  let found = 0;
  for (const part of batches) found += (await cache.getMany(part)).size;
  if (found !== keyCount) fail('the cache lost a key');
};

const set = await measure(
  [
    { name: 'Map of JSON bytes', operations: keyCount, run: setMap },
    { name: "setMany, codec 'json'", operations: keyCount, run: setCache(json as never, value) },
    { name: "setMany, codec 'bytes'", operations: keyCount, run: setCache(raw as never, bytes) },
  ],
  { rounds, warmUps: 2 },
);
printMeasured(`set ${keyCount.toLocaleString('en')} keys, nodes=4 batch=${batch} value=100 bytes`, 'keys', set);

const get = await measure(
  [
    { name: 'Map of JSON bytes', operations: keyCount, run: getMap },
    { name: "getMany, codec 'json'", operations: keyCount, run: getCache(json as never) },
    { name: "getMany, codec 'bytes'", operations: keyCount, run: getCache(raw as never) },
  ],
  { rounds, warmUps: 2 },
);
printMeasured(`get ${keyCount.toLocaleString('en')} keys, nodes=4 batch=${batch} value=100 bytes`, 'keys', get);
await json.close();
await raw.close();
