/**
 * When time is up for a call of several steps with a connection of its own: getting the connection, opening it, each
 * command on it.
 *
 * Applies the rule of `overdue.ts` to each step: a stall in one leaves the next one its time, however many of them a stall
 * holds up. So a call ends by its own time, in which no stall counts, whatever its steps do; and where the server says nothing
 * more, soon after its deadline.
 */

import type { Clock } from './clock.ts';
import { verdictOf } from './overdue.ts';
import { endMsOf, graceMs, hasTurnsLeft, ownEndMsOf } from './time-limit.ts';
import { WatchedWait } from './watched-wait.ts';

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
  /** The present steps of the call; read only when its time may be over. */
  readonly steps: () => Steps;
}

/**
 * Calls `onOver` once the time of a call is up.
 * @returns Cancels it. To be called in any case, as the event loop is watched until then.
 */
export function limitSteps(clock: Clock, options: StepLimitOptions, onOver: () => void): () => void {
  const { timeoutMs, beganMs, steps } = options;
  const { loop } = clock;
  const deadlineMs = beganMs + timeoutMs + beyondEndMs(clock, options);
  const firstMs = Math.max(0, deadlineMs - clock.nowMs());
  if (loop === undefined) return clock.schedule(firstMs, onOver, true);
  /** When something was last seen to come in, as the sockets were read. */
  let movedMs = Number.NEGATIVE_INFINITY;
  const wait = new WatchedWait(clock, loop, true);
  const lookIn = (delayMs: number) => wait.in(delayMs, () => look(undefined));
  /** @param readMs  When the sockets were read because of the call. */
  const look = (readMs: number | undefined) => {
    const nowMs = clock.nowMs();
    const { sinceMs, progress, waitMs = 0 } = steps();
    const hasTurnLeft = hasTurnsLeft(clock, beganMs, deadlineMs, 1);
    const endMs = hasTurnLeft ? endMsOf(clock, beganMs, deadlineMs, sinceMs()) : deadlineMs;
    if (nowMs < endMs) return lookIn(endMs - nowMs);
    const chanceMs = Math.max(sinceMs(), movedMs) + graceMs + waitMs;
    const ownEndMs = ownEndMsOf(clock, beganMs, deadlineMs);
    const hadItsChance = (readMs ?? loop.readMs) >= chanceMs;
    const hasRead = readMs !== undefined;
    const verdict = verdictOf({ hadItsChance, hasOwnTime: nowMs < ownEndMs, hasTurnLeft, hasRead });
    if (verdict === 'ends') {
      wait.stop();
      onOver();
    } else if (verdict === 'is read for first') {
      const before = progress();
      wait.untilRead(() => {
        if (progress() !== before) movedMs = clock.nowMs();
        look(nowMs);
      });
    } else {
      lookIn(Math.min(Math.max(1, chanceMs - nowMs), ownEndMs - nowMs));
    }
  };
  lookIn(firstMs);
  return () => wait.stop();
}

/** Time of a later part of a call beyond the call's end: the rest up to the least time of a step. Milliseconds. */
function beyondEndMs(clock: Clock, { timeoutMs, beganMs }: StepLimitOptions): number {
  const leastMs = Math.min(graceMs, timeoutMs);
  const leftMs = endMsOf(clock, beganMs, beganMs + timeoutMs) - clock.nowMs();
  return Math.min(leastMs, Math.max(0, leastMs - leftMs));
}
