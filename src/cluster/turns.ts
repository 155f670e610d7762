/** One change at a time: who comes while one is under way waits for its turn, in the order of coming. */

import { ChangeInProgressError } from '../errors/index.ts';
import { untilAborted } from '../runtime/abort.ts';
import { Deferred } from '../runtime/deferred.ts';
import { holdProcess } from '../runtime/hold.ts';

export class Turns {
  /** The name of what has the turn. */
  #current: string | undefined;
  readonly #waiting: { readonly name: string; readonly turn: Deferred<void> }[] = [];

  /** Takes the turn, which lasts until {@link pass}, if nobody has it. @param name  For the error of who does not wait. */
  tryTake(name: string): boolean {
    if (this.#current !== undefined) return false;
    this.#current = name;
    return true;
  }

  /** @throws {ChangeInProgressError} For one that does not wait for its turn. */
  refuse(name: string): never {
    throw new ChangeInProgressError(name, this.#current!);
  }

  /**
   * Resolves when the turn has come.
   * @throws  The reason of the signal that aborted first; the turn is then another one's.
   */
  async wait(name: string, signals: readonly (AbortSignal | undefined)[]): Promise<void> {
    const turn = new Deferred<void>();
    const entry = { name, turn };
    this.#waiting.push(entry);
    // A lazy change does not keep a process alive, but somebody who waits for its end does.
    const letGo = holdProcess();
    try {
      await signals.reduce((waited, signal) => untilAborted(waited, signal), turn.promise);
    } catch (error) {
      const index = this.#waiting.indexOf(entry);
      if (index === -1)
        this.pass(); // The turn came at the same moment.
      else this.#waiting.splice(index, 1);
      throw error;
    } finally {
      letGo();
    }
  }

  /** Ends the turn: it is the next one's. */
  pass(): void {
    const next = this.#waiting.shift();
    this.#current = next?.name;
    next?.turn.resolve();
  }
}
