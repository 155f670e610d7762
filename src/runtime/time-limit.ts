/**
 * When time is up, in a process that may itself be held up.
 *
 * Two things are promised at once:
 *
 * - The process's own stalls end nothing. Of the time since a call began, the longest stall does not count, and what came
 *   during a stall is read before anything is ended for having run out of time.
 * - Everything ends. No call goes on for longer than its time, one turn of the event loop (the longest stall), and
 *   {@link graceMs}.
 */

import type { Clock } from './clock.ts';
import { stallMs } from './loop-watch.ts';
import { WatchedWait } from './watched-wait.ts';

/**
 * The least time that a step of a call has, if the process was held up before it could begin: enough for a round trip.
 * Milliseconds.
 */
export const graceMs = 50;

/**
 * When a call must have ended, which began at `beganMs` with a deadline; both on the monotonic clock.
 * @param untilMs  Stalls count as time from then on. Default: none that comes does.
 */
export function endMsOf({ loop }: Clock, beganMs: number, deadlineMs: number, untilMs?: number): number {
  return loop === undefined ? deadlineMs : deadlineMs + loop.longestStallMs(beganMs, untilMs);
}

/** Whether a call may go on for `turns` more turns of the loop, as long as they are at present, and still end as promised. */
export function hasTurnsLeft(clock: Clock, beganMs: number, deadlineMs: number, turns: number): boolean {
  const { loop } = clock;
  const turnMs = loop?.turnMs ?? 0;
  const longestMs = Math.max(turnMs, loop?.longestStallMs(beganMs) ?? 0);
  return clock.nowMs() + turns * turnMs < deadlineMs + longestMs + graceMs;
}

/** The same where no stall counts, for a call that goes on: see `step-limit.ts`. */
export function ownEndMsOf({ loop }: Clock, beganMs: number, deadlineMs: number): number {
  return loop === undefined ? deadlineMs : deadlineMs + loop.stalledMs(beganMs);
}

/**
 * Time for the next step of a call, at least 1 ms. A step that finds less than {@link graceMs} left has up to that much,
 * and the whole call no more than that beyond its end. Here no stall at all counts: several of them can bring a step long
 * after the end of its call.
 *
 * @param timeoutMs  Of the whole call.
 */
export function stepTimeMs(clock: Clock, deadlineMs: number, timeoutMs: number): number {
  const nowMs = clock.nowMs();
  const leastMs = Math.min(graceMs, timeoutMs);
  // Only where a stall may have used up the time it matters how long that was.
  if (deadlineMs - nowMs >= leastMs) return deadlineMs - nowMs;
  const beganMs = deadlineMs - timeoutMs;
  const leftMs = endMsOf(clock, beganMs, deadlineMs) - nowMs;
  if (leftMs >= leastMs) return leftMs;
  const leftWithoutStallsMs = ownEndMsOf(clock, beganMs, deadlineMs) - nowMs;
  return Math.max(1, Math.min(leastMs, leftWithoutStallsMs + graceMs));
}

/** The time a call has left when stalls do not count. Undefined: there were none. */
export function ownTimeLeftMs(clock: Clock, deadlineMs: number, timeoutMs: number): number | undefined {
  const { loop } = clock;
  const leftMs = deadlineMs - clock.nowMs();
  // A stall would have taken longer.
  if (loop === undefined || timeoutMs - leftMs < stallMs) return undefined;
  const stalledMs = loop.stalledMs(deadlineMs - timeoutMs);
  return stalledMs === 0 ? undefined : leftMs + stalledMs;
}

/**
 * Calls `onOver` once `timeoutMs` have passed, as a timer does, but not for a stall of the process alone.
 * @returns Cancels it. To be called in any case, as the event loop is watched until then.
 */
export function limitTime(clock: Clock, timeoutMs: number, onOver: () => void, keepsAlive: boolean): () => void {
  const { loop } = clock;
  if (loop === undefined) return clock.schedule(timeoutMs, onOver, keepsAlive);
  const beganMs = clock.nowMs();
  const wait = new WatchedWait(clock, loop, keepsAlive);
  const look = (hasRead: boolean) => {
    const leftMs = endMsOf(clock, beganMs, beganMs + timeoutMs) - clock.nowMs();
    if (leftMs > 0) wait.in(leftMs, () => look(false));
    else if (!hasRead) wait.untilRead(() => look(true));
    else {
      wait.stop();
      onOver();
    }
  };
  wait.in(timeoutMs, () => look(false));
  return () => wait.stop();
}

/** The result of `work`, or a rejection with an error made once `timeoutMs` have passed. The work goes on. */
export function withinTime<Result>(
  clock: Clock,
  timeoutMs: number,
  work: Promise<Result>,
  lateError: () => unknown,
  keepsAlive = true,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const cancel = limitTime(clock, timeoutMs, () => reject(lateError()), keepsAlive);
    work.finally(cancel).then(resolve, reject);
  });
}

/** Resolves when `work` has settled, and after `limitMs` in any case, to whether it has. Stalls of the process do not count. */
export function settledWithin(clock: Clock, limitMs: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = limitTime(clock, limitMs, () => resolve(false), true);
    const settled = () => {
      cancel();
      resolve(true);
    };
    work.then(settled, settled);
  });
}
