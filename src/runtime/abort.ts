/**
 * Waiting that a signal can end.
 *
 * Calls by the thousand may share one signal, and each of them has to hear of its end. An EventTarget looks through all its
 * listeners whenever one is added or removed, which for many calls at once costs the square of their number; so a signal
 * gets one listener of ours, however many calls there are, and that listener notifies them.
 */

import { rethrowLater } from './rethrow-later.ts';

/** Those who wait for the end of one signal, in the order of their coming. */
class Waiting {
  readonly #signal: AbortSignal;
  readonly #listeners = new Set<() => void>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  add(listener: () => void): void {
    if (this.#listeners.size === 0) this.#signal.addEventListener('abort', this.#tellAll);
    this.#listeners.add(listener);
  }

  delete(listener: () => void): void {
    // A signal may live as long as the process; without waiting calls it keeps nothing of ours alive.
    if (this.#listeners.delete(listener) && this.#listeners.size === 0) {
      this.#signal.removeEventListener('abort', this.#tellAll);
    }
  }

  readonly #tellAll = (): void => {
    for (const listener of this.#listeners) {
      this.delete(listener);
      try {
        listener();
      } catch (error) {
        rethrowLater(error); // Like an EventTarget, so that the other listeners are called too.
      }
    }
  };
}

const waitingFor = new WeakMap<AbortSignal, Waiting>();

/** Calls `listener` once when `signal` aborts, unless {@link offAbort} takes it away before. Not for one that has aborted. */
export function onAbort(signal: AbortSignal, listener: () => void): void {
  let waiting = waitingFor.get(signal);
  if (waiting === undefined) {
    waiting = new Waiting(signal);
    waitingFor.set(signal, waiting);
  }
  waiting.add(listener);
}

/** Takes away a listener of {@link onAbort}. Harmless where it has been called, or was never there. */
export function offAbort(signal: AbortSignal, listener: () => void): void {
  waitingFor.get(signal)?.delete(listener);
}

/**
 * Rejects with the signal's reason as soon as it aborts; the work behind `promise` goes on.
 * @param onAborted  Called then, before it rejects.
 */
export function untilAborted<Result>(
  promise: Promise<Result>,
  signal: AbortSignal | undefined,
  onAborted?: () => void,
): Promise<Result> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => {
      onAborted?.();
      reject(signal.reason);
    };
    if (signal.aborted) abort();
    else onAbort(signal, abort);
    promise.then(resolve, reject).finally(() => offAbort(signal, abort));
  });
}

/**
 * The result of `work`, or a rejection with the signal's reason if that comes first. For work whose parts go on when it has
 * settled: what becomes of those is not the caller's, who may abort a signal that is used up.
 *
 * @param work  Gets a signal of its own, which aborts with the caller's as long as the work has not settled.
 */
export function abortable<Result>(
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const own = new AbortController();
    const abort = () => {
      reject(signal.reason); // First: parts of the work may settle with what they have as soon as they hear of it.
      own.abort(signal.reason);
    };
    onAbort(signal, abort);
    work(own.signal)
      .finally(() => offAbort(signal, abort))
      .then(resolve, reject);
  });
}
