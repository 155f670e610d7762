/**
 * Writing one key: to all its live nodes at once, returning at the write consistency level.
 *
 * While a lazy change is open, a write that was confirmed then removes the key where it was before.
 */

import {
  isShardringError,
  type NodeAttempt,
  type ShardringErrorCode,
  TimeoutError,
  WriteConsistencyError,
} from '../errors/index.ts';
import type { Member } from '../nodes/node.ts';
import type { KeyOperation } from '../nodes/operation.ts';
import { abortable } from '../runtime/abort.ts';
import { copiesOf } from '../topology/topology.ts';
import type { Fleet, Places } from './fleet.ts';
import { tellFormer } from './former-holders.ts';
import { makePresent, type Presence } from './presence.ts';
import { confirmationsNeeded } from './query-plan.ts';
import type { RouteOptions } from './read.ts';

/** One node's answer to a write. */
export interface Confirmation<Result> {
  readonly member: Member;
  readonly result: Result;
}

export interface WriteOperation<Result> extends KeyOperation<Result> {
  /** The same for a node that takes the place of a holder that is down. Default: no other. */
  forStandIn?(): KeyOperation<Result>;
}

export interface WriteCall<Result> {
  readonly operation: WriteOperation<Result>;
  /** Where the value must be before the write; undefined for a write that does not build on it. */
  readonly presence?: Presence;
  /** Whether the answers so far suffice, once the consistency level is reached. Else all nodes are waited for. */
  suffices(confirmations: readonly Confirmation<Result>[]): boolean;
}

export interface WriteOutcome<Result> {
  /** In preference order of the nodes, where all were waited for. */
  readonly confirmations: readonly Confirmation<Result>[];
  /** Whether a former holder had the key. */
  readonly removedAtFormer: boolean;
}

/** What came of the sending. */
interface FanOut<Result> {
  readonly confirmations: readonly Confirmation<Result>[];
  readonly attempts: readonly NodeAttempt[];
  /** Resolves when every node has answered. */
  readonly allAnswered: Promise<void>;
}

/**
 * @throws {WriteConsistencyError} Fewer nodes than needed confirmed; nothing was sent if too few are in service.
 * @throws The node's own error where the key has only one node, and the signal's reason if it aborts before the call ends. Copies
 *         that are under way then, or are left to the background, keep to their own deadline.
 */
export function writeOne<Result>(
  fleet: Fleet,
  call: WriteCall<Result>,
  options: RouteOptions,
): Promise<WriteOutcome<Result>> {
  const holder = fleet.onlyHolderOf(call.operation.key);
  if (holder !== undefined) return writeToOnly(fleet, call, holder, options);
  const { signal, deadlineMs } = options;
  if (signal === undefined) return writeToHolders(fleet, call, options);
  return abortable(signal, (own) => writeToHolders(fleet, call, { signal: own, deadlineMs }));
}

async function writeToHolders<Result>(
  fleet: Fleet,
  call: WriteCall<Result>,
  options: RouteOptions,
): Promise<WriteOutcome<Result>> {
  const { presence } = call;
  const { name, key } = call.operation;
  let places = fleet.placesOf(key);
  let unfit: readonly NodeAttempt[] = [];
  if (presence !== undefined) {
    // Again if the nodes or the value changed meanwhile. Nothing may be awaited from the last look to the sending.
    for (let isReady = false; !isReady; ) {
      const { topology } = fleet;
      places = fleet.placesOf(key);
      const result = await makePresent(fleet, name, key, presence, places, options);
      options.signal?.throwIfAborted();
      unfit = result.unfit;
      isReady = !result.wasCrossed && topology === fleet.topology;
      if (!isReady) expectTime(fleet, name, places, options);
    }
  }
  const targets = places.serving.filter(({ id }) => !unfit.some(({ node }) => node === id));
  const required = requiredConfirmations(fleet);
  if (targets.length < required) {
    const attempts = [...unfit, ...fleet.downAttempts(name, places.down)];
    throw writeFailure(required, name, [], attempts, places);
  }
  if (places.standIns.length > 0) fleet.emit('spill', { operation: name, nodes: places.standIns, down: places.down });
  if (targets.length === 1 && places.formers.length === 0 && unfit.length === 0) {
    fleet.guards.break(key);
    return { confirmations: [await sendToOne(fleet, call, targets[0]!, places, options)], removedAtFormer: false };
  }
  return await writeToSeveral(fleet, call, places, targets, unfit, required, options);
}

/** @throws {TimeoutError} The deadline has passed. Nothing was written. */
function expectTime(fleet: Fleet, operation: string, places: Places, { deadlineMs }: RouteOptions): void {
  if (deadlineMs === undefined || fleet.isInTime(deadlineMs)) return;
  throw new TimeoutError(places.serving[0]?.id ?? places.down[0]!, operation, fleet.policy.timeoutMs);
}

export function requiredConfirmations(fleet: Fleet): number {
  return confirmationsNeeded(fleet.policy.writeConsistency, copiesOf(fleet.topology));
}

