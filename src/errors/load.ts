/** A load of `getOrSet` did not finish. */

import { ShardringError } from './base.ts';

/** `load` took longer than `loadTimeoutMs`, or did not start by then. A later result is dropped. */
export class LoadTimeoutError extends ShardringError {
  static {
    this.prototype.name = 'LoadTimeoutError';
  }
  readonly code = 'ERR_LOAD_TIMEOUT';
  readonly retryable = true;

  /** @param hasBegun  Whether `load` was called. */
  constructor(
    readonly timeoutMs: number,
    hasBegun = true,
  ) {
    super(
      hasBegun
        ? `getOrSet: load did not finish within ${timeoutMs} ms (loadTimeoutMs).`
        : `getOrSet: load did not start within ${timeoutMs} ms (loadTimeoutMs): nodes are unavailable, and maxUnavailableLoads other loads were running.`,
    );
  }
}

/** A `load` asked `getOrSet` for the key that it loads itself, or two loads wait for each other. */
export class LoadCycleError extends ShardringError {
  static {
    this.prototype.name = 'LoadCycleError';
  }
  readonly code = 'ERR_LOAD_CYCLE';
  readonly retryable = false;

  constructor() {
    super(
      'getOrSet: load waits for its own key and would never finish. Inside load, read from the source, not from the cache.',
    );
  }
}
