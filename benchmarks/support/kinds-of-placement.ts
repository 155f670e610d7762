/** Every kind of placement, as it comes, for `placements.ts`. */

import { GoRedisRing } from '../../src/placement/compat/go-redis.ts';
import { RedisSlots } from '../../src/placement/compat/redis-slots.ts';
import { ketama, libmemcached, npmHashring, twemproxy } from '../../src/placement/compat/rings.ts';
import { HashRanges } from '../../src/placement/hash-ranges/hash-ranges.ts';
import { JumpTable } from '../../src/placement/jump/jump-table.ts';
import { Maglev } from '../../src/placement/maglev/maglev.ts';
import type { Placement } from '../../src/placement/placement.ts';
import { RangeSharding } from '../../src/placement/ranges/range-sharding.ts';
import { Rendezvous } from '../../src/placement/rendezvous/rendezvous.ts';
import { RendezvousTable } from '../../src/placement/rendezvous/rendezvous-table.ts';
import { BoundedLoadRing } from '../../src/placement/ring/bounded-load-ring.ts';
import { HashRing } from '../../src/placement/ring/hash-ring.ts';
import { seededRandom } from '../../src/runtime/random.ts';
import { internalised } from './string-kinds.ts';

export interface KindOfPlacement {
  readonly name: string;
  /** @param replicationFactor  For those that keep rows for it. */
  make(ids: readonly string[], replicationFactor: number): Placement;
  /** What each node gets, as a part of all; default `shares()`. */
  shares?(placement: Placement): readonly number[];
}

const nodesOf = (ids: readonly string[]) => ids.map((id) => ({ id }));

/** Keys of which some beginnings are far more frequent than others, as those of users by name. */
export function skewedKeys(count: number, seed: number): string[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const first = Math.floor(26 * random() ** 3);
    return `user:${String.fromCharCode(0x61 + first)}${Math.floor(random() * 2 ** 32).toString(36)}`;
  });
}

/** By number of keys. Made once, since the time of making them is not that of making a placement. */
const samples = new Map<number, string[]>();

function sampleOf(count: number): string[] {
  const sample = samples.get(count) ?? skewedKeys(count, 1);
  samples.set(count, sample);
  return sample;
}

/** Keys to be assigned to nodes of bounded load. */
const loads = 100_000;

export const kindsOfPlacement: readonly KindOfPlacement[] = [
  { name: 'HashRing', make: (ids, replicationFactor) => HashRing.create(nodesOf(ids), { replicationFactor }) },
  {
    name: 'RendezvousTable',
    make: (ids, replicationFactor) => RendezvousTable.create(nodesOf(ids), { replicationFactor }),
  },
  { name: 'Rendezvous', make: (ids) => Rendezvous.create(nodesOf(ids)) },
  { name: 'Maglev', make: (ids, replicationFactor) => Maglev.create(nodesOf(ids), { replicationFactor }) },
  { name: 'JumpTable', make: (ids, replicationFactor) => JumpTable.create(nodesOf(ids), { replicationFactor }) },
  { name: 'HashRanges', make: (ids, replicationFactor) => HashRanges.create(nodesOf(ids), { replicationFactor }) },
  {
    name: 'BoundedLoadRing',
    make: (ids, replicationFactor) => BoundedLoadRing.create(nodesOf(ids), { replicationFactor }),
    shares(placement) {
      const keys = Array.from({ length: loads }, (_, index) => `user:${index}`);
      return [...(placement as BoundedLoadRing).assign(keys).values()].map(({ length }) => length / loads);
    },
  },
  {
    name: 'RangeSharding',
    make: (ids) => RangeSharding.fromSample(nodesOf(ids), sampleOf(100 * ids.length)),
    // Other keys than those by which the ranges were cut.
    shares: (placement) => [...(placement as RangeSharding).shares(skewedKeys(200_000, 2)).values()],
  },
  { name: 'RedisSlots', make: (ids, replicationFactor) => RedisSlots.create(nodesOf(ids), { replicationFactor }) },
  { name: 'ketama', make: (ids) => ketama(nodesOf(ids)) },
  { name: 'libmemcached', make: (ids) => libmemcached(nodesOf(ids), { weighted: true }) },
  { name: 'npmHashring', make: (ids) => npmHashring(nodesOf(ids)) },
  { name: 'twemproxy', make: (ids) => twemproxy(nodesOf(ids)) },
  { name: 'goRedis', make: (ids) => GoRedisRing.create(nodesOf(ids)) },
];

/** Addresses, which all of them take as ids; another set for each number. All of one kind of string. */
export const addresses = (count: number, set: number) =>
  Array.from({ length: count }, (_, index) =>
    internalised(`10.${set}.${Math.floor(index / 250)}.${(index % 250) + 1}:6379`),
  );
