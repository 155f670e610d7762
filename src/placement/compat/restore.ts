/** Snapshots of any kind of placement, those of other systems among them. */

import type { Placement } from '../placement.ts';
import { makeRestorers, type Restore, type RestoreOptions, type Restorers, restoreBy } from '../restore.ts';
import { GoRedisRing } from './go-redis.ts';
import { PointRing } from './point-ring.ts';
import { RedisSlots } from './redis-slots.ts';
import { ruleKinds } from './rule-kinds.ts';

const makeAllRestorers = (): Restorers =>
  new Map<unknown, Restore>([
    ...makeRestorers(),
    ['redis-slots/1', (snapshot, options) => RedisSlots.fromSnapshot(snapshot, options)],
    ['go-redis/1', (snapshot) => GoRedisRing.fromSnapshot(snapshot)],
    ...ruleKinds.map(({ placement }) => [placement, (snapshot: unknown) => PointRing.fromSnapshot(snapshot)] as const),
  ]);

/**
 * The placement that a snapshot was taken of, of whatever kind, given as the object or as its JSON text.
 * @throws {SnapshotError} It is of a kind or version that this release does not know, or was altered.
 */
export function placementFromSnapshot(snapshot: unknown, options: RestoreOptions = {}): Placement {
  return restoreBy(makeAllRestorers(), snapshot, options, 'this release');
}
