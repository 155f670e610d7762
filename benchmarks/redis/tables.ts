/** The figures as text: one table of ratios over all cells, and one of everything for each cell. */

import { count } from '../../src/cli/draw/numbers.ts';
import { type Column, tableLines } from '../../src/cli/draw/table.ts';
import { type Cell, cellName, mgetKeys, type Operation, readShare } from './cells.ts';
import type { CellFigures, Figures } from './figures.ts';

const operations: Record<Operation, string> = {
  get: 'GET',
  set: 'SET',
  mix: `${readShare * 100} % GET, ${Math.round((1 - readShare) * 100)} % SET`,
  mget: `MGET of ${mgetKeys} keys`,
};

function titleOf({ operation, callers, arrival }: Cell): string {
  const how = arrival === 'closed' ? 'closed loop' : 'independent arrivals';
  return `${operations[operation]}, callers=${callers}, ${how}`;
}

const left = (title: string): Column => ({ title, align: 'left' });
const right = (title: string): Column => ({ title, align: 'right' });

/** Throughput as a multiple of the base's: a row for each contender, the cells of some operations side by side. */
export function ratioLines(cells: readonly CellFigures[], shown: readonly Operation[], base: string): string[] {
  const wanted = cells.filter(({ cell }) => shown.includes(cell.operation));
  if (wanted.length === 0) return [];
  const names = wanted[0]?.figures.map(({ name }) => name) ?? [];
  return [
    `operations a second as multiples of ${base} (~ for independent arrivals)`,
    ...tableLines(
      [left(''), ...wanted.map(({ cell }) => right(cellName(cell)))],
      names.map((name) => [
        name,
        ...wanted.map(({ figures }) => figures.find((each) => each.name === name)?.ratio.median.toFixed(2) ?? '-'),
      ]),
    ),
    '',
  ];
}

export function cellLines({ cell, figures }: CellFigures): string[] {
  return [
    titleOf(cell),
    ...tableLines(
      [
        left(''),
        right('a second'),
        right('ratio'),
        right('p10 to p90'),
        right('client µs'),
        right('servers µs'),
        right('p50 ms'),
        right('p99 ms'),
      ],
      figures.map(rowOf),
    ),
    '',
  ];
}

function rowOf({ name, perSecond, ratio, clientMicros, serverMicros, p50Ms, p99Ms }: Figures): string[] {
  return [
    name,
    count(Math.round(perSecond)),
    `${ratio.median.toFixed(2)}x`,
    `${ratio.p10.toFixed(2)} to ${ratio.p90.toFixed(2)}`,
    clientMicros.median.toFixed(2),
    serverMicros.toFixed(2),
    p50Ms.toFixed(3),
    p99Ms.toFixed(2),
  ];
}
