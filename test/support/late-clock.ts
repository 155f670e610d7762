/** A clock whose timers come as late as a test says, as they do in a process that was held up. */

import type { Clock } from '../../src/runtime/clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

export class LateClock implements Clock {
  readonly #timers = new Set<Timer>();
  #nowMs = 0;

  /** Timers that are set. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.#nowMs + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Fires the timer that is due first, at once, and so much too late. No socket is read and no promise runs before. */
  fireNext(latenessMs = 0): void {
    const [next] = [...this.#timers].sort((one, other) => one.dueMs - other.dueMs);
    if (next === undefined) throw new Error('No timer is set.');
    this.#timers.delete(next);
    this.#nowMs = Math.max(this.#nowMs, next.dueMs + latenessMs);
    next.callback();
  }
}
