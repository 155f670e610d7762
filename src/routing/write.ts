/**
 * Writing one key: to all its live nodes at once, returning at the write consistency level.
 *
 * In a joint phase, a write that was acknowledged then deletes the key at its previous owners.
 */

import { type NodeAttempt, TimeoutError } from '../errors/index.ts';
import type { Member } from '../nodes/node.ts';
import type { KeyOperation } from '../nodes/operation.ts';
import { abortable } from '../runtime/abort.ts';
import type { Route } from '../topology/route.ts';
import { copiesOf, type Topology } from '../topology/topology.ts';
import type { Fleet, Places } from './fleet.ts';
import { deleteAtPreviousOwner } from './previous-owners.ts';
import { requiredAcknowledgements } from './query-plan.ts';
import type { RouteOptions } from './read.ts';
import { ensureValuePresent, type ValueRequirement } from './value-presence.ts';
import { isOfUnknownOutcome, writeFailure } from './write-failure.ts';

/** One node's answer to a write. */
export interface Acknowledgement<Result> {
  readonly member: Member;
  readonly result: Result;
}

export interface WriteOperation<Result> extends KeyOperation<Result> {
  /** The same for a node that takes the place of a holder that is down. Default: no other. */
  forFallback?(): KeyOperation<Result>;
}

export interface WriteCall<Result> {
  readonly operation: WriteOperation<Result>;
  /** Which holders must have the value before the write; undefined for a write that does not build on it. */
  readonly requires?: ValueRequirement;
  /** Whether the answers so far suffice, once the consistency level is reached. Else all nodes are waited for. */
  isSatisfied(acknowledgements: readonly Acknowledgement<Result>[]): boolean;
}

export interface WriteOutcome<Result> {
  /** In preference order of the nodes, where all were waited for. */
  readonly acknowledgements: readonly Acknowledgement<Result>[];
  /** Whether a previous owner had the key. */
  readonly deletedAtPreviousOwner: boolean;
}

/** The nodes that a write is sent to. */
interface Targets {
  readonly places: Places;
  readonly members: readonly Member[];
  /** Holders that are not sent the write, as they may lack the value that it builds on. */
  readonly lacking: readonly NodeAttempt[];
  /** Acknowledgements that the write needs. */
  readonly required: number;
}

/** What came of the sending. */
interface FanOut<Result> {
  readonly acknowledgements: readonly Acknowledgement<Result>[];
  readonly attempts: readonly NodeAttempt[];
  /** Resolves when every node has answered. */
  readonly allAnswered: Promise<void>;
}

/**
 * @throws {WriteConsistencyError} Too few nodes acknowledged; nothing was sent if too few are in service.
 * @throws The node's own error where the key has only one node, and the signal's reason if it aborts before the call ends. Copies
 *         that are in flight then, or are left to the background, keep to their own deadline.
 */
export function writeOne<Result>(
  fleet: Fleet,
  call: WriteCall<Result>,
  options: RouteOptions,
): Promise<WriteOutcome<Result>> {
  const route = options.route ?? fleet.routeOf(call.operation.key);
  const holder = fleet.onlyHolderOf(route);
  if (holder !== undefined) return writeToOnly(fleet, call, holder, options);
  const { signal, deadlineMs } = options;
  if (signal === undefined) return writeToHolders(fleet, call, route, options);
  return abortable(signal, (own) => writeToHolders(fleet, call, route, { signal: own, deadlineMs }));
}

/**
 * The most common case: the key has one node, which is up. Whatever the write builds on is there or nowhere. Written with
 * `then` for the reason that `readOne` is.
 */
function writeToOnly<Result>(
  fleet: Fleet,
  { operation }: WriteCall<Result>,
  member: Member,
  { signal, deadlineMs }: RouteOptions,
): Promise<WriteOutcome<Result>> {
  fleet.guards.break(operation.key);
  const beganMs = fleet.clock.nowMs();
  return fleet.door.send(member, operation, fleet.stepLimits(deadlineMs, signal)).then(
    (result) => {
      fleet.door.answered(member, operation, beganMs);
      return { acknowledgements: [{ member, result }], deletedAtPreviousOwner: false };
    },
    (reason: unknown) => {
      throw fleet.door.failed(member, operation, beganMs, reason, signal).error;
    },
  );
}

