/** Every kind of placement there is, as the contract suite and tests of what takes any placement need it. */

import { GoRedisRing } from '../../src/placement/compat/go-redis.ts';
import { PointRing } from '../../src/placement/compat/point-ring.ts';
import { RedisSlots } from '../../src/placement/compat/redis-slots.ts';
import { ketama, libmemcached, npmHashring, twemproxy } from '../../src/placement/compat/rings.ts';
import { HashRanges } from '../../src/placement/hash-ranges/hash-ranges.ts';
import { JumpTable } from '../../src/placement/jump/jump-table.ts';
import { Maglev } from '../../src/placement/maglev/maglev.ts';
import type { NodeInput } from '../../src/placement/node.ts';
import { Rendezvous } from '../../src/placement/rendezvous/rendezvous.ts';
import { RendezvousTable } from '../../src/placement/rendezvous/rendezvous-table.ts';
import type { PlacementAdapter } from '../../src/testing/placement-suite.ts';

const historyFree = 'who has which slots depends on how the members came to be';
const noArcs = 'each key is scored by itself';

/** The kinds whose own tests do not run the suite already. */
export const placementKinds: readonly PlacementAdapter[] = [
  {
    name: 'Rendezvous',
    create: (nodes) => Rendezvous.create(nodes),
    restore: (snapshot) => Rendezvous.fromSnapshot(snapshot),
    unsupported: { arcs: noArcs },
  },
  {
    name: 'RendezvousTable',
    create: (nodes, replicationFactor) => RendezvousTable.create(nodes, { slots: 2 ** 14, replicationFactor }),
    restore: (snapshot) => RendezvousTable.fromSnapshot(snapshot),
  },
  {
    name: 'Maglev',
    create: (nodes, replicationFactor) => Maglev.create(nodes, { slots: 2 ** 14, replicationFactor }),
    restore: (snapshot) => Maglev.fromSnapshot(snapshot),
    unsupported: { minimalReplicas: 'turns are dealt anew' },
    needlessMoves: 0.02,
  },
  {
    name: 'JumpTable',
    create: (nodes, replicationFactor) => JumpTable.create(nodes, { slots: 2 ** 14, replicationFactor }),
    restore: (snapshot) => JumpTable.fromSnapshot(snapshot),
    unsupported: {
      weights: 'jump hash has none',
      anyOrder: 'the order of the nodes is the mapping',
      anyRemoval: 'jump hash shrinks at the end alone',
      minimalReplicas: 'a few rows swap two of their holders',
    },
  },
  {
    name: 'HashRanges',
    create: (nodes, replicationFactor) => HashRanges.create(nodes, { slots: 2 ** 14, replicationFactor }),
    restore: (snapshot) => HashRanges.fromSnapshot(snapshot),
    unsupported: { historyFree, minimalReplicas: 'slots that change their owner order the others anew' },
  },
  {
    name: 'RedisSlots',
    create: (nodes, replicationFactor) => RedisSlots.create(nodes, { replicationFactor }),
    restore: (snapshot) => RedisSlots.fromSnapshot(snapshot),
    unsupported: {
      historyFree,
      anyOrder: 'slots are dealt in the order of the nodes',
      minimalReplicas: 'slots that change their owner order the others anew',
    },
  },
  {
    name: 'GoRedisRing',
    create: (nodes) => GoRedisRing.create(nodes),
    restore: (snapshot) => GoRedisRing.fromSnapshot(snapshot),
    unsupported: { arcs: noArcs, weights: 'go-redis has none' },
  },
];

/** Rings of points: their weights are integers, and normalised, so that the suite's weights do not fit them. */
export const pointRingKinds: readonly PlacementAdapter[] = [
  pointRing('ketama', (nodes) => ketama(nodes)),
  pointRing('libmemcached', (nodes) => libmemcached(nodes)),
  pointRing('npmHashring', (nodes) => npmHashring(nodes)),
  // Its default, FNV-1a, spreads keys that are much alike unevenly over positions; MD5 does not.
  pointRing('twemproxy', (nodes) => twemproxy(nodes, { hash: 'md5' })),
];

function pointRing(name: string, create: (nodes: readonly NodeInput[]) => PointRing): PlacementAdapter {
  return { name, create, restore: (snapshot) => PointRing.fromSnapshot(snapshot) };
}
