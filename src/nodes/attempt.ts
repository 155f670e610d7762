/**
 * The door to the nodes: every call to one goes through here. Its observer hears of its beginning and its end, and a failure
 * becomes a `NodeAttempt`, which says what was tried where and why that failed.
 */

import type { CallOptions } from '../backend/backend.ts';
import type { NodeAttempt } from '../errors/index.ts';
import { type NodeObserver, unwatched } from '../health/node-observer.ts';
import type { Clock } from '../runtime/clock.ts';
import { type NodeCall, nodeCalls } from '../telemetry/channels.ts';
import type { Member } from './node.ts';
import type { Operation } from './operation.ts';

/** What came of one call to one node. */
export type Outcome<Reply> =
  | { readonly failed: undefined; readonly reply: Reply }
  | { readonly failed: NodeAttempt; readonly reply?: undefined };

export class Door {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Asks one node. Never rejects. */
  attempt<Reply>(member: Member, operation: Operation<Reply>, limits: CallOptions): Promise<Outcome<Reply>> {
    const beganMs = this.#clock.nowMs();
    return this.send(member, operation, limits).then(
      (reply): Outcome<Reply> => {
        this.answered(member, operation, beganMs);
        return { failed: undefined, reply };
      },
      (error: unknown) => ({ failed: this.failed(member, operation, beganMs, error, limits.signal) }),
    );
  }

  /**
   * The same for who has no other node to ask: rejects with the node's own error.
   * @param beganMs  On the monotonic clock. @param isExcused  True for failures that say nothing of the node.
   */
  ask<Reply, At extends Member, Limits extends CallOptions>(
    member: At,
    operation: Operation<Reply, At, Limits>,
    limits: Limits,
    beganMs: number,
    isExcused?: (error: unknown) => boolean,
  ): Promise<Reply> {
    return this.send(member, operation, limits).then(
      (reply) => {
        this.answered(member, operation, beganMs);
        return reply;
      },
      (error: unknown) => {
        this.failed(member, operation, beganMs, error, limits.signal, isExcused?.(error));
        throw error;
      },
    );
  }

  /**
   * The same for callers who go on with what comes of it, and say so by {@link Door.answered} or {@link Door.failed}
   * themselves: most calls have one node to ask, and cost as little as one promise does.
   */
  send<Reply, At extends Member, Limits extends CallOptions>(
    member: At,
    operation: Operation<Reply, At, Limits>,
    limits: Limits,
  ): Promise<Reply> {
    this.enter(member, operation);
    try {
      return Promise.resolve(operation.run(member, limits));
    } catch (error) {
      return Promise.reject(error); // An operation may throw where it should reject, or return no promise.
    }
  }

  /**
   * Every call comes in here. What is sent otherwise than by {@link Door.send} says so itself, and then its end: where many are
   * sent, another promise for each would cost more than all else of the door.
   */
  enter(member: Member, operation: Observed): void {
    observerOf(member, operation).began();
  }

  /** @param beganMs  When the node was asked, on the monotonic clock. */
  answered(member: Member, operation: Observed, beganMs: number): void {
    observerOf(member, operation).answered(beganMs);
    if (nodeCalls.hasSubscribers) publish(member, operation, this.#clock.nowMs() - beganMs, undefined);
  }

  /**
   * Returns what is to be said of the failure. That says nothing of the node where the caller has aborted the call.
   * @param isExcused  Nor does it here.
   */
  failed(
    member: Member,
    operation: Observed,
    beganMs: number,
    error: unknown,
    signal: AbortSignal | undefined,
    isExcused = false,
  ): NodeAttempt {
    const endedMs = this.#clock.nowMs();
    const isAborted = signal?.aborted === true;
    const observer = observerOf(member, operation);
    if (isAborted || isExcused) observer.abandoned();
    else observer.failed(error, beganMs, endedMs);
    const attempt = { node: member.id, elapsedMs: endedMs - beganMs, error: isAborted ? signal.reason : error };
    if (nodeCalls.hasSubscribers) publish(member, operation, attempt.elapsedMs, attempt.error);
    return attempt;
  }

  /**
   * Passes on what a node lists, as one call. The time that the reader takes from one item to the next is not the node's.
   * @param operation  What is asked, for who looks on. @param begin  Asks the node.
   * @param onFailed  Called where the listing ends early by a failure; it does not throw.
   */
  async *list<Item>(
    member: Member,
    operation: Observed,
    begin: () => AsyncIterable<Item>,
    signal: AbortSignal | undefined,
    onFailed: (failed: NodeAttempt) => void,
  ): AsyncGenerator<Item, void, undefined> {
    const clock = this.#clock;
    let askedMs = clock.nowMs();
    let isOpen = true;
    member.observer.began();
    try {
      for await (const item of begin()) {
        const readerTookItMs = clock.nowMs();
        yield item;
        askedMs += clock.nowMs() - readerTookItMs;
      }
      isOpen = false;
      this.answered(member, operation, askedMs);
    } catch (error) {
      isOpen = false;
      onFailed(this.failed(member, operation, askedMs, error, signal));
    } finally {
      if (isOpen) member.observer.abandoned(); // The reader has left.
    }
  }
}

/** What is said of a call to who looks on. */
export type Observed = Pick<Operation<unknown>, 'name' | 'keys' | 'effect' | 'isInSteps'>;

function publish({ id }: Member, { name, keys, effect, isInSteps }: Observed, elapsedMs: number, error: unknown): void {
  if (isInSteps === true) return; // Each step is published by itself.
  const call: NodeCall = { node: id, operation: name, keys: keys.length, effect, elapsedMs, error };
  nodeCalls.publish(call);
}

const observerOf = ({ observer }: Member, { isInSteps }: Observed): NodeObserver =>
  isInSteps === true ? unwatched : observer;
