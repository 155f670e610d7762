/**
 * Which load the present code runs in, at whatever depth: so that a load that asks the cache for what waits for that very
 * load is told, where it would wait for ever.
 *
 * Before Node 24 an `AsyncLocalStorage` in use makes every promise of the process cost more (two to three times, by a loop of
 * promises and nothing else on Node 20). So it is in use only while loads are under way, and calls that find their value
 * pay nothing.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import type { Flight } from '../routing/single-flight.ts';

export interface RunningLoad {
  readonly flight: Flight;
  /** Lets others load in its place. Harmless where it has none. */
  readonly leavePlace: () => void;
}

export class LoadContext {
  readonly #storage = new AsyncLocalStorage<RunningLoad>();
  #running = 0;

  /** The load that the caller is a part of, if there is one that has not ended. */
  current(): RunningLoad | undefined {
    if (this.#running === 0) return undefined;
    const load = this.#storage.getStore();
    return load?.flight.isOpen === true ? load : undefined;
  }

  /** Runs `work` as the load given. */
  async run<Result>(load: RunningLoad, work: () => Promise<Result>): Promise<Result> {
    this.#running++;
    try {
      return await this.#storage.run(load, work);
    } finally {
      this.#running--;
      if (this.#running === 0) this.#storage.disable();
    }
  }
}
