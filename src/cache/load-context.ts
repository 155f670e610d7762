/**
 * Which load the present code runs in, at whatever depth: so that a load that asks the cache for what waits for that very
 * load is told, where it would wait for ever.
 *
 * Before Node 24 an `AsyncLocalStorage` in use makes every promise of the process cost more (two to three times, by a loop of
 * promises and nothing else on Node 20). So it is in use only while loads are running, and calls that find their value
 * pay nothing.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import type { Flight } from '../routing/single-flight.ts';
import type { LoadPlaces } from './load-places.ts';

export interface RunningLoad {
  readonly flight: Flight;
  /** Those of its cache. */
  readonly places: LoadPlaces;
  /** Lets others load in its place. Harmless where it has none. */
  readonly leavePlace: () => void;
}

const none: readonly RunningLoad[] = [];

class LoadContext {
  readonly #storage = new AsyncLocalStorage<readonly RunningLoad[]>();
  #running = 0;

  /** The loads that the caller is a part of, of whichever caches, the innermost first: those that have not ended. */
  current(): readonly RunningLoad[] {
    if (this.#running === 0) return none;
    return (this.#storage.getStore() ?? none).filter(({ flight }) => flight.isOpen);
  }

  /** Runs `work` as the load given. */
  async run<Result>(load: RunningLoad, work: () => Promise<Result>): Promise<Result> {
    const loads = [load, ...this.current()];
    this.#running++;
    try {
      return await this.#storage.run(loads, work);
    } finally {
      this.#running--;
      if (this.#running === 0) this.#storage.disable();
    }
  }
}

/** One for all caches: loads of several can wait for each other. */
export const loadContext = new LoadContext();
