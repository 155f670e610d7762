/** A signal that counts who listens to it: adding the nth listener to an EventTarget takes n steps. */

export interface WatchedSignal {
  readonly signal: AbortSignal;
  /** Listeners at present, the most there were at a time, and how often one was added. */
  readonly counts: { now: number; most: number; added: number };
  abort(reason?: unknown): void;
}

export function watchedSignal(): WatchedSignal {
  const controller = new AbortController();
  const { signal } = controller;
  const counts = { now: 0, most: 0, added: 0 };
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<AbortSignal['addEventListener']>) => {
    counts.now++;
    counts.added++;
    counts.most = Math.max(counts.most, counts.now);
    addEventListener.apply(signal, args as never);
  };
  signal.removeEventListener = (...args: Parameters<AbortSignal['removeEventListener']>) => {
    counts.now--;
    removeEventListener.apply(signal, args as never);
  };
  return { signal, counts, abort: (reason) => controller.abort(reason) };
}
