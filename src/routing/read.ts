/**
 * Reading one key with failover: along its nodes until one has the value.
 *
 * A node that fails is passed over; a node that misses is passed over too (the value may have been lost there, by a
 * restart for instance), unless `confirmMisses` is off. A miss is answered when a holder missed, and while a lazy change
 * is open also one of the key's holders before it; if none of those answered, the read fails.
 */

import { AllReplicasFailedError, type NodeAttempt } from '../errors/index.ts';
import type { Member } from '../nodes/node.ts';
import type { KeyOperation } from '../nodes/operation.ts';
import type { NodeId } from '../placement/node.ts';
import { isMissEverywhere, type Topology } from '../topology/topology.ts';
import { copyBack } from './copy-back.ts';
import type { Fleet, Places } from './fleet.ts';
import type { KeyGuard } from './key-guards.ts';

/** What a caller may say about one call. */
export interface RouteOptions {
  readonly signal?: AbortSignal | undefined;
  /** On the monotonic clock, for a call of several steps. Default: `timeoutMs` from now. */
  readonly deadlineMs?: number | undefined;
  /** Asked first, if the node is asked at all. */
  readonly preferred?: NodeId | undefined;
}

/** Asks for one key; undefined for a miss. */
export type ReadOperation<Found> = KeyOperation<Found | undefined>;

/** How far a read of one key has come. */
export interface Search {
  readonly key: string;
  /** Of the key among those of the call. */
  readonly index: number;
  readonly places: Places;
  /** In force when the search began: by it the nodes to ask were chosen, and by it a miss is judged. */
  readonly topology: Topology;
  /** The nodes to ask, in order; the first `places.serving.length` of them are holders. */
  readonly candidates: readonly Member[];
  /** Former holders that are not asked, as they are down. */
  readonly skipped: readonly string[];
  /** Index into `candidates` of the one to ask next. */
  next: number;
  readonly missed: Member[];
  readonly attempts: NodeAttempt[];
  /** Undefined where nothing would be copied, and once the copy has it. */
  guard: KeyGuard | undefined;
}

export function beginSearch(fleet: Fleet, key: string, index: number, preferred?: NodeId): Search {
  const places = fleet.placesOf(key);
  const candidates = withFirst(preferred, fleet.readCandidates(places));
  const skipped = places.formers.filter((former) => !candidates.includes(former)).map(({ id }) => id);
  const mayCopy = places.formers.length > 0 || (fleet.policy.readRepair && candidates.length > 1);
  const guard = mayCopy ? fleet.guards.takeForCopy(key) : undefined;
  return {
    key,
    index,
    places,
    topology: fleet.topology,
    candidates,
    skipped,
    next: 0,
    missed: [],
    attempts: [],
    guard,
  };
}

function withFirst(preferred: NodeId | undefined, candidates: readonly Member[]): readonly Member[] {
  const first = preferred === undefined ? undefined : candidates.find(({ id }) => id === preferred);
  return first === undefined ? candidates : [first, ...candidates.filter((member) => member !== first)];
}

/** Notes that the present candidate missed, and goes on to the next. */
export function passMiss(fleet: Fleet, search: Search): void {
  const holders = search.places.serving.length;
  search.missed.push(search.candidates[search.next]!);
  search.next++;
  // Without confirmation, one holder's miss speaks for all holders; not while some may not have been filled yet.
  const confirms = fleet.policy.confirmMisses || fleet.topology.formerPlacements.length > 0;
  if (!confirms && search.next < holders) search.next = holders;
}

/**
 * Notes that the present candidate failed, and goes on to the next.
 * @param tooLate  Of all that could be asked next: where there is no time for that. Empty where there is.
 */
export function passFailure(search: Search, attempt: NodeAttempt, tooLate: readonly NodeAttempt[]): void {
  const others = othersOf(search);
  search.attempts.push(attempt, ...tooLate.filter(({ node }) => others.some(({ id }) => id === node)));
  search.next = tooLate.length > 0 ? search.candidates.length : search.next + 1;
}

/** Those that can be asked if the present candidate fails. */
export const othersOf = ({ candidates, next }: Search): readonly Member[] => candidates.slice(next + 1);

/**
 * Puts the value, which the present candidate has, where it was missed. While a lazy change is open, the first read of a
 * key also gives it to the holders that were not asked: they may be new to it.
 */
export function endWithHit(fleet: Fleet, search: Search): void {
  if (search.guard === undefined) return;
  const { places, key, missed } = search;
  const source = search.candidates[search.next]!;
  const isFill = places.formers.length > 0 && fleet.isFirstFill(key);
  const lacking = places.serving.filter((member) => member !== source && (isFill || missed.includes(member)));
  if (lacking.length === 0) return;
  copyBack(fleet, search.guard, source, lacking);
  search.guard = undefined;
}

