/**
 * What has become of single keys in a joint phase, while they go from one placement to the next. One is made for each such
 * phase and belongs to it: a call in flight keeps that of its route, and the next phase begins with nothing known.
 */

import type { NodeId } from '../placement/node.ts';

export class Transition {
  /** Keys whose value at a previous owner is out of date, as it could not be told of a write. By node. */
  readonly #stale = new Map<NodeId, Set<string>>();
  /** Keys that a read has brought over to all their holders. */
  readonly #filled = new Set<string>();
  readonly #fills = new Set<Promise<unknown>>();
  #isEnding = false;
  #writes = 0;
  #onDrained: (() => void) | undefined;

  /** From now on the previous owner is not asked for the key: it could not be told of a write, or is down. */
  markStale(previousOwner: NodeId, key: string): void {
    const keys = this.#stale.get(previousOwner);
    if (keys === undefined) this.#stale.set(previousOwner, new Set([key]));
    else keys.add(key);
  }

  isStale(previousOwner: NodeId, key: string): boolean {
    return this.#stale.get(previousOwner)?.has(key) === true;
  }

  /** Whether values are still brought over. */
  get isFilling(): boolean {
    return !this.#isEnding;
  }

  /** True the first time it is called for a key. */
  claimFirstFill(key: string): boolean {
    if (this.#filled.has(key)) return false;
    this.#filled.add(key);
    return true;
  }

  /** Notes that a key is being brought over. @param fill  Resolves to whether it was. */
  trackFill(key: string, fill: Promise<boolean>): void {
    const tracked = fill.then((isFilled) => {
      this.#fills.delete(tracked);
      if (!isFilled) this.#filled.delete(key); // For the next read.
    });
    this.#fills.add(tracked);
  }

  /** No value is brought over from now on. @returns  When those under way are; undefined if there are none. */
  stopFilling(): Promise<unknown> | undefined {
    this.#isEnding = true;
    return this.#fills.size === 0 ? undefined : Promise.all(this.#fills);
  }

  /** Notes a write that may delete at previous owners, until the promise settles. */
  track(write: Promise<unknown>): void {
    this.#writes++;
    const end = () => {
      this.#writes--;
      if (this.#writes === 0) this.#onDrained?.();
    };
    write.then(end, end);
  }

  /**
   * Resolves when no write is in flight that began in this phase. Only then may another change begin: if it made a previous
   * owner a holder again, such a write would delete there what was written since. Called once, when no more can begin.
   */
  async drained(): Promise<void> {
    if (this.#writes === 0) return;
    await new Promise<void>((resolve) => {
      this.#onDrained = resolve;
    });
  }
}
