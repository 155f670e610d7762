/**
 * Writing many keys: one call per node, all nodes in parallel, each key judged by the write consistency level alone.
 */

import type { EntryFailures } from '../backend/backend.ts';
import type { NodeAttempt } from '../errors/index.ts';
import type { Member } from '../nodes/node.ts';
import type { Operation } from '../nodes/operation.ts';
import { abortable } from '../runtime/abort.ts';
import { routeOf } from '../topology/route.ts';
import type { Topology } from '../topology/topology.ts';
import type { Fleet } from './fleet.ts';
import { deleteAtPreviousOwner } from './previous-owners.ts';
import type { RouteOptions } from './read.ts';
import type { Transition } from './transition.ts';
import { acknowledgementsFor, settledEnough } from './write.ts';
import { isOfUnknownOutcome } from './write-failure.ts';

export interface ManyWriteCall<Reply> {
  readonly name: string;
  /** Any strings; one that comes twice is written twice, in order. */
  readonly keys: readonly string[];
  /** What is asked of a node for the entries at `indexes` of `keys`. */
  operationFor(indexes: readonly number[], isFallback: boolean): Operation<Reply>;
  /** Which of them have failed according to the reply, by position in `indexes`. */
  failuresIn(reply: Reply, indexes: readonly number[]): EntryFailures;
  /** Whether the answers of all nodes are needed. Else the call returns when every key has its acknowledgements. */
  readonly waitForAll: boolean;
  /** Called for each key of which a previous owner had a value. */
  deletedAtPreviousOwner?(index: number): void;
}

export interface ManyWrite {
  /** Indexes of the keys that did not reach the consistency level. */
  readonly failed: readonly number[];
  readonly attempts: readonly NodeAttempt[];
}

/** The entries that one node is sent. */
interface Batch {
  readonly member: Member;
  readonly isFallback: boolean;
  readonly indexes: number[];
}

interface Plan {
  readonly batches: readonly Batch[];
  /** Indexes by previous owner. */
  readonly previousOwners: ReadonlyMap<Member, readonly number[]>;
  readonly transition: Transition | undefined;
  /** Keys written to several nodes, for which no copy may be made meanwhile. */
  readonly guardedKeys: readonly string[];
  /** Nodes that are not asked, as they are down. */
  readonly attempts: NodeAttempt[];
}

/** State of one call: how many acknowledgements each key still lacks. */
class Tally {
  readonly lacking: Uint16Array;
  /** Keys that some node may have executed. */
  readonly maybeWritten: Uint8Array;
  /** Keys that still lack some. */
  open: number;

  constructor(keyCount: number, required: number) {
    this.lacking = new Uint16Array(keyCount).fill(required);
    this.maybeWritten = new Uint8Array(keyCount);
    this.open = keyCount;
  }

  acknowledge(index: number): void {
    this.maybeWritten[index] = 1;
    if (this.lacking[index]! > 0 && --this.lacking[index]! === 0) this.open--;
  }
}

/** @throws The signal's reason, if it aborts before the call ends; see `writeOne`. */
export async function writeMany<Reply>(
  fleet: Fleet,
  call: ManyWriteCall<Reply>,
  { signal }: RouteOptions,
): Promise<ManyWrite> {
  const { topology } = fleet;
  const required = acknowledgementsFor(fleet, topology);
  const plan = planBatches(fleet, topology, call, required);
  // Where every key has one node, nothing goes on that the signal could still reach.
  if (signal === undefined || plan.guardedKeys.length === 0) return send(fleet, call, plan, required, signal);
  return abortable(signal, (own) => send(fleet, call, plan, required, own));
}

async function send<Reply>(
  fleet: Fleet,
  call: ManyWriteCall<Reply>,
  plan: Plan,
  required: number,
  signal: AbortSignal | undefined,
): Promise<ManyWrite> {
  const deadlineMs = fleet.clock.nowMs() + fleet.policy.timeoutMs;
  const { attempts } = plan;
  const tally = new Tally(call.keys.length, required);
  for (const key of plan.guardedKeys) fleet.guards.beginWrite(key);
  const sends = plan.batches.map((batch) => sendBatch(fleet, call, batch, tally, attempts, signal));
  const enough = call.waitForAll ? Promise.all(sends) : settledEnough(sends, () => tally.open === 0);
  const deleted = enough.then(() => deleteReplaced(fleet, call, plan, tally, deadlineMs));
  // However they end: a key that stayed guarded would get no copy any more.
  const ended = Promise.allSettled([...sends, deleted]).then(() => {
    for (const key of plan.guardedKeys) fleet.guards.endWrite(key);
  });
  fleet.background(ended);
  if (plan.previousOwners.size > 0) plan.transition?.track(ended);
  await enough;
  if (plan.previousOwners.size > 0) await deleted;
  const failed: number[] = [];
  for (const [index, lacking] of tally.lacking.entries()) if (lacking > 0) failed.push(index);
  if (failed.length > 0) signal?.throwIfAborted();
  return { failed, attempts: failed.length === 0 ? [] : attempts };
}

