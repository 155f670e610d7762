/**
 * Cache-aside with one load per key: a value is read, or else loaded and stored, and everybody who asks for the key
 * meanwhile waits for the same result.
 *
 * Stale-while-revalidate (RFC 5861, section 3): a value is stored for `ttlMs + staleWhileRevalidateMs`. In the last
 * part of its life it is still answered, at once, while one load per process replaces it.
 */

import { CodecError, InvalidArgumentError } from '../errors/index.ts';
import type { Fleet } from '../routing/fleet.ts';
import { SingleFlight } from '../routing/single-flight.ts';
import { untilAborted } from '../runtime/abort.ts';

/** How the values of one cache are read and written, in the cache's own terms. */
export interface ValueAccess {
  /** @param needsExpiry  Else `expiresAtMs` may be undefined for a value that expires. */
  read(
    key: string,
    needsExpiry: boolean,
  ): Promise<{ readonly value: unknown; readonly expiresAtMs: number | undefined } | undefined>;
  write(key: string, value: unknown, ttlMs: number): Promise<void>;
}

export interface Freshness {
  /** Infinity for a value that stays. */
  readonly ttlMs: number;
  readonly staleWhileRevalidateMs: number | undefined;
}

export type Load = () => unknown;

export class GetOrSet {
  readonly #fleet: Fleet;
  readonly #access: ValueAccess;
  /** Reading, and loading what is missing. */
  readonly #flights: SingleFlight<unknown>;
  /** Loading, because the value is missing or old. */
  readonly #loads: SingleFlight<unknown>;
  readonly #closed = new AbortController();

  constructor(fleet: Fleet, access: ValueAccess) {
    this.#fleet = fleet;
    this.#access = access;
    this.#flights = new SingleFlight(fleet.guards);
    this.#loads = new SingleFlight(fleet.guards);
  }

  /** Rejects all who wait for a load, whatever becomes of that: its value is not stored any more. */
  end(reason: Error): void {
    this.#closed.abort(reason);
  }

  /** The shared run goes on for the others when this caller's signal aborts. */
  run(key: string, load: Load, freshness: Freshness, signal: AbortSignal | undefined): Promise<unknown> {
    if (freshness.staleWhileRevalidateMs !== undefined && freshness.ttlMs === Number.POSITIVE_INFINITY) {
      throw new InvalidArgumentError(
        'options.ttlMs',
        'a finite time to live with staleWhileRevalidateMs',
        freshness.ttlMs,
      );
    }
    const flight = this.#flights.run(key, () => this.#readOrLoad(key, load, freshness));
    return untilAborted(flight, signal);
  }

  async #readOrLoad(key: string, load: Load, freshness: Freshness): Promise<unknown> {
    const found = await this.#access.read(key, freshness.staleWhileRevalidateMs !== undefined);
    if (found === undefined) return await this.#load(key, load, freshness);
    if (this.#isStale(key, found.expiresAtMs, freshness) && !this.#loads.has(key)) {
      this.#load(key, load, freshness).catch((error) => {
        if (!this.#closed.signal.aborted) this.#tell(error);
      });
    }
    return found.value;
  }

  #isStale(key: string, expiresAtMs: number | undefined, { staleWhileRevalidateMs }: Freshness): boolean {
    if (expiresAtMs === undefined || staleWhileRevalidateMs === undefined) return false;
    // A stand-in shortens lives, so that the time left says nothing of the age; it drops the value soon enough.
    if (this.#fleet.placesOf(key).standIns.length > 0) return false;
    return expiresAtMs - this.#fleet.clock.wallMs() <= staleWhileRevalidateMs;
  }

  /** A value that a write or delete of the key has overtaken is answered and not stored. */
  #load(key: string, load: Load, freshness: Freshness): Promise<unknown> {
    return this.#loads.run(key, async (guard) => {
      const value = await untilAborted((async () => load())(), this.#closed.signal);
      if (value !== undefined && !guard.broken) await this.#store(key, value, freshness);
      return value;
    });
  }

  /** A loaded value is answered even if it cannot be stored. */
  async #store(key: string, value: unknown, { ttlMs, staleWhileRevalidateMs = 0 }: Freshness): Promise<void> {
    const stored = this.#access.write(key, value, ttlMs + staleWhileRevalidateMs);
    // Closing waits for this, whoever has given up by then; it does not wait for a load.
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