function writeToHolders<Result>(
  fleet: Fleet,
  call: WriteCall<Result>,
  route: Route,
  options: RouteOptions,
): Promise<WriteOutcome<Result>> {
  const { key } = call.operation;
  const { signal, deadlineMs = fleet.clock.nowMs() + fleet.policy.timeoutMs } = options;
  let written: Promise<WriteOutcome<Result>> | undefined;
  /** The next change waits for a write that may delete at previous owners, from when it knows of them. */
  const track = ({ previousOwners, transition }: Places) => {
    if (previousOwners.length > 0 && written !== undefined) transition?.track(written);
  };
  const places = fleet.placesOf(key, route);
  written = writeAt(fleet, call, places, { signal, deadlineMs }, track);
  track(places);
  return written;
}

async function writeAt<Result>(
  fleet: Fleet,
  call: WriteCall<Result>,
  first: Places,
  options: RouteOptions,
  onReroute: (places: Places) => void,
): Promise<WriteOutcome<Result>> {
  const { name, key } = call.operation;
  const targets = await targetsOf(fleet, call, first, options, onReroute);
  const { places, members, lacking } = targets;
  const { fallbacks, down, previousOwners } = places;
  if (fallbacks.length > 0) fleet.emit('spill', { operation: name, nodes: fallbacks, down });
  if (members.length > 1 || previousOwners.length > 0 || lacking.length > 0) {
    return await writeToSeveral(fleet, call, targets, options);
  }
  fleet.guards.break(key);
  const acknowledgements = [await sendToOne(fleet, call, members[0]!, places, options)];
  return { acknowledgements, deletedAtPreviousOwner: false };
}

/**
 * Where the write goes. Nothing may be awaited between this and the sending.
 * @throws  What {@link ensureValuePresent} and `writeFailure` say; nothing was written.
 */
async function targetsOf<Result>(
  fleet: Fleet,
  { operation: { name, key }, requires }: WriteCall<Result>,
  first: Places,
  options: RouteOptions,
  onReroute: (places: Places) => void,
): Promise<Targets> {
  let places = first;
  let lacking: readonly NodeAttempt[] = [];
  if (requires !== undefined) {
    for (;;) {
      const presence = await ensureValuePresent(fleet, name, key, requires, places, options);
      options.signal?.throwIfAborted();
      lacking = presence.lacking;
      // Again if the nodes or the value changed meanwhile.
      if (!presence.wasInvalidated && !fleet.isOvertaken(places.route.topology)) break;
      expectTime(fleet, name, places, options);
      places = fleet.placesOf(key, fleet.routeOf(key));
      onReroute(places);
    }
  }
  const members = places.serving.filter(({ id }) => !lacking.some(({ node }) => node === id));
  const required = acknowledgementsFor(fleet, places.route.topology);
  if (members.length >= required) return { places, members, lacking, required };
  const attempts = [...lacking, ...fleet.downAttempts(name, places.down)];
  throw writeFailure(required, name, [], attempts, places);
}

/** @throws {TimeoutError} The deadline has passed. Nothing was written. */
function expectTime(fleet: Fleet, operation: string, places: Places, { deadlineMs }: RouteOptions): void {
  if (deadlineMs === undefined || fleet.isInTime(deadlineMs)) return;
  throw new TimeoutError(places.serving[0]?.id ?? places.down[0]!, operation, fleet.policy.timeoutMs);
}

/** Acknowledgements that a write under this topology needs. */
export function acknowledgementsFor(fleet: Fleet, topology: Topology): number {
  return requiredAcknowledgements(fleet.policy.writeConsistency, copiesOf(topology));
}

/** What is asked of a node, which may take the place of a holder that is down. */
function operationAt<Result>(operation: WriteOperation<Result>, { id }: Member, { fallbacks }: Places) {
  return fallbacks.includes(id) ? (operation.forFallback?.() ?? operation) : operation;
}

