/** Text tables: columns aligned, two spaces between them, no lines. */

import { displayWidth } from './visible-text.ts';

export interface Column {
  readonly title: string;
  /** Numbers stand right, names left. */
  readonly align: 'left' | 'right';
}

/** A cell, or a cell and how its text is painted once it is padded, which adds codes that take no room. */
export type Cell = string | { readonly text: string; readonly paint: (padded: string) => string };

const textOf = (cell: Cell) => (typeof cell === 'string' ? cell : cell.text);

/**
 * The table's lines, titles first. No line ends in a space.
 *
 * @param rows  Each with one cell per column.
 */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  paintTitle: (text: string) => string = (text) => text,
): string[] {
  const widths = columns.map(({ title }, index) =>
    rows.reduce((width, row) => Math.max(width, displayWidth(textOf(row[index]!))), displayWidth(title)),
  );
  const line = (cells: readonly Cell[]) => {
    const last = cells.findLastIndex((cell) => textOf(cell).trim() !== '');
    return cells
      .slice(0, last + 1)
      .map((cell, index) => {
        const text = textOf(cell);
        const blank = ' '.repeat(widths[index]! - displayWidth(text));
        const { align } = columns[index]!;
        const padded = align === 'right' ? blank + text : index === last ? text.trimEnd() : text + blank;
        return typeof cell === 'string' ? padded : cell.paint(padded);
      })
      .join('  ');
  };
  const titles = columns.map(({ title }) => ({ text: title, paint: paintTitle }));
  return [titles, ...rows].map(line);
}
