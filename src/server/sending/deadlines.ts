/**
 * Ends the calls of a connection whose time is up. One timer, set for the earliest end, serves all of them.
 *
 * What `runtime/time-limit.ts` and `runtime/step-limit.ts` promise is kept here for calls that share a connection: before a
 * call is ended, the sockets are read once, and what stalls have held up has time of its own for each step. A step begins as
 * the call is sent, and as something moves on its connection: others' replies may have to come before it can be sent, or
 * before its own. It lasts two ticks of the loop's watch, a round trip at least, in which a stall counts as one.
 *
 * In a process whose turns are long without being stalls, waiting for one more turn would double a deadline; there a call
 * whose reply had a whole turn to come is ended at once.
 */

import type { Clock } from '../../runtime/clock.ts';
import { tickMs } from '../../runtime/loop-watch.ts';
import { endMsOf, graceMs, ownEndMsOf } from '../../runtime/time-limit.ts';
import type { Call } from './call.ts';
import type { CallList } from './call-list.ts';

/** How a call stands whose end has come. */
export interface Overdue {
  /** Ticks of the loop's watch since it was sent; Infinity if it was not. */
  readonly ticksSinceSent: number;
  /** Ticks since something was last seen to move on its connection as the sockets were read. */
  readonly ticksSinceMoved: number;
  /** Since its end. */
  readonly latenessMs: number;
  /** Where no stall counts, it has time left. */
  readonly hasOwnTime: boolean;
  readonly wasJustStalled: boolean;
  /** The sockets have been read since its end was found to have come. */
  readonly hasRead: boolean;
}

/** Pure. */
export function verdictOf(call: Overdue): 'is read for first' | 'is heard a little longer' | 'ends' {
  const { ticksSinceSent, ticksSinceMoved, latenessMs, hasOwnTime, wasJustStalled, hasRead } = call;
  const mayBeUnread = hasOwnTime || wasJustStalled || latenessMs <= graceMs || ticksSinceSent < 3;
  if (mayBeUnread && !hasRead) return 'is read for first';
  return hasOwnTime && Math.min(ticksSinceSent, ticksSinceMoved) < 2 ? 'is heard a little longer' : 'ends';
}

export class Deadlines {
  readonly #calls: CallList;
  readonly #clock: Clock;
  readonly #onOver: (call: Call) => void;
  /** Changes as a connection comes into being. */
  readonly #progress: () => string;
  #movedAtTick = Number.NEGATIVE_INFINITY;
  #sweepAtMs = Number.POSITIVE_INFINITY;
  #cancelSweep: () => void = () => undefined;

  constructor(calls: CallList, clock: Clock, onOver: (call: Call) => void, progress: () => string) {
    this.#calls = calls;
    this.#clock = clock;
    this.#onOver = onOver;
    this.#progress = progress;
  }

  /** From now on the call, which is in the list, is ended when its time is up. */
  add({ limits: { deadlineMs } }: Call): void {
    if (deadlineMs < this.#sweepAtMs) this.#schedule(deadlineMs);
  }

  stop(): void {
    this.#cancelSweep();
  }

  #schedule(atMs: number): void {
    this.#cancelSweep();
    this.#sweepAtMs = atMs;
    const delayMs = Math.max(1, Math.ceil(atMs - this.#clock.nowMs()));
    this.#cancelSweep = this.#clock.schedule(delayMs, () => this.#sweep(undefined), true);
  }

  /** @param before  The progress before the sockets were read, in the second of two sweeps. */
  #sweep(before: string | undefined): void {
    const nowMs = this.#clock.nowMs();
    const hasRead = before !== undefined;
    if (hasRead && before !== this.#progress()) this.#movedAtTick = this.#clock.loop?.ticks ?? 0;
    let nextMs = Number.POSITIVE_INFINITY;
    let mustRead = false;
    for (const call of this.#calls) {
      const endMs = this.#endMsOf(call, nowMs);
      if (endMs > nowMs) nextMs = Math.min(nextMs, endMs);
      else {
        const verdict = this.#verdictOf(call, nowMs, nowMs - endMs, hasRead);
        if (verdict === 'ends') this.#onOver(call);
        else if (verdict === 'is read for first') mustRead = true;
        else nextMs = Math.min(nextMs, nowMs + tickMs);
      }
    }
    if (mustRead) this.#readFirst();
    else {
      this.#sweepAtMs = Number.POSITIVE_INFINITY;
      if (nextMs !== Number.POSITIVE_INFINITY) this.#schedule(nextMs);
    }
  }

  /** The next sweep comes once the sockets have been read; no other one is set meanwhile. */
  #readFirst(): void {
    const before = this.#progress();
    const turn = setImmediate(() => this.#sweep(before));
    this.#sweepAtMs = Number.NEGATIVE_INFINITY;
    this.#cancelSweep = () => clearImmediate(turn);
  }

  #endMsOf({ limits: { deadlineMs, timeoutMs } }: Call, nowMs: number): number {
    return deadlineMs > nowMs ? deadlineMs : endMsOf(this.#clock, deadlineMs - timeoutMs, deadlineMs);
  }

  #verdictOf(call: Call, nowMs: number, latenessMs: number, hasRead: boolean): ReturnType<typeof verdictOf> {
    const { loop } = this.#clock;
    if (loop === undefined) return 'ends';
    const { deadlineMs, timeoutMs, longestMs = timeoutMs } = call.limits;
    const beganMs = deadlineMs - timeoutMs;
    return verdictOf({
      ticksSinceSent: call.wasSent ? loop.ticks - call.sentAtTick : Number.POSITIVE_INFINITY,
      ticksSinceMoved: loop.ticks - this.#movedAtTick,
      latenessMs,
      hasOwnTime: nowMs < ownEndMsOf(this.#clock, beganMs, beganMs + longestMs),
      wasJustStalled: loop.wasJustStalled(),
      hasRead,
    });
  }
}
