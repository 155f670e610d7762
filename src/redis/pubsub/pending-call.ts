/** A call that waits until its channels are subscribed at all of their homes, wherever these are by then. */

import { Deferred } from '../../runtime/deferred.ts';
import type { Channel, Family } from './channel.ts';

export class PendingCall {
  readonly #missing: Map<string, Channel>;
  readonly #ended = new Deferred<void>();

  /** @param nodesOf  Those that have to confirm, at any time. @param hasCaller  A refusal is the caller's to know. */
  constructor(
    readonly family: Family,
    channels: Iterable<Channel>,
    readonly nodesOf: (channel: Channel) => readonly string[],
    readonly hasCaller: boolean,
  ) {
    this.#missing = new Map([...channels].map((channel) => [channel.id, channel]));
    this.#endIfComplete();
  }

  /** Rejects with what {@link fail} was given. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** What not all of its nodes have confirmed yet. */
  get missing(): Iterable<Channel> {
    return this.#missing.values();
  }

  waitsFor({ id }: Channel): boolean {
    return this.#missing.has(id);
  }

  /** There is nothing to wait for any more: all of its nodes have confirmed, or it is not desired now. */
  settle({ id }: Channel): void {
    if (this.#missing.delete(id)) this.#endIfComplete();
  }

  fail(error: unknown): void {
    this.#ended.reject(error);
  }

  #endIfComplete(): void {
    if (this.#missing.size === 0) this.#ended.resolve();
  }
}
