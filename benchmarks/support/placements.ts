/**
 * What `redistribution.ts` compares: ways of placing keys on nodes, behind one small interface.
 *
 *   shardring         HashRing as it comes: 512 virtual nodes per unit of weight, 2^18 slots
 *   hashring          npm hashring 3.2.0 as it comes: MD5, 160 points a node, weights normalised to the mean weight
 *   consistent-hash   npm consistent-hash 1.2.2 as it comes: 40 points a node on a range of 100,003
 *   modulo            XXH32 of the key, modulo the number of nodes
 *
 * consistent-hash takes its points from Math.random, so no two processes of it agree on where a key is. Here it is given
 * points explicitly, which its `add` allows, by its own rule (any that is free in the range), from a seeded generator:
 * the results then repeat. A node's weight is its number of points; to change it the node is removed and added again,
 * which is the only way its interface offers.
 */

import { createRequire } from 'node:module';
import { xxh32 } from '../../src/hash/xxh32.ts';
import { HashRing } from '../../src/placement/ring/hash-ring.ts';
import { type Random, seededRandom } from '../../src/runtime/random.ts';

export interface Member {
  readonly id: string;
  readonly weight: number;
}

export type Change =
  | { readonly kind: 'add'; readonly member: Member }
  | { readonly kind: 'remove'; readonly id: string }
  | { readonly kind: 'reweight'; readonly id: string; readonly weight: number };

export interface Placed {
  nodeFor(key: string): string;
  /** The placement after a change; this one stays as it is. Undefined where the method has no such change. */
  after(change: Change): Placed | undefined;
}

export interface Method {
  readonly name: string;
  /** Why {@link Placed.after} has no answer for some change. */
  readonly without?: string;
  /** @param seed  Integer in [0, 2^32), for methods that place by chance. */
  place(members: readonly Member[], seed: number): Placed;
}

export const methods: readonly Method[] = [
  { name: 'shardring', place: (members) => placeOnRing(HashRing.create(members)) },
  { name: 'hashring', place: (members) => placeOnHashring(members) },
  { name: 'consistent-hash', place: (members, seed) => placeOnConsistentHash(members, seed, undefined) },
  {
    name: 'modulo',
    without: 'modulo has no weights',
    place: (members) => placeByModulo(members.map(({ id }) => id)),
  },
];

/** The members after a change. */
export function changedMembers(members: readonly Member[], change: Change): readonly Member[] {
  switch (change.kind) {
    case 'add':
      return [...members, change.member];
    case 'remove':
      return members.filter(({ id }) => id !== change.id);
    case 'reweight':
      return members.map((member) => (member.id === change.id ? { ...member, weight: change.weight } : member));
  }
}

/** The ring itself, for checking what is measured against what `planRebalance` says. */
export function changedRing(ring: HashRing, change: Change): HashRing {
  switch (change.kind) {
    case 'add':
      return ring.withNode(change.member);
    case 'remove':
      return ring.withoutNode(change.id);
    case 'reweight':
      return ring.withWeight(change.id, change.weight);
  }
}

function placeOnRing(ring: HashRing): Placed {
  return { nodeFor: (key) => ring.nodeFor(key), after: (change) => placeOnRing(changedRing(ring, change)) };
}

function placeByModulo(ids: readonly string[]): Placed {
  return {
    nodeFor: (key) => ids[xxh32(key, 0) % ids.length]!,
    after: (change) => {
      if (change.kind === 'reweight') return undefined;
      const members = ids.map((id) => ({ id, weight: 1 }));
      return placeByModulo(changedMembers(members, change).map(({ id }) => id));
    },
  };
}

/** What is used of the two packages, which bring no types. */
interface HashringPackage {
  new (servers: Record<string, { weight: number }>): { get(key: string): string };
}
interface ConsistentHashPackage {
  new (): {
    add(node: string, count: number, points: readonly number[]): unknown;
    remove(node: string): unknown;
    get(key: string): string;
  };
}

const require = createRequire(import.meta.url);

/** Its `add` and `remove` rebuild everything from the list of servers; a new one of that list is the same. */
function placeOnHashring(members: readonly Member[]): Placed {
  const Hashring = require('hashring') as HashringPackage;
  const ring = new Hashring(Object.fromEntries(members.map(({ id, weight }) => [id, { weight }])));
  return {
    nodeFor: (key) => ring.get(key),
    after: (change) => placeOnHashring(changedMembers(members, change)),
  };
}

const pointsPerWeight = 40;
const pointRange = 100_003;

function placeOnConsistentHash(members: readonly Member[], seed: number, change: Change | undefined): Placed {
  const ConsistentHash = require('consistent-hash') as ConsistentHashPackage;
  const ring = new ConsistentHash();
  const random = seededRandom(seed);
  const used = new Set<number>();
  const add = ({ id, weight }: Member) => {
    const points = freePoints(weight * pointsPerWeight, used, random);
    ring.add(id, points.length, points);
  };
  for (const member of members) add(member);
  if (change?.kind === 'add') add(change.member);
  if (change?.kind === 'remove' || change?.kind === 'reweight') ring.remove(change.id);
  if (change?.kind === 'reweight') {
    // In 1.2.2 an `add` right after a `remove` throws a TypeError; a lookup in between makes the table that it misses.
    ring.get('');
    add(change);
  }
  return {
    nodeFor: (key) => ring.get(key),
    // It changes in place, so the ring before is made once more, from the same seed.
    after: (next) => placeOnConsistentHash(members, seed, next),
  };
}

function freePoints(count: number, used: Set<number>, random: Random): number[] {
  return Array.from({ length: count }, () => {
    let point = Math.floor(random() * pointRange);
    while (used.has(point)) point = Math.floor(random() * pointRange);
    used.add(point);
    return point;
  });
}
