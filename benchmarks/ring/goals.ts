/** What was aimed at, beside what was measured. Where a goal has several cases, the worst of them decides. */

import { count } from '../../src/cli/draw/numbers.ts';
import { tableLines } from '../../src/cli/draw/table.ts';
import { ratioTo, spreadOf } from '../support/cpu-rounds.ts';
import { changeMs } from './changes.ts';
import type { ChangesAnswer } from './changes-child.ts';
import type { KeyKind } from './key-cases.ts';
import { type LookupResults, timesOf } from './lookup.ts';
import type { LookupAnswer } from './lookup-child.ts';

interface Goal {
  readonly name: string;
  readonly limit: number;
  readonly is: 'at most' | 'at least';
  readonly unit: string;
  /** The figure for a number of nodes; undefined where it was not measured. */
  measured(nodeCount: number): number | undefined;
}

export function goalLines(results: LookupResults, changes: readonly ChangesAnswer[]): string[] {
  const nodeCounts = [...new Set(results.lookups.map(({ task }) => task.nodeCount))];
  const goals = [...lookupGoals(results), ...changeGoals(changes)];
  return [
    'goals',
    ...tableLines(
      [
        { title: '', align: 'left' },
        { title: 'goal', align: 'right' },
        ...nodeCounts.map((nodeCount) => ({ title: `${count(nodeCount)} nodes`, align: 'right' }) as const),
        { title: '', align: 'left' },
      ],
      goals.map((goal) => row(goal, nodeCounts)),
    ),
    '',
  ];
}

function row(goal: Goal, nodeCounts: readonly number[]): string[] {
  const { name, limit, is, unit } = goal;
  const figures = nodeCounts.map((nodeCount) => goal.measured(nodeCount));
  const known = figures.filter((figure) => figure !== undefined);
  const met = known.every((figure) => (is === 'at most' ? figure <= limit : figure >= limit));
  return [
    name,
    `${is === 'at most' ? '<=' : '>='} ${limit}${unit}`,
    ...figures.map((figure) => (figure === undefined ? '-' : `${figure.toFixed(2)}${unit}`)),
    known.length === 0 ? '' : met ? 'met' : 'not met',
  ];
}

function lookupGoals({ lookups, heaps }: LookupResults): Goal[] {
  const find = (nodeCount: number, kind: KeyKind, length: number) =>
    lookups.find(({ task }) => task.nodeCount === nodeCount && task.kind === kind && task.length === length);
  const short =
    (kind: KeyKind, figure: (answer: LookupAnswer) => number): Goal['measured'] =>
    (nodeCount) => {
      const answer = find(nodeCount, kind, 10);
      return answer && figure(answer);
    };
  const worst =
    (figure: (answer: LookupAnswer) => number, pick: (...values: number[]) => number): Goal['measured'] =>
    (nodeCount) => {
      const answers = lookups.filter(({ task }) => task.nodeCount === nodeCount);
      return answers.length === 0 ? undefined : pick(...answers.map(figure));
    };
  /** How much slower than on flat keys of the same length, by the processor's speed at the time of either. */
  const slowdown =
    (kind: KeyKind, length: number): Goal['measured'] =>
    (nodeCount) => {
      const [flat, other] = [find(nodeCount, 'flat', length), find(nodeCount, kind, length)];
      return flat && other && spinsOf(other) / spinsOf(flat);
    };
  return [
    { name: 'nodeFor / hash alone, flat keys of 10', limit: 1.1, ...atMost, measured: short('flat', ofHash) },
    { name: 'nodeFor / hash alone, worst of all keys', limit: 1.1, ...atMost, measured: worst(ofHash, Math.max) },
    {
      name: 'million lookups/s, flat keys of 10',
      limit: 50,
      is: 'at least',
      unit: '',
      measured: short('flat', perMicro),
    },
    { name: 'after eight kinds / before, keys of 10', limit: 1.5, ...atMost, measured: slowdown('flat after 8', 10) },
    { name: 'after eight kinds / before, keys of 36', limit: 1.5, ...atMost, measured: slowdown('flat after 8', 36) },
    { name: 'mixed keys / flat keys, of 10', limit: 1.5, ...atMost, measured: slowdown('mixed', 10) },
    { name: 'mixed keys / flat keys, of 36', limit: 1.5, ...atMost, measured: slowdown('mixed', 36) },
    { name: 'three nodes / one, flat keys of 10', limit: 1.2, ...atMost, measured: short('flat', ofOne) },
    { name: 'the same, all names read', limit: 1.2, ...atMost, measured: short('flat', ofNames) },
    { name: 'three nodes / one, worst of all keys', limit: 1.2, ...atMost, measured: worst(ofOne, Math.max) },
    {
      name: 'bytes of heap, preferenceList of 3',
      limit: 1,
      is: 'at most',
      unit: '',
      measured: (nodeCount) => heaps.find((heap) => heap.nodeCount === nodeCount)?.bytes['preferenceList of 3'],
    },
    { name: 'hashring / nodeFor, flat keys of 10', limit: 60, ...atLeast, measured: short('flat', beside('hashring')) },
    {
      name: 'hashring / nodeFor, mixed keys of 10',
      limit: 40,
      ...atLeast,
      measured: short('mixed', beside('hashring')),
    },
    { name: 'nodeFor / hashring, hot flat keys of 10', limit: 1, ...atMost, measured: short('flat', besideHot) },
    {
      name: 'next best peer / nodeFor, flat keys of 10',
      limit: 3.5,
      ...atLeast,
      measured: short('flat', besideOthers),
    },
    { name: 'next best peer / nodeFor, worst of all', limit: 3.5, ...atLeast, measured: worst(besideOthers, Math.min) },
  ];
}

