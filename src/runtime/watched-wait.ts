/** One wait after the other, in which the event loop is watched from the first to the end. */

import type { Clock } from './clock.ts';
import type { LoopWatch } from './loop-watch.ts';

export class WatchedWait {
  readonly #clock: Clock;
  readonly #loop: LoopWatch;
  readonly #keepsAlive: boolean;
  #isWatched = true;
  #cancel: () => void = () => undefined;

  constructor(clock: Clock, loop: LoopWatch, keepsAlive: boolean) {
    this.#clock = clock;
    this.#loop = loop;
    this.#keepsAlive = keepsAlive;
    loop.hold();
  }

  /** Calls `then` after so many milliseconds. */
  in(delayMs: number, then: () => void): void {
    this.#cancel = this.#clock.schedule(delayMs, then, this.#keepsAlive);
  }

  /** Calls `then` once the sockets have been read. */
  untilRead(then: () => void): void {
    const turn = setImmediate(then);
    this.#cancel = () => clearImmediate(turn);
  }

  /** Idempotent. What is waited for does not come any more. */
  stop(): void {
    this.#cancel();
    if (this.#isWatched) this.#loop.release();
    this.#isWatched = false;
  }
}
