/** Calls that wait until their channels are subscribed at all of their homes, wherever these are by then. */

import { Deferred } from '../../runtime/deferred.ts';
import { byFamily, type Channel, type Family } from './channel.ts';

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

/** Found by their channels, as there may be thousands, each for a channel of its own. */
export class PendingCalls implements Iterable<PendingCall> {
  readonly #calls = new Set<PendingCall>();
  readonly #waiting = byFamily(() => new Map<string, Set<PendingCall>>());

  /** Until it has ended. */
  add(call: PendingCall): void {
    this.#calls.add(call);
    const waiting = this.#waiting[call.family];
    const channels = [...call.missing];
    for (const { id } of channels) {
      const calls = waiting.get(id);
      if (calls === undefined) waiting.set(id, new Set([call]));
      else calls.add(call);
    }
    const remove = () => {
      this.#calls.delete(call);
      for (const { id } of channels) {
        const calls = waiting.get(id);
        if (calls?.delete(call) && calls.size === 0) waiting.delete(id);
      }
    };
    call.ended.then(remove, remove);
  }

  /** Those that were begun with the channel, whether or not they still wait for it. */
  of(family: Family, { id }: Channel): Iterable<PendingCall> {
    return this.#waiting[family].get(id) ?? [];
  }

  [Symbol.iterator](): Iterator<PendingCall> {
    return this.#calls.values();
  }
}
