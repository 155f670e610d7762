/**
 * A ring as text for a terminal: the circle, its legend beside or below it, and how even it is.
 *
 * In colour a character is two cells, one above the other: `▀` in the colour of the upper on the ground of the lower.
 * Plain, it is one cell and shows the node's letter.
 */

import { annulus, blank, shareBand } from './annulus.ts';
import { count, counted, factor, percent } from './numbers.ts';
import { type ColourDepth, type Painter, painterFor } from './paint.ts';
import { colourOf } from './palette.ts';
import type { RingModel } from './ring-model.ts';
import { type Column, tableLines } from './table.ts';
import { displayWidth, fit, visible } from './visible-text.ts';

export interface TerminalOptions {
  readonly colourDepth: ColourDepth;
  /** Columns to draw in. Below about 90 the legend goes under the circle, below 44 the circle shrinks. */
  readonly width: number;
}

const fullDiameter = 44;
const smallestDiameter = 12;
const gap = 3;
const maxIdWidth = 24;
const barWidth = 12;

export function drawRing(model: RingModel, { colourDepth, width }: TerminalOptions): string {
  const painter = painterFor(colourDepth);
  const marks = marksOf(model);
  const room = Math.min(fullDiameter, width);
  const diameter = Math.max(smallestDiameter, room - (room % 4));
  const circle = colourDepth === 0 ? plainCircle(model, diameter, marks) : colouredCircle(model, diameter, painter);
  const legend = legendLines(model, marks, painter);
  const legendWidth = Math.max(...legend.map((line) => displayWidth(withoutCodes(line))));
  const beside = diameter + gap + legendWidth <= width;
  const body = beside ? sideBySide(circle, diameter, legend) : [...circle, '', ...legend];
  return [...body, '', balanceLine(model), ''].map((line) => line.trimEnd()).join('\n');
}

/** Colours take no room. */
const withoutCodes = (line: string) => line.replace(/\u001b\[[\d;]*m/g, '');

/** How even the ring is, in one sentence. */
export function balanceLine({ balance }: RingModel): string {
  return (
    `Fullest node ${factor(balance.fullest)} times its ideal share, emptiest ${factor(balance.emptiest)} times; ` +
    `coefficient of variation ${percent(balance.variation)}.`
  );
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** A letter for each node: the first of its id if those all differ, else A, B, C; they repeat beyond 62. */
export function marksOf({ nodes }: RingModel): readonly string[] {
  const initials = nodes.map(({ id }) => id[0]!);
  const telling = initials.every((initial) => letters.includes(initial)) && new Set(initials).size === nodes.length;
  return telling ? initials : nodes.map((_, index) => letters[index % letters.length]!);
}

function plainCircle(model: RingModel, diameter: number, marks: readonly string[]): string[] {
  const rows = diameter / 2;
  const cells = annulus(model, diameter, rows);
  const caption = captionGrid(model, diameter);
  return range(rows).map((row) =>
    range(diameter)
      .map((column) => {
        const node = cells[row * diameter + column]!;
        return node === blank ? caption(row, column) : marks[node]!;
      })
      .join(''),
  );
}

function colouredCircle(model: RingModel, diameter: number, painter: Painter): string[] {
  const cells = annulus(model, diameter, diameter);
  const caption = captionGrid(model, diameter);
  return range(diameter / 2).map((row) =>
    range(diameter)
      .map((column) => {
        const upper = cells[2 * row * diameter + column]!;
        const lower = cells[(2 * row + 1) * diameter + column]!;
        if (upper === blank && lower === blank) return caption(row, column);
        if (upper === blank) return painter.colour('▄', colourOf(lower));
        return painter.colour('▀', colourOf(upper), lower === blank ? undefined : colourOf(lower));
      })
      .join(''),
  );
}

const range = (length: number) => Array.from({ length }, (_, index) => index);

/** The text in the middle of the circle, as the character at a row and column; a space where there is nothing. */
function captionGrid(
  { nodes, virtualNodes, slots }: RingModel,
  diameter: number,
): (row: number, column: number) => string {
  const lines = [counted(nodes.length, 'node'), `${count(virtualNodes)} virtual nodes`, `${count(slots)} slots`];
  // With a blank on either side of it. A caption that does not fit is left out whole.
  const room = Math.floor(shareBand[0] * diameter) - 2;
  const fits = lines.every((line) => line.length <= room);
  const firstRow = diameter / 4 - 1;
  return (row, column) => {
    const line = fits ? lines[row - firstRow] : undefined;
    return line?.[column - Math.floor((diameter - line.length) / 2)] ?? ' ';
  };
}

function legendLines(model: RingModel, marks: readonly string[], painter: Painter): string[] {
  const zoned = model.nodes.some(({ zone }) => zone !== undefined);
  const columns: Column[] = [
    { title: '', align: 'left' },
    { title: 'node', align: 'left' },
    { title: 'weight', align: 'right' },
    ...(zoned ? [{ title: 'zone', align: 'left' } as const] : []),
    { title: 'share', align: 'right' },
    { title: 'ideal', align: 'right' },
    { title: '', align: 'left' },
  ];
  const longest = Math.max(...model.nodes.map(({ share, ideal }) => Math.max(share, ideal)));
  const rows = model.nodes.map(({ id, weight, zone, share, ideal }, index) => {
    const paint = (text: string) => painter.colour(text, colourOf(index));
    return [
      { text: painter.depth === 0 ? marks[index]! : '██', paint },
      fit(visible(id), maxIdWidth),
      String(weight),
      ...(zoned ? [fit(visible(zone ?? '-'), maxIdWidth)] : []),
      percent(share),
      percent(ideal),
      { text: bar(share / longest, ideal / longest), paint },
    ];
  });
  return tableLines(columns, rows, painter.dim);
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of `part` of the full width, with a mark at `ideal` where the bar does not cover it. */
function bar(part: number, ideal: number): string {
  const steps = Math.round(part * barWidth * 8);
  const drawn = '█'.repeat(Math.floor(steps / 8)) + eighths[steps % 8]!;
  const markAt = Math.ceil(ideal * barWidth) - 1;
  return markAt < drawn.length ? drawn : `${drawn.padEnd(markAt)}╎`;
}

function sideBySide(circle: readonly string[], diameter: number, legend: readonly string[]): string[] {
  const height = Math.max(circle.length, legend.length);
  const legendTop = Math.floor((height - legend.length) / 2);
  return range(height).map((row) => {
    const left = circle[row] ?? ' '.repeat(diameter);
    return `${left}${' '.repeat(gap)}${legend[row - legendTop] ?? ''}`;
  });
}
