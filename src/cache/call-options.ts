/** What callers may say about one call of a cache. */

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
}
