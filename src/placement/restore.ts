/** Snapshots of any kind of placement but those of other systems: the kind is read off the snapshot. */

import { SnapshotError } from '../errors/index.ts';
import { expectOptions } from '../runtime/validate.ts';
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

export type Restore = (snapshot: unknown, options: RestoreOptions) => Placement;

/** By kind. */
export type Restorers = ReadonlyMap<unknown, Restore>;

/** Made when it is asked for: made at load, it would keep every placement in every bundle. */
export const makeRestorers = (): Restorers =>
  new Map<unknown, Restore>([
    ['xxh32/1', (snapshot, options) => HashRing.fromSnapshot(snapshot, options)],
    ['rendezvous/1', (snapshot) => Rendezvous.fromSnapshot(snapshot)],
    ['rendezvous-table/1', (snapshot, options) => RendezvousTable.fromSnapshot(snapshot, options)],
    ['maglev/1', (snapshot, options) => Maglev.fromSnapshot(snapshot, options)],
    ['jump-table/1', (snapshot, options) => JumpTable.fromSnapshot(snapshot, options)],
    ['bounded-load/1', (snapshot, options) => BoundedLoadRing.fromSnapshot(snapshot, options)],
    ['hash-ranges/1', (snapshot, options) => HashRanges.fromSnapshot(snapshot, options)],
    ['range/1', (snapshot) => RangeSharding.fromSnapshot(snapshot)],
  ]);

/**
 * The placement that a snapshot was taken of, given as the object or as its JSON text. The function of this name in
 * `shardring` and `shardring/compat` knows the placements of other systems too.
 * @throws {SnapshotError} It is of a kind or version that `shardring/placement` does not know, or was altered.
 */
export function placementFromSnapshot(snapshot: unknown, options: RestoreOptions = {}): Placement {
  return restoreBy(makeRestorers(), snapshot, options, 'shardring/placement (shardring/compat knows more)');
}

/** @param reader  Who knows these kinds and no others, for the message. */
export function restoreBy(restorers: Restorers, snapshot: unknown, options: RestoreOptions, reader: string): Placement {
  expectOptions('options', options, ['replicationFactor']);
  const kind = kindOfSnapshot(snapshot);
  const restore = restorers.get(kind);
  if (restore === undefined) {
    const known = [...restorers.keys()].join(', ');
    const found =
      typeof kind === 'string' ? JSON.stringify(kind) : kind === undefined ? 'missing' : `of type ${typeof kind}`;
    throw new SnapshotError(`its placement is ${found}; ${reader} understands only ${known}`);
  }
  return restore(snapshot, options);
}
