/**
 * Before a write that builds on the present value (an increment, a new expiry): sees to it that the nodes that will be
 * written have the value, wherever it is at this moment.
 *
 * It may be at a previous owner only, in a joint phase; or a holder may have lost it, by a restart. A counter that was
 * incremented at such a node would begin again at 0.
 */

import type { CallOptions } from '../backend/backend.ts';
import { type NodeAttempt, UnsupportedError } from '../errors/index.ts';
import type { Member } from '../nodes/node.ts';
import { Has, SetIfAbsent } from '../nodes/operations.ts';
import { canReadForCopy, readForCopy } from './copy.ts';
import type { Fleet, Places } from './fleet.ts';
import type { KeyGuard } from './key-guards.ts';
import type { RouteOptions } from './read.ts';

/** Which of a key's holders must have the value before the write, if any node does. */
export type ValueRequirement = 'one holder' | 'all holders';

const noAttempts: readonly NodeAttempt[] = Object.freeze([]);
const nothingToDo: ValuePresence = Object.freeze({ lacking: noAttempts, wasInvalidated: false });

export interface ValuePresence {
  /** The holders that may lack the value after all, with the reason. They must not be written. */
  readonly lacking: readonly NodeAttempt[];
  /**
   * A write of the key by this process came between, so that copies may have been left out: look again. What that write
   * has done, the next look sees.
   */
  readonly wasInvalidated: boolean;
}

/**
 * @throws  A previous owner's error where only that one may have the value, and {@link UnsupportedError} where it cannot
 *          be copied: going on would lose it.
 */
export async function ensureValuePresent(
  fleet: Fleet,
  operation: string,
  key: string,
  requirement: ValueRequirement,
  places: Places,
  options: RouteOptions,
): Promise<ValuePresence> {
  const { serving, previousOwners } = places;
  if (previousOwners.length === 0 && (requirement === 'one holder' || serving.length < 2)) return nothingToDo;
  const guard = fleet.guards.takeForCopy(key);
  try {
    const looks = await lookAt(fleet, operation, serving, key, options);
    const unsure = looks.flatMap(({ attempt }) => attempt ?? []);
    const absent = looks.filter(({ state }) => state === 'absent').map(({ member }) => member);
    const holder = looks.find(({ state }) => state === 'present')?.member;
    // What is deleted at previous owners afterwards was a copy: then every holder needs one.
    const isEnough = requirement === 'one holder' && previousOwners.length === 0;
    if (absent.length === 0 || (holder !== undefined && isEnough)) {
      return { lacking: unsure, wasInvalidated: false };
    }
    const sources = holder === undefined ? previousOwners : [holder];
    const failed = await copyFrom(fleet, operation, guard, sources, absent, options);
    return { lacking: [...unsure, ...failed], wasInvalidated: guard.broken };
  } finally {
    fleet.guards.release(guard);
  }
}

interface Look {
  readonly member: Member;
  readonly state: 'present' | 'absent' | 'failed';
  readonly attempt?: NodeAttempt;
}

async function lookAt(
  fleet: Fleet,
  operation: string,
  members: readonly Member[],
  key: string,
  options: RouteOptions,
): Promise<Look[]> {
  const limits = stepLimits(fleet, options);
  const look = async (member: Member): Promise<Look> => {
    const { failed, reply } = await fleet.door.attempt(member, new Has(key, operation), limits);
    if (failed === undefined) return { member, state: reply ? 'present' : 'absent' };
    options.signal?.throwIfAborted();
    return { member, state: 'failed', attempt: failed };
  };
  return await Promise.all(members.map(look));
}

/** Copies from the first source that has the key. Returns the targets that could not be given it. */
async function copyFrom(
  fleet: Fleet,
  operation: string,
  guard: KeyGuard,
  sources: readonly Member[],
  targets: readonly Member[],
  options: RouteOptions,
): Promise<readonly NodeAttempt[]> {
  for (const source of sources) {
    if (fleet.health.stateOf(source.id) === 'down') throw fleet.downAttempts(operation, [source.id])[0]!.error;
    if (!canReadForCopy(source)) throw new UnsupportedError(operation, source.backend.name);
    const read = readForCopy(source, guard.key, operation);
    const { failed, reply: found } = await fleet.door.attempt(source, read, stepLimits(fleet, options));
    if (failed !== undefined) throw failed.error;
    if (found === undefined) continue;
    const limits = stepLimits(fleet, options);
    const store = async (target: Member): Promise<NodeAttempt | undefined> => {
      const { backend } = target;
      if (backend.conditional === undefined) throw new UnsupportedError(operation, backend.name);
      return (await fleet.door.attempt(target, new SetIfAbsent(guard, found, operation), limits)).failed;
    };
    return (await Promise.all(targets.map(store))).filter((attempt) => attempt !== undefined);
  }
  return noAttempts;
}

/** Half of the time that is left, so that the write for which the step is taken has its time too. */
function stepLimits(fleet: Fleet, { signal, deadlineMs }: RouteOptions): CallOptions {
  return fleet.stepLimits(deadlineMs, signal, 2);
}
