/** The options of `withConnection`. */

import { expectOptions, expectPositive, expectSignal, maxDelayMs } from '../../runtime/validate.ts';

export interface WithConnectionOptions {
  /** Ends the use, or the wait for a connection. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds until the whole must have ended, or Infinity. Default: the `timeoutMs` of the backend or client to get a
   * connection, and no limit for the use.
   */
  readonly timeoutMs?: number | undefined;
}

/** @throws {InvalidArgumentError} */
export function parseUseOptions(options: WithConnectionOptions): WithConnectionOptions {
  expectOptions('options', options, ['signal', 'timeoutMs']);
  const { signal, timeoutMs } = options;
  if (timeoutMs !== undefined && timeoutMs !== Number.POSITIVE_INFINITY) {
    expectPositive('options.timeoutMs', timeoutMs, maxDelayMs);
  }
  return { signal: expectSignal('options.signal', signal), timeoutMs };
}
