/**
 * A clock that a test moves by hand: nothing happens until {@link SimulatedClock.advance}.
 */

import { setImmediate as afterPendingPromises } from 'node:timers/promises';
import { InvalidArgumentError } from '../errors/index.ts';
import type { Clock } from '../runtime/clock.ts';
import { expectInteger, expectOptions } from '../runtime/validate.ts';

interface Timer {
  /** On the monotonic clock. */
  readonly dueMs: number;
  /** Counts schedulings: of two timers due together the one scheduled first fires first. */
  readonly sequence: number;
  readonly callback: () => void;
}

/** Saturday 2000-01-01T00:00:00Z: a date that is easy to recognise and never the real one. */
const defaultWallMs = 946_684_800_000;

export interface SimulatedClockOptions {
  /** Unix time in milliseconds at which the clock starts. Integer of at least 0. Default: 2000-01-01T00:00:00Z. */
  readonly wallMs?: number;
}

/**
 * A {@link Clock} whose monotonic time starts at 0 and whose wall time starts at a fixed date.
 *
 * Both move together, and only by `advance`. Reading the clock never moves it.
 */
export class SimulatedClock implements Clock {
  /** Ascending by due time, then by sequence, so that the next timer is always the first. */
  readonly #timers: Timer[] = [];
  readonly #wallStartMs: number;
  #nowMs = 0;
  #sequence = 0;
  #moving: Promise<void> = Promise.resolve();

  constructor(options: SimulatedClockOptions = {}) {
    const { wallMs = defaultWallMs } = expectOptions('options', options, ['wallMs']);
    this.#wallStartMs = expectInteger('options.wallMs', wallMs, 0);
  }

  /** How many timers are scheduled and have neither fired nor been cancelled. 0 shows that nothing leaks. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  /** Whole milliseconds, as `Date.now` gives. */
  wallMs(): number {
    return this.#wallStartMs + Math.floor(this.#nowMs);
  }

  /** A delay of 0 or less is due at once, which still means at the next `advance`. `keepsAlive` has no meaning here. */
  schedule(delayMs: number, callback: () => void, _keepsAlive: boolean): () => void {
    const timer: Timer = { dueMs: this.#nowMs + Math.max(0, delayMs), sequence: this.#sequence++, callback };
    this.#timers.splice(this.#firstAfter(timer.dueMs), 0, timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index !== -1) this.#timers.splice(index, 1);
    };
  }

  /**
   * Moves time forward and resolves once it has arrived.
   *
   * Timers due on the way fire at their own time, in the order of due time and then of scheduling. Before the first,
   * after each and at the end, promises are let run until none is left, so that what they schedule is seen too.
   * Calls that overlap move time one after the other. Rejects with what a timer throws; time then stays at that timer.
   *
   * @param ms  How far. A finite number of at least 0; 0 fires what is due now.
   */
  advance(ms: number): Promise<void> {
    if (!Number.isFinite(ms) || ms < 0) throw new InvalidArgumentError('ms', 'a finite number of at least 0', ms);
    const move = () => this.#move(ms);
    const moved = this.#moving.then(move, move);
    this.#moving = moved;
    // A failure is the caller's to handle; this chain only keeps the order.
    moved.catch(() => {});
    return moved;
  }

  async #move(ms: number): Promise<void> {
    const targetMs = this.#nowMs + ms;
    await afterPendingPromises();
    while (this.#timers.length > 0 && this.#timers[0]!.dueMs <= targetMs) {
      const timer = this.#timers.shift()!;
      this.#nowMs = timer.dueMs;
      timer.callback();
      await afterPendingPromises();
    }
    this.#nowMs = targetMs;
  }

  /** Index of the first timer that is due later than `dueMs`: where one scheduled now belongs. */
  #firstAfter(dueMs: number): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#timers[middle]!.dueMs <= dueMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