/** @throws {NoNodesError} There are no nodes. */
function planBatches(
  fleet: Fleet,
  topology: Topology,
  call: Pick<ManyWriteCall<never>, 'name' | 'keys'>,
  required: number,
): Plan {
  const attempts: NodeAttempt[] = [];
  const batches = new Map<Member, Batch>();
  const fallbackBatches = new Map<Member, Batch>();
  const indexesByOwner = new Map<Member, number[]>();
  const guardedKeys: string[] = [];
  let transition: Transition | undefined;
  for (let index = 0; index < call.keys.length; index++) {
    const key = call.keys[index]!;
    const places = fleet.placesOf(key, routeOf(topology, key));
    const { serving, down, fallbacks, previousOwners } = places;
    transition = places.transition;
    if (serving.length < required) {
      // A key that cannot reach its level is not written at all.
      fleet.noteDown(call.name, down, attempts);
      continue;
    }
    if (serving.length > 1 || previousOwners.length > 0) guardedKeys.push(key);
    else fleet.guards.break(key);
    for (const member of serving) {
      const isFallback = fallbacks.length > 0 && fallbacks.includes(member.id);
      const group = isFallback ? fallbackBatches : batches;
      const batch = group.get(member);
      if (batch !== undefined) batch.indexes.push(index);
      else {
        group.set(member, { member, isFallback, indexes: [index] });
        if (isFallback) fleet.emit('spill', { operation: call.name, nodes: [member.id], down });
      }
    }
    for (const owner of previousOwners) {
      const indexes = indexesByOwner.get(owner);
      if (indexes === undefined) indexesByOwner.set(owner, [index]);
      else indexes.push(index);
    }
  }
  return {
    ...{ batches: [...batches.values(), ...fallbackBatches.values()], previousOwners: indexesByOwner },
    ...{ transition, guardedKeys, attempts },
  };
}

async function sendBatch<Reply>(
  fleet: Fleet,
  call: ManyWriteCall<Reply>,
  { member, isFallback, indexes }: Batch,
  tally: Tally,
  attempts: NodeAttempt[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const beganMs = fleet.clock.nowMs();
  const limits = { signal, timeoutMs: fleet.policy.timeoutMs };
  const { failed, reply } = await fleet.door.attempt(member, call.operationFor(indexes, isFallback), limits);
  if (failed !== undefined) {
    // Which of them the node has executed is not known, unless it has surely executed none.
    if (signal?.aborted || isOfUnknownOutcome(failed)) for (const index of indexes) tally.maybeWritten[index] = 1;
    if (!signal?.aborted) noteMissed(fleet, call.name, failed, indexes.length, attempts);
    return;
  }
  const failures = call.failuresIn(reply, indexes);
  for (let position = 0; position < indexes.length; position++) {
    if (!failures.has(position)) tally.acknowledge(indexes[position]!);
    else if (isOfUnknownOutcome({ error: failures.get(position) })) tally.maybeWritten[indexes[position]!] = 1;
  }
  if (failures.size === 0 || signal?.aborted) return;
  const [error] = failures.values();
  const attempt = { node: member.id, elapsedMs: fleet.clock.nowMs() - beganMs, error };
  noteMissed(fleet, call.name, attempt, failures.size, attempts);
}

function noteMissed(fleet: Fleet, operation: string, attempt: NodeAttempt, keys: number, attempts: NodeAttempt[]) {
  attempts.push(attempt);
  if (fleet.topology.replicationFactor === 1) return;
  fleet.emit('writeMissed', { operation, node: attempt.node, error: attempt.error, keys });
}

/** Deletes at previous owners what may have been written. */
async function deleteReplaced(
  fleet: Fleet,
  call: Pick<ManyWriteCall<never>, 'keys' | 'deletedAtPreviousOwner'>,
  { previousOwners, transition }: Plan,
  { maybeWritten }: Tally,
  deadlineMs: number,
): Promise<void> {
  const deleteAt = async ([owner, indexes]: [Member, readonly number[]]): Promise<void> => {
    const replaced = indexes.filter((index) => maybeWritten[index] === 1);
    if (replaced.length === 0) return;
    const keys = replaced.map((index) => call.keys[index]!);
    const limits = fleet.stepLimits(deadlineMs, undefined);
    const deleted = await deleteAtPreviousOwner(fleet, transition, owner, keys, limits);
    for (const [position, wasThere] of deleted.entries()) {
      if (wasThere) call.deletedAtPreviousOwner?.(replaced[position]!);
    }
  };
  await Promise.all([...previousOwners].map(deleteAt));
}
