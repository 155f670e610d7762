/**
 * What it costs to build a ring, to change one node of it, and to plan the moves: this library and other packages.
 *
 * The first figure is the median, the one in brackets the first time in a fresh process, before anything was compiled. An
 * application changes its nodes rarely, so that it mostly pays the latter.
 */

import { count } from '../../src/cli/draw/numbers.ts';
import { tableLines } from '../../src/cli/draw/table.ts';
import { runChild } from '../support/child.ts';
import { median } from '../support/statistics.ts';
import type { ChangesAnswer, ChangesTask, ChangeTimes } from './changes-child.ts';
import { progress } from './lookup.ts';

const columns = ['build', 'add', 'remove', 'reweight', 'plan of add', 'plan of remove', 'plan of reweight'];

export async function measureChanges(smoke: boolean): Promise<ChangesAnswer[]> {
  const tasks: ChangesTask[] = smoke
    ? [{ nodeCount: 10, pointsPerNode: 512, replicationFactor: 1, rounds: 3, peers: true }]
    : [
        { nodeCount: 10, pointsPerNode: 512, replicationFactor: 1, rounds: 101, peers: true },
        { nodeCount: 10, pointsPerNode: 512, replicationFactor: 3, rounds: 51, peers: false },
        { nodeCount: 100, pointsPerNode: 512, replicationFactor: 1, rounds: 101, peers: true },
        { nodeCount: 100, pointsPerNode: 512, replicationFactor: 3, rounds: 51, peers: false },
        { nodeCount: 1_000, pointsPerNode: 160, replicationFactor: 1, rounds: 101, peers: true },
        { nodeCount: 1_000, pointsPerNode: 160, replicationFactor: 3, rounds: 51, peers: false },
      ];
  const answers: ChangesAnswer[] = [];
  for (const task of tasks) {
    progress(`changes: nodes=${task.nodeCount} points=${task.pointsPerNode}`);
    answers.push(await runChild<ChangesAnswer>('ring/changes-child.ts', task));
  }
  progress('');
  return answers;
}

export function changeTables(answers: readonly ChangesAnswer[]): string[] {
  return answers.flatMap(({ task, contenders }) => {
    const { nodeCount, pointsPerNode, replicationFactor } = task;
    return [
      `nodes=${count(nodeCount)} points=${pointsPerNode} a node, replicationFactor=${replicationFactor}: ` +
        'ms of CPU, median (first time)',
      ...tableLines(
        [{ title: '', align: 'left' }, ...columns.map((title) => ({ title, align: 'right' }) as const)],
        contenders.map(({ name, times }) => [name, ...columns.map((column) => cell(times, column))]),
      ),
      '',
    ];
  });
}

function cell(times: ChangeTimes, column: string): string {
  const samples = times[column];
  return samples === undefined ? '-' : `${changeMs(samples).toFixed(2)} (${samples[0]!.toFixed(1)})`;
}

/** The median without the first time. */
export const changeMs = (samples: readonly number[]) => median(samples.slice(1));
