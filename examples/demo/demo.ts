/** The demo: `shardring demo --help`. The only file of it that touches the process, with `main.ts`, which starts it. */

import { randomBytes } from 'node:crypto';
import { systemClock } from 'shardring';
import type { ColourDepth } from '../../src/cli/draw/paint.ts';
import type { DemoNodes } from './nodes/demo-nodes.ts';
import { openNodes } from './nodes/open-nodes.ts';
import { type DemoOptions, help, parseCommandLine } from './options.ts';
import { Report } from './output/report.ts';
import { runReplay } from './replay/run-replay.ts';
import { runTour } from './tour.ts';
import { TraceFormatError } from './trace/trace-request.ts';

/** @returns The exit code. */
export async function runDemo(args: readonly string[]): Promise<number> {
  const command = parseCommandLine(args);
  switch (command.kind) {
    case 'help':
      process.stdout.write(help);
      return 0;
    case 'wrong':
      process.stderr.write(`${command.problem}\nTry: shardring demo --help\n`);
      return 2;
    case 'run':
      return run(command.options);
  }
}

async function run(options: DemoOptions): Promise<number> {
  const report = new Report({
    write: (text) => void process.stdout.write(text),
    clock: systemClock,
    colourDepth: colourDepth(),
    isInteractive: process.stdout.isTTY === true,
  });
  let nodes: DemoNodes;
  try {
    nodes = await openNodes(options.nodes, randomBytes(4).toString('hex'));
  } catch (error) {
    process.stderr.write(`${storyOf(error)}\n`);
    return 1;
  }
  const startMs = systemClock.nowMs();
  /** Set once a signal has ended the demo: what fails from then on fails because of that. */
  let leaving: Promise<number> | undefined;
  const leaveWith = (exitCode: number) => {
    leaving ??= leave(nodes, exitCode);
    void leaving.then((code) => process.exit(code));
  };
  process.once('SIGINT', () => leaveWith(130)).once('SIGTERM', () => leaveWith(143));
  // The reader of a pipe has gone: `shardring demo | head`.
  process.stdout.on('error', () => leaveWith(1));
  try {
    const { trace, replicationFactor } = options;
    if (trace === undefined) await runTour(options, nodes, report);
    else await runReplay({ nodes, report, replicationFactor, trace });
  } catch (error) {
    if (leaving !== undefined) return leaving;
    if (!isUsersMistake(error)) throw error;
    process.stderr.write(`${storyOf(error)}\n`);
    return 1;
  } finally {
    await nodes.close();
  }
  return conclude(report, systemClock.nowMs() - startMs);
}

/** Leaves nothing behind on given servers, as far as they can still be reached. */
async function leave(nodes: DemoNodes, exitCode: number): Promise<number> {
  await nodes.cleanUp().catch(() => {});
  await nodes.close();
  return exitCode;
}

/** A trace that is not one, or a file that is not there: its message says all, and a stack would hide it. */
function isUsersMistake(error: unknown): error is Error {
  return error instanceof TraceFormatError || (error instanceof Error && 'syscall' in error);
}

/** An error's message and those of its causes, in one line. */
function storyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} ${storyOf(error.cause)}`;
}

function conclude(report: Report, elapsedMs: number): number {
  const seconds = `${(elapsedMs / 1_000).toFixed(1)} s`;
  report.line();
  if (report.broken.length === 0) {
    report.line(report.painter.bold(`All ${report.checks} promises held. ${seconds}`));
    return 0;
  }
  report.line(report.painter.bold(`${report.broken.length} of ${report.checks} promises did not hold. ${seconds}`));
  for (const promise of report.broken) report.line(`  ✘ ${promise}`);
  return 1;
}

function colourDepth(): ColourDepth {
  const { stdout, env } = process;
  if (!stdout.isTTY || env.NO_COLOR) return 0;
  const bits = stdout.getColorDepth();
  return bits >= 24 ? 24 : bits >= 8 ? 8 : 0;
}
