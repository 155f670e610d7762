/** The options of one call of a cache. */

/** Options of every call. */
export interface SignalOptions {
  /** Aborts the call, which then rejects with `signal.reason`. A write that was sent may still be executed. */
  readonly signal?: AbortSignal | undefined;
}

export interface SetCallOptions extends SignalOptions {
  /** Life of the value in milliseconds: an integer of at least 1, or Infinity. Default: the cache's `defaultTtlMs`. */
  readonly ttlMs?: number | undefined;
}

export interface GetOrSetOptions extends SetCallOptions {
  /** For so many milliseconds after `ttlMs` the value is still answered, while a new one is loaded. Needs a finite `ttlMs`. */
  readonly staleWhileRevalidateMs?: number | undefined;

  /** Default: the cache's, which is 'load'. See {@link LoadOptions}. */
  readonly whenUnavailable?: WhenUnavailable | undefined;

  /** Default: that of the cache, which has none by default. See {@link LoadOptions}. */
  readonly loadTimeoutMs?: number | undefined;
}

/** How `getOrSet` loads. Options of the cache, the first two also of each call. */
export interface LoadOptions {
  /**
   * What `getOrSet` does when the key's nodes are not available: down, too late, or refusing to answer. 'load' (default): it
   * loads, once per key at a time, and does not store the value. 'fail': it rejects as `get` would.
   */
  readonly whenUnavailable?: WhenUnavailable | undefined;

  /**
   * Milliseconds after which a load that has not finished fails for all who wait for it, the time in which it waits for its turn
   * included. Integer of at least 1. What it gives later is dropped. Default: as long as it takes.
   */
  readonly loadTimeoutMs?: number | undefined;

  /**
   * Loads at a time of keys whose nodes are not available; further ones wait for their turn. A node that dies must not bring
   * all its traffic to the source at once. Integer of at least 1; default 100. A load that asks the cache for another key, or
   * whose callers have all gone, lets its place go to the next.
   */
  readonly maxUnavailableLoads?: number | undefined;
}

/** 'load': what cannot be read is loaded. 'fail': the call rejects as `get` would. */
export type WhenUnavailable = 'load' | 'fail';
