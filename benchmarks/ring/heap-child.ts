/**
 * What a call leaves on the heap, in a process of its own. Started by `lookup.ts` with a number of nodes, `--expose-gc`,
 * and room for new objects so large that nothing is collected while it counts.
 */

import { median } from '../support/statistics.ts';
import { type Contender, contendersFor, loopOf } from './contenders.ts';

export interface HeapAnswer {
  readonly nodeCount: number;
  /** Bytes a call, over a million calls, by contender. */
  readonly bytes: Readonly<Record<string, number>>;
}

const runs = 20;
const callsPerRun = 50_000;

function bytesPerCall(contender: Contender): number {
  const { keys, body, subject } = loopOf(contender, { kind: 'flat', length: 10 });
  const call = new Function('subject', 'key', `let value = 0; ${body} return value;`) as (
    subject: unknown,
    key: string,
  ) => number;
  const grown: number[] = [];
  let sum = 0;
  for (let run = 0; run < runs + 2; run++) {
    globalThis.gc!();
    const before = process.memoryUsage().heapUsed;
    for (let index = 0; index < callsPerRun; index++) sum = (sum + call(subject, keys[index & (keys.length - 1)]!)) | 0;
    grown.push(process.memoryUsage().heapUsed - before);
  }
  if (sum === 0) throw new Error(`${contender.name} found nothing.`);
  // In the first runs code is compiled, and the lists are made that later ones share.
  return median(grown.slice(2)) / callsPerRun;
}

const nodeCount = Number(process.argv[2]);
const ours = (await contendersFor(nodeCount)).filter(({ name }) => ['nodeFor', 'preferenceList of 3'].includes(name));
const list = ours.find(({ name }) => name === 'preferenceList of 3')!;
// Shows that the method sees what is allocated.
const copied: Contender = {
  ...list,
  name: 'a copy of that list',
  body: 'value = [...subject.preferenceList(key, 3)][0].length;',
};
const bytes = Object.fromEntries([...ours, copied].map((contender) => [contender.name, bytesPerCall(contender)]));
if (bytes[copied.name]! < 16) throw new Error('Three names were copied and the heap did not grow.');
process.send!({ nodeCount, bytes } satisfies HeapAnswer);
process.disconnect();
