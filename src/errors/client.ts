/** The client itself cannot go on: closed, or a package that it needs is not installed. */

import { ShardringError } from './base.ts';

/** An optional peer dependency is needed for what was asked and is not installed. */
export class MissingDependencyError extends ShardringError {
  static {
    this.prototype.name = 'MissingDependencyError';
  }
  readonly code = 'ERR_MISSING_DEPENDENCY';
  readonly retryable = false;

  constructor(
    readonly dependency: string,
    readonly neededFor: string,
    readonly versions: string,
    options?: ErrorOptions,
  ) {
    super(
      `${neededFor} needs ${dependency} (${versions}), which is not installed. Run: npm install ${dependency}`,
      options,
    );
  }
}

/** The cache or backend was closed before the call. */
export class ClosedError extends ShardringError {
  static {
    this.prototype.name = 'ClosedError';
  }
  readonly code = 'ERR_CLOSED';
  readonly retryable = false;

  constructor(readonly what: string) {
    super(`This ${what} is closed.`);
  }
}
