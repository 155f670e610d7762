/** The client itself cannot go on: closed, or a package that it needs is not installed. */

import { type CauseOptions, ShardringError } from './base.ts';

/** An optional peer dependency is needed for what was asked, and is not installed, too old, or cannot be loaded. */
export class MissingDependencyError extends ShardringError {
  static {
    this.prototype.name = 'MissingDependencyError';
  }
  readonly code = 'ERR_MISSING_DEPENDENCY';
  readonly retryable = false;

  /** @param options.problem  What is wrong with it and what to do. Default: it is not installed. */
  constructor(
    readonly dependency: string,
    readonly neededFor: string,
    readonly versions: string,
    { problem = `which is not installed. Run: npm install ${dependency}`, ...options }: MissingDependencyOptions = {},
  ) {
    super(`${neededFor} needs ${dependency} (${versions}), ${problem}`, options);
  }
}

interface MissingDependencyOptions extends CauseOptions {
  readonly problem?: string | undefined;
}

/** An optional peer dependency is still being loaded, which takes a moment in a bundled application. */
export class DependencyLoadingError extends ShardringError {
  static {
    this.prototype.name = 'DependencyLoadingError';
  }
  readonly code = 'ERR_DEPENDENCY_LOADING';
  readonly retryable = true;

  constructor(readonly dependency: string) {
    super(`${dependency} is still loading, which takes a moment in a bundled application. Await connect() first.`);
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
