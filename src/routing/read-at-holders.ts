/**
 * Reading many keys, each with one holder that is up: the common case, which needs no per-key bookkeeping.
 * As `readOne` does for one key; what is not as simple is left to the search of `read-many.ts`.
 */

import type { Value } from '../backend/backend.ts';
import type { NodeAttempt } from '../errors/index.ts';
import type { Member } from '../nodes/node.ts';
import { GetMany } from '../nodes/operations.ts';
import { arrayOf } from '../runtime/array-of.ts';
import type { Topology } from '../topology/topology.ts';
import type { Fleet } from './fleet.ts';

/** A class, and no literals in it; see `runtime/array-of.ts`. */
export class HolderReads {
  /** In the order of the keys; undefined for misses, failures and what is left. */
  readonly values: (Value | undefined)[];
  /** Indexes of the keys whose holder failed, in no order. */
  readonly failed = arrayOf<number>();
  readonly attempts = arrayOf<NodeAttempt>();

  /** @param left  Indexes of the keys that are to be searched for. */
  constructor(
    keys: readonly string[],
    readonly left: number[] = arrayOf<number>(),
  ) {
    this.values = keys.map(() => undefined);
  }
}

/** @param deadlineMs  On the monotonic clock. */
export async function readAtHolders(
  fleet: Fleet,
  keys: readonly string[],
  deadlineMs: number,
  signal: AbortSignal | undefined,
): Promise<HolderReads> {
  const reads = new HolderReads(keys);
  const groups = new Map<Member, number[]>();
  const { topology } = fleet;
  for (let index = 0; index < keys.length; index++) {
    const holder = fleet.onlyHolderOf(fleet.routeOf(keys[index]!));
    // Then one search for all: those that are left would wait for the slowest of these, and have no time of their own.
    if (holder === undefined) {
      const all = keys.map((_, each) => each);
      return new HolderReads(keys, all);
    }
    const group = groups.get(holder);
    if (group !== undefined) group.push(index);
    else groups.set(holder, arrayOf(index));
  }
  await Promise.all(
    [...groups].map(([member, group]) => askHolder(fleet, topology, member, keys, group, deadlineMs, signal, reads)),
  );
  if (signal?.aborted && keys.length > 0) throw signal.reason;
  return reads;
}

async function askHolder(
  fleet: Fleet,
  topology: Topology,
  member: Member,
  keys: readonly string[],
  group: readonly number[],
  deadlineMs: number,
  signal: AbortSignal | undefined,
  { values, failed, attempts, left }: HolderReads,
): Promise<void> {
  const asked = new GetMany(group.map((index) => keys[index]!));
  const { failed: failure, reply } = await fleet.door.attempt(member, asked, fleet.stepLimits(deadlineMs, signal));
  if (signal?.aborted) return;
  const isSettled = !fleet.isOvertaken(topology);
  for (let position = 0; position < group.length; position++) {
    const value = reply?.[position];
    if (value !== undefined) values[group[position]!] = value;
    else if (!isSettled)
      left.push(group[position]!); // The nodes changed meanwhile; see `mustRepeat`.
    else if (failure !== undefined) failed.push(group[position]!);
  }
  if (failure !== undefined && isSettled) attempts.push(failure);
}
