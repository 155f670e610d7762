/**
 * One of four servers stopped, and then killed, under a steady load: what calls for the keys of the others notice of it,
 * and how calls for its own keys end.
 *
 *   npm run bench -- redis-failure [--smoke] [--json FILE]
 *
 * A round is a phase with all servers well and one with a server stopped (SIGSTOP: its connections stay open and nothing
 * is answered), the moment of stopping included. Each contender has servers of its own and runs alone.
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { RedisServer } from '../../../test/support/redis.ts';
import { progress } from '../../ring/lookup.ts';
import { ContenderProcess } from '../contender-process.ts';
import { type Cores, chooseCores } from '../cores.ts';
import { headingOf } from '../main.ts';
import { startCluster, startFour } from '../servers.ts';
import { deadlineMs, type FailureContender, failureContenders } from './contenders.ts';
import type { FailureChildTask, FailureTask, PhaseResult } from './phases.ts';
import { type ContenderResult, expectSound, failureLines } from './report.ts';

interface FailurePlan {
  readonly rounds: number;
  readonly phaseMs: number;
  readonly perSecond: number;
}

const fullPlan: FailurePlan = { rounds: 7, phaseMs: 2_000, perSecond: 4_000 };
const smokePlan: FailurePlan = { rounds: 1, phaseMs: 250, perSecond: 1_000 };

type FailureProcess = ContenderProcess<FailureTask, unknown>;

export async function benchFailure(smoke: boolean, jsonFile: string | undefined): Promise<void> {
  const cores = await chooseCores();
  const plan = smoke ? smokePlan : fullPlan;
  console.log(headingOf('redis-failure', cores));
  console.log(`${plan.perSecond} calls a second, deadline ${deadlineMs} ms, phases of ${plan.phaseMs} ms\n`);
  const results: ContenderResult[] = [];
  for (const contender of failureContenders) {
    const servers = await startServersFor(contender, cores);
    if (servers === undefined) continue;
    try {
      const result = await runContender(contender, servers, cores, plan);
      if (contender.isOurs) expectSound(result);
      results.push(result);
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
  }
  progress('');
  console.log(failureLines(results, smoke).join('\n'));
  if (jsonFile === undefined) return;
  await mkdir(dirname(jsonFile), { recursive: true });
  await writeFile(jsonFile, `${JSON.stringify(results, null, 1)}\n`);
}

async function startServersFor({ name, on }: FailureContender, cores: Cores | undefined) {
  if (on === 'plain') return startFour(cores?.servers);
  try {
    return await startCluster(cores?.servers);
  } catch (error) {
    console.log(`left out: ${name}, no cluster: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

const victim = 0;

async function runContender(
  { name }: FailureContender,
  servers: readonly RedisServer[],
  cores: Cores | undefined,
  { rounds, phaseMs, perSecond }: FailurePlan,
): Promise<ContenderResult> {
  const task: FailureChildTask = { contender: name, ports: servers.map(({ port }) => port), victim };
  const child: FailureProcess = await ContenderProcess.start('failure/child.ts', name, task, cores?.client);
  const load = (durationMs: number) => child.ask({ kind: 'load', durationMs, perSecond }) as Promise<PhaseResult>;
  const failing = servers[victim]!;
  const before: PhaseResult[] = [];
  const stopped: PhaseResult[] = [];
  try {
    progress(`${name}: warming up`);
    await load(phaseMs);
    for (let round = 0; round < rounds; round++) {
      progress(`${name}: round ${round + 1} of ${rounds}`);
      before.push(await load(phaseMs));
      failing.pause();
      try {
        stopped.push(await load(phaseMs));
      } finally {
        failing.resume();
      }
      await child.ask({ kind: 'recover' });
    }
    progress(`${name}: killed`);
    const underWay = load(phaseMs);
    // In the midst of the load, with calls under way to it.
    await new Promise((resolve) => setTimeout(resolve, phaseMs / 10));
    await failing.kill();
    return { name, before, stopped, killed: await underWay };
  } finally {
    await child.close();
  }
}
