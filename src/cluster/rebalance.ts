/**
 * A change of the topology in progress: awaitable for its plan, iterable for its progress.
 *
 * ```ts
 * const plan = await cache.addNode(node);                     // resolves when the new topology is in force
 * for await (const { phase, filled } of cache.addNode(node)) {}  // ends when nothing of the change is left to do
 * ```
 */

import type { RebalancePlan } from '../rebalance/plan.ts';
import { holdProcess } from '../runtime/hold.ts';

export interface RebalanceProgress {
  /**
   * switched  the new topology is in force; with strategy 'none' there is nothing more to do
   * filling   previous owners are still asked for what the new ones miss
   * done      they are not asked any more, and the next change may begin
   */
  readonly phase: 'switched' | 'filling' | 'done';
  readonly epoch: number;
  readonly plan: RebalancePlan;
  /** Values put where they had been missed, by this change and read repair together, since it took force. */
  readonly filled: number;
  /** Milliseconds until previous owners are not asked any more. */
  readonly remainingMs: number;
}

/** How the maker of a {@link Rebalance} drives it. */
export interface RebalanceDriver {
  report(progress: RebalanceProgress): void;
}

export class Rebalance implements PromiseLike<RebalancePlan>, AsyncIterable<RebalanceProgress> {
  readonly #plan: Promise<RebalancePlan>;
  readonly #cancel: () => void;
  #latest: RebalanceProgress | undefined;
  #waiting: (() => void)[] = [];
  #failed = false;
  /** Somebody awaits or iterates. */
  #observed = false;

  /** @param run  Starts the change and resolves with its plan; may go on to report progress until phase 'done'. */
  constructor(run: (driver: RebalanceDriver) => Promise<RebalancePlan>, cancel: () => void) {
    this.#cancel = cancel;
    this.#plan = run({ report: (progress) => this.#report(progress) });
    this.#plan.catch((error) => {
      this.#failed = true;
      this.#wake();
      // This listener must not hide a failure that has no other listener.
      process.nextTick(() => {
        if (!this.#observed) void Promise.reject(error);
      });
    });
  }

  /** Resolves with the plan when the new topology is in force. */
  // biome-ignore lint/suspicious/noThenProperty: a Rebalance is awaitable by design.
  then<A = RebalancePlan, B = never>(
    onFulfilled?: ((plan: RebalancePlan) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#observed = true;
    return this.#plan.then(onFulfilled, onRejected);
  }

  catch<B = never>(onRejected?: ((error: unknown) => B | PromiseLike<B>) | null): Promise<RebalancePlan | B> {
    return this.then(null, onRejected);
  }

  /**
   * Ends what is still going on: from now on previous owners are not asked. The new topology stays; what was not asked
   * for until now is missed. Harmless when nothing is going on.
   */
  cancel(): void {
    this.#cancel();
  }

  /** Yields the latest progress whenever there is a new one, and ends after phase 'done'. */
  async *[Symbol.asyncIterator](): AsyncGenerator<RebalanceProgress, void, undefined> {
    this.#observed = true;
    let seen: RebalanceProgress | undefined;
    while (true) {
      if (this.#failed) await this.#plan;
      if (this.#latest === seen) await this.#news();
      else {
        seen = this.#latest!;
        yield seen;
        if (seen.phase === 'done') return;
      }
    }
  }

  async #news(): Promise<void> {
    // A lazy change does not keep a process alive, but somebody who waits for its end does.
    const letGo = holdProcess();
    await new Promise<void>((wake) => this.#waiting.push(wake));
    letGo();
  }

  #report(progress: RebalanceProgress): void {
    this.#latest = progress;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
