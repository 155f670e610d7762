/**
 * Writing many keys: one call per node, all nodes in parallel, each key judged by the write consistency level alone.
 */

import type { EntryFailures } from '../backend/backend.ts';
import type { NodeAttempt } from '../errors/index.ts';
import type { Member } from '../nodes/node.ts';
import type { Operation } from '../nodes/operation.ts';
import { abortable } from '../runtime/abort.ts';
import type { Fleet } from './fleet.ts';
import { tellFormer } from './former-holders.ts';
import type { RouteOptions } from './read.ts';
import { requiredConfirmations, settledEnough } from './write.ts';

export interface ManyWriteCall<Reply> {
  readonly name: string;
  /** Any strings; one that comes twice is written twice, in order. */
  readonly keys: readonly string[];
  /** What is asked of a node for the entries at `indexes` of `keys`. */
  operationFor(indexes: readonly number[], isStandIn: boolean): Operation<Reply>;
  /** Which of them have failed according to the reply, by position in `indexes`. */
  failuresIn(reply: Reply, indexes: readonly number[]): EntryFailures;
  /** Whether the answers of all nodes are needed. Else the call returns when every key has its confirmations. */
  readonly needsAll: boolean;
  /** Told for each key of which a former holder had a value. */
  removedAtFormer?(index: number): void;
}

export interface ManyWrite {
  /** Indexes of the keys that did not reach the consistency level. */
  readonly failed: readonly number[];
  readonly attempts: readonly NodeAttempt[];
}

/** The entries that one node is sent. */
interface Batch {
  readonly member: Member;
  readonly isStandIn: boolean;
  readonly indexes: number[];
}

interface Plan {
  readonly batches: readonly Batch[];
  /** Indexes by former holder. */
  readonly formers: ReadonlyMap<Member, readonly number[]>;
  /** Keys written to several nodes, for which no copy may be made meanwhile. */
  readonly held: readonly string[];
  /** Nodes that are not asked, as they are down. */
  readonly attempts: NodeAttempt[];
}

/** State of one call: how many confirmations each key still lacks. */
class Tally {
  readonly lacking: Uint16Array;
  /** Keys that some node may have executed. */
  readonly touched: Uint8Array;
  /** Keys that still lack some. */
  open: number;

  constructor(keyCount: number, required: number) {
    this.lacking = new Uint16Array(keyCount).fill(required);
    this.touched = new Uint8Array(keyCount);
    this.open = keyCount;
  }

  confirm(index: number): void {
    this.touched[index] = 1;
    if (this.lacking[index]! > 0 && --this.lacking[index]! === 0) this.open--;
  }
}

/** @throws The signal's reason, if it aborts before the call ends; see `writeOne`. */
export async function writeMany<Reply>(
  fleet: Fleet,
  call: ManyWriteCall<Reply>,
  { signal }: RouteOptions,
): Promise<ManyWrite> {
  const required = requiredConfirmations(fleet);
  const plan = planBatches(fleet, call, required);
  // Where every key has one node, nothing goes on that the signal could still reach.
  if (signal === undefined || plan.held.length === 0) return send(fleet, call, plan, required, signal);
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
  for (const key of plan.held) fleet.guards.beginWrite(key);
  const sends = plan.batches.map((batch) => sendBatch(fleet, call, batch, tally, attempts, signal));
  const enough = call.needsAll ? Promise.all(sends) : settledEnough(sends, () => tally.open === 0);
  const told = enough.then(() =>
    Promise.all(
      [...plan.formers].map(([former, indexes]) => tellOfTouched(fleet, call, former, indexes, tally, deadlineMs)),
    ),
  );
  // However they end: a key that stayed held would get no copy any more.
  fleet.background(
    Promise.allSettled([...sends, told]).then(() => {
      for (const key of plan.held) fleet.guards.endWrite(key);
    }),
  );
  await enough;
  if (plan.formers.size > 0) await told;
  const failed: number[] = [];
  for (const [index, lacking] of tally.lacking.entries()) if (lacking > 0) failed.push(index);
  if (failed.length > 0) signal?.throwIfAborted();
  return { failed, attempts: failed.length === 0 ? [] : attempts };
}

/** @throws {NoNodesError} There are no nodes. */
function planBatches(fleet: Fleet, call: Pick<ManyWriteCall<never>, 'name' | 'keys'>, required: number): Plan {
  const attempts: NodeAttempt[] = [];
  const batches = new Map<Member, Batch>();
  const standInBatches = new Map<Member, Batch>();
  const formerIndexes = new Map<Member, number[]>();
  const held: string[] = [];
  for (let index = 0; index < call.keys.length; index++) {
    const key = call.keys[index]!;
    const { serving, down, standIns, formers } = fleet.placesOf(key);
    if (serving.length < required) {
      // A key that cannot reach its level is not written at all.
      fleet.noteDown(call.name, down, attempts);
      continue;
    }
    if (serving.length > 1 || formers.length > 0) held.push(key);
    else fleet.guards.break(key);
    for (const member of serving) {
      const isStandIn = standIns.length > 0 && standIns.includes(member.id);
      const group = isStandIn ? standInBatches : batches;
      const batch = group.get(member);
      if (batch !== undefined) batch.indexes.push(index);
      else {
        group.set(member, { member, isStandIn, indexes: [index] });
        if (isStandIn) fleet.emit('spill', { operation: call.name, nodes: [member.id], down });
      }
    }
    for (const former of formers) {
      const indexes = formerIndexes.get(former);
      if (indexes === undefined) formerIndexes.set(former, [index]);
      else indexes.push(index);
    }
  }
  return { batches: [...batches.values(), ...standInBatches.values()], formers: formerIndexes, held, attempts };
}

async function sendBatch<Reply>(
  fleet: Fleet,
  call: ManyWriteCall<Reply>,
  { member, isStandIn, indexes }: Batch,
  tally: Tally,
  attempts: NodeAttempt[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const beganMs = fleet.clock.nowMs();
  const limits = { signal, timeoutMs: fleet.policy.timeoutMs };
  const { failed, reply } = await fleet.door.attempt(member, call.operationFor(indexes, isStandIn), limits);
  if (failed !== undefined) {
    // Which of them the node has executed is not known.
    for (const index of indexes) tally.touched[index] = 1;
    if (!signal?.aborted) noteMissed(fleet, call.name, failed, indexes.length, attempts);
    return;
  }
  const failures = call.failuresIn(reply, indexes);
  for (let position = 0; position < indexes.length; position++) {
    if (!failures.has(position)) tally.confirm(indexes[position]!);
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

async function tellOfTouched(
  fleet: Fleet,
  call: Pick<ManyWriteCall<never>, 'keys' | 'removedAtFormer'>,
  former: Member,
  indexes: readonly number[],
  tally: Tally,
  deadlineMs: number,
): Promise<void> {
  const touched = indexes.filter((index) => tally.touched[index] === 1);
  if (touched.length === 0) return;
  const keys = touched.map((index) => call.keys[index]!);
  const removed = await tellFormer(fleet, former, keys, fleet.stepLimits(deadlineMs, undefined));
  for (const [position, wasThere] of removed.entries()) if (wasThere) call.removedAtFormer?.(touched[position]!);
}
