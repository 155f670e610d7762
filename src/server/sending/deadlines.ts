/**
 * Ends the calls of a connection whose time is up. One timer, set for the earliest end, serves all of them.
 *
 * Applies the rule of `runtime/overdue.ts` to calls that share a connection. Others' replies may have to come before such
 * a call can be written, or before its own: its chance begins anew as something moves on its connection.
 */

import type { Clock } from '../../runtime/clock.ts';
import { tickMs } from '../../runtime/loop-watch.ts';
import { verdictOf } from '../../runtime/overdue.ts';
import { endMsOf, graceMs, hasTurnsLeft, ownEndMsOf } from '../../runtime/time-limit.ts';
import type { Call } from './call.ts';
import type { CallList } from './call-list.ts';

/** The sockets are being read. */
interface Reading {
  readonly beganMs: number;
  /** The progress of the connection before it. */
  readonly progress: string;
}

export class Deadlines {
  readonly #calls: CallList;
  readonly #clock: Clock;
  readonly #onOver: (call: Call) => void;
  /** Changes as a connection comes into being. */
  readonly #progress: () => string;
  /** When something was last seen to move, as the sockets were read. */
  #movedMs = Number.NEGATIVE_INFINITY;
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

  /** @param reading  What is known of the time before the sockets were read, in the second of two sweeps. */
  #sweep(reading: Reading | undefined): void {
    const nowMs = this.#clock.nowMs();
    if (reading !== undefined && reading.progress !== this.#progress()) this.#movedMs = nowMs;
    let nextMs = Number.POSITIVE_INFINITY;
    let mustRead = false;
    for (const call of this.#calls) {
      const endMs = this.#endMsOf(call, nowMs);
      if (endMs > nowMs) nextMs = Math.min(nextMs, endMs);
      else {
        // If its end came meanwhile, the reading says nothing.
        const isMeant = reading !== undefined && endMs <= reading.beganMs;
        const verdict = this.#verdictOf(call, nowMs, isMeant ? reading.beganMs : undefined);
        if (verdict === 'ends') this.#onOver(call);
        else if (verdict === 'is read for first') mustRead = true;
        else nextMs = Math.min(nextMs, nowMs + tickMs);
      }
    }
    if (mustRead) this.#readFirst(nowMs);
    else {
      this.#sweepAtMs = Number.POSITIVE_INFINITY;
      if (nextMs !== Number.POSITIVE_INFINITY) this.#schedule(nextMs);
    }
  }

  /** The next sweep comes once the sockets have been read; no other one is set meanwhile. */
  #readFirst(beganMs: number): void {
    const reading = { beganMs, progress: this.#progress() };
    const turn = setImmediate(() => this.#sweep(reading));
    this.#sweepAtMs = Number.NEGATIVE_INFINITY;
    this.#cancelSweep = () => clearImmediate(turn);
  }

  /** A stall that kept the call from being written leaves it its time, if the loop comes round before the latest end. */
  #endMsOf({ limits: { deadlineMs, timeoutMs }, departure }: Call, nowMs: number): number {
    if (deadlineMs > nowMs) return deadlineMs;
    const beganMs = deadlineMs - timeoutMs;
    const endMs = endMsOf(this.#clock, beganMs, deadlineMs, departure?.atMs);
    return hasTurnsLeft(this.#clock, beganMs, deadlineMs, 1) ? endMs : deadlineMs;
  }

  /** @param readMs  When the sockets were read because of the call. */
  #verdictOf(call: Call, nowMs: number, readMs: number | undefined): ReturnType<typeof verdictOf> {
    const { loop } = this.#clock;
    if (loop === undefined) return 'ends';
    const { deadlineMs, timeoutMs, longestMs = timeoutMs } = call.limits;
    const beganMs = deadlineMs - timeoutMs;
    const hasOwnTime = nowMs < ownEndMsOf(this.#clock, beganMs, beganMs + longestMs);
    return verdictOf({
      hadItsChance: (readMs ?? loop.readMs) - this.#sinceMs(call, beganMs, hasOwnTime, readMs !== undefined) >= graceMs,
      hasOwnTime,
      hasTurnLeft: hasTurnsLeft(this.#clock, beganMs, deadlineMs, 1),
      hasRead: readMs !== undefined,
    });
  }
  /** Since when it could have been answered, or come on. */
  #sinceMs({ departure }: Call, beganMs: number, hasOwnTime: boolean, hasRead: boolean): number {
    if (!hasOwnTime) return departure?.atMs ?? Number.NEGATIVE_INFINITY;
    if (departure !== undefined) return Math.max(departure.atMs, this.#movedMs);
    // Whether its connection has come on is seen only as the sockets are read.
    return hasRead ? Math.max(beganMs, this.#movedMs) : Number.POSITIVE_INFINITY;
  }
}
