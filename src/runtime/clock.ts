/**
 * Time as an argument. Everything that waits or looks at a clock takes a {@link Clock}, so that tests move time by hand.
 */

import { offAbort, onAbort } from './abort.ts';
import { type LoopWatch, TickingLoopWatch } from './loop-watch.ts';
import { expectFunction, expectObject, maxDelayMs } from './validate.ts';

export interface Clock {
  /** Milliseconds on a monotonic clock with an arbitrary zero. For durations and deadlines. */
  nowMs(): number;

  /** Unix time in milliseconds. For expiry, which other machines must understand. */
  wallMs(): number;

  /**
   * Calls `callback` once, at least `delayMs` from now. Returns a function that cancels it; cancelling late is harmless.
   *
   * @param keepsAlive  False: a process with nothing else to do may exit before the callback.
   */
  schedule(delayMs: number, callback: () => void, keepsAlive: boolean): () => void;

  /** The known stalls of the event loop. Absent if time is simulated, because simulated time has no stalls. */
  readonly loop?: LoopWatch | undefined;
}

const systemTime = {
  nowMs: () => performance.now(),
  schedule(delayMs: number, callback: () => void, keepsAlive: boolean): () => void {
    // One that is too long for a timer, in pieces.
    const isLong = delayMs > maxDelayMs;
    let cancelRest: (() => void) | undefined;
    const goOn = () => {
      cancelRest = systemTime.schedule(delayMs - maxDelayMs, callback, keepsAlive);
    };
    const timer = setTimeout(isLong ? goOn : callback, isLong ? maxDelayMs : delayMs);
    if (!keepsAlive) timer.unref();
    return () => {
      clearTimeout(timer);
      cancelRest?.();
    };
  },
};

export const systemClock: Clock = {
  ...systemTime,
  wallMs: () => Date.now(),
  loop: new TickingLoopWatch(systemTime),
};

/** The system's where none is given. @throws {InvalidArgumentError} It lacks a method. */
export function parseClock(field: string, input: unknown): Clock {
  if (input === undefined) return systemClock;
  const clock = expectObject(field, input);
  for (const method of ['nowMs', 'wallMs', 'schedule']) expectFunction(`${field}.${method}`, clock[method]);
  return input as Clock;
}

/** Resolves after `delayMs`. Rejects with the signal's reason if that aborts first. */
export function sleep(
  clock: Clock,
  delayMs: number,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = () => {
      cancel();
      reject(signal!.reason);
    };
    const cancel = clock.schedule(
      delayMs,
      () => {
        if (signal !== undefined) offAbort(signal, abort);
        resolve();
      },
      true,
    );
    if (signal !== undefined) onAbort(signal, abort);
  });
}
