/** The figures of a replay, and what must hold of them. */

import { count, percent } from '../../../src/cli/draw/numbers.ts';
import type { DemoNodes } from '../nodes/demo-nodes.ts';
import type { Report } from '../output/report.ts';
import { nodeCell } from '../steps/node-cell.ts';
import type { EventLog } from './event-log.ts';
import type { LatencyHistogram } from './latency-histogram.ts';
import type { Ledger } from './ledger.ts';
import type { ReplayStats } from './replay-stats.ts';

export interface Figures {
  readonly report: Report;
  readonly stats: ReplayStats;
  readonly ledger: Ledger;
  readonly nodes: DemoNodes;
  readonly events: EventLog;
  readonly total: number;
  readonly replicationFactor: number;
  /** A node was stopped and brought back. */
  readonly wasKilled: boolean;
  /** All nodes are up at the end. */
  readonly isBack: boolean;
}

export function showFigures(figures: Figures): void {
  const { report, stats } = figures;
  report.step('The figures');
  showPhases(figures);
  report.line();
  showLoads(figures);
  report.line();
  const events = figures.events.counts().map(([name, times]) => `${name} ${count(times)}`);
  report.line(`  Events: ${events.slice(0, 5).join(', ')},`);
  report.line(`          ${events.slice(5).join(', ')}`);
  report.line();
  const perSecond = stats.elapsedMs > 0 ? Math.round((stats.sum('requests') / stats.elapsedMs) * 1_000) : 0;
  report.line(
    `  ${count(stats.sum('requests'))} requests in ${(stats.elapsedMs / 1_000).toFixed(1)} s: ${count(perSecond)} operations/s`,
  );
  report.line(
    `  Hit ratio ${percent(ratio(stats.sum('hits'), stats.sum('reads')))}: ${count(stats.sum('hits'))} of ${count(stats.sum('reads'))} reads`,
  );
  if (stats.sum('refused') > 0)
    report.line(`  Increments of values that are not numbers, refused: ${count(stats.sum('refused'))}`);
  showErrors(figures);
  report.line();
  checkAll(figures);
}

const ratio = (part: number, whole: number) => (whole === 0 ? 1 : part / whole);

const milliseconds = (histogram: LatencyHistogram, q: number) => {
  const value = histogram.quantile(q);
  return value === undefined ? '-' : value.toFixed(2);
};

function showPhases({ report, stats }: Figures): void {
  const titles = ['phase', 'requests', 'ops/s', 'hit ratio', 'read p50', 'p99', 'write p50', 'p99', 'errors'];
  report.table(
    titles.map((title, index) => ({ title, align: index === 0 ? 'left' : 'right' })),
    stats.phases.map((phase) => [
      phase.name,
      count(phase.requests),
      count(Math.round((phase.requests / Math.max(1, (phase.endMs ?? phase.startMs) - phase.startMs)) * 1_000)),
      percent(ratio(phase.hits, phase.reads)),
      ...[phase.readLatency, phase.writeLatency].flatMap((latency) => [
        milliseconds(latency, 0.5),
        milliseconds(latency, 0.99),
      ]),
      count(phase.errors),
    ]),
  );
  report.line(report.painter.dim('  p50 and p99 in milliseconds, of single calls as the caller saw them'));
}

function showLoads({ report, nodes }: Figures): void {
  const loads = [...nodes.loads()];
  const all = loads.reduce((sum, [, { reads, writes }]) => sum + reads + writes, 0);
  report.table(
    [
      { title: 'node', align: 'left' },
      { title: 'reads', align: 'right' },
      { title: 'writes', align: 'right' },
      { title: 'share of load', align: 'right' },
      { title: 'failed there', align: 'right' },
    ],
    loads.map(([id, { reads, writes, failed }], index) => [
      nodeCell(report, id, index),
      count(reads),
      count(writes),
      percent(ratio(reads + writes, all)),
      count(failed),
    ]),
  );
}

function showErrors({ report, stats }: Figures): void {
  report.line(`  Errors that reached the caller: ${count(stats.sum('errors'))}`);
  for (const [code, { count: times, message }] of stats.errors) {
    report.line(`    ${code}: ${count(times)}, the first of them:`);
    report.line(`      ${message}`);
  }
}

function checkAll(figures: Figures): void {
  const { report, stats, ledger, nodes, events, total, replicationFactor, wasKilled, isBack } = figures;
  report.check('every request was made', stats.sum('requests') === total);
  report.check('no error reached the caller', stats.sum('errors') === 0);
  const seen = new Map(events.counts());
  const wasMissed = seen.get('nodeSuspect')! + seen.get('nodeDown')! > 0;
  if (wasKilled) report.check('the loss of the node and its return were noticed', wasMissed && isBack);
  const lost = stats.sum('lost');
  // With one copy, or where others may evict, a lost key breaks no promise.
  if (nodes.areOurs && (replicationFactor > 1 || !wasKilled)) {
    report.check(`no read missed a key that had been stored${ledger.isFull ? ' (of those watched)' : ''}`, lost === 0);
  } else report.line(`  Reads that missed a key that had been stored: ${count(lost)}`);
}
