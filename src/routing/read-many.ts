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
  beginSearch,
  endWithHit,
  failuresOf,
  othersOf,
  passFailure,
  passMiss,
  type RouteOptions,
  type Search,
  tellDetour,
  verdictOf,
  wasCrossed,
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
  // Keys that were crossed by a write are searched for once more, and then the outcome counts as it is.
  for (let pass = 1; pass <= 2 && open.length > 0; pass++) {
    const indexes = open;
    const search = await searchMany(
      fleet,
      indexes.map((index) => keys[index]!),
      deadlineMs,
      signal,
    );
    for (let position = 0; position < indexes.length; position++) {
      values[indexes[position]!] = search.values[position];
    }
    const again = new Set(pass === 1 ? search.crossed : []);
    failed.push(...search.failed.filter((position) => !again.has(position)).map((position) => indexes[position]!));
    attempts.push(...search.attempts);
    open = [...again].map((position) => indexes[position]!);
  }
  return { values, failed: failed.sort((a, b) => a - b), attempts };
}

/** `crossed` are the indexes of keys that were missed while a write of them was under way; see `wasCrossed`. */
async function searchMany(
  fleet: Fleet,
  keys: readonly string[],
  deadlineMs: number,
  signal: AbortSignal | undefined,
): Promise<ManyRead & { readonly crossed: readonly number[] }> {
  const values = new Array<Value | undefined>(keys.length).fill(undefined);
  const failed: number[] = [];
  const crossed: number[] = [];
  const attempts = new Set<NodeAttempt>();
  const searches = keys.map((key, index) => beginSearch(fleet, key, index));
  try {
    let open = searches.filter(({ candidates }) => candidates.length > 0);
    while (open.length > 0) {
      const asks = [...groupByNext(open)].map(([member, group]) =>
        askNode(fleet, member, group, values, deadlineMs, signal),
      );
      await Promise.all(asks);
      if (signal?.aborted) throw signal.reason;
      open = open.filter(({ index, next, candidates }) => values[index] === undefined && next < candidates.length);
    }
    const failedAtDown: string[] = [];
    for (const search of searches) {
      if (values[search.index] !== undefined) continue;
      if (wasCrossed(fleet, search)) crossed.push(search.index);
      if (verdictOf(fleet, search) === 'miss') continue;
      failed.push(search.index);
      for (const attempt of failuresOf(fleet, operation, search)) {
        // An attempt of a round is shared by its keys; one for a node that is down is made anew for each.
        if (!search.attempts.includes(attempt)) {
          if (failedAtDown.includes(attempt.node)) continue;
          failedAtDown.push(attempt.node);
        }
        attempts.add(attempt);
      }
    }
  } finally {
    for (const { guard } of searches) if (guard !== undefined) fleet.guards.release(guard);
  }
  return { values, failed, crossed, attempts: [...attempts] };
}

function groupByNext(open: readonly Search[]): Map<Member, Search[]> {
  const groups = new Map<Member, Search[]>();
  for (const search of open) {
    const member = search.candidates[search.next]!;
    const group = groups.get(member);
    if (group === undefined) groups.set(member, [search]);
    else group.push(search);
  }
  return groups;
}

async function askNode(
  fleet: Fleet,
  member: Member,
  searches: readonly Search[],
  values: (Value | undefined)[],
  deadlineMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const triesLeft = searches.reduce((most, { candidates, next }) => Math.max(most, candidates.length - next), 1);
  const asked = new GetMany(searches.map(({ key }) => key));
  const limits = fleet.stepLimits(deadlineMs, signal, triesLeft);
  const { failed, reply } = await (triesLeft === 1
    ? fleet.door.attempt(member, asked, limits)
    : fleet.attemptWhileAnswering(member, asked, limits));
  if (failed !== undefined) {
    if (signal?.aborted) return;
    const others = [...new Set(searches.flatMap(othersOf))];
    const tooLate = fleet.tooLateFor(others, operation, failed.error, deadlineMs);
    for (const search of searches) passFailure(search, failed, tooLate);
    return;
  }
  const detours: Search[] = [];
  for (let position = 0; position < searches.length; position++) {
    const search = searches[position]!;
    const value = reply[position];
    if (value === undefined) {
      passMiss(fleet, search);
      continue;
    }
    values[search.index] = value;
    endWithHit(fleet, search);
    if (search.next > 0) detours.push(search);
  }
  if (detours.length > 0) tellDetours(fleet, member, detours);
}

/** Tells of the keys that `member` answered in place of others, once per kind. */
function tellDetours(fleet: Fleet, member: Member, detours: readonly Search[]): void {
  const late = detours.filter(({ attempts }) => attempts.length > 0);
  const replicaHits = detours.filter(({ missed }) => missed.length > 0);
  const failures = [...new Set(late.flatMap(({ attempts }) => attempts))];
  const misses = [...new Set(replicaHits.flatMap(({ missed }) => missed))];
  tellDetour(fleet, operation, member, failures, [], late.length);
  tellDetour(fleet, operation, member, [], misses, replicaHits.length);
}
