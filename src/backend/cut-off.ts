/**
 * Ends a call from outside, at its deadline or when its signal aborts, for a backend that does not do so itself.
 */

import { TimeoutError, UnknownOutcomeError } from '../errors/index.ts';
import { untilAborted } from '../runtime/abort.ts';
import type { Clock } from '../runtime/clock.ts';
import { withinTime } from '../runtime/time-limit.ts';
import type { CallOptions } from './backend.ts';
import { type BackendOperation, isWrite } from './calls.ts';

/** What a cut-off call needs to be timed and named. */
export interface CutOffContext {
  readonly clock: Clock;
  /** For error messages. */
  readonly nodeName: string;
}

/**
 * What `start` promises, or a rejection once `timeoutMs` has passed or the signal has aborted.
 *
 * A call that is cut off goes on in the store, where nobody waits for it any more; its result is dropped. With the
 * signal already aborted, or no time left, it is not started at all. `start` may throw instead of rejecting.
 *
 * @throws {TimeoutError}         The deadline passed and nothing was changed: a read, or a write that was not started.
 * @throws {UnknownOutcomeError}  The deadline passed during a write. `cause` is the {@link TimeoutError}.
 */
export async function cutOff<Result>(
  { clock, nodeName }: CutOffContext,
  operation: BackendOperation,
  { signal, timeoutMs }: CallOptions,
  start: () => Promise<Result>,
): Promise<Result> {
  signal?.throwIfAborted();
  if (timeoutMs !== undefined && timeoutMs <= 0) throw new TimeoutError(nodeName, operation, timeoutMs);
  const work = untilAborted((async () => start())(), signal);
  if (timeoutMs === undefined) return work;
  const lateError = () => {
    const cause = new TimeoutError(nodeName, operation, timeoutMs);
    return isWrite(operation) ? new UnknownOutcomeError(nodeName, operation, { cause }) : cause;
  };
  // Nobody's call waits for a probe.
  return withinTime(clock, timeoutMs, work, lateError, operation !== 'ping');
}