const others = ['ketama', 'consistent-hash', 'node-hashring', 'effect'];

const takesPart = ({ times }: LookupAnswer, name: string) => times.some((each) => each.name === name);
const ratio = (answer: LookupAnswer, base: string, name: string) =>
  ratioTo(timesOf(answer, base), timesOf(answer, name)).median;
const spinsOf = (answer: LookupAnswer) => ratio(answer, 'spin', 'nodeFor');
const perMicro = (answer: LookupAnswer) => 1_000 / spreadOf(timesOf(answer, 'nodeFor').samples).median;

const ofHash = (answer: LookupAnswer) => ratio(answer, 'hash alone', 'nodeFor');
const ofOne = (answer: LookupAnswer) => ratio(answer, 'nodeFor', 'preferenceList of 3');
const ofNames = (answer: LookupAnswer) => ratio(answer, 'nodeFor', 'the same, names read');
const beside = (peer: string) => (answer: LookupAnswer) => ratio(answer, 'nodeFor', peer);
const besideOthers = (answer: LookupAnswer) =>
  Math.min(...others.filter((name) => takesPart(answer, name)).map((name) => beside(name)(answer)));
const besideHot = (answer: LookupAnswer) => ratio(answer, 'hashring, hot keys', 'nodeFor, hot keys');
const atMost = { is: 'at most', unit: 'x' } as const;
const atLeast = { is: 'at least', unit: 'x' } as const;

function changeGoals(changes: readonly ChangesAnswer[]): Goal[] {
  const limits = {
    build: 5,
    add: 1,
    remove: 1,
    reweight: 1,
    'plan of add': 1,
    'plan of remove': 1,
    'plan of reweight': 1,
  };
  return Object.entries(limits).map(([what, limit]) => ({
    name: `${what}, 1,000 nodes of 160 points`,
    limit,
    is: 'at most',
    unit: ' ms',
    measured: (nodeCount) => {
      const answer = changes.find(
        ({ task }) => task.nodeCount === nodeCount && task.pointsPerNode === 160 && task.replicationFactor === 1,
      );
      const samples = answer?.contenders.find(({ name }) => name === 'shardring')?.times[what];
      return samples && changeMs(samples);
    },
  }));
}
