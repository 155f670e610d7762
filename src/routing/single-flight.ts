/**
 * One run per key at a time; whoever comes while it is under way gets its result.
 *
 * The idea and the name are those of Go's `singleflight` (groupcache, B. Fitzpatrick). Here a run holds a guard for its
 * key: a write or delete of the key makes what the run will bring out of date, and who comes after that starts anew.
 */

import type { KeyGuard, KeyGuards } from './key-guards.ts';

interface Flight<Result> {
  readonly guard: KeyGuard;
  readonly result: Promise<Result>;
}

export class SingleFlight<Result> {
  readonly #guards: KeyGuards;
  readonly #flights = new Map<string, Flight<Result>>();

  constructor(guards: KeyGuards) {
    this.#guards = guards;
  }

  /** Whether a run for `key` is under way whose result is still good. */
  has(key: string): boolean {
    return this.#flights.get(key)?.guard.broken === false;
  }

  /**
   * The promise of the run for `key`, started now if none is under way. A failure is everybody's, and is not kept.
   * @param start  Gets the guard, to look whether its result is out of date.
   */
  run(key: string, start: (guard: KeyGuard) => Promise<Result>): Promise<Result> {
    const running = this.#flights.get(key);
    if (running !== undefined && !running.guard.broken) return running.result;
    const guard = this.#guards.take(key);
    const flight: Flight<Result> = {
      guard,
      result: start(guard).finally(() => {
        this.#guards.release(guard);
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
      }),
    };
    this.#flights.set(key, flight);
    return flight.result;
  }
}
