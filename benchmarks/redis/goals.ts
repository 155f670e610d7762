/** What the issue of `ShardedRedis` aimed at, beside what was measured. */

import { tableLines } from '../../src/cli/draw/table.ts';
import type { Spread } from '../support/cpu-rounds.ts';
import { type Arrival, type Cell, cellName, type Operation } from './cells.ts';
import type { CellFigures, Figures } from './figures.ts';

/** Times the throughput of the base, by number of callers. For closed loop and independent arrivals alike. */
interface SpeedGoal {
  readonly contender: string;
  readonly operation: Operation;
  readonly atLeast: Readonly<Record<number, number>>;
}

const speedGoals: readonly SpeedGoal[] = [
  { contender: 'ShardedCache', operation: 'get', atLeast: { 1: 0.97, 50: 2.5, 500: 5 } },
  { contender: 'ShardedCache', operation: 'set', atLeast: { 1: 0.97, 50: 1.9, 500: 2.5 } },
  { contender: 'ShardedRedis', operation: 'get', atLeast: { 1: 0.95, 50: 1.8, 500: 2.8 } },
  { contender: 'ShardedCache', operation: 'mget', atLeast: { 1: 1, 50: 1.2 } },
  { contender: 'ShardedRedis', operation: 'mget', atLeast: { 1: 1, 50: 1.2 } },
];

/** Of these, no percentile of latency may be above the base's, in any cell. */
const latencyGoals = ['ShardedCache', 'ShardedRedis'];

export interface Judged {
  readonly what: string;
  readonly goal: string;
  readonly measured: Spread;
  /** The same by CPU of the client process, of goals of throughput; not what is judged. */
  readonly byCpu: Spread | undefined;
  readonly verdict: 'met' | 'not met' | 'not met, within the spread';
}

/** The median decides. Where the limit lies between the 10th and 90th percentile, a failure may be luck, and says so. */
export function verdictOf({ median, p10, p90 }: Spread, is: 'at least' | 'at most', limit: number): Judged['verdict'] {
  if (is === 'at least' ? median >= limit : median <= limit) return 'met';
  return p10 <= limit && limit <= p90 ? 'not met, within the spread' : 'not met';
}

export function judge(cells: readonly CellFigures[]): Judged[] {
  return [...judgeSpeed(cells), ...judgeLatency(cells)];
}

function judgeSpeed(cells: readonly CellFigures[]): Judged[] {
  return speedGoals.flatMap(({ contender, operation, atLeast }) =>
    cells.flatMap(({ cell, figures }) => {
      const limit = cell.operation === operation ? atLeast[cell.callers] : undefined;
      const found = named(figures, contender);
      if (limit === undefined || found === undefined) return [];
      return {
        what: `${contender}.${operation}, ${callersOf(cell)}`,
        goal: `>= ${limit.toFixed(2)}x`,
        measured: found.ratio,
        byCpu: found.cpuGain,
        verdict: verdictOf(found.ratio, 'at least', limit),
      };
    }),
  );
}

function judgeLatency(cells: readonly CellFigures[]): Judged[] {
  return latencyGoals.flatMap((contender) =>
    (['p50Ratio', 'p99Ratio'] as const).flatMap((figure) => {
      const all = cells.flatMap(({ cell, figures }) => {
        const found = named(figures, contender);
        return found === undefined ? [] : [{ cell, spread: found[figure] }];
      });
      if (all.length === 0) return [];
      const worst = all.reduce((most, each) => (each.spread.median > most.spread.median ? each : most));
      return {
        what: `${contender}, ${figure === 'p50Ratio' ? 'p50' : 'p99'}, worst cell: ${cellName(worst.cell)}`,
        goal: '<= 1.00x',
        measured: worst.spread,
        byCpu: undefined,
        verdict: verdictOf(worst.spread, 'at most', 1),
      };
    }),
  );
}

const named = (figures: readonly Figures[], name: string) => figures.find((each) => each.name === name);

const arrivals: Record<Arrival, string> = { closed: 'closed loop', independent: 'independent' };

const callersOf = ({ callers, arrival }: Cell) =>
  `${callers} ${callers === 1 ? 'caller' : 'callers'}, ${arrivals[arrival]}`;

export function goalLines(judged: readonly Judged[]): string[] {
  return [
    'goals, as multiples of ioredis by modulo in the same round',
    ...tableLines(
      [
        { title: '', align: 'left' },
        { title: 'goal', align: 'right' },
        { title: 'median', align: 'right' },
        { title: 'p10 to p90', align: 'right' },
        { title: 'by CPU', align: 'right' },
        { title: '', align: 'left' },
      ],
      judged.map(({ what, goal, measured: { median, p10, p90 }, byCpu, verdict }) => [
        what,
        goal,
        `${median.toFixed(2)}x`,
        `${p10.toFixed(2)} to ${p90.toFixed(2)}`,
        byCpu === undefined ? '-' : `${byCpu.median.toFixed(2)}x`,
        verdict,
      ]),
    ),
    '',
  ];
}
