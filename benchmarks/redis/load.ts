/**
 * One sample: a number of callers for some time, and what it took.
 *
 * Reading the clock twice costs a tenth of the cheapest operation here. Where there are many, one operation in eight is
 * timed, by its number, so that who is timed has nothing to do with how long it takes. Calls under way when the time is
 * up are waited for and counted.
 */

import { quantile } from '../support/statistics.ts';
import type { Arrival } from './cells.ts';

export interface Load {
  readonly callers: number;
  readonly arrival: Arrival;
  readonly durationMs: number;
  /** One operation in this many is timed: 1, 2, 4 and so on. */
  readonly timedOneIn: number;
  /** The operation of a number, which tells its key. */
  readonly call: (number: number) => Promise<unknown>;
  /** Apart from `call`, which then needs no promise of its own. */
  readonly isRight: (answer: unknown, number: number) => boolean;
}

export interface LoadResult {
  readonly operations: number;
  readonly wrong: number;
  readonly elapsedMs: number;
  /** CPU of this process with all its threads, microseconds. */
  readonly cpuMicros: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export async function runLoad({ callers, arrival, durationMs, timedOneIn, call, isRight }: Load): Promise<LoadResult> {
  const timedMask = timedOneIn - 1;
  const latenciesMs: number[] = [];
  let [started, wrong, isOver] = [0, 0, false];
  const cpuStart = process.cpuUsage();
  const startMs = performance.now();
  const endMs = startMs + durationMs;
  const note = (sinceMs: number) => {
    const nowMs = performance.now();
    latenciesMs.push(nowMs - sinceMs);
    if (nowMs >= endMs) isOver = true;
  };

  const askAgainAndAgain = async () => {
    while (!isOver) {
      const number = started++;
      if ((number & timedMask) !== 0) {
        if (!isRight(await call(number), number)) wrong++;
        continue;
      }
      const sinceMs = performance.now();
      if (!isRight(await call(number), number)) wrong++;
      note(sinceMs);
    }
  };

  const arriveAgainAndAgain = () =>
    new Promise<void>((resolve, reject) => {
      const arrive = () => {
        if (isOver) {
          resolve();
          return;
        }
        const number = started++;
        const sinceMs = (number & timedMask) === 0 ? performance.now() : undefined;
        call(number).then((answer) => {
          if (!isRight(answer, number)) wrong++;
          if (sinceMs !== undefined) note(sinceMs);
          setImmediate(arrive);
        }, reject);
      };
      setImmediate(arrive);
    });

  const caller = arrival === 'closed' ? askAgainAndAgain : arriveAgainAndAgain;
  await Promise.all(Array.from({ length: callers }, caller));
  const elapsedMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpuStart);
  return {
    operations: started,
    wrong,
    elapsedMs,
    cpuMicros: user + system,
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
  };
}
