/** The system's clock, but for timers of certain lengths: those go off when a test says so, and time is as much later then. */

import { type Clock, systemClock } from '../../src/runtime/clock.ts';

interface Held {
  readonly delayMs: number;
  readonly callback: () => void;
}

export class HeldClock implements Clock {
  readonly #lengths: readonly number[];
  readonly #held = new Set<Held>();
  #aheadMs = 0;

  /** @param lengths  In milliseconds, of the timers that are held. */
  constructor(...lengths: number[]) {
    this.#lengths = lengths;
  }

  nowMs(): number {
    return systemClock.nowMs() + this.#aheadMs;
  }

  wallMs(): number {
    return systemClock.wallMs();
  }

  schedule(delayMs: number, callback: () => void, keepsAlive: boolean): () => void {
    if (!this.#lengths.includes(delayMs)) return systemClock.schedule(delayMs, callback, keepsAlive);
    const held = { delayMs, callback };
    this.#held.add(held);
    return () => this.#held.delete(held);
  }

  isHeld(delayMs: number): boolean {
    return [...this.#held].some((held) => held.delayMs === delayMs);
  }

  /** The timers of this length that are set now go off. */
  fire(delayMs: number): void {
    const due = [...this.#held].filter((held) => held.delayMs === delayMs);
    this.#aheadMs += delayMs;
    for (const held of due) this.#held.delete(held);
    for (const { callback } of due) callback();
  }
}
