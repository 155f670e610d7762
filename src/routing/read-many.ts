/**
 * Reading many keys: one call per node and round, the nodes in parallel.
 *
 * Keys with one holder that is up are asked for there, and that is all. Of the others, round 1 asks each key's first node;
 * keys whose node failed or missed go on, in the next round, to their next node, by the rules of `read.ts`.
 */

import type { Value } from '../backend/backend.ts';
import type { NodeAttempt } from '../errors/index.ts';
import type { Member } from '../nodes/node.ts';
import { GetMany } from '../nodes/operations.ts';
import type { Fleet } from './fleet.ts';
import {
  conclusionOf,
  emitDetour,
  failuresOf,
  finishWithHit,
  mustRepeat,
  othersOf,
  type ReadProgress,
  type RouteOptions,
  recordFailure,
  recordMiss,
  startRead,
} from './read.ts';
import { readAtHolders } from './read-at-holders.ts';

const operation = 'getMany';

export interface ManyRead {
  /** In the order of the keys; undefined for misses and failures. */
  readonly values: (Value | undefined)[];
  /** Indexes of the keys that could not be answered, ascending. */
  readonly failed: readonly number[];
  /** What went wrong with those, one per node and round. */
  readonly attempts: readonly NodeAttempt[];
}

/** @param keys  Any strings, each once. */
export async function readMany(fleet: Fleet, keys: readonly string[], { signal }: RouteOptions): Promise<ManyRead> {
  const deadlineMs = fleet.clock.nowMs() + fleet.policy.timeoutMs;
  const { values, failed, attempts, left } = await readAtHolders(fleet, keys, deadlineMs, signal);
  let open: readonly number[] = left;
  for (let isFirst = true; open.length > 0; isFirst = false) {
    const indexes = open;
    const round = await searchMany(
      fleet,
      indexes.map((index) => keys[index]!),
      isFirst,
      deadlineMs,
      signal,
    );
    for (let position = 0; position < indexes.length; position++) {
      values[indexes[position]!] = round.values[position];
    }
    const again = new Set(round.again);
    failed.push(...round.failed.filter((position) => !again.has(position)).map((position) => indexes[position]!));
    attempts.push(...round.attempts);
    open = [...again].map((position) => indexes[position]!);
  }
  return { values, failed: failed.sort((a, b) => a - b), attempts };
}

/** `again` are the indexes of keys whose read must be made again; see `mustRepeat`. */
async function searchMany(
  fleet: Fleet,
  keys: readonly string[],
  isFirst: boolean,
  deadlineMs: number,
  signal: AbortSignal | undefined,
): Promise<ManyRead & { readonly again: readonly number[] }> {
  const values = new Array<Value | undefined>(keys.length).fill(undefined);
  const failed: number[] = [];
  const again: number[] = [];
  const attempts = new Set<NodeAttempt>();
  const reads = keys.map((key, index) => startRead(fleet, key, fleet.routeOf(key), index));
  try {
    let open = reads.filter(({ candidates }) => candidates.length > 0);
    while (open.length > 0) {
      const asks = [...groupByNext(open)].map(([member, group]) =>
        askNode(fleet, member, group, values, deadlineMs, signal),
      );
      await Promise.all(asks);
      if (signal?.aborted) throw signal.reason;
      open = open.filter(({ index, next, candidates }) => values[index] === undefined && next < candidates.length);
    }
    const failedAtDown: string[] = [];
    for (const read of reads) {
      if (values[read.index] !== undefined) continue;
      if (mustRepeat(fleet, read, isFirst, deadlineMs)) again.push(read.index);
      if (conclusionOf(fleet, read) === 'miss') continue;
      failed.push(read.index);
      for (const attempt of failuresOf(fleet, operation, read)) {
        // An attempt of a round is shared by its keys; one for a node that is down is made anew for each.
        if (!read.attempts.includes(attempt)) {
          if (failedAtDown.includes(attempt.node)) continue;
          failedAtDown.push(attempt.node);
        }
        attempts.add(attempt);
      }
    }
  } finally {
    for (const { guard } of reads) if (guard !== undefined) fleet.guards.release(guard);
  }
  return { values, failed, again, attempts: [...attempts] };
}

function groupByNext(open: readonly ReadProgress[]): Map<Member, ReadProgress[]> {
  const groups = new Map<Member, ReadProgress[]>();
  for (const read of open) {
    const member = read.candidates[read.next]!;
    const group = groups.get(member);
    if (group === undefined) groups.set(member, [read]);
    else group.push(read);
  }
  return groups;
}

async function askNode(
  fleet: Fleet,
  member: Member,
  reads: readonly ReadProgress[],
  values: (Value | undefined)[],
  deadlineMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const triesLeft = reads.reduce((most, { candidates, next }) => Math.max(most, candidates.length - next), 1);
  const asked = new GetMany(reads.map(({ key }) => key));
  const limits = fleet.stepLimits(deadlineMs, signal, triesLeft);
  const { failed, reply } = await (triesLeft === 1
    ? fleet.door.attempt(member, asked, limits)
    : fleet.attemptWhileAnswering(member, asked, limits));
  if (failed !== undefined) {
    if (signal?.aborted) return;
    const others = [...new Set(reads.flatMap(othersOf))];
    const tooLate = fleet.tooLateFor(others, operation, failed.error, deadlineMs);
    for (const read of reads) recordFailure(read, failed, tooLate);
    return;
  }
  const detours: ReadProgress[] = [];
  for (let position = 0; position < reads.length; position++) {
    const read = reads[position]!;
    const value = reply[position];
    if (value === undefined) {
      recordMiss(fleet, read);
      continue;
    }
    values[read.index] = value;
    finishWithHit(fleet, read);
    if (read.next > 0) detours.push(read);
  }
  if (detours.length > 0) emitDetours(fleet, member, detours);
}

/** Emits the keys that `member` answered in place of others, once per kind. */
function emitDetours(fleet: Fleet, member: Member, detours: readonly ReadProgress[]): void {
  const late = detours.filter(({ attempts }) => attempts.length > 0);
  const replicaHits = detours.filter(({ missed }) => missed.length > 0);
  const failures = [...new Set(late.flatMap(({ attempts }) => attempts))];
  const misses = [...new Set(replicaHits.flatMap(({ missed }) => missed))];
  emitDetour(fleet, operation, member, failures, [], late.length);
  emitDetour(fleet, operation, member, [], misses, replicaHits.length);
}