/**
 * Whether a search that found nothing must be made again: the nodes changed meanwhile, or a write of the key by this
 * process was under way, which may have moved the value from where it was not asked for yet to where it had been.
 */
export function wasCrossed(fleet: Fleet, { guard, places, topology }: Search): boolean {
  return topology !== fleet.topology || (guard?.broken === true && places.formers.length > 0);
}

/** What a search that found nothing says. */
export function verdictOf(fleet: Fleet, search: Search): 'miss' | 'failure' {
  const { places, missed, key, topology } = search;
  if (!missed.some((member) => places.serving.includes(member))) return 'failure';
  if (fleet.policy.whenDown === 'spill' || topology.formerPlacements.length === 0) return 'miss';
  const hasMissed = (node: string) => missed.some(({ id }) => id === node) || fleet.isOutdated(node, key);
  return isMissEverywhere(topology, key, hasMissed) ? 'miss' : 'failure';
}

/** Written with `then` for what most reads are, of a key with one holder: an async function would double their cost. */
export function readOne<Found>(
  fleet: Fleet,
  operation: ReadOperation<Found>,
  options: RouteOptions,
): Promise<Found | undefined> {
  const holder = fleet.onlyHolderOf(operation.key);
  if (holder === undefined) return readBySearch(fleet, operation, options);
  const { topology } = fleet;
  const { signal, deadlineMs } = options;
  const beganMs = fleet.clock.nowMs();
  // Where the nodes changed meanwhile, as where `wasCrossed`.
  return fleet.door.send(holder, operation, fleet.stepLimits(deadlineMs, signal)).then(
    (found) => {
      fleet.door.answered(holder, beganMs);
      return found !== undefined || topology === fleet.topology ? found : readAgain(fleet, operation, options, beganMs);
    },
    (reason: unknown) => {
      const { error } = fleet.door.failed(holder, beganMs, reason, signal);
      if (topology === fleet.topology || signal?.aborted) throw error;
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
  return readBySearch(fleet, operation, { signal, deadlineMs: deadlineMs ?? beganMs + fleet.policy.timeoutMs });
}

/** A read of a key that several nodes may have, or that has none in service. */
async function readBySearch<Found>(
  fleet: Fleet,
  operation: ReadOperation<Found>,
  options: RouteOptions,
): Promise<Found | undefined> {
  const deadlineMs = options.deadlineMs ?? fleet.clock.nowMs() + fleet.policy.timeoutMs;
  for (let isLast = false; ; isLast = true) {
    const search = beginSearch(fleet, operation.key, 0, options.preferred);
    try {
      const found = await searchAlong(fleet, operation, search, deadlineMs, options.signal);
      if (found !== undefined) return found;
      if (wasCrossed(fleet, search) && !isLast) continue;
      if (verdictOf(fleet, search) === 'failure') throw readFailure(fleet, operation.name, search);
      return undefined;
    } finally {
      if (search.guard !== undefined) fleet.guards.release(search.guard);
    }
  }
}

async function searchAlong<Found>(
  fleet: Fleet,
  operation: ReadOperation<Found>,
  search: Search,
  deadlineMs: number,
  signal: AbortSignal | undefined,
): Promise<Found | undefined> {
  const { candidates } = search;
  while (search.next < candidates.length) {
    const member = candidates[search.next]!;
    const limits = fleet.stepLimits(deadlineMs, signal, candidates.length - search.next);
    const isLast = search.next === candidates.length - 1;
    const { failed, reply: found } = await (isLast
      ? fleet.door.attempt(member, operation, limits)
      : fleet.attemptWhileAnswering(member, operation, limits));
    if (failed !== undefined) {
      signal?.throwIfAborted();
      passFailure(search, failed, fleet.tooLateFor(othersOf(search), operation.name, failed.error, deadlineMs));
    } else if (found === undefined) passMiss(fleet, search);
    else {
      if (search.next > 0) tellDetour(fleet, operation.name, member, search.attempts, search.missed, 1);
      endWithHit(fleet, search);
      return found;
    }
  }
  return undefined;
}

/** Tells that `member` answered although others should have. */
export function tellDetour(
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
export function failuresOf(fleet: Fleet, operation: string, search: Search): readonly NodeAttempt[] {
  return [...search.attempts, ...fleet.downAttempts(operation, [...search.places.down, ...search.skipped])];
}

/** The error of a read that could not be answered: the node's own where only one could have. */
function readFailure(fleet: Fleet, operation: string, search: Search): unknown {
  const [first, ...rest] = failuresOf(fleet, operation, search);
  if (first !== undefined && rest.length === 0) return first.error;
  return new AllReplicasFailedError(operation, [first!, ...rest]);
}
