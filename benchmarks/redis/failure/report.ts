/** What the benchmark of failures found, as text; and its checks, which hold on any machine. */

import { count } from '../../../src/cli/draw/numbers.ts';
import { tableLines } from '../../../src/cli/draw/table.ts';
import { type Spread, spreadOf } from '../../support/cpu-rounds.ts';
import { median } from '../../support/statistics.ts';
import { verdictOf } from '../goals.ts';
import type { Outcomes, PhaseResult } from './phases.ts';

export interface ContenderResult {
  readonly name: string;
  /** One for each round. */
  readonly before: readonly PhaseResult[];
  readonly stopped: readonly PhaseResult[];
  readonly killed: PhaseResult;
}

/**
 * What must hold on any machine, however busy.
 * @throws {Error} A call did not end, or failed without a code of ours, or the calls for the other nodes failed too.
 */
export function expectSound({ name, stopped, killed }: ContenderResult): void {
  for (const { victim, others } of [...stopped, killed]) {
    const all = addedUp([victim, others]);
    if (all.unended > 0) throw new Error(`${name}: ${all.unended} calls did not end.`);
    const untyped = Object.keys(all.endings).find((ending) => ending !== 'ok' && !ending.startsWith('ERR_'));
    if (untyped !== undefined) throw new Error(`${name}: a call ended with ${untyped}.`);
    if (failures(victim) === 0) throw new Error(`${name}: no call noticed that a server was gone.`);
    // Half, since a machine that stands still for a moment makes calls late.
    if (failures(others) > others.calls / 2) throw new Error(`${name}: calls for the other nodes failed too.`);
  }
}

/** The others' p99 while one is stopped, as a multiple of that before. */
const p99Limit = 1.2;

export function failureLines(results: readonly ContenderResult[], smoke: boolean): string[] {
  return [...othersLines(results, smoke), ...victimLines(results)];
}

function othersLines(results: readonly ContenderResult[], smoke: boolean): string[] {
  const middle = (phases: readonly PhaseResult[], figure: (outcomes: Outcomes) => number) =>
    median(phases.map(({ others }) => figure(others))).toFixed(3);
  const right = (title: string) => ({ title, align: 'right' }) as const;
  return [
    `calls for keys of the three other nodes, before -> while one is stopped (goal: p99 within ${p99Limit}x)`,
    ...tableLines(
      [
        { title: '', align: 'left' },
        right('p50 ms'),
        right('p99 ms'),
        right('p99 ratio'),
        right('p10 to p90'),
        right('failed'),
        { title: '', align: 'left' },
      ],
      results.map(({ name, before, stopped }) => {
        const ratio = p99Ratio(before, stopped);
        return [
          name,
          `${middle(before, ({ p50Ms }) => p50Ms)} -> ${middle(stopped, ({ p50Ms }) => p50Ms)}`,
          `${middle(before, ({ p99Ms }) => p99Ms)} -> ${middle(stopped, ({ p99Ms }) => p99Ms)}`,
          `${ratio.median.toFixed(2)}x`,
          `${ratio.p10.toFixed(2)} to ${ratio.p90.toFixed(2)}`,
          count(stopped.reduce((total, { others }) => total + failures(others), 0)),
          // A few hundred calls judge nothing.
          smoke ? '' : verdictOf(ratio, 'at most', p99Limit),
        ];
      }),
    ),
    '',
  ];
}

export function p99Ratio(before: readonly PhaseResult[], stopped: readonly PhaseResult[]): Spread {
  return spreadOf(stopped.map(({ others }, round) => others.p99Ms / before[round]!.others.p99Ms));
}

const failures = ({ calls, endings }: Outcomes) => calls - (endings.ok ?? 0);

function victimLines(results: readonly ContenderResult[]): string[] {
  return ['stopped', 'killed'].flatMap((how) => [
    `how calls for keys of the ${how} node ended`,
    ...tableLines(
      [
        { title: '', align: 'left' },
        { title: 'calls', align: 'right' },
        { title: 'longest ms', align: 'right' },
        { title: 'never', align: 'right' },
        { title: 'endings', align: 'left' },
      ],
      results.map(({ name, stopped, killed }) => {
        const all = addedUp(how === 'stopped' ? stopped.map(({ victim }) => victim) : [killed.victim]);
        const endings = Object.entries(all.endings).sort(([, a], [, b]) => b - a);
        return [
          name,
          count(all.calls),
          all.longestMs.toFixed(0),
          count(all.unended),
          endings.map(([ending, times]) => `${ending} ${count(times)}`).join(', '),
        ];
      }),
    ),
    '',
  ]);
}

export function addedUp(all: readonly Outcomes[]): Pick<Outcomes, 'calls' | 'endings' | 'longestMs' | 'unended'> {
  const endings: Record<string, number> = {};
  for (const outcomes of all) {
    for (const [ending, times] of Object.entries(outcomes.endings)) endings[ending] = (endings[ending] ?? 0) + times;
  }
  return {
    calls: all.reduce((total, { calls }) => total + calls, 0),
    endings,
    longestMs: Math.max(...all.map(({ longestMs }) => longestMs)),
    unended: all.reduce((total, { unended }) => total + unended, 0),
  };
}
