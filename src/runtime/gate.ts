/** Counts the calls in flight, so that closing can refuse new ones and wait for the rest. */

import { ClosedError } from '../errors/index.ts';

export class Gate {
  readonly #what: string;
  #underWay = 0;
  #closed = false;
  #whenEmpty: (() => void) | undefined;

  /** @param what  What is closed, for the error: 'cache'. */
  constructor(what: string) {
    this.#what = what;
  }

  /** Every `enter` that returns must be followed by one `leave`. @throws {ClosedError} */
  enter(): void {
    if (this.#closed) throw new ClosedError(this.#what);
    this.#underWay++;
  }

  leave(): void {
    this.#underWay--;
    if (this.#underWay === 0) this.#whenEmpty?.();
  }

  /** Refuses calls from now on. Resolves when those in flight have left. Call it once. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#underWay === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
  }
}
