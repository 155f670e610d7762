/**
 * Knows when this process was held up: a turn of its event loop in which no timer fired and no socket was read.
 *
 * While somebody holds the watch, a timer ticks. A tick that comes much too late is the end of a stall, which began at the
 * tick before. Turns below {@link stallMs} are ordinary load, and count as time like any other.
 */

/** As much of a `Clock` as the watch uses. */
interface Timekeeper {
  nowMs(): number;
  schedule(delayMs: number, callback: () => void, keepsAlive: boolean): () => void;
}

/** What is known of the event loop by those whose deadlines depend on it. */
export interface LoopWatch {
  /** Ticks so far. Between two of them the sockets have been read, and what waited for the end of a turn was done. */
  readonly ticks: number;

  /** Watches until {@link LoopWatch.release} was called as often. */
  hold(): void;
  release(): void;

  /** The longest time since `sinceMs` (of the monotonic clock) in which the process was held up. 0: it was not. */
  longestStallMs(sinceMs: number): number;

  /** All the time since `sinceMs` in which the process was held up. */
  stalledMs(sinceMs: number): number;

  /** True right after a stall, when what came meanwhile may still be unread. */
  wasJustStalled(): boolean;
}

/** Milliseconds between two ticks. */
export const tickMs = 25;

/** A turn this long is a stall. Milliseconds. */
export const stallMs = 190;

/** The watch goes on for so many ticks after it was released: calls that follow each other would start it each time. */
const idleTicks = 40;

/** More stalls than this are of no interest to any call. */
const maxStalls = 256;

interface Stall {
  readonly startMs: number;
  endMs: number;
}

export class TickingLoopWatch implements LoopWatch {
  ticks = 0;

  readonly #clock: Timekeeper;
  readonly #stalls: Stall[] = [];
  #holders = 0;
  #idleTicks = 0;
  #isTicking = false;
  #lastTickMs = 0;

  constructor(clock: Timekeeper) {
    this.#clock = clock;
  }

  hold(): void {
    this.#holders++;
    this.#idleTicks = 0;
    if (this.#isTicking) return;
    this.#isTicking = true;
    this.#lastTickMs = this.#clock.nowMs();
    this.#schedule();
  }

  release(): void {
    this.#holders--;
  }

  longestStallMs(sinceMs: number): number {
    return Math.max(0, ...this.#lengthsSince(sinceMs));
  }

  stalledMs(sinceMs: number): number {
    return this.#lengthsSince(sinceMs).reduce((sumMs, lengthMs) => sumMs + lengthMs, 0);
  }

  wasJustStalled(): boolean {
    this.#look();
    const last = this.#stalls.at(-1);
    return last !== undefined && this.#clock.nowMs() - last.endMs <= 2 * tickMs;
  }

  /** Of the stalls since then, the last one first. */
  #lengthsSince(sinceMs: number): number[] {
    this.#look();
    const lengths: number[] = [];
    for (let index = this.#stalls.length - 1; index >= 0; index--) {
      const { startMs, endMs } = this.#stalls[index]!;
      if (endMs <= sinceMs) break;
      lengths.push(endMs - Math.max(startMs, sinceMs));
    }
    return lengths;
  }

  #schedule(): void {
    this.#clock.schedule(tickMs, this.#onTick, false);
  }

  readonly #onTick = (): void => {
    this.#look();
    this.ticks++;
    this.#lastTickMs = this.#clock.nowMs();
    if (this.#holders === 0 && ++this.#idleTicks > idleTicks) this.#isTicking = false;
    else this.#schedule();
  };

  /** Takes note of a stall that is ending in this turn: its tick may be due only later in the same turn. */
  #look(): void {
    const nowMs = this.#clock.nowMs();
    if (!this.#isTicking || nowMs - this.#lastTickMs < stallMs) return;
    const last = this.#stalls.at(-1);
    if (last?.startMs === this.#lastTickMs) {
      last.endMs = nowMs;
      return;
    }
    this.#stalls.push({ startMs: this.#lastTickMs, endMs: nowMs });
    if (this.#stalls.length > maxStalls) this.#stalls.shift();
  }
}
