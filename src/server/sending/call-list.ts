/**
 * Calls in the order of their coming, any of which may leave at any time.
 *
 * A doubly linked list whose links are in the calls themselves: a Set does the same and costs more than all else that a
 * connection does for a call.
 */

import type { Call } from './call.ts';

export class CallList implements Iterable<Call> {
  size = 0;
  #first: Call | undefined;
  #last: Call | undefined;

  /** @param call  In no list. */
  add(call: Call): void {
    call.previous = this.#last;
    if (this.#last === undefined) this.#first = call;
    else this.#last.next = call;
    this.#last = call;
    this.size++;
  }

  /** @param call  In this list. */
  delete(call: Call): void {
    const { previous, next } = call;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    call.previous = undefined;
    call.next = undefined;
    this.size--;
  }

  /** The one that was given last may leave before the next is asked for. */
  *[Symbol.iterator](): Generator<Call> {
    let call = this.#first;
    while (call !== undefined) {
      const { next } = call;
      yield call;
      call = next;
    }
  }
}
