/**
 * Commands on keys that several nodes hold: reads with failover, writes to all.
 *
 * A refusal that speaks of the command (WRONGTYPE, a syntax error) is an answer like any other, the same on every copy. One
 * that speaks of the server (LOADING, OOM, READONLY) is that node's failure, and the others are asked.
 */

import type { CallOptions } from '../backend/backend.ts';
import type { Member } from '../nodes/node.ts';
import type { Effect, KeyOperation } from '../nodes/operation.ts';
import type { NodeId } from '../placement/node.ts';
import type { Fleet } from '../routing/fleet.ts';
import { readOne } from '../routing/read.ts';
import { acknowledgementsFor, type WriteCall, writeOne } from '../routing/write.ts';
import type { Clock } from '../runtime/clock.ts';
import { Deferred } from '../runtime/deferred.ts';
import { CallLimits, isOfServer, isReplyError } from '../server/index.ts';
import type { Route } from '../topology/route.ts';

/** Sends the command to one node, in however many steps: the limits are for all of them. */
export type Ask = (node: NodeId, limits: CallLimits) => Promise<unknown>;

type Answer = { readonly reply: unknown } | { readonly refusal: Error };

async function answerOf(asked: Promise<unknown>): Promise<Answer> {
  try {
    return { reply: await asked };
  } catch (error) {
    if (isReplyError(error) && !isOfServer(error)) return { refusal: error };
    throw error;
  }
}

/** A command at whichever of the nodes that hold its key. */
class Command implements KeyOperation<Answer> {
  /** Each command that is sent passes the door by itself. */
  readonly isInSteps = true;

  constructor(
    readonly name: string,
    readonly key: string,
    readonly effect: Effect,
    readonly ask: Ask,
    readonly clock: Clock,
  ) {}

  get keys(): readonly string[] {
    return [this.key];
  }

  run({ id }: Member, { timeoutMs, progressTimeoutMs }: CallOptions): Promise<Answer> {
    const deadlineMs = this.clock.nowMs() + timeoutMs!;
    return answerOf(this.ask(id, new CallLimits(timeoutMs!, deadlineMs, undefined, progressTimeoutMs)));
  }
}

function open(answer: Answer): unknown {
  if ('refusal' in answer) throw answer.refusal;
  return answer.reply;
}

export interface CopiesReadOptions {
  /** How long a holder may wait before it answers, beside the deadline. Milliseconds; default 0. */
  readonly waitMs?: number;
  /** Asked first, if it holds the key and is in service. */
  readonly preferred?: NodeId | undefined;
}

/**
 * Asks the holders of `key` one after the other until one answers.
 * @throws {AllReplicasFailedError} None did.
 */
export async function readCopies(
  fleet: Fleet,
  command: string,
  key: string,
  route: Route,
  ask: Ask,
  { waitMs = 0, preferred }: CopiesReadOptions = {},
): Promise<unknown> {
  const { clock, policy } = fleet;
  const timeoutMs = policy.timeoutMs + waitMs;
  const whole = new CallLimits(timeoutMs, clock.nowMs() + timeoutMs, undefined);
  // After a share of the time, a holder that waits for data would not have waited for as long as it was told to.
  const askInTime: Ask = waitMs === 0 ? ask : (node) => ask(node, whole);
  const operation = new Command(command, key, 'reads', askInTime, clock);
  const answer = await readOne(fleet, operation, { deadlineMs: whole.deadlineMs, preferred, route });
  return open(answer!); // Every answer is one, also of a key that is not there.
}

/**
 * Sends a write to all holders of `key` and returns what the first of them in preference order said, once the write
 * consistency level is reached and that one has answered.
 * @throws {WriteConsistencyError} Too few acknowledgements.
 */
export async function writeCopies(
  fleet: Fleet,
  command: string,
  key: string,
  route: Route,
  ask: Ask,
): Promise<unknown> {
  return writeTo(fleet, command, key, route, ask, fleet.clock.nowMs() + fleet.policy.timeoutMs);
}

/**
 * A write whose outcome the server chooses: done by the first holder in preference order, and then what came of it is
 * done by the others.
 *
 * @param ask       Sends the command to the first holder. @param waitMs  How long it may wait there, beside the deadline.
 * @param follow    Does at another holder what the reply says, in what is left of the time.
 */
export async function writeFirst(
  fleet: Fleet,
  command: string,
  key: string,
  route: Route,
  ask: Ask,
  waitMs: number,
  follow: (reply: unknown, node: NodeId, limits: CallLimits) => Promise<unknown>,
): Promise<unknown> {
  const first = fleet.placesOf(key, route).serving[0]?.id;
  const { clock, policy } = fleet;
  const { timeoutMs } = policy;
  const firstReply = new Deferred<unknown>();
  firstReply.promise.catch(() => undefined);
  const askOrFollow: Ask = async (node, limits) => {
    if (node === first) {
      const asked = ask(node, limits);
      firstReply.resolve(asked);
      return asked;
    }
    const reply = await firstReply.promise.catch(refuseToFollow);
    // The others do not wait for data as the first may have done; if no caller waits for them, they have a time of their own.
    const ownEndMs = clock.nowMs() + timeoutMs;
    const deadlineMs =
      acknowledgementsFor(fleet, route.topology) > 1 ? Math.min(limits.deadlineMs, ownEndMs) : ownEndMs;
    return follow(reply, node, new CallLimits(timeoutMs, deadlineMs, undefined));
  };
  return writeTo(fleet, command, key, route, askOrFollow, clock.nowMs() + timeoutMs + waitMs);
}

/** The first holder's failure speaks of that node, not of those that would have followed. */
function refuseToFollow(error: unknown): never {
  if (isReplyError(error)) throw error;
  throw new Error('Not sent: the first replica failed, so there was no result to replicate.', { cause: error });
}

async function writeTo(
  fleet: Fleet,
  command: string,
  key: string,
  route: Route,
  ask: Ask,
  deadlineMs: number,
): Promise<unknown> {
  const first = fleet.placesOf(key, route).serving[0]?.id;
  const call: WriteCall<Answer> = {
    operation: new Command(command, key, 'counts', ask, fleet.clock),
    isSatisfied: (acknowledgements) => acknowledgements.some(({ member }) => member.id === first),
  };
  const { acknowledgements } = await writeOne(fleet, call, { deadlineMs, route });
  const answered = acknowledgements.find(({ member }) => member.id === first) ?? acknowledgements[0]!;
  return open(answered.result);
}
