/**
 * Nanoseconds of CPU an operation takes, for operations of nanoseconds on a machine that others use too.
 *
 * - Each contender has a loop function of its own, compiled from text of its own, so that what the engine learns of the
 *   strings and classes in one loop does not shape the code of another.
 * - Samples are CPU time of the whole process, so that the engine's threads for collecting garbage and for compiling
 *   count, and so that time in which another process had the core does not.
 * - A round holds one sample of each contender, in an order that is drawn for each round from a fixed seed, so that nobody
 *   always follows the same other one. Ratios are taken within a round, and their median is what counts.
 * - Before each sample the loop runs for a while untimed, since the contender before it has used the caches.
 * - The place in the list of keys goes on from call to call: starting over would let a cache of the last keys hit.
 * - What the loop finds is added up, and the sum is checked against one worked out beforehand.
 */

import { type Random, seededRandom } from '../../src/runtime/random.ts';
import { median, quantile } from './statistics.ts';

export interface TimedLoop {
  readonly name: string;
  /**
   * The body of the loop as JavaScript: reads `key` and `subject` and assigns an integer to `value`.
   * `value = subject.nodeFor(key).length;`
   */
  readonly body: string;
  /** Where `key` comes from, as JavaScript that reads `keys` and `index`; default `keys[index]`. */
  readonly key?: string;
  readonly subject: unknown;
  /** As many as a power of two. */
  readonly keys: readonly string[];
  /** What `value` must be for each of the keys. */
  readonly expected: readonly number[];
}

export interface LoopTimes {
  readonly name: string;
  /** CPU nanoseconds an operation, one for each round. */
  readonly samples: readonly number[];
}

export interface LoopOptions {
  readonly rounds: number;
  /** About how long a sample takes, in milliseconds of CPU. */
  readonly sampleMs: number;
}

type Loop = (operations: number) => number;

/** @throws {Error} A loop found something else than it should have. */
export function timeLoops(timed: readonly TimedLoop[], { rounds, sampleMs }: LoopOptions): LoopTimes[] {
  const loops = timed.map(prepare);
  for (const loop of loops) loop.calibrate(sampleMs);
  const random = seededRandom(1);
  for (let round = 0; round < rounds; round++) for (const loop of shuffled(loops, random)) loop.sample();
  for (const loop of loops) loop.check();
  return loops.map(({ name, samples }) => ({ name, samples }));
}

export function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const order = [...items];
  for (let left = order.length; left > 1; left--) {
    const drawn = Math.floor(random() * left);
    [order[left - 1], order[drawn]] = [order[drawn]!, order[left - 1]!];
  }
  return order;
}

function prepare(timed: TimedLoop) {
  const { name, keys, expected } = timed;
  const run = compile(timed);
  const samples: number[] = [];
  let [done, operations, sum] = [0, 0, 0];
  const go = (count: number) => {
    sum = run(count);
    done += count;
  };
  return {
    name,
    samples,
    /** Runs until the code is compiled for good, and finds how many operations make a sample. */
    calibrate(sampleMs: number): void {
      // Many short calls first: code that is compiled in the midst of one long call knows little of what it will meet.
      for (let call = 0; call < 500; call++) go(64);
      for (let ms = 0, count = 256; ms < sampleMs || count < 1_024; count *= 2) {
        const nanos = cpuNanos(() => go(count));
        ms = nanos / 1e6;
        operations = Math.max(1, Math.round((count * sampleMs) / Math.max(ms, 1e-3)));
      }
      for (let time = 0; time < 3; time++) go(operations);
    },
    sample(): void {
      go(Math.ceil(operations / 3));
      samples.push(cpuNanos(() => go(operations)) / operations);
    },
    check(): void {
      const pass = expected.reduce((total, value) => (total + value) | 0, 0);
      let wanted = Math.imul(pass, Math.floor(done / keys.length));
      for (const value of expected.slice(0, done % keys.length)) wanted = (wanted + value) | 0;
      if (sum !== wanted) throw new Error(`${name}: the answers sum to ${sum}, and should to ${wanted}.`);
    },
  };
}

function compile({ name, body, key = 'keys[index]', subject, keys }: TimedLoop): Loop {
  if (!Number.isInteger(Math.log2(keys.length))) throw new Error('The number of keys must be a power of two.');
  const source = `
    // ${name}: text of its own, or the engine would take an earlier loop's code for it.
    let [place, total] = [0, 0];
    return (operations) => {
      let [index, sum, value] = [place, total, 0];
      for (let operation = 0; operation < operations; operation++) {
        const key = ${key};
        ${body}
        sum = (sum + value) | 0;
        index = (index + 1) & ${keys.length - 1};
      }
      [place, total] = [index, sum];
      return sum;
    };`;
  return new Function('subject', 'keys', source)(subject, keys) as Loop;
}

/** CPU time of this process, all its threads, while `work` runs. */
export function cpuNanos(work: () => void): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) * 1_000;
}

/** Median, 10th and 90th percentile. */
export interface Spread {
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
}

export function spreadOf(samples: readonly number[]): Spread {
  return { median: median(samples), p10: quantile(samples, 0.1), p90: quantile(samples, 0.9) };
}

/** What `times` takes of what `base` takes, round by round. */
export function ratioTo(base: LoopTimes, times: LoopTimes): Spread {
  return spreadOf(times.samples.map((sample, round) => sample / base.samples[round]!));
}
