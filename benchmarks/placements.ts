/**
 * The kinds of placement beside each other: what a lookup, a build and a change cost, how much memory they take, how even
 * they are, and what moves when a node joins, leaves or gets twice the weight. All with their default settings.
 *
 *   lookup      CPU nanoseconds, keys of 10 characters; in brackets times the hash of the key that the native ones share
 *   three       the same for `preferenceList(key, 3)`, of a placement made with `replicationFactor: 3`
 *   build, add  CPU milliseconds, compiled code, each time with other names
 *   memory      heap and typed arrays of one placement after 16,384 keys
 *   spread      standard deviation of the shares over their mean; fullest: the largest share over the mean
 *   moved       part of the keys that get another owner; in brackets times the least that leads to the same shares
 *   needless    part of the keys moved beyond that least
 *
 * Shares and moves are means over sets of names and come out the same on every machine; they are exact but for Rendezvous
 * and goRedis, which are compared by a sample of keys. BoundedLoadRing is measured after it was given 100,000 keys,
 * RangeSharding by 200,000 keys of which some beginnings are far more frequent than others.
 *
 *   npm run bench:placements -- [--smoke] [--write]
 *
 * `--write` puts the tables into `docs/placements.md` and, those of `balance.ts`, into `docs/ring.md`.
 */

import { parseArgs } from 'node:util';
import { count } from '../src/cli/draw/numbers.ts';
import { balanceTables } from './balance.ts';
import { progress } from './ring/lookup.ts';
import { runChild } from './support/child.ts';
import { kindsOfPlacement } from './support/kinds-of-placement.ts';
import { markdownOf, type Table, textOf, writeToPage } from './support/page.ts';
import type { Moved, PlacementAnswer, PlacementTask } from './support/placement-child.ts';

const { values } = parseArgs({
  options: { smoke: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } },
});
if (values.smoke && values.write) throw new Error('What a smoke run measures is not worth writing down.');

const nodeCounts = values.smoke ? [4] : [10, 100, 1_000];

async function measure(): Promise<PlacementAnswer[]> {
  const answers: PlacementAnswer[] = [];
  for (const { name } of kindsOfPlacement) {
    for (const nodeCount of nodeCounts) {
      progress(`${name}, nodes=${nodeCount}`);
      const task: PlacementTask = values.smoke
        ? { name, nodeCount, rounds: 2, sampleMs: 0.5, sets: 1 }
        : { name, nodeCount, rounds: 15, sampleMs: 8, sets: nodeCount < 100 ? 20 : nodeCount < 1_000 ? 6 : 2 };
      answers.push(await runChild<PlacementAnswer>('support/placement-child.ts', task, ['--expose-gc']));
    }
  }
  progress('');
  return answers;
}

/** A row for each kind; under each title a column for each number of nodes. */
function tableOf(
  title: string,
  answers: readonly PlacementAnswer[],
  columns: Readonly<Record<string, (answer: PlacementAnswer) => string>>,
): Table {
  return {
    title,
    columns: ['', ...Object.keys(columns).flatMap((column) => nodeCounts.map((nodes) => `${column}, ${count(nodes)}`))],
    rows: kindsOfPlacement.map(({ name }) => [
      name,
      ...Object.values(columns).flatMap((cell) =>
        nodeCounts.map((nodes) => cell(answers.find(({ task }) => task.name === name && task.nodeCount === nodes)!)),
      ),
    ]),
  };
}

/** With a third decimal where there is little, and none where what is left is rounding. */
const percent = (share: number) => (share < 1e-9 ? '0' : `${(share * 100).toFixed(share < 0.001 ? 3 : 2)} %`);
const kilobytes = (bytes: number) => count(Math.round(bytes / 1_000));
const milliseconds = (ms: number) => ms.toFixed(ms < 1 ? 2 : 1);

/** Times the least, where anything moves at all. */
function movedCell(moved: Moved | undefined): string {
  if (moved === undefined) return 'refused';
  if (moved.share === 0) return '0';
  return moved.minimum === 0
    ? percent(moved.share)
    : `${percent(moved.share)} (${(moved.share / moved.minimum).toFixed(2)})`;
}

const needlessCell = (moved: Moved | undefined) =>
  moved === undefined ? 'refused' : moved.needless === 0 ? '0' : percent(moved.needless);

function tablesOf(answers: readonly PlacementAnswer[]): Table[] {
  return [
    tableOf('Nanoseconds a lookup, by number of nodes', answers, {
      lookup: ({ oneNanos, oneOfHash }) => `${oneNanos.median.toFixed(0)} (${oneOfHash.median.toFixed(2)})`,
      three: ({ threeNanos }) => threeNanos.median.toFixed(0),
    }),
    tableOf('Milliseconds to build, and to add a node', answers, {
      build: ({ buildMs }) => milliseconds(buildMs),
      add: ({ addMs }) => milliseconds(addMs),
    }),
    tableOf('Kilobytes with rows of one node, and of three', answers, {
      kB: ({ bytesForOne }) => kilobytes(bytesForOne),
      'kB for three': ({ bytesForThree }) => kilobytes(bytesForThree),
    }),
    tableOf('How even', answers, {
      spread: ({ variation }) => percent(variation),
      fullest: ({ peak }) => peak.toFixed(3),
    }),
    tableOf('Moved when a node joins, leaves, or goes from weight 1 to 2', answers, {
      join: ({ add }) => movedCell(add),
      leave: ({ remove }) => movedCell(remove),
      reweight: ({ reweight }) => movedCell(reweight),
    }),
    tableOf('Moved needlessly', answers, {
      join: ({ add }) => needlessCell(add),
      leave: ({ remove }) => needlessCell(remove),
      reweight: ({ reweight }) => needlessCell(reweight),
    }),
  ];
}

const placements = tablesOf(await measure());
console.log(placements.map(textOf).join('\n'));
const balance = balanceTables(values.smoke);
console.log(balance.map(textOf).join('\n'));
if (values.write) {
  await writeToPage('docs/placements.md', 'bench:placements', placements.map(markdownOf).join('\n'));
  await writeToPage('docs/ring.md', 'bench:placements', balance.map(markdownOf).join('\n'));
}
