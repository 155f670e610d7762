/**
 * One run per key at a time; callers that come while it is in progress get its result.
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
  /** Its work has begun: it finishes even if all callers have gone. */
  hasBegun = false;
  /** Called when a caller no longer waits for it, directly or through other runs. */
  onLeft: () => void = () => undefined;
  #callers = 0;
  /** The runs whose results this one cannot go on without, and how often. Few runs wait for any: made when it is needed. */
  #waitsFor: Map<Flight, number> | undefined;
  #waitedForBy: Set<Flight> | undefined;

  /** @param guard  Broken when the result is out of date. */
  constructor(readonly guard: KeyGuard) {}

  /** Whether a caller waits for it, directly or by way of other runs. */
  get isWanted(): boolean {
    return this.#leadsTo((flight) => flight.#callers > 0, new Set());
  }

  /** Whether its result is needed: by a caller, or by a run that has to finish. */
  get isNeeded(): boolean {
    return this.#leadsTo((flight) => flight.#callers > 0 || flight.hasBegun, new Set());
  }

  /** Counts a caller who waits. @returns  For one who goes before the run has ended. */
  addCaller(): () => void {
    this.#callers++;
    return () => {
      this.#callers--;
      this.#tellLeft(new Set());
    };
  }

  /**
   * Notes that this run waits for another one, until that has ended.
   * @returns  For when it waits no longer, though the other one goes on.
   * @throws {LoadCycleError} The other one waits for this one, at whatever remove: both would wait for ever.
   */
  waitFor(other: Flight): () => void {
    if (other.#isWaitingFor(this, new Set())) throw new LoadCycleError();
    this.#waitsFor ??= new Map();
    this.#waitsFor.set(other, (this.#waitsFor.get(other) ?? 0) + 1);
    other.#waitedForBy ??= new Set();
    other.#waitedForBy.add(this);
    const forget = () => this.#waitsFor?.delete(other);
    other.result.then(forget, forget);
    return () => {
      const times = this.#waitsFor?.get(other);
      if (times === undefined) return;
      if (times > 1) this.#waitsFor?.set(other, times - 1);
      else this.#leave(other);
    };
  }

  /** It has ended, and waits for nothing any more. */
  end(): void {
    this.isOpen = false;
    for (const other of this.#waitsFor?.keys() ?? []) this.#leave(other);
  }

  #leave(other: Flight): void {
    this.#waitsFor?.delete(other);
    other.#waitedForBy?.delete(this);
    other.#tellLeft(new Set());
  }

  #tellLeft(told: Set<Flight>): void {
    if (!this.isOpen || told.has(this)) return;
    told.add(this);
    this.onLeft();
    for (const other of this.#waitsFor?.keys() ?? []) other.#tellLeft(told);
  }

  #leadsTo(isSuch: (flight: Flight) => boolean, seen: Set<Flight>): boolean {
    if (!this.isOpen || seen.has(this)) return false;
    seen.add(this);
    if (isSuch(this)) return true;
    for (const other of this.#waitedForBy ?? []) if (other.#leadsTo(isSuch, seen)) return true;
    return false;
  }

  #isWaitingFor(target: Flight, seen: Set<Flight>): boolean {
    if (this === target) return true;
    if (this.#waitsFor === undefined || seen.has(this)) return false;
    seen.add(this);
    return [...this.#waitsFor.keys()].some((next) => next.#isWaitingFor(target, seen));
  }
}

export class SingleFlight<Result> {
  readonly #guards: KeyGuards;
  readonly #flights = new Map<string, Flight<Result>>();

  constructor(guards: KeyGuards) {
    this.#guards = guards;
  }

  /** Whether a run for `key` is in progress whose result is still good. */
  has(key: string): boolean {
    return this.#flights.get(key)?.guard.broken === false;
  }

  /**
   * The promise of the run for `key`, started now if none is in progress. All waiters receive a failure; it is not cached.
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
      flight.end();
      this.#guards.release(flight.guard);
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    });
    return flight;
  }
}
