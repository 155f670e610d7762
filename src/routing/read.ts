/**
 * Reading one key with failover: along its nodes until one has the value.
 *
 * A node that fails is passed over; a node that misses is passed over too (the value may have been lost there, by a
 * restart for instance), unless `confirmMisses` is off. A miss is answered when a holder missed, and in a joint phase
 * also one of the nodes that held the key before; if none of those answered, the read fails.
 */

import { AllReplicasFailedError, type NodeAttempt } from '../errors/index.ts';
import type { Member } from '../nodes/node.ts';
import type { KeyOperation } from '../nodes/operation.ts';
import type { NodeId } from '../placement/node.ts';
import { isMissEverywhere, type Route } from '../topology/route.ts';
import type { Fleet, Places } from './fleet.ts';
import type { KeyGuard } from './key-guards.ts';
import { repair } from './read-repair.ts';

/** What a caller may say about one call. */
export interface RouteOptions {
  readonly signal?: AbortSignal | undefined;
  /** On the monotonic clock, for a call of several steps. Default: `timeoutMs` from now. */
  readonly deadlineMs?: number | undefined;
  /** Asked first, if the node is asked at all. */
  readonly preferred?: NodeId | undefined;
  /** Of the key, where the caller has found it. Default: found now. */
  readonly route?: Route | undefined;
}

/** Asks for one key; undefined for a miss. */
export type ReadOperation<Found> = KeyOperation<Found | undefined>;

/** How far a read of one key has come. */
export interface ReadProgress {
  readonly key: string;
  /** Of the key among those of the call. */
  readonly index: number;
  readonly places: Places;
  /** The nodes to ask, in order; the first `places.serving.length` of them are holders. */
  readonly candidates: readonly Member[];
  /** Previous owners that are not asked, as they are down. */
  readonly skipped: readonly string[];
  /** Index into `candidates` of the one to ask next. */
  next: number;
  readonly missed: Member[];
  readonly attempts: NodeAttempt[];
  /** Undefined where nothing would be copied, and once the copy has it. */
  guard: KeyGuard | undefined;
}

export function startRead(fleet: Fleet, key: string, route: Route, index: number, preferred?: NodeId): ReadProgress {
  const places = fleet.placesOf(key, route);
  const { previousOwners } = places;
  const candidates = withFirst(preferred, fleet.readCandidates(places));
  const skipped = previousOwners.filter((owner) => !candidates.includes(owner)).map(({ id }) => id);
  const mayCopy = candidates.length > 1 && (fleet.policy.readRepair || isMoving(places));
  const guard = mayCopy ? fleet.guards.takeForCopy(key) : undefined;
  return { key, index, places, candidates, skipped, next: 0, missed: [], attempts: [], guard };
}

function withFirst(preferred: NodeId | undefined, candidates: readonly Member[]): readonly Member[] {
  const first = preferred === undefined ? undefined : candidates.find(({ id }) => id === preferred);
  return first === undefined ? candidates : [first, ...candidates.filter((member) => member !== first)];
}

/** Notes that the present candidate missed, and goes on to the next. */
export function recordMiss(fleet: Fleet, read: ReadProgress): void {
  const { serving, transition } = read.places;
  read.missed.push(read.candidates[read.next]!);
  read.next++;
  // Without confirmed misses, one holder's miss counts for all holders; not while some may not have been filled yet.
  const confirms = fleet.policy.confirmMisses || transition !== undefined;
  if (!confirms && read.next < serving.length) read.next = serving.length;
}

/**
 * Notes that the present candidate failed, and goes on to the next.
 * @param tooLate  Of all that could be asked next: where there is no time for that. Empty where there is.
 */
export function recordFailure(read: ReadProgress, attempt: NodeAttempt, tooLate: readonly NodeAttempt[]): void {
  const others = othersOf(read);
  read.attempts.push(attempt, ...tooLate.filter(({ node }) => others.some(({ id }) => id === node)));
  read.next = tooLate.length > 0 ? read.candidates.length : read.next + 1;
}

/** Those that can be asked if the present candidate fails. */
export const othersOf = ({ candidates, next }: ReadProgress): readonly Member[] => candidates.slice(next + 1);

/**
 * Puts the value, which the present candidate has, where it was missed. In a joint phase, the first read of a key also gives
 * it to the holders that were not asked: they may be new to it.
 */
export function finishWithHit(fleet: Fleet, read: ReadProgress): void {
  if (read.guard === undefined) return;
  const { places, key, missed } = read;
  const { transition } = places;
  if (transition?.isFilling === false) return;
  const source = read.candidates[read.next]!;
  const isFill = isMoving(places) && transition?.claimFirstFill(key) === true;
  const lacking = places.serving.filter((member) => member !== source && (isFill || missed.includes(member)));
  if (lacking.length === 0) return;
  const repaired = repair(fleet, read.guard, source, lacking);
  transition?.trackFill(key, repaired);
  read.guard = undefined;
}

/** Whether some of the key's holders are new to it. */
const isMoving = ({ route: { holders, heldBefore } }: Places): boolean =>
  heldBefore.length > 0 && holders.some((node) => !heldBefore.includes(node));

/**
 * Whether a read that found nothing must be made again: the nodes changed meanwhile, or a write of the key by this process was
 * in flight, which may have moved the value from where it was not asked for yet to where it had been.
 *
 * @param isFirst  Writes may come without end: they repeat a read once. Changes repeat it for as long as it has time.
 */
