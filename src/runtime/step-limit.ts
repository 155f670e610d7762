/**
 * When time is up for a call of several steps that shares its connection with nobody: getting the connection, opening it, each
 * command on it.
 *
 * To what `time-limit.ts` promises for one step comes this: a stall in one step leaves the next one its time, however many
 * of them a stall holds up. With B the beginning of the call, T its time and S the beginning of its present step, the call
 * ends at
 *
 *     max(B + T + the longest stall since B, min(S + G + the longest stall since S, B + T + all stalls since B))
 *
 * where G is the least time of a step. So a call ends by its own time, whatever its steps do; and where the server says
 * nothing more, S stays what it is, and the longest stall alone does not count.
 */

import type { Clock } from './clock.ts';
import { endMsOf, graceMs, limitUntil, ownEndMsOf } from './time-limit.ts';

/** How far a call of several steps has come. */
export interface Steps {
  /** When the present step began, on the monotonic clock. Now, where nothing is asked of a server. */
  readonly sinceMs: () => number;
  /** Changes as long as what the present step waits for is coming in. */
  readonly progress: () => string;
  /** For how long the server itself may wait in a step before it answers. Milliseconds; default 0. */
  readonly waitMs?: number | undefined;
}

export interface StepLimitOptions {
  readonly timeoutMs: number;
  /** When the call began, on the monotonic clock. */
  readonly beganMs: number;
  /** Of the call at present; asked only when its time may be over. */
  readonly steps: () => Steps;
}

/**
 * Calls `onOver` once the time of a call is up.
 * @returns Cancels it. To be called in any case, as the event loop is watched until then.
 */
export function limitSteps(clock: Clock, options: StepLimitOptions, onOver: () => void): () => void {
  const { timeoutMs, beganMs, steps } = options;
  const deadlineMs = beganMs + timeoutMs + beyondEndMs(clock, options);
  let seen = '';
  /** When something was last seen to come in, as the sockets were read. */
  let movedMs = Number.NEGATIVE_INFINITY;
  const endMs = (hasRead: boolean) => {
    const { sinceMs, progress, waitMs = 0 } = steps();
    const before = seen;
    seen = progress();
    if (hasRead && seen !== before) movedMs = clock.nowMs();
    const stepMs = Math.max(sinceMs(), movedMs);
    const stepEndMs = endMsOf(clock, stepMs, stepMs + graceMs + waitMs);
    return Math.max(endMsOf(clock, beganMs, deadlineMs), Math.min(stepEndMs, ownEndMsOf(clock, beganMs, deadlineMs)));
  };
  return limitUntil(clock, Math.max(0, deadlineMs - clock.nowMs()), endMs, onOver, true);
}

/** What a later part of a call has beyond the call's end: what it lacks of the least time of a step. Milliseconds. */
function beyondEndMs(clock: Clock, { timeoutMs, beganMs }: StepLimitOptions): number {
  const leastMs = Math.min(graceMs, timeoutMs);
  const leftMs = endMsOf(clock, beganMs, beganMs + timeoutMs) - clock.nowMs();
  return Math.min(leastMs, Math.max(0, leastMs - leftMs));
}
