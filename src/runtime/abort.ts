/** Waiting that a signal can end. */

import { setMaxListeners } from 'node:events';

/** Calls `listener` when `signal` aborts. Any number of calls may share a signal, where Node.js takes eleven for a leak. */
export function onAbort(signal: AbortSignal, listener: () => void): void {
  setMaxListeners(0, signal);
  signal.addEventListener('abort', listener, { once: true });
}

/** Rejects with the signal's reason as soon as it aborts; the work behind `promise` goes on. */
export function untilAborted<Result>(promise: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    onAbort(signal, abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
