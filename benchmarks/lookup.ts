/**
 * From a key to its node: the ring against the npm package `hashring`, both with 160 virtual nodes.
 *
 * `hashring` remembers the last 5,000 keys, so "uncached" asks for more different keys than that, and "cached" for fewer,
 * by the very same string objects. What this does not show: other lengths and kinds of strings, other machines, and the
 * cost of a lookup within an application, whose caches are busy with other things.
 */

import { createRequire } from 'node:module';
import { HashRing } from 'shardring';
import { fail, measure, printMeasured } from './support/rounds.ts';

/** The package has no types. */
const Peer = createRequire(import.meta.url)('hashring') as new (ids: string[]) => { get(key: string): string };

const smoke = process.argv.includes('--smoke');
const rounds = smoke ? 3 : 25;
const keys = Array.from({ length: 65_536 }, (_, index) => `user:${(index * 2_654_435_761) % 4_294_967_296}`);
const fewKeys = keys.slice(0, 1_024);

/** Keeps results from being optimised away. */
let sink = 0;

function lookUp(lookup: (key: string) => string, from: readonly string[], operations: number): () => void {
  let next = 0;
  return () => {
    for (let operation = 0; operation < operations; operation++) {
      sink += lookup(from[next]!).length;
      next = next + 1 === from.length ? 0 : next + 1;
    }
  };
}

for (const nodeCount of [10, 100]) {
  const ids = Array.from({ length: nodeCount }, (_, index) => `node-${index}`);
  const ring = HashRing.create(
    ids.map((id) => ({ id })),
    { virtualNodes: 160 },
  );
  const peer = new Peer(ids);
  for (const key of keys.slice(0, 1_000)) {
    if (!ids.includes(ring.nodeFor(key)) || !ids.includes(peer.get(key))) fail('a key has no node');
  }
  const slow = smoke ? 2_000 : 8_192;
  const measured = await measure(
    [
      { name: 'hashring, uncached', operations: slow, run: lookUp((key) => peer.get(key), keys, slow) },
      { name: 'hashring, cached', operations: 50_000, run: lookUp((key) => peer.get(key), fewKeys, 50_000) },
      { name: 'shardring', operations: 50_000, run: lookUp((key) => ring.nodeFor(key), keys, 50_000) },
    ],
    { rounds, warmUps: 3 },
  );
  printMeasured(`lookup of a string key, nodes=${nodeCount} virtualNodes=160`, 'lookups', measured);
}
if (sink === 0) fail('nothing was looked up');
