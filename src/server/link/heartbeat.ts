/**
 * Signs of life of a connection on which no call waits: without them, a peer that vanished silently would be listened to
 * for ever.
 *
 * The peer is asked every period, and has until the next time to answer; stalls of this process do not count.
 */

import type { Clock } from '../../runtime/clock.ts';
import { limitTime } from '../../runtime/time-limit.ts';

export interface HeartbeatOptions {
  readonly clock: Clock;
  /** Milliseconds. */
  readonly periodMs: number;
  /** Asks for a sign of life. A refusal is one too; a connection that ends is its owner's concern. */
  readonly ask: () => Promise<unknown>;
  /** Bytes that have come so far. Where more have come, the answer is only late, behind what is long. */
  readonly bytesRead?: (() => number) | undefined;
  /** Told once, when no answer came, and nothing else. The heart has then stopped. */
  readonly onSilence: () => void;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  /** Counts the questions; an answer to an earlier question does not count for the last. */
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
    const bytes = this.#bytesRead();
    const look = () => {
      if (this.#answered === this.#asked || this.#bytesRead() !== bytes) this.#ask();
      else this.#options.onSilence();
    };
    this.#cancel = limitTime(clock, periodMs, look, false);
  }

  #bytesRead(): number {
    return this.#options.bytesRead?.() ?? 0;
  }
}
