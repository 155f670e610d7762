/**
 * One run per key at a time; whoever comes while it is under way gets its result.
 *
 * The idea and the name are those of Go's `singleflight` (groupcache, B. Fitzpatrick). Here a run holds a guard for its
 * key: a write or delete of the key makes what the run will bring out of date, and who comes after that starts anew.
 */

import { LoadCycleError } from '../errors/index.ts';
import type { KeyGuard, KeyGuards } from './key-guards.ts';

/** One run, as those who wait for it see it. */
export class Flight<Result = unknown> {
  result!: Promise<Result>;
  isOpen = true;
  /** The runs whose results this one cannot go on without. Few runs wait for any, so the list is made when it is needed. */
  #waitsFor: Set<Flight> | undefined;

  /** @param guard  Broken when the result is out of date. */
  constructor(readonly guard: KeyGuard) {}

  /**
   * Notes that this run waits for another one, until that has ended.
   * @throws {LoadCycleError} The other one waits for this one, at whatever remove: both would wait for ever.
   */
  waitFor(other: Flight): void {
    if (other.#isWaitingFor(this, new Set())) throw new LoadCycleError();
    this.#waitsFor ??= new Set();
    this.#waitsFor.add(other);
    const forget = () => this.#waitsFor?.delete(other);
    other.result.then(forget, forget);
  }

  #isWaitingFor(target: Flight, seen: Set<Flight>): boolean {
    if (this === target) return true;
    if (this.#waitsFor === undefined || seen.has(this)) return false;
    seen.add(this);
    return [...this.#waitsFor].some((next) => next.#isWaitingFor(target, seen));
  }
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
   * @param start  Gets the run; its guard says whether the result is out of date.
   */
  run(key: string, start: (flight: Flight<Result>) => Promise<Result>): Promise<Result> {
    return this.join(key, start).result;
  }

  /** As {@link run}, and gives the run itself. */
  join(key: string, start: (flight: Flight<Result>) => Promise<Result>): Flight<Result> {
    const running = this.#flights.get(key);
    if (running !== undefined && !running.guard.broken) return running;
    const flight = new Flight<Result>(this.#guards.take(key));
    // Known before it starts: what it starts with may ask for the key again.
    this.#flights.set(key, flight);
    flight.result = start(flight).finally(() => {
      flight.isOpen = false;
      this.#guards.release(flight.guard);
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    });
    return flight;
  }
}
