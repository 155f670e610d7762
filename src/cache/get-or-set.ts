/**
 * Cache-aside with one load per key: a value is read, or else loaded and stored, and everybody who asks for the key
 * meanwhile waits for the same result.
 *
 * Stale-while-revalidate (RFC 5861, section 3): a value is stored for `ttlMs + staleWhileRevalidateMs`. In the last
 * part of its life it is still answered, at once, while one load per process replaces it.
 *
 * If the key's nodes are not available, the value is loaded anyway, unless the caller says otherwise: still once per
 * key, only so many keys at a time, and without storing it. Such a load has a place while a caller waits for it: one that
 * never ends must not keep others from loading when its callers have gone. It may finish, for callers that come meanwhile.
 */

import { CodecError, InvalidArgumentError, isShardringError, LoadTimeoutError } from '../errors/index.ts';
import { isNodeFault } from '../health/detector.ts';
import type { Fleet } from '../routing/fleet.ts';
import { type Flight, SingleFlight } from '../routing/single-flight.ts';
import { untilAborted } from '../runtime/abort.ts';
import { withinTime } from '../runtime/time-limit.ts';
import type { WhenUnavailable } from './call-options.ts';
import { loadContext } from './load-context.ts';
import { LoadPlaces } from './load-places.ts';
import type { CallSettings, ParsedOptions } from './options.ts';

/** How the values of one cache are read and written, in the cache's own terms. */
export interface ValueAccess {
  /** @param needsExpiry  Else `expiresAtMs` may be undefined for a value that expires. */
  read(
    key: string,
    needsExpiry: boolean,
  ): Promise<{ readonly value: unknown; readonly expiresAtMs: number | undefined } | undefined>;
  write(key: string, value: unknown, ttlMs: number): Promise<void>;
}

/** The options of a cache that count for its `getOrSet`. */
export type GetOrSetDefaults = Pick<
  ParsedOptions,
  'defaultTtlMs' | 'whenUnavailable' | 'loadTimeoutMs' | 'maxUnavailableLoads'
>;

interface LoadSettings {
  /** Infinity for a value that stays. */
  readonly ttlMs: number;
  readonly staleWhileRevalidateMs: number | undefined;
  readonly whenUnavailable: WhenUnavailable;
  /** Undefined: as long as it takes. */
  readonly loadTimeoutMs: number | undefined;
}

export type Load = () => unknown;

export class GetOrSet {
  readonly #fleet: Fleet;
  readonly #defaults: GetOrSetDefaults;
  readonly #access: ValueAccess;
  /** Reading, and loading what is missing. */
  readonly #flights: SingleFlight<unknown>;
  /** Loading, because the value is missing, old or out of reach. */
  readonly #loads: SingleFlight<unknown>;
  readonly #places: LoadPlaces;
  readonly #closed = new AbortController();

  constructor(fleet: Fleet, access: ValueAccess, options: GetOrSetDefaults) {
    this.#fleet = fleet;
    this.#defaults = options;
    this.#access = access;
    this.#flights = new SingleFlight(fleet.guards);
    this.#loads = new SingleFlight(fleet.guards);
    this.#places = new LoadPlaces(options.maxUnavailableLoads);
  }

  /** Rejects all who wait for a load, whatever becomes of that: its value is not stored any more. */
  end(reason: Error): void {
    this.#closed.abort(reason);
  }

