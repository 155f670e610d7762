/**
 * How many loads may run at a time that the cache cannot spare the source, as the nodes of their keys are not available. The
 * others wait for their turn: a node that dies must not bring all its traffic to the source at once.
 */

export class LoadPlaces {
  #free: number;
  /** In the order of their coming. */
  readonly #waiting = new Set<() => void>();

  /** @param count  At least 1. */
  constructor(count: number) {
    this.#free = count;
  }

  /** Resolves when there is a place, with how to leave it, which may be done more than once. */
  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.add(resolve));
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      const [next] = this.#waiting;
      if (next === undefined) {
        this.#free++;
        return;
      }
      this.#waiting.delete(next);
      next(); // It has the place from hand to hand.
    };
  }
}
