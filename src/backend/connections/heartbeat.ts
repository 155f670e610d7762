/**
 * Signs of life of a connection on which nobody waits for anything: a peer that vanished without a word would be listened to
 * for ever.
 *
 * The peer is asked every period, and has until the next time to answer. The time for which this process itself was held up
 * does not count: the answer may have come long ago and wait in the socket, which is read after the timers that are due. So
 * a beat without an answer is followed by one more look, as much later as its timer was late.
 */

import type { Clock } from '../../runtime/clock.ts';

export interface HeartbeatOptions {
  readonly clock: Clock;
  /** Milliseconds. */
  readonly periodMs: number;
  /** Asks for a sign of life. A refusal is one too; a connection that ends is its owner's concern. */
  readonly ask: () => Promise<unknown>;
  /** Told once, when no answer came. The heart has then stopped. */
  readonly onSilence: () => void;
}

/** Long enough for what has arrived to be read between two timers. Milliseconds. */
const lookMs = 1;

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  /** Counts the questions; an answer to an earlier one is none to the last. */
  #asked = 0;
  #answered = 0;
  #cancel: () => void = () => undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Starts with a question. What was started before is stopped. */
  startByAsking(): void {
    this.stop();
    this.#ask();
  }

  /** Starts, with the first question after a period. */
  start(): void {
    this.stop();
    this.#answered = this.#asked;
    this.#waitForNext();
  }

  /** Idempotent. */
  stop(): void {
    this.#cancel();
    this.#cancel = () => undefined;
  }

  #ask(): void {
    const question = ++this.#asked;
    const onAnswer = () => {
      this.#answered = Math.max(this.#answered, question);
    };
    this.#options.ask().then(onAnswer, onAnswer);
    this.#waitForNext();
  }

  #waitForNext(): void {
    const { clock, periodMs } = this.#options;
    const dueMs = clock.nowMs() + periodMs;
    const look = () => {
      if (this.#answered === this.#asked) return this.#ask();
      const latenessMs = clock.nowMs() - dueMs;
      this.#cancel = clock.schedule(Math.max(lookMs, latenessMs), () => this.#lookAgain(), false);
    };
    this.#cancel = clock.schedule(periodMs, look, false);
  }

  #lookAgain(): void {
    if (this.#answered === this.#asked) this.#ask();
    else this.#options.onSilence();
  }
}
