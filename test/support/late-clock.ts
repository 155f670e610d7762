/** A clock whose timers come as late as a test says, as they do in a process that was held up. */

import type { Clock } from '../../src/runtime/clock.ts';
import { type LoopWatch, tickMs } from '../../src/runtime/loop-watch.ts';

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

export class LateClock implements Clock {
  readonly #timers = new Set<Timer>();
  #nowMs = 0;
  readonly #stalls: { readonly startMs: number; readonly endMs: number }[] = [];
  #holders = 0;
  #readMs = Number.NEGATIVE_INFINITY;
  #firedMs = 0;
  /** The last two turns. */
  #turnsMs: readonly [number, number] = [tickMs, tickMs];

  /** Knows of every time that {@link LateClock.fireNext} comes late, and that the sockets are read after it. */
  readonly loop: LoopWatch & { readonly holders: number };

  constructor() {
    const readMs = () => this.#readMs;
    const turnMs = () => Math.min(...this.#turnsMs);
    const holders = () => this.#holders;
    this.loop = {
      get readMs() {
        return readMs();
      },
      get turnMs() {
        return turnMs();
      },
      get holders() {
        return holders();
      },
      hold: () => void this.#holders++,
      release: () => void this.#holders--,
      longestStallMs: (sinceMs, untilMs = Number.POSITIVE_INFINITY) =>
        Math.max(0, ...this.#lengthsBetween(sinceMs, untilMs)),
      stalledMs: (sinceMs) =>
        this.#lengthsBetween(sinceMs, Number.POSITIVE_INFINITY).reduce((sumMs, lengthMs) => sumMs + lengthMs, 0),
    };
  }

  #lengthsBetween(sinceMs: number, untilMs: number): number[] {
    return this.#stalls.map(({ startMs, endMs }) => Math.max(0, Math.min(endMs, untilMs) - Math.max(startMs, sinceMs)));
  }

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

  /** When the first timer is due; Infinity where none is set. */
  get nextDueMs(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...[...this.#timers].map(({ dueMs }) => dueMs));
  }

  /** Time goes by in which no timer is due. */
  pass(ms: number): void {
    this.#nowMs += ms;
  }

  /** The process is held up for so long, in the midst of a turn. */
  stall(ms: number): void {
    this.#stalls.push({ startMs: this.#nowMs, endMs: this.#nowMs + ms });
    this.#nowMs += ms;
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
    const beforeMs = this.#nowMs;
    this.#nowMs = Math.max(beforeMs, next.dueMs + latenessMs);
    if (latenessMs > 0) this.#stalls.push({ startMs: this.#nowMs - latenessMs, endMs: this.#nowMs });
    const nowMs = this.#nowMs;
    this.#turnsMs = [this.#turnsMs[1], Math.max(tickMs, nowMs - this.#firedMs)];
    this.#firedMs = nowMs;
    setImmediate(() => {
      this.#readMs = nowMs;
    });
    next.callback();
  }
}
