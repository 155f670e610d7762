/** Ends the use of a connection early: by its deadline, its signal, the loss of the connection, or closing. */

import { offAbort, onAbort } from '../../runtime/abort.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Deferred } from '../../runtime/deferred.ts';
import { limitSteps, type Steps } from '../../runtime/step-limit.ts';
import type { Client } from '../link/client.ts';

export interface UseLimitOptions {
  readonly clock: Clock;
  /** Milliseconds; Infinity for none. */
  readonly timeoutMs: number;
  /** On the monotonic clock. */
  readonly beganMs: number;
  /** The steps of getting a connection. */
  readonly steps: Steps;
  readonly signal: AbortSignal | undefined;
  readonly timeoutError: () => Error;
}

export class UseLimit {
  readonly #clock: Clock;
  readonly #reached = new Deferred<never>();
  readonly #undo: (() => void)[] = [];
  #steps: Steps;
  #cancelDeadline: () => void = () => undefined;

  constructor({ clock, timeoutMs, beganMs, steps, signal, timeoutError }: UseLimitOptions) {
    this.#clock = clock;
    this.#steps = steps;
    this.#reached.promise.catch(() => undefined);
    if (timeoutMs !== Number.POSITIVE_INFINITY) {
      const options = { timeoutMs, beganMs, steps: () => this.#steps };
      this.#cancelDeadline = limitSteps(clock, options, () => this.end(timeoutError()));
    }
    if (signal !== undefined) {
      const abort = () => this.end(signal.reason);
      onAbort(signal, abort);
      this.#undo.push(() => offAbort(signal, abort));
    }
  }

  /** Rejects when the use is to end. */
  get reached(): Promise<never> {
    return this.#reached.promise;
  }

  end(reason: unknown): void {
    this.#reached.reject(reason);
  }

  /** From now on these are the steps that have time of their own each. */
  follow(steps: Steps): void {
    this.#steps = steps;
  }

  /** From now on there is no deadline. */
  liftDeadline(): void {
    this.#cancelDeadline();
  }

  /** From now on the use ends at the latest so long after its connection: it may wait for more than replies. */
  endAfterLoss(client: Client, graceMs: number, makeError: () => Error): void {
    let cancel: () => void = () => undefined;
    const onClose = () => {
      cancel = this.#clock.schedule(graceMs, () => this.end(makeError()), true);
    };
    client.on('close', onClose);
    this.#undo.push(() => {
      client.removeListener('close', onClose);
      cancel();
    });
  }

  /** Watches no more. Idempotent. */
  release(): void {
    this.#cancelDeadline();
    for (const undo of this.#undo.splice(0)) undo();
  }
}
