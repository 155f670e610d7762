/** Waiting until nodes have answered: for a process that must not take requests before. */

import { ClosedError, type NodeAttempt, NotReadyError, TimeoutError } from '../errors/index.ts';
import { untilAborted } from '../runtime/abort.ts';
import type { Clock } from '../runtime/clock.ts';
import { Deferred } from '../runtime/deferred.ts';
import { withinTime } from '../runtime/time-limit.ts';
import { expectInteger, expectOptions, expectSignal, maxDelayMs } from '../runtime/validate.ts';
import type { HealthMonitor } from './monitor.ts';

export interface ReadyOptions {
  /** Nodes that must have answered. Integer from 1 to the number of nodes; default: all of them. */
  readonly atLeast?: number | undefined;
  /** Milliseconds to wait. Integer of at least 1; default: `timeoutMs` of the client. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ReadinessContext {
  readonly monitor: HealthMonitor;
  readonly clock: Clock;
  /** Where the options say nothing. */
  readonly timeoutMs: number;
  /** In errors: 'cache', 'client'. */
  readonly what: string;
  /** The nodes at this moment. */
  readonly nodes: () => readonly string[];
}

/**
 * Starts probing, and resolves when so many nodes are up at the same time.
 * @throws {NotReadyError} They were not in time; says what each of the others lacks.
 */
export async function untilReady(context: ReadinessContext, options: ReadyOptions | undefined): Promise<void> {
  const { monitor, clock, nodes } = context;
  const given = expectOptions('options', options === undefined ? {} : options, ['atLeast', 'timeoutMs', 'signal']);
  const { atLeast } = given;
  if (atLeast !== undefined) expectInteger('options.atLeast', atLeast, 1, Math.max(1, nodes().length));
  const timeoutMs = expectInteger('options.timeoutMs', given.timeoutMs ?? context.timeoutMs, 1, maxDelayMs);
  const signal = expectSignal('options.signal', given.signal);
  signal?.throwIfAborted();
  const ready = new Deferred<void>();
  const startMs = clock.nowMs();
  const look = () => {
    if (monitor.isStopped) return ready.reject(new ClosedError(context.what));
    const up = nodes().filter((node) => monitor.healthOf(node) === 'up');
    if (up.length >= ((atLeast as number | undefined) ?? nodes().length)) ready.resolve();
  };
  const lateError = () => notReady(context, atLeast as number | undefined, timeoutMs, startMs);
  const stopListening = monitor.onProbed(look);
  try {
    look();
    monitor.start();
    await withinTime(clock, timeoutMs, untilAborted(ready.promise, signal), lateError);
  } finally {
    stopListening();
  }
}

function notReady(
  { monitor, clock, nodes }: ReadinessContext,
  atLeast: number | undefined,
  timeoutMs: number,
  startMs: number,
): NotReadyError {
  const all = nodes();
  const ready = all.filter((node) => monitor.healthOf(node) === 'up');
  const elapsedMs = clock.nowMs() - startMs;
  const attempts = all
    .filter((node) => !ready.includes(node))
    .map((node): NodeAttempt => {
      const error = monitor.reportOf(node).fault ?? new TimeoutError(node, 'ready', timeoutMs);
      return { node, elapsedMs, error };
    });
  return new NotReadyError(atLeast ?? all.length, ready, attempts, timeoutMs);
}
