/** Tables as Markdown, and their place in a page: between two comments, so that what is written by hand stays. */

import { readFile, writeFile } from 'node:fs/promises';
import { tableLines } from '../../src/cli/draw/table.ts';

export interface Table {
  readonly title: string;
  /** The first column is of names, the others of numbers. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function textOf({ title, columns, rows }: Table): string {
  const sides = columns.map((column, index) => ({ title: column, align: index === 0 ? 'left' : 'right' }) as const);
  return [title, ...tableLines(sides, rows), ''].join('\n');
}

export function markdownOf({ title, columns, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const sides = columns.map((_, index) => (index === 0 ? '---' : '---:'));
  return [`**${title}**`, '', line(columns), line(sides), ...rows.map(line), ''].join('\n');
}

/**
 * Replaces what stands between `<!-- name -->` and `<!-- /name -->`.
 * @throws {Error} The page has no such place.
 */
export async function writeToPage(file: string, name: string, text: string): Promise<void> {
  const page = await readFile(file, 'utf8');
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`${file} has no place for ${name}.`);
  await writeFile(file, `${page.slice(0, from + start.length)}\n\n${text.trim()}\n\n${page.slice(to)}`);
  console.log(`Wrote ${name} to ${file}.`);
}
