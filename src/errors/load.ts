/** What `getOrSet` was to load did not come. */

import { ShardringError } from './base.ts';

/** `load` took longer than `loadTimeoutMs`. What it gives later is dropped. */
export class LoadTimeoutError extends ShardringError {
  static {
    this.prototype.name = 'LoadTimeoutError';
  }
  readonly code = 'ERR_LOAD_TIMEOUT';
  readonly retryable = true;

  constructor(readonly timeoutMs: number) {
    super(`getOrSet: load did not finish within ${timeoutMs} ms (loadTimeoutMs).`);
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
      'getOrSet: load waits for its own key and would wait for ever. Inside load, ask the source and not the cache.',
    );
  }
}
