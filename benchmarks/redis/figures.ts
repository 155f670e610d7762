/** From samples to what is told: medians, and ratios to the base within a round. */

import { type Spread, spreadOf } from '../support/cpu-rounds.ts';
import { type Cell, cellName } from './cells.ts';
import type { CellSamples, CountedSample } from './rounds.ts';

export interface Figures {
  readonly name: string;
  /** Operations a second, median. */
  readonly perSecond: number;
  /** Operations a second as a multiple of the base's. */
  readonly ratio: Spread;
  /** CPU of the client process for an operation, microseconds. */
  readonly clientMicros: Spread;
  /** The base's client CPU for an operation as a multiple of this one's: what other work on the machine changes least. */
  readonly cpuGain: Spread;
  /** CPU of all its servers for an operation, microseconds: of all rounds together, since one of twemproxy counts by 10 ms. */
  readonly serverMicros: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p50Ratio: Spread;
  readonly p99Ratio: Spread;
}

export interface CellFigures {
  readonly cell: Cell;
  readonly figures: readonly Figures[];
}

/** @param order  Names in the order wanted; those that did not take part are left out. */
export function figuresOf({ cell, samples }: CellSamples, base: string, order: readonly string[]): CellFigures {
  const ofBase = samples.get(base);
  if (ofBase === undefined) throw new Error(`${base} took no part in ${cellName(cell)}.`);
  const figures = order.flatMap((name) => {
    const own = samples.get(name);
    return own === undefined ? [] : [figuresOfOne(name, own, ofBase)];
  });
  return { cell, figures };
}

const clientMicros = ({ cpuMicros, operations }: CountedSample) => cpuMicros / operations;
const perSecond = ({ operations, elapsedMs }: CountedSample) => (operations / elapsedMs) * 1_000;

function figuresOfOne(name: string, own: readonly CountedSample[], base: readonly CountedSample[]): Figures {
  const each = (figure: (sample: CountedSample) => number) => spreadOf(own.map(figure));
  const ratio = (figure: (sample: CountedSample) => number) =>
    spreadOf(own.map((sample, round) => figure(sample) / figure(base[round]!)));
  const total = (figure: (sample: CountedSample) => number) => own.reduce((sum, sample) => sum + figure(sample), 0);
  return {
    name,
    perSecond: each(perSecond).median,
    ratio: ratio(perSecond),
    clientMicros: each(clientMicros),
    cpuGain: spreadOf(own.map((sample, round) => clientMicros(base[round]!) / clientMicros(sample))),
    serverMicros: total(({ serverCpuMicros }) => serverCpuMicros) / total(({ allOperations }) => allOperations),
    p50Ms: each(({ p50Ms }) => p50Ms).median,
    p99Ms: each(({ p99Ms }) => p99Ms).median,
    p50Ratio: ratio(({ p50Ms }) => p50Ms),
    p99Ratio: ratio(({ p99Ms }) => p99Ms),
  };
}
