/**
 * From a key to its node, and to three: floors, the ring and other packages at 160 points a node, for each kind of key
 * and number of nodes in a process of its own. See `cpu-rounds.ts` for how it is timed, `key-cases.ts` for the keys.
 */

import { count } from '../../src/cli/draw/numbers.ts';
import { tableLines } from '../../src/cli/draw/table.ts';
import { runChild } from '../support/child.ts';
import { type LoopTimes, ratioTo, spreadOf } from '../support/cpu-rounds.ts';
import type { HeapAnswer } from './heap-child.ts';
import { type KeyCase, type KeyKind, keyKinds, keyLengths } from './key-cases.ts';
import type { LookupAnswer, LookupTask } from './lookup-child.ts';

export interface LookupResults {
  readonly lookups: readonly LookupAnswer[];
  readonly heaps: readonly HeapAnswer[];
}

export async function measureLookups(smoke: boolean): Promise<LookupResults> {
  const tasks = smoke ? smokeTasks : allTasks();
  const lookups: LookupAnswer[] = [];
  for (const [index, task] of tasks.entries()) {
    progress(`lookup ${index + 1} of ${tasks.length}: nodes=${task.nodeCount}, ${task.kind} keys of ${task.length}`);
    lookups.push(await runChild<LookupAnswer>('ring/lookup-child.ts', task));
  }
  const heaps: HeapAnswer[] = [];
  for (const nodeCount of new Set(tasks.map((task) => task.nodeCount))) {
    progress(`heap, nodes=${nodeCount}`);
    heaps.push(await runChild<HeapAnswer>('ring/heap-child.ts', nodeCount, heapFlags));
  }
  progress('');
  return { lookups, heaps };
}

/** In megabytes: 50,000 calls with 100 bytes each fit in. */
const heapFlags = ['--expose-gc', '--min-semi-space-size=16', '--max-semi-space-size=64'];

/** One that goes through every kind of key. */
const smokeTasks: readonly LookupTask[] = [
  { nodeCount: 10, kind: 'flat after 8', length: 10, rounds: 2, sampleMs: 0.5 },
];

function allTasks(): LookupTask[] {
  return [10, 100, 1_000].flatMap((nodeCount) =>
    keyKinds.flatMap((kind) => keyLengths.map((length) => ({ nodeCount, kind, length, rounds: 15, sampleMs: 6 }))),
  );
}

/** What is under way, in one line of a terminal that is written over. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

/** The base of the ratios that are printed. */
const base = 'nodeFor';

/** A table of the kinds for each number of nodes: nanoseconds of CPU, and how many times that of `nodeFor`. */
export function lookupTables({ lookups }: LookupResults): string[] {
  const groups: readonly (readonly KeyKind[])[] = [
    ['flat', 'flat after 8'],
    ['fresh', 'two-byte', 'mixed'],
  ];
  return [...new Set(lookups.map(({ task }) => task.nodeCount))].flatMap((nodeCount) =>
    groups.flatMap((kinds) => {
      const shown = lookups.filter(({ task }) => task.nodeCount === nodeCount && kinds.includes(task.kind));
      if (shown.length === 0) return [];
      return [`nodes=${count(nodeCount)} points=160 a node: ns of CPU a lookup (times ${base})`, ...table(shown), ''];
    }),
  );
}

const caseName = ({ kind, length }: KeyCase) => `${kind}, ${length}`;

function table(shown: readonly LookupAnswer[]): string[] {
  const names = shown[0]!.times.map(({ name }) => name);
  return tableLines(
    [{ title: '', align: 'left' }, ...shown.map(({ task }) => ({ title: caseName(task), align: 'right' }) as const)],
    names.map((name) => [name, ...shown.map((answer) => cell(answer, name))]),
  );
}

function cell(answer: LookupAnswer, name: string): string {
  const times = timesOf(answer, name);
  return `${spreadOf(times.samples).median.toFixed(1)} (${ratioTo(timesOf(answer, base), times).median.toFixed(2)}x)`;
}

/** @throws {Error} Nobody of this name took part. */
export function timesOf({ times }: LookupAnswer, name: string): LoopTimes {
  const found = times.find((each) => each.name === name);
  if (found === undefined) throw new Error(`Nobody named ${name} took part.`);
  return found;
}

export function heapLines({ heaps }: LookupResults): string[] {
  return [
    'Bytes of heap a call, median of 20 runs of 50,000 calls; the copy shows that the method sees what is allocated',
    ...heaps.map(
      ({ nodeCount, bytes }) =>
        `  nodes=${count(nodeCount)}: ${Object.entries(bytes)
          .map(([name, each]) => `${name} ${each.toFixed(2)}`)
          .join(', ')}`,
    ),
    '',
  ];
}
