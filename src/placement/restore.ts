/** Snapshots of any kind of placement: the kind is read off the snapshot. */

import { SnapshotError } from '../errors/index.ts';
import { expectOptions } from '../runtime/validate.ts';
import { GoRedisRing } from './compat/go-redis.ts';
import { PointRing } from './compat/point-ring.ts';
import { RedisSlots } from './compat/redis-slots.ts';
import { HashRanges } from './hash-ranges/hash-ranges.ts';
import { JumpTable } from './jump/jump-table.ts';
import { Maglev } from './maglev/maglev.ts';
import type { Placement } from './placement.ts';
import { RangeSharding } from './ranges/range-sharding.ts';
import { Rendezvous } from './rendezvous/rendezvous.ts';
import { RendezvousTable } from './rendezvous/rendezvous-table.ts';
import { BoundedLoadRing } from './ring/bounded-load-ring.ts';
import { HashRing } from './ring/hash-ring.ts';
import { kindOfSnapshot } from './snapshot.ts';

export interface RestoreOptions {
  /** Preference lists up to this length come from the table, of a placement that has one. Default 1. */
  readonly replicationFactor?: number | undefined;
}

type Restore = (snapshot: unknown, options: RestoreOptions) => Placement;

/** Made when it is asked for: made at load, it would keep every placement in every bundle. */
const makeRestorers = () =>
  new Map<unknown, Restore>([
    ['xxh32/1', (snapshot, options) => HashRing.fromSnapshot(snapshot, options)],
    ['rendezvous/1', (snapshot) => Rendezvous.fromSnapshot(snapshot)],
    ['rendezvous-table/1', (snapshot, options) => RendezvousTable.fromSnapshot(snapshot, options)],
    ['maglev/1', (snapshot, options) => Maglev.fromSnapshot(snapshot, options)],
    ['jump-table/1', (snapshot, options) => JumpTable.fromSnapshot(snapshot, options)],
    ['bounded-load/1', (snapshot, options) => BoundedLoadRing.fromSnapshot(snapshot, options)],
    ['hash-ranges/1', (snapshot, options) => HashRanges.fromSnapshot(snapshot, options)],
    ['range/1', (snapshot) => RangeSharding.fromSnapshot(snapshot)],
    ['redis-slots/1', (snapshot, options) => RedisSlots.fromSnapshot(snapshot, options)],
    ['go-redis/1', (snapshot) => GoRedisRing.fromSnapshot(snapshot)],
    ...['ketama/1', 'libmemcached/1', 'npm-hashring/1', 'twemproxy/1'].map((kind): [string, Restore] => [
      kind,
      (snapshot) => PointRing.fromSnapshot(snapshot),
    ]),
  ]);

/**
 * The placement that a snapshot was taken of, of whatever kind, given as the object or as its JSON text.
 * @throws {SnapshotError} It is of a kind or version that this release does not know, or was altered.
 */
export function placementFromSnapshot(snapshot: unknown, options: RestoreOptions = {}): Placement {
  expectOptions('options', options, ['replicationFactor']);
  const kind = kindOfSnapshot(snapshot);
  const restorers = makeRestorers();
  const restore = restorers.get(kind);
  if (restore === undefined) {
    const known = [...restorers.keys()].join(', ');
    const found =
      typeof kind === 'string' ? JSON.stringify(kind) : kind === undefined ? 'missing' : `of type ${typeof kind}`;
    throw new SnapshotError(`its placement is ${found}, and this release understands only ${known}`);
  }
  return restore(snapshot, options);
}
