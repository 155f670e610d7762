/**
 * How many loads may run at a time that the cache cannot spare the source, as the nodes of their keys are not available. The
 * others wait for their turn: a node that dies must not bring all its traffic to the source at once.
 */

import { Deferred } from '../runtime/deferred.ts';

export class LoadPlaces {
  #free: number;
  /** In the order of their coming. */
  readonly #waiting = new Set<LoadPlace>();

  /** @param count  At least 1. */
  constructor(count: number) {
    this.#free = count;
  }

  /** A place, as soon as there is one. */
  take(): LoadPlace {
    const place = new LoadPlace((left) => this.#leave(left));
    if (this.#free > 0) {
      this.#free--;
      place.settle(true);
    } else this.#waiting.add(place);
    return place;
  }

  #leave(place: LoadPlace): void {
    if (this.#waiting.delete(place)) return;
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free++;
      return;
    }
    this.#waiting.delete(next);
    next.settle(true); // It has the place from hand to hand.
  }
}

export class LoadPlace {
  /** Whether it is a place still, and not one that is waited for or was left. */
  isHeld = false;
  readonly #leave: (place: LoadPlace) => void;
  readonly #taken = new Deferred<void>();
  #isOver = false;

  constructor(leave: (place: LoadPlace) => void) {
    this.#leave = leave;
  }

  /** Resolves when it is a place, or was left before: see `isHeld`. */
  get taken(): Promise<void> {
    return this.#taken.promise;
  }

  settle(isHeld: boolean): void {
    this.isHeld = isHeld;
    this.#taken.resolve();
  }

  /** Gives the place to the next, or stops waiting for one. May be called more than once. */
  readonly leave = (): void => {
    if (this.#isOver) return;
    this.#isOver = true;
    this.settle(false);
    this.#leave(this);
  };
}