/** The error of a write that too few nodes confirmed: the node's own where only one was asked. */
function writeFailure(
  required: number,
  operation: string,
  acknowledged: readonly string[],
  attempts: readonly NodeAttempt[],
  places: Places,
): unknown {
  const only = attempts[0];
  if (places.serving.length + places.down.length === 1 && only !== undefined) return only.error;
  const fault = attempts.find(({ error }) => isCallFault(error));
  if (fault !== undefined && acknowledged.length === 0) return fault.error;
  return new WriteConsistencyError(operation, required, acknowledged, attempts);
}

const callFaults: ReadonlySet<unknown> = new Set<ShardringErrorCode>([
  'ERR_NOT_AN_INTEGER',
  'ERR_VALUE_TOO_LARGE',
  'ERR_UNSUPPORTED',
]);

/** What is wrong with the call, at whichever node: that the others say the same, or cannot be asked, adds nothing. */
function isCallFault(error: unknown): boolean {
  if (!isShardringError(error)) return false;
  return callFaults.has(error.code) || (error.code === 'ERR_NODE_REPLY' && error.kind === 'WRONGTYPE');
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
      fleet.door.answered(member, beganMs);
      return { confirmations: [{ member, result }], removedAtFormer: false };
    },
    (reason: unknown) => {
      throw fleet.door.failed(member, beganMs, reason, signal).error;
    },
  );
}

/** What is asked of a node, which may stand in for a holder that is down. */
function operationAt<Result>(operation: WriteOperation<Result>, { id }: Member, { standIns }: Places) {
  return standIns.includes(id) ? (operation.forStandIn?.() ?? operation) : operation;
}

/** Without what several nodes would need, but perhaps in place of a holder that is down. */
async function sendToOne<Result>(
  fleet: Fleet,
  call: WriteCall<Result>,
  member: Member,
  places: Places,
  { signal, deadlineMs }: RouteOptions,
): Promise<Confirmation<Result>> {
  const operation = operationAt(call.operation, member, places);
  const { failed, reply } = await fleet.door.attempt(member, operation, fleet.stepLimits(deadlineMs, signal));
  if (failed === undefined) return { member, result: reply };
  const attempts = [failed, ...fleet.downAttempts(operation.name, places.down)];
  throw writeFailure(1, operation.name, [], attempts, places);
}

async function writeToSeveral<Result>(
  fleet: Fleet,
  call: WriteCall<Result>,
  places: Places,
  targets: readonly Member[],
  unfit: readonly NodeAttempt[],
  required: number,
  options: RouteOptions,
): Promise<WriteOutcome<Result>> {
  const { name: operation, key } = call.operation;
  const { signal, deadlineMs } = options;
  fleet.guards.beginWrite(key);
  const { confirmations, attempts, allAnswered } = await fanOut(fleet, call, places, targets, required, options);
  const isEnough = confirmations.length >= required;
  const mayHaveBeenDone = confirmations.length > 0 || signal?.aborted || attempts.some(isOfUnknownOutcome);
  // A write that surely changed nothing leaves the former value where it is.
  const formers = isEnough || mayHaveBeenDone ? places.formers : [];
  const told = Promise.all(
    formers.map((former) => tellFormer(fleet, former, [key], fleet.stepLimits(deadlineMs, undefined))),
  );
  fleet.background(
    Promise.all([allAnswered, told]).then(() => {
      fleet.guards.endWrite(key);
      if (!isEnough) return;
      for (const { node, error } of [...unfit, ...attempts]) {
        fleet.emit('writeMissed', { operation, node, error, keys: 1 });
      }
    }),
  );
  if (!isEnough) {
    signal?.throwIfAborted();
    const acknowledged = confirmations.map(({ member }) => member.id);
    throw writeFailure(required, operation, acknowledged, [...unfit, ...attempts], places);
  }
  const removed = formers.length === 0 ? [] : await told;
  const inOrder = targets.flatMap((member) => confirmations.filter((confirmation) => confirmation.member === member));
  return { confirmations: inOrder, removedAtFormer: removed.some(([wasThere]) => wasThere) };
}

const isOfUnknownOutcome = ({ error }: NodeAttempt) => !isShardringError(error) || error.code === 'ERR_UNKNOWN_OUTCOME';

async function fanOut<Result>(
  fleet: Fleet,
  call: WriteCall<Result>,
  places: Places,
  targets: readonly Member[],
  required: number,
  { signal, deadlineMs }: RouteOptions,
): Promise<FanOut<Result>> {
  const limits = fleet.stepLimits(deadlineMs, signal);
  const confirmations: Confirmation<Result>[] = [];
  const attempts: NodeAttempt[] = [];
  const send = async (member: Member): Promise<void> => {
    const { failed, reply } = await fleet.door.attempt(member, operationAt(call.operation, member, places), limits);
    if (failed === undefined) confirmations.push({ member, result: reply });
    else if (!signal?.aborted) attempts.push(failed); // Else the caller knows that it may not be there.
  };
  const sends = targets.map(send);
  await settledEnough(sends, () => confirmations.length >= required && call.suffices(confirmations));
  // The lists go on growing until all have answered; what is judged now is what is known now.
  return { confirmations: [...confirmations], attempts, allAnswered: Promise.all(sends).then(() => undefined) };
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