/** Without what several nodes would need, but perhaps in place of a holder that is down. */
async function sendToOne<Result>(
  fleet: Fleet,
  call: WriteCall<Result>,
  member: Member,
  places: Places,
  { signal, deadlineMs }: RouteOptions,
): Promise<Acknowledgement<Result>> {
  const operation = operationAt(call.operation, member, places);
  const { failed, reply } = await fleet.door.attempt(member, operation, fleet.stepLimits(deadlineMs, signal));
  if (failed === undefined) return { member, result: reply };
  const attempts = [failed, ...fleet.downAttempts(operation.name, places.down)];
  throw writeFailure(1, operation.name, [], attempts, places);
}

async function writeToSeveral<Result>(
  fleet: Fleet,
  call: WriteCall<Result>,
  targets: Targets,
  options: RouteOptions,
): Promise<WriteOutcome<Result>> {
  const { name: operation, key } = call.operation;
  const { places, members, lacking, required } = targets;
  const { signal, deadlineMs } = options;
  fleet.guards.beginWrite(key);
  const { acknowledgements, attempts, allAnswered } = await fanOut(fleet, call, targets, options);
  const isEnough = acknowledgements.length >= required;
  const mayHaveBeenDone = acknowledgements.length > 0 || signal?.aborted || attempts.some(isOfUnknownOutcome);
  // A write that surely changed nothing leaves the value of before where it is.
  const previousOwners = mayHaveBeenDone ? places.previousOwners : [];
  const deleted = Promise.all(
    previousOwners.map((owner) =>
      deleteAtPreviousOwner(fleet, places.transition, owner, [key], fleet.stepLimits(deadlineMs, undefined)),
    ),
  );
  const ended = Promise.all([allAnswered, deleted]).then(() => {
    fleet.guards.endWrite(key);
    if (!isEnough) return;
    for (const { node, error } of [...lacking, ...attempts]) {
      fleet.emit('writeMissed', { operation, node, error, keys: 1 });
    }
  });
  fleet.background(ended);
  if (previousOwners.length > 0) places.transition?.track(ended);
  if (!isEnough) {
    signal?.throwIfAborted();
    const acknowledged = acknowledgements.map(({ member }) => member.id);
    throw writeFailure(required, operation, acknowledged, [...lacking, ...attempts], places);
  }
  const deletions = previousOwners.length === 0 ? [] : await deleted;
  const inOrder = members.flatMap((member) => acknowledgements.filter((one) => one.member === member));
  return { acknowledgements: inOrder, deletedAtPreviousOwner: deletions.some(([wasThere]) => wasThere) };
}

async function fanOut<Result>(
  fleet: Fleet,
  call: WriteCall<Result>,
  { places, members, required }: Targets,
  { signal, deadlineMs }: RouteOptions,
): Promise<FanOut<Result>> {
  const limits = fleet.stepLimits(deadlineMs, signal);
  const acknowledgements: Acknowledgement<Result>[] = [];
  const attempts: NodeAttempt[] = [];
  const send = async (member: Member): Promise<void> => {
    const { failed, reply } = await fleet.door.attempt(member, operationAt(call.operation, member, places), limits);
    if (failed === undefined) acknowledgements.push({ member, result: reply });
    else if (!signal?.aborted) attempts.push(failed); // Else the caller knows that it may not be there.
  };
  const sends = members.map(send);
  await settledEnough(sends, () => acknowledgements.length >= required && call.isSatisfied(acknowledgements));
  // The lists go on growing until all have answered; what is judged now is what is known now.
  return {
    acknowledgements: [...acknowledgements],
    attempts,
    allAnswered: Promise.all(sends).then(() => undefined),
  };
}

/** Resolves when `enough` holds after one of the promises resolved, or when all have. Rejects if one rejects before. */
export function settledEnough(promises: readonly Promise<void>[], enough: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let open = promises.length;
    if (open === 0) resolve();
    for (const promise of promises) {
      void promise.then(() => {
        open--;
        if (open === 0 || enough()) resolve();
      }, reject);
    }
  });
}
