/**
 * `ShardedCache` and `ShardedRedis` over four servers, beside what others do with as many: see `contenders/index.ts`.
 *
 *   npm run bench -- redis [--smoke] [--json FILE]
 *
 * What the numbers do not prove is in `../README.md`.
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { allCells, smokeCells } from './cells.ts';
import { baseName, contenders } from './contenders/index.ts';
import { type Cores, chooseCores } from './cores.ts';
import { figuresOf } from './figures.ts';
import { goalLines, judge } from './goals.ts';
import { type RoundsPlan, runRounds } from './rounds.ts';
import { startServers } from './servers.ts';
import { cellLines, ratioLines } from './tables.ts';

const fullPlan: RoundsPlan = { cells: allCells, rounds: 9, warmUps: 1, leadInMs: 25, sampleMs: 125 };
const smokePlan: RoundsPlan = { cells: smokeCells, rounds: 1, warmUps: 0, leadInMs: 0, sampleMs: 15 };

export async function benchRedis(smoke: boolean, jsonFile: string | undefined): Promise<void> {
  const cores = await chooseCores();
  console.log(headingOf('redis', cores));
  const servers = await startServers(cores?.servers);
  try {
    for (const { name, on } of contenders) {
      const reason = servers.missing.get(on);
      if (reason !== undefined) console.log(`left out: ${name}, ${reason}`);
    }
    const samples = await runRounds(servers, cores, smoke ? smokePlan : fullPlan);
    const order = contenders.map(({ name }) => name);
    const cells = samples.map((each) => figuresOf(each, baseName, order));
    for (const each of cells) console.log(cellLines(each).join('\n'));
    console.log(ratioLines(cells, ['get', 'set'], baseName).join('\n'));
    console.log(ratioLines(cells, ['mix', 'mget'], baseName).join('\n'));
    const goals = judge(cells);
    // One short round judges nothing.
    if (!smoke) console.log(goalLines(goals).join('\n'));
    if (jsonFile === undefined) return;
    await mkdir(dirname(jsonFile), { recursive: true });
    await writeFile(jsonFile, `${JSON.stringify({ cells, goals }, null, 1)}\n`);
  } finally {
    await servers.stop();
  }
}

export function headingOf(name: string, cores: Cores | undefined): string {
  const model = cpus()[0]?.model ?? 'unknown';
  const where = cores === undefined ? 'not pinned' : `client on core ${cores.client}, servers on core ${cores.servers}`;
  return `\n${name}: Node ${process.versions.node}, ${model}, ${where}\n`;
}
