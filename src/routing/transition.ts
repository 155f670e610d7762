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

  /** True the first time it is called for a key. */
  claimFirstFill(key: string): boolean {
    if (this.#filled.has(key)) return false;
    this.#filled.add(key);
    return true;
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
