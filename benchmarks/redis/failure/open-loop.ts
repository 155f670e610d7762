/**
 * Calls at a steady rate, whether earlier ones have been answered or not, as users come.
 *
 * A call is due at a time that was fixed before, and its latency counts from then: where the client itself is held up,
 * its calls start late, and that is part of what a user waits. Timers are too coarse for thousands of calls a second, so
 * the loop goes round by `setImmediate` and looks at the clock; its core is busy all the time, for every contender alike.
 */

import { quantile } from '../../support/statistics.ts';
import type { Outcomes } from './phases.ts';

export interface OpenLoop {
  readonly perSecond: number;
  readonly durationMs: number;
  /** How long to wait, at the end, for calls that have not ended. */
  readonly patienceMs: number;
  /** The call of a number, and the group whose outcomes it belongs to. */
  call(number: number): { readonly group: 'victim' | 'others'; readonly answer: Promise<unknown> };
}

export async function openLoop(options: OpenLoop): Promise<Record<'victim' | 'others', Outcomes>> {
  const tallies = { victim: new Tally(), others: new Tally() };
  const startMs = performance.now();
  await everyDue(options, startMs, (number, dueMs) => {
    const { group, answer } = options.call(number);
    const tally = tallies[group];
    tally.begin();
    answer.then(
      () => tally.end('ok', performance.now() - dueMs),
      (error: unknown) => tally.end(endingOf(error), performance.now() - dueMs),
    );
  });
  const givenUpMs = performance.now() + options.patienceMs;
  while (tallies.victim.isUnderWay || tallies.others.isUnderWay) {
    if (performance.now() > givenUpMs) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return { victim: tallies.victim.outcomes(), others: tallies.others.outcomes() };
}

function everyDue(
  { perSecond, durationMs }: OpenLoop,
  startMs: number,
  start: (number: number, dueMs: number) => void,
): Promise<void> {
  const gapMs = 1_000 / perSecond;
  const total = Math.ceil(durationMs / gapMs);
  return new Promise((resolve) => {
    let number = 0;
    const turn = () => {
      const nowMs = performance.now();
      for (; number < total && startMs + number * gapMs <= nowMs; number++) start(number, startMs + number * gapMs);
      if (number < total) setImmediate(turn);
      else resolve();
    };
    turn();
  });
}

class Tally {
  #begun = 0;
  #ended = 0;
  #longestMs = 0;
  readonly #answeredMs: number[] = [];
  readonly #endings: Record<string, number> = {};
  #isClosed = false;

  get isUnderWay(): boolean {
    return this.#ended < this.#begun;
  }

  begin(): void {
    this.#begun++;
  }

  end(ending: string, elapsedMs: number): void {
    if (this.#isClosed) return; // Given up before.
    this.#ended++;
    this.#longestMs = Math.max(this.#longestMs, elapsedMs);
    this.#endings[ending] = (this.#endings[ending] ?? 0) + 1;
    if (ending === 'ok') this.#answeredMs.push(elapsedMs);
  }

  outcomes(): Outcomes {
    this.#isClosed = true;
    const part = (share: number) => (this.#answeredMs.length === 0 ? Number.NaN : quantile(this.#answeredMs, share));
    return {
      calls: this.#begun,
      p50Ms: part(0.5),
      p99Ms: part(0.99),
      endings: this.#endings,
      longestMs: this.#longestMs,
      unended: this.#begun - this.#ended,
    };
  }
}

/** An error's code if it has one; else its message, which with ioredis is all there is to tell it by. */
export function endingOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : error.message.slice(0, 60);
}
