/**
 * The ring beside its floors and other packages: lookups, and changes of nodes.
 *
 *   npm run bench -- ring [--smoke] [--json FILE]
 *
 * What the numbers do not prove is in `../README.md`.
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { ratioTo, spreadOf } from '../support/cpu-rounds.ts';
import { changeTables, measureChanges } from './changes.ts';
import { goalLines } from './goals.ts';
import { heapLines, lookupTables, measureLookups } from './lookup.ts';

export async function benchRing(smoke: boolean, jsonFile: string | undefined): Promise<void> {
  console.log(`\nring: Node ${process.versions.node}, V8 ${process.versions.v8}, ${cpus()[0]?.model ?? 'unknown'}\n`);
  const results = await measureLookups(smoke);
  console.log(lookupTables(results).join('\n'));
  console.log(heapLines(results).join('\n'));
  const changes = await measureChanges(smoke);
  console.log(changeTables(changes).join('\n'));
  // Two rounds judge nothing.
  if (!smoke) console.log(goalLines(results, changes).join('\n'));
  if (jsonFile === undefined) return;
  const lookups = results.lookups.map(({ task, times }) => ({
    ...task,
    contenders: times.map((each) => ({
      name: each.name,
      nanos: spreadOf(each.samples),
      timesNodeFor: ratioTo(times.find(({ name }) => name === 'nodeFor')!, each),
    })),
  }));
  await mkdir(dirname(jsonFile), { recursive: true });
  await writeFile(jsonFile, `${JSON.stringify({ lookups, heaps: results.heaps, changes }, null, 1)}\n`);
}
