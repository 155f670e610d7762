/** How far something has come, as one line of text. Pure. */

import { count } from '../../../src/cli/draw/numbers.ts';

export interface Progress {
  readonly label: string;
  readonly done: number;
  readonly total: number;
  /** Milliseconds since the start. */
  readonly elapsedMs: number;
}

const lineWidth = 79;
const longestBar = 28;
const shortestBar = 8;
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** With a bar, for a terminal of 80 columns: numbers that take more room leave less to the bar. */
export function progressBar(progress: Progress): string {
  const label = `  ${progress.label.padEnd(10)} `;
  const text = ` ${summary(progress)}`;
  const width = Math.min(longestBar, Math.max(shortestBar, lineWidth - label.length - text.length));
  const steps = Math.floor(partOf(progress) * width * 8);
  const bar = '█'.repeat(Math.floor(steps / 8)) + eighths[steps % 8]!;
  return label + bar.padEnd(width, '░') + text;
}

/** Without a bar, for a file or a pipe. */
export function progressLine(progress: Progress): string {
  return `  ${progress.label.padEnd(10)} ${summary(progress)}`;
}

function summary(progress: Progress): string {
  const { done, total, elapsedMs } = progress;
  const perSecond = elapsedMs > 0 ? `${count(Math.round((done / elapsedMs) * 1_000))}/s` : '';
  const percent = `${Math.floor(partOf(progress) * 100)} %`.padStart(5);
  return `${percent}  ${count(done).padStart(count(total).length)} of ${count(total)}  ${perSecond}`.trimEnd();
}

const partOf = ({ done, total }: Progress) => (total === 0 ? 1 : Math.min(1, done / total));
