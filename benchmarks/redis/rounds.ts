/**
 * The run: in each round every cell, and in each cell every contender once, in an order drawn anew.
 *
 * Contenders of a cell come one after the other, within about three seconds, so that they meet about the same machine;
 * their ratios are taken within the round.
 */

import { seededRandom } from '../../src/runtime/random.ts';
import { progress } from '../ring/lookup.ts';
import { shuffled } from '../support/cpu-rounds.ts';
import { type Cell, cellName } from './cells.ts';
import type { ChildTask, Sample, SampleTask } from './contender-child.ts';
import { ContenderProcess } from './contender-process.ts';
import { type Contender, contenders } from './contenders/index.ts';
import type { Cores } from './cores.ts';
import type { Servers } from './servers.ts';

export interface RoundsPlan {
  readonly cells: readonly Cell[];
  readonly rounds: number;
  /** Rounds before anything is counted, while code is compiled. */
  readonly warmUps: number;
  readonly leadInMs: number;
  readonly sampleMs: number;
}

export interface CountedSample extends Sample {
  /** CPU of the servers for {@link Sample.allOperations}, microseconds. */
  readonly serverCpuMicros: number;
}

export interface CellSamples {
  readonly cell: Cell;
  /** By contender, one for each round. */
  readonly samples: ReadonlyMap<string, readonly CountedSample[]>;
}

interface Running {
  readonly contender: Contender;
  readonly process: ContenderProcess<SampleTask, Sample>;
}

/** @throws {Error} A contender's answers are wrong. */
export async function runRounds(servers: Servers, cores: Cores | undefined, plan: RoundsPlan): Promise<CellSamples[]> {
  const running = await startContenders(servers, cores);
  const results = plan.cells.map((cell) => ({ cell, samples: new Map<string, CountedSample[]>() }));
  const random = seededRandom(1);
  try {
    for (let round = -plan.warmUps; round < plan.rounds; round++) {
      for (const { cell, samples } of results) {
        progress(
          round < 0 ? `warming up: ${cellName(cell)}` : `round ${round + 1} of ${plan.rounds}: ${cellName(cell)}`,
        );
        for (const { contender, process } of shuffled(running, random)) {
          const sample = await takeSample(servers, contender, process, { cell, ...plan });
          if (round < 0) continue;
          const kept = samples.get(contender.name) ?? [];
          kept.push(sample);
          samples.set(contender.name, kept);
        }
      }
    }
  } finally {
    progress('');
    await Promise.all(running.map(({ process }) => process.close()));
  }
  return results;
}

async function startContenders({ ports, missing }: Servers, cores: Cores | undefined): Promise<Running[]> {
  const present = contenders.filter(({ on }) => !missing.has(on));
  const running: Running[] = [];
  // Two at a time: they compile while they start.
  const queue = present.map((contender, index) => ({ contender, prefix: String(index).padStart(2, '0') }));
  const startSome = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { contender, prefix } = next;
      progress(`starting ${contender.name}`);
      const task: ChildTask = { contender: contender.name, prefix, ports };
      const { name } = contender;
      const process = await ContenderProcess.start<SampleTask, Sample>('contender-child.ts', name, task, cores?.client);
      running.push({ contender, process });
    }
  };
  try {
    await Promise.all([startSome(), startSome()]);
  } catch (error) {
    await Promise.all(running.map(({ process }) => process.close()));
    throw error;
  }
  return running;
}

async function takeSample(
  servers: Servers,
  { name, on }: Contender,
  process: ContenderProcess<SampleTask, Sample>,
  { cell, leadInMs, sampleMs }: SampleTask,
): Promise<CountedSample> {
  const before = await servers.cpuSeconds(on);
  const sample = await process.ask({ cell, leadInMs, sampleMs });
  const serverCpuMicros = ((await servers.cpuSeconds(on)) - before) * 1e6;
  if (sample.wrong > 0) throw new Error(`${name}: ${sample.wrong} answers of ${cellName(cell)} are wrong.`);
  return { ...sample, serverCpuMicros };
}