  /** The shared run goes on for the others when this caller's signal aborts. */
  run(key: string, load: Load, call: CallSettings): Promise<unknown> {
    const settings = settingsOf(call, this.#defaults);
    if (settings.staleWhileRevalidateMs !== undefined && settings.ttlMs === Number.POSITIVE_INFINITY) {
      throw new InvalidArgumentError(
        'options.ttlMs',
        'a finite number, because staleWhileRevalidateMs is set',
        settings.ttlMs,
      );
    }
    const flight = this.#flights.join(key, (own) => this.#readOrLoad(own, key, load, settings));
    const loads = loadContext.current();
    const leave = loads[0] === undefined ? flight.addCaller() : loads[0].flight.waitFor(flight);
    for (const { places, leavePlace } of loads) {
      // Else those who have places could all wait for those who wait for one.
      if (places === this.#places) leavePlace();
    }
    return untilAborted(flight.result, call.signal, leave);
  }

  async #readOrLoad(flight: Flight, key: string, load: Load, settings: LoadSettings): Promise<unknown> {
    let found: Awaited<ReturnType<ValueAccess['read']>>;
    try {
      found = await this.#access.read(key, settings.staleWhileRevalidateMs !== undefined);
    } catch (error) {
      if (settings.whenUnavailable === 'fail' || !isUnavailable(error)) throw error;
      this.#tell(error);
      return await this.#awaitLoad(flight, () => this.#loadUnstored(key, load, settings));
    }
    if (found === undefined) return await this.#awaitLoad(flight, () => this.#load(key, load, settings));
    if (this.#isStale(key, found.expiresAtMs, settings) && !this.#loads.has(key)) {
      const renewal = this.#load(key, load, settings);
      renewal.addCaller(); // The cache itself.
      renewal.result.catch((error) => {
        if (!this.#closed.signal.aborted) this.#tell(error);
      });
    }
    return found.value;
  }

  async #awaitLoad(flight: Flight, begin: () => Flight): Promise<unknown> {
    do {
      const loading = begin();
      flight.waitFor(loading);
      const value = await loading.result;
      if (value !== notLoaded) return value;
    } while (flight.isNeeded);
    flight.guard.broken = true; // No caller sees this load: the next one starts a new one.
    return undefined;
  }

  #isStale(key: string, expiresAtMs: number | undefined, { staleWhileRevalidateMs }: LoadSettings): boolean {
    if (expiresAtMs === undefined || staleWhileRevalidateMs === undefined) return false;
    // A fallback node shortens lives, so that the time left says nothing of the age; it drops the value soon enough.
    if (this.#fleet.placesOf(key, this.#fleet.routeOf(key)).fallbacks.length > 0) return false;
    return expiresAtMs - this.#fleet.clock.wallMs() <= staleWhileRevalidateMs;
  }

  /** A value that a write or delete of the key has overtaken is answered and not stored. */
  #load(key: string, load: Load, settings: LoadSettings): Flight {
    return this.#loads.join(key, async (flight) => {
      await undefined; // First the waiting callers are noted: the load may ask for its own key at once.
      const value = await this.#runLoad(flight, load, settings, this.#deadlineMs(settings), noPlace);
      if (value !== undefined && !flight.guard.broken) await this.#store(key, value, settings);
      return value;
    });
  }

  /** Gives {@link notLoaded} if no caller waits for it when its turn comes. */
  #loadUnstored(key: string, load: Load, settings: LoadSettings): Flight {
    return this.#loads.join(key, async (flight) => {
      const deadlineMs = this.#deadlineMs(settings);
      const place = this.#places.take();
      flight.onLeft = () => {
        if (flight.hasBegun ? !flight.isWanted : !flight.isNeeded) place.leave();
      };
      try {
        await this.#untilEnd(flight, place.taken, settings, deadlineMs);
        if (!place.isHeld || !flight.isNeeded) return notLoaded;
        return await this.#runLoad(flight, load, settings, deadlineMs, place.leave);
      } finally {
        place.leave();
      }
    });
  }

  #runLoad(
    flight: Flight,
    load: Load,
    settings: LoadSettings,
    deadlineMs: number,
    leavePlace: () => void,
  ): Promise<unknown> {
    flight.hasBegun = true;
    flight.onLeft(); // One that only another load waits for, whose callers have gone, has no place.
    const work = () => this.#untilEnd(flight, (async () => load())(), settings, deadlineMs);
    return loadContext.run({ flight, places: this.#places, leavePlace }, work);
  }

  #deadlineMs({ loadTimeoutMs = Number.POSITIVE_INFINITY }: LoadSettings): number {
    return this.#fleet.clock.nowMs() + loadTimeoutMs;
  }

  /** As `work`, but no longer than until the load's deadline and until closing. @throws {LoadTimeoutError} */
  async #untilEnd<Result>(
    flight: Flight,
    work: Promise<Result>,
    { loadTimeoutMs }: LoadSettings,
    deadlineMs: number,
  ): Promise<Result> {
    const open = untilAborted(work, this.#closed.signal);
    if (loadTimeoutMs === undefined) return await open;
    const { clock } = this.#fleet;
    const lateError = () => new LoadTimeoutError(loadTimeoutMs, flight.hasBegun);
    return await withinTime(clock, deadlineMs - clock.nowMs(), open, lateError);
  }

  /** A loaded value is answered even if it cannot be stored. */
  async #store(key: string, value: unknown, { ttlMs, staleWhileRevalidateMs = 0 }: LoadSettings): Promise<void> {
    const stored = this.#access.write(key, value, ttlMs + staleWhileRevalidateMs);
    // Closing waits for this even if all callers have given up; it does not wait for a load.
    this.#fleet.background(
      stored.then(
        () => undefined,
        () => undefined,
      ),
    );
    try {
      await stored;
    } catch (error) {
      // The value itself may be at fault, which the caller must learn of; a node's failure is not the caller's concern.
      if (error instanceof InvalidArgumentError || error instanceof CodecError) throw error;
      this.#tell(error);
    }
  }

  #tell(error: unknown): void {
    this.#fleet.emit('backgroundError', { operation: 'getOrSet', node: undefined, error });
  }
}

const settingsOf = (call: CallSettings, defaults: GetOrSetDefaults): LoadSettings => ({
  ttlMs: call.ttlMs ?? defaults.defaultTtlMs,
  staleWhileRevalidateMs: call.staleWhileRevalidateMs,
  whenUnavailable: call.whenUnavailable ?? defaults.whenUnavailable,
  loadTimeoutMs: call.loadTimeoutMs ?? defaults.loadTimeoutMs,
});

const noPlace = () => undefined;

/** The result of a load that has not begun because nobody waits for it any more. */
const notLoaded = Symbol('not loaded');

/**
 * Whether a read failed because no node could say what is under the key, as against a fault of the call or of what is stored.
 * An error of a third-party backend counts as the former.
 */
function isUnavailable(error: unknown): boolean {
  if (!isShardringError(error) || isNodeFault(error)) return true;
  if (error.code === 'ERR_NODE_REPLY') return error.kind !== 'WRONGTYPE';
  return error.code === 'ERR_ALL_REPLICAS_FAILED' && error.attempts.some((attempt) => isUnavailable(attempt.error));
}
