/**
 * Knows when this process was held up: a turn of its event loop in which no timer fired and no socket was read.
 *
 * While the watch is held, a timer ticks. A tick that comes much too late is the end of a stall, which began at the
 * tick before. Turns below {@link stallMs} are ordinary load, and count as time like any other.
 */

/** The part of a `Clock` that the watch uses. */
interface Timekeeper {
  nowMs(): number;
  schedule(delayMs: number, callback: () => void, keepsAlive: boolean): () => void;
}

/** The facts about the event loop that deadlines depend on. */
export interface LoopWatch {
  /** A moment since which the sockets have been read: the last one known. On the monotonic clock. */
  readonly readMs: number;

  /** The present length of a turn, the shorter of the last two: one stall alone says nothing about the turns to come. */
  readonly turnMs: number;

  /** Watches until {@link LoopWatch.release} was called as often. */
  hold(): void;
  release(): void;

  /**
   * The longest time since `sinceMs` in which the process was held up, on the monotonic clock. 0: it was not.
   * @param untilMs  Default: now.
   */
  longestStallMs(sinceMs: number, untilMs?: number): number;

  /** All the time since `sinceMs` in which the process was held up. */
  stalledMs(sinceMs: number): number;
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
  readMs = Number.NEGATIVE_INFINITY;

  readonly #clock: Timekeeper;
  readonly #stalls: Stall[] = [];
  #holders = 0;
  #idleTicks = 0;
  #isTicking = false;
  #lastTickMs = 0;
  /** The lengths of the last turn that a tick has ended, and of the one before. */
  #lastTurnMs = tickMs;
  #turnBeforeMs = tickMs;

  constructor(clock: Timekeeper) {
    this.#clock = clock;
  }

  hold(): void {
    this.#holders++;
    this.#idleTicks = 0;
    if (this.#isTicking) return;
    this.#isTicking = true;
    this.#lastTickMs = this.#clock.nowMs();
    this.#lastTurnMs = tickMs;
    this.#turnBeforeMs = tickMs;
    this.#schedule();
  }

  release(): void {
    this.#holders--;
  }

  get turnMs(): number {
    // The turn that is ending, where its tick is due only later in the same turn.
    const presentMs = this.#isTicking ? this.#clock.nowMs() - this.#lastTickMs : 0;
    return presentMs >= tickMs ? Math.min(presentMs, this.#lastTurnMs) : Math.min(this.#lastTurnMs, this.#turnBeforeMs);
  }

  longestStallMs(sinceMs: number, untilMs = Number.POSITIVE_INFINITY): number {
    return Math.max(0, ...this.#lengthsBetween(sinceMs, untilMs));
  }

  stalledMs(sinceMs: number): number {
    return this.#lengthsBetween(sinceMs, Number.POSITIVE_INFINITY).reduce((sumMs, lengthMs) => sumMs + lengthMs, 0);
  }

  /** Lengths of the stalls between the two, the last one first. */
  #lengthsBetween(sinceMs: number, untilMs: number): number[] {
    this.#look();
    const lengths: number[] = [];
    for (let index = this.#stalls.length - 1; index >= 0; index--) {
      const { startMs, endMs } = this.#stalls[index]!;
      if (endMs <= sinceMs) break;
      lengths.push(Math.min(endMs, untilMs) - Math.max(startMs, sinceMs));
    }
    return lengths;
  }

  #schedule(): void {
    this.#clock.schedule(tickMs, this.#onTick, false);
  }

  readonly #onTick = (): void => {
    this.#look();
    const nowMs = this.#clock.nowMs();
    this.#turnBeforeMs = this.#lastTurnMs;
    this.#lastTurnMs = nowMs - this.#lastTickMs;
    this.#lastTickMs = nowMs;
    setImmediate(() => {
      this.readMs = nowMs;
    }).unref();
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