export function mustRepeat(fleet: Fleet, read: ReadProgress, isFirst: boolean, deadlineMs: number): boolean {
  const { guard, places } = read;
  if (fleet.isOvertaken(places.route.topology)) return isFirst || fleet.isInTime(deadlineMs);
  return isFirst && guard?.broken === true && places.previousOwners.length > 0;
}

/** What a read that found nothing says. */
export function conclusionOf(fleet: Fleet, { places, missed, key }: ReadProgress): 'miss' | 'failure' {
  const { route, serving, transition } = places;
  // A fallback node counts here: it has what was written since the holder is down.
  if (!missed.some((member) => serving.includes(member))) return 'failure';
  if (fleet.policy.whenDown === 'spill' || transition === undefined) return 'miss';
  const hasMissed = (node: string) => missed.some(({ id }) => id === node) || transition.isStale(node, key);
  return isMissEverywhere(route, hasMissed) ? 'miss' : 'failure';
}

/** Written with `then` for what most reads are, of a key with one holder: an async function would double their cost. */
export function readOne<Found>(
  fleet: Fleet,
  operation: ReadOperation<Found>,
  options: RouteOptions,
): Promise<Found | undefined> {
  const route = options.route ?? fleet.routeOf(operation.key);
  const holder = fleet.onlyHolderOf(route);
  if (holder === undefined) return readAlong(fleet, operation, route, options);
  const { signal, deadlineMs } = options;
  const beganMs = fleet.clock.nowMs();
  return fleet.door.send(holder, operation, fleet.stepLimits(deadlineMs, signal)).then(
    (found) => {
      fleet.door.answered(holder, operation, beganMs);
      if (found !== undefined || !fleet.isOvertaken(route.topology)) return found;
      return readAgain(fleet, operation, options, beganMs);
    },
    (reason: unknown) => {
      const { error } = fleet.door.failed(holder, operation, beganMs, reason, signal);
      if (!fleet.isOvertaken(route.topology) || signal?.aborted) throw error;
      return readAgain(fleet, operation, options, beganMs);
    },
  );
}

function readAgain<Found>(
  fleet: Fleet,
  operation: ReadOperation<Found>,
  { signal, deadlineMs }: RouteOptions,
  beganMs: number,
): Promise<Found | undefined> {
  const route = fleet.routeOf(operation.key);
  return readAlong(fleet, operation, route, { signal, deadlineMs: deadlineMs ?? beganMs + fleet.policy.timeoutMs });
}

/** A read of a key that several nodes may have, or that has none in service. */
async function readAlong<Found>(
  fleet: Fleet,
  operation: ReadOperation<Found>,
  firstRoute: Route,
  options: RouteOptions,
): Promise<Found | undefined> {
  const { key, name } = operation;
  const deadlineMs = options.deadlineMs ?? fleet.clock.nowMs() + fleet.policy.timeoutMs;
  let route = firstRoute;
  for (let isFirst = true; ; isFirst = false) {
    const read = startRead(fleet, key, route, 0, options.preferred);
    try {
      const found = await askInTurn(fleet, operation, read, deadlineMs, options.signal);
      if (found !== undefined) return found;
      if (!mustRepeat(fleet, read, isFirst, deadlineMs)) {
        if (conclusionOf(fleet, read) === 'failure') throw readFailure(fleet, name, read);
        return undefined;
      }
      route = fleet.routeOf(key);
    } finally {
      if (read.guard !== undefined) fleet.guards.release(read.guard);
    }
  }
}

async function askInTurn<Found>(
  fleet: Fleet,
  operation: ReadOperation<Found>,
  read: ReadProgress,
  deadlineMs: number,
  signal: AbortSignal | undefined,
): Promise<Found | undefined> {
  const { candidates } = read;
  while (read.next < candidates.length) {
    const member = candidates[read.next]!;
    const limits = fleet.stepLimits(deadlineMs, signal, candidates.length - read.next);
    const isLast = read.next === candidates.length - 1;
    const { failed, reply: found } = await (isLast
      ? fleet.door.attempt(member, operation, limits)
      : fleet.attemptWhileAnswering(member, operation, limits));
    if (failed !== undefined) {
      signal?.throwIfAborted();
      recordFailure(read, failed, fleet.tooLateFor(othersOf(read), operation.name, failed.error, deadlineMs));
    } else if (found === undefined) recordMiss(fleet, read);
    else {
      if (read.next > 0) emitDetour(fleet, operation.name, member, read.attempts, read.missed, 1);
      finishWithHit(fleet, read);
      return found;
    }
  }
  return undefined;
}

/** Emits that `member` answered although others should have. */
export function emitDetour(
  fleet: Fleet,
  operation: string,
  member: Member,
  attempts: readonly NodeAttempt[],
  missed: readonly Member[],
  keys: number,
): void {
  if (attempts.length > 0) {
    fleet.emit('failover', { operation, node: member.id, failed: attempts.map(({ node }) => node), keys });
  }
  if (missed.length > 0) {
    fleet.emit('replicaHit', { operation, node: member.id, missedAt: missed.map(({ id }) => id), keys });
  }
}

/** Why no node could say whether there is a value: what was tried, then what was not, as it is down. */
export function failuresOf(fleet: Fleet, operation: string, read: ReadProgress): readonly NodeAttempt[] {
  return [...read.attempts, ...fleet.downAttempts(operation, [...read.places.down, ...read.skipped])];
}

/** The error of a read that could not be answered: the node's own where only one could have. */
function readFailure(fleet: Fleet, operation: string, read: ReadProgress): unknown {
  const [first, ...rest] = failuresOf(fleet, operation, read);
  if (first !== undefined && rest.length === 0) return first.error;
  return new AllReplicasFailedError(operation, [first!, ...rest]);
}
