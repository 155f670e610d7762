/** The replay of a trace file, from counting its requests to the figures and whether what is promised held. */

import { ShardedCache } from 'shardring';
import { count } from '../../../src/cli/draw/numbers.ts';
import type { DemoNodes } from '../nodes/demo-nodes.ts';
import type { TraceOptions } from '../options.ts';
import type { Report } from '../output/report.ts';
import { waitForHealth } from '../steps/wait-for-health.ts';
import { countRequests, readTrace } from '../trace/trace-file.ts';
import { EventLog } from './event-log.ts';
import { Ledger } from './ledger.ts';
import { type Outage, outageOf } from './outage.ts';
import { replay } from './replay.ts';
import { ReplayStats } from './replay-stats.ts';
import { showFigures } from './show-figures.ts';

/** Milliseconds for a call. The cache's own default. */
const timeoutMs = 1_000;
/** Milliseconds within which the return of a node must have been noticed, after a trace that was over sooner. */
const returnTimeoutMs = 10_000;

export interface ReplayRun {
  readonly nodes: DemoNodes;
  readonly report: Report;
  readonly replicationFactor: number;
  readonly trace: TraceOptions;
}

export async function runReplay(run: ReplayRun): Promise<void> {
  const { nodes, report, replicationFactor, trace } = run;
  report.title(`shardring: a replay on ${nodes.description}`, nodes.note);
  report.step('The trace');
  const total = await countRequests(trace.path, trace.limit);
  report.line(`  ${trace.path}: ${count(total)} requests${total === trace.limit ? ' (by --limit)' : ''}`);
  report.check('the trace holds requests', total > 0);
  if (total === 0) return;

  const ledger = new Ledger();
  report.step(`The replay: replication factor ${replicationFactor}, ${count(trace.concurrency)} requests at once`);
  const { stats, events, isBack } = await makeRequests(run, total, ledger);
  showFigures({ report, stats, ledger, nodes, events, total, replicationFactor, wasKilled: trace.killOne, isBack });
}

/** Makes all requests, with the outage where one is wanted, and leaves the nodes clean. */
async function makeRequests({ nodes, report, replicationFactor, trace }: ReplayRun, total: number, ledger: Ledger) {
  const { concurrency, valueBytes } = trace;
  const { clock } = report;
  const options = { replicationFactor, codec: 'bytes', readRepair: true, timeoutMs } as const;
  await using cache = new ShardedCache<Uint8Array>({ nodes: nodes.initial, ...options });
  const outage = trace.killOne ? outageOf(nodes.initial[1]!.id, total) : undefined;
  const stats = new ReplayStats(outage === undefined ? 'whole trace' : 'all nodes', clock.nowMs());
  const progress = report.progress('replaying', total, 10);
  let made = 0;
  const tell = (text: string) => {
    const at = `${(stats.elapsedUntil(clock.nowMs()) / 1_000).toFixed(2)} s`.padStart(9);
    report.line(`  ${report.painter.dim(`${at}  request ${count(made).padStart(count(total).length)}`)}  ${text}`);
  };
  const events = new EventLog(cache, tell);
  /** Stopping and starting go on beside the requests, one after the other. */
  let changes = Promise.resolve();
  const onRequest = (index: number) => {
    made = index;
    progress.advance(1);
    const change = changeAt(nodes, outage, index);
    if (change === undefined) return;
    stats.beginPhase(change.phase, clock.nowMs());
    tell(change.what);
    changes = changes.then(change.make);
    // Its failure is heard at the end; until then it must not count as one that nobody hears.
    changes.catch(() => {});
  };
  try {
    const context = { cache, stats, ledger, clock, concurrency, valueBytes, onRequest };
    await replay(context, readTrace(trace.path, trace.limit));
    stats.end(clock.nowMs());
    await changes;
    const isBack = outage === undefined || (await waitForHealth(cache, clock, outage.node, 'up', returnTimeoutMs));
    return { stats, events, isBack };
  } finally {
    progress.end();
    await nodes.cleanUp();
  }
}

/** What happens to the node before the request of this index, if anything does. */
function changeAt(nodes: DemoNodes, outage: Outage | undefined, index: number) {
  if (outage === undefined) return undefined;
  const { node, stopAt, startAt } = outage;
  if (index === stopAt) {
    return { phase: `${node} gone`, what: `${node} ${nodes.stopping}`, make: () => nodes.stopNode(node) };
  }
  if (index === startAt) {
    return { phase: `${node} back`, what: `${node} ${nodes.starting}`, make: () => nodes.startNode(node) };
  }
  return undefined;
}
