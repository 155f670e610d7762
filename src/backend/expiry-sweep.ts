/**
 * Frees the room of expired entries, a little with each write.
 *
 * Without it, entries that expire and are never called again would stay for ever where the limits are never reached.
 * A round walks all entries, four steps with each write, so that it ends although entries are added meanwhile; then as
 * many writes go without as there are entries left. With L entries live at a time and every write a new key, a round
 * leaves 4/3 L and the next begins at 8/3 L: that is the most there ever is. A write pays for 1.6 steps on average then,
 * and for 0.8 when the keys stay the same (0.1 us).
 */

import type { Entries, Entry } from './entries.ts';

const stepsPerWrite = 4;

export class ExpirySweep {
  readonly #entries: Entries;
  /** False until the first entry that expires: those who never use expiry pay nothing. */
  #needed = false;
  #round: Iterator<Entry> | undefined;
  #stepsInRound = 0;
  #writesUntilRound = 0;

  constructor(entries: Entries) {
    this.#entries = entries;
  }

  /** To be called when an entry is given an expiry. */
  need(): void {
    this.#needed = true;
  }

  /** To be called with each write. Drops those of the next entries that have expired at `nowMs`. */
  onWrite(nowMs: number): void {
    if (!this.#needed) return;
    if (this.#writesUntilRound > 0) {
      this.#writesUntilRound--;
      return;
    }
    this.#round ??= this.#entries.values();
    for (let step = 0; step < stepsPerWrite; step++) {
      const { done, value: entry } = this.#round.next();
      if (done === true) {
        this.#endRound();
        return;
      }
      this.#stepsInRound++;
      if (entry.expiresAtMs <= nowMs) this.#entries.delete(entry);
    }
  }

  /** To be called when all entries were removed at once. */
  reset(): void {
    this.#needed = false;
    this.#endRound();
    this.#writesUntilRound = 0;
  }

  #endRound(): void {
    this.#writesUntilRound = Math.min(this.#stepsInRound, this.#entries.size);
    this.#stepsInRound = 0;
    this.#round = undefined;
  }
}
