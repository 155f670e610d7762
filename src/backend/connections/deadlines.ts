/**
 * Ends the calls of a connection whose time is up. One timer, set for the earliest end, serves all of them.
 *
 * What `runtime/time-limit.ts` promises is kept here for calls that share a connection: before a call is ended, the sockets
 * are read once, and a call that this process could send only late is heard for two ticks of the loop's watch, a round trip
 * at least. In a process whose turns are long without being stalls, waiting for one more turn would double a deadline; there
 * a call whose reply had a whole turn to come is ended at once.
 */

import type { Clock } from '../../runtime/clock.ts';
import { tickMs } from '../../runtime/loop-watch.ts';
import { endMsOf, graceMs } from '../../runtime/time-limit.ts';
import type { Call } from './call.ts';
import type { CallList } from './call-list.ts';

/** How a call stands whose end has come. */
export interface Overdue {
  readonly wasSent: boolean;
  /** Ticks of the loop's watch since it was sent, if it was. */
  readonly ticksSinceSent: number;
  /** Ticks from its beginning to its sending. */
  readonly ticksUntilSent: number;
  /** Since its end. */
  readonly latenessMs: number;
  readonly wasJustStalled: boolean;
  /** The sockets have been read since its end was found to have come. */
  readonly hasRead: boolean;
  /** In that reading the connection came closer to being there. */
  readonly hasMoved: boolean;
}

/** Pure. */
export function verdictOf(call: Overdue): 'ends' | 'ends after reading' | 'is heard a little longer' {
  const { wasSent, ticksSinceSent, ticksUntilSent, latenessMs, wasJustStalled, hasRead, hasMoved } = call;
  if (wasSent && ticksUntilSent > 0 && ticksSinceSent < 2) return 'is heard a little longer';
  if (hasRead) return !wasSent && wasJustStalled && hasMoved ? 'is heard a little longer' : 'ends';
  const mayBeUnread = wasJustStalled || latenessMs <= graceMs || (wasSent && ticksSinceSent < 3);
  return mayBeUnread ? 'ends after reading' : 'ends';
}

export class Deadlines {
  readonly #calls: CallList;
  readonly #clock: Clock;
  readonly #onOver: (call: Call) => void;
  /** Changes as a connection comes into being. */
  readonly #progress: () => string;
  #sweepAtMs = Number.POSITIVE_INFINITY;
  #cancelSweep: () => void = () => undefined;

  constructor(calls: CallList, clock: Clock, onOver: (call: Call) => void, progress: () => string) {
    this.#calls = calls;
    this.#clock = clock;
    this.#onOver = onOver;
    this.#progress = progress;
  }

  /** From now on the call, which is in the list, is ended when its time is up. */
  add(call: Call): void {
    const { deadlineMs } = call.limits;
    if (deadlineMs >= this.#sweepAtMs) return;
    // A later part of a call that a stall has held up: to be sent, and heard.
    if (deadlineMs <= this.#clock.nowMs()) call.begunAtTick = Number.NEGATIVE_INFINITY;
    this.#schedule(deadlineMs);
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
    const hasMoved = before !== undefined && before !== this.#progress();
    let nextMs = Number.POSITIVE_INFINITY;
    let mustRead = false;
    for (const call of this.#calls) {
      const endMs = this.#endMsOf(call, nowMs);
      if (endMs > nowMs) nextMs = Math.min(nextMs, endMs);
      else {
        const verdict = this.#verdictOf(call, nowMs - endMs, before !== undefined, hasMoved);
        if (verdict === 'ends') this.#onOver(call);
        else if (verdict === 'ends after reading') mustRead = true;
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

  #verdictOf(call: Call, latenessMs: number, hasRead: boolean, hasMoved: boolean): ReturnType<typeof verdictOf> {
    const { loop } = this.#clock;
    if (loop === undefined) return 'ends';
    return verdictOf({
      wasSent: call.wasSent,
      ticksSinceSent: loop.ticks - call.sentAtTick,
      ticksUntilSent: call.sentAtTick - call.begunAtTick,
      latenessMs,
      wasJustStalled: loop.wasJustStalled(),
      hasRead,
      hasMoved,
    });
  }
}
