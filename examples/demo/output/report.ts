/**
 * What the demo prints, and whether what it promises held.
 *
 * On a terminal, progress is a bar that is drawn over itself; elsewhere it is a few lines, as it goes.
 */

import type { Clock } from 'shardring';
import { type ColourDepth, type Painter, painterFor } from '../../../src/cli/draw/paint.ts';
import { type Cell, type Column, tableLines } from '../../../src/cli/draw/table.ts';
import { progressBar, progressLine } from './progress.ts';

export interface ReportOptions {
  readonly write: (text: string) => void;
  readonly clock: Clock;
  readonly colourDepth: ColourDepth;
  /** The output is a terminal, where a line can be drawn over. */
  readonly isInteractive: boolean;
}

export interface ProgressHandle {
  advance(by: number): void;
  /** Leaves the last state standing. */
  end(): void;
}

export const reportWidth = 80;
const escapeCharacter = '\u001b';
/** Up to 78 characters, and the space after them. */
const tooWide = /(.{1,78})(?: |$)/;
const clearLine = '\r\u001b[2K';
/** Milliseconds between two drawings of a bar. */
const redrawMs = 50;

export class Report {
  readonly painter: Painter;
  readonly clock: Clock;
  readonly #options: ReportOptions;
  readonly #broken: string[] = [];
  #checks = 0;
  #steps = 0;
  /** Draws the bar again, while there is one. */
  #redraw: (() => void) | undefined;

  constructor(options: ReportOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.painter = painterFor(options.colourDepth);
  }

  /** What was promised and did not hold. */
  get broken(): readonly string[] {
    return this.#broken;
  }

  get checks(): number {
    return this.#checks;
  }

  /** @param note  '' for none. */
  title(text: string, note: string): void {
    this.line(this.painter.bold(text));
    if (note !== '') this.lines(note);
  }

  step(title: string): void {
    const head = `${++this.#steps}  ${title} `;
    this.line();
    this.line(this.painter.bold(head) + this.painter.dim('─'.repeat(Math.max(3, reportWidth - head.length))));
    this.line();
  }

  line(text = ''): void {
    if (this.#redraw !== undefined && this.#options.isInteractive) this.#options.write(clearLine);
    this.#options.write(`${text}\n`);
    this.#redraw?.();
  }

  /** Text of several lines, indented. Those that are too wide are broken at a space, unless they are painted. */
  lines(text: string): void {
    for (const line of text.split('\n')) {
      const parts = line.includes(escapeCharacter) ? [line] : line.split(tooWide);
      for (const part of parts) if (part !== '' || line === '') this.line(part === '' ? '' : `  ${part}`);
    }
  }

  table(columns: readonly Column[], rows: readonly (readonly Cell[])[]): void {
    for (const line of tableLines(columns, rows, this.painter.dim)) this.line(`  ${line}`);
  }

  /** Says whether something that is promised held, and remembers if it did not. */
  check(promise: string, holds: boolean): void {
    this.#checks++;
    if (!holds) this.#broken.push(promise);
    const { colour } = this.painter;
    this.line(`  ${holds ? colour('✔', '#009e73') : colour('✘ NOT TRUE:', '#d55e00')} ${promise}`);
  }

  /** @param lines  How many lines it may take where no bar can be drawn. */
  progress(label: string, total: number, lines: number): ProgressHandle {
    const { clock, write, isInteractive } = this.#options;
    const startMs = clock.nowMs();
    const state = (done: number) => ({ label, done, total, elapsedMs: clock.nowMs() - startMs });
    let done = 0;
    let drawnMs = startMs;
    let printed = 0;
    const draw = () => write(clearLine + progressBar(state(done)));
    if (isInteractive) this.#redraw = draw;
    return {
      advance: (by) => {
        done += by;
        if (isInteractive) {
          if (clock.nowMs() - drawnMs < redrawMs) return;
          drawnMs = clock.nowMs();
          draw();
        } else if (Math.floor((done / total) * lines) > printed) {
          printed = Math.floor((done / total) * lines);
          write(`${progressLine(state(done))}\n`);
        }
      },
      end: () => {
        this.#redraw = undefined;
        if (isInteractive) write(`${clearLine}${progressBar(state(done))}\n`);
      },
    };
  }
}
