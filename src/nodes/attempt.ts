/**
 * The door to the nodes: every call to one goes through here. It is timed, its failure is told to health, and becomes a
 * `NodeAttempt`, which says what was tried where and why that failed.
 *
 * A call that its caller has aborted says nothing of the node.
 */

import type { CallOptions } from '../backend/backend.ts';
import type { NodeAttempt } from '../errors/index.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Member } from './node.ts';
import type { Operation } from './operation.ts';

/** Hears what came of calls. */
export interface Observer {
  /** A call to the node has failed. That may speak of the node or of the call. */
  noteFailure(member: Member, error: unknown): void;
}

/** What came of one call to one node. */
export type Outcome<Reply> =
  | { readonly failed: undefined; readonly reply: Reply }
  | { readonly failed: NodeAttempt; readonly reply?: undefined };

const answered = <Reply>(reply: Reply): Outcome<Reply> => ({ failed: undefined, reply });

export class Door {
  readonly #clock: Clock;
  readonly #observer: Observer;

  constructor(clock: Clock, observer: Observer) {
    this.#clock = clock;
    this.#observer = observer;
  }

  /** Asks one node. Never rejects. */
  attempt<Reply>(member: Member, operation: Operation<Reply>, limits: CallOptions): Promise<Outcome<Reply>> {
    const beganMs = this.#clock.nowMs();
    return this.send(member, operation, limits).then(answered<Reply>, (error: unknown) => ({
      failed: this.failure(member, beganMs, error, limits.signal),
    }));
  }

  /**
   * The same for callers who go on with what comes of it, and give a failure to {@link Door.failure} themselves: most calls
   * have one node to ask, and cost as little as one promise does.
   */
  send<Reply>(member: Member, operation: Operation<Reply>, limits: CallOptions): Promise<Reply> {
    try {
      return Promise.resolve(operation.run(member, limits));
    } catch (error) {
      return Promise.reject(error); // An operation may throw where it should reject, or return no promise.
    }
  }

  /** Tells health of a failure, and what is to be said of it. @param beganMs  When the node was asked, on the monotonic clock. */
  failure(member: Member, beganMs: number, error: unknown, signal: AbortSignal | undefined): NodeAttempt {
    const isAborted = signal?.aborted === true;
    if (!isAborted) this.#observer.noteFailure(member, error);
    return { node: member.id, elapsedMs: this.#clock.nowMs() - beganMs, error: isAborted ? signal.reason : error };
  }
}
