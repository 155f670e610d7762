/**
 * One process of the lookup benchmark: one number of nodes and one kind of key, so that no other ring has used the caches
 * and no other kind of string has been met. Started by `lookup.ts` with its task as JSON; answers with a message.
 */

import { type LoopTimes, timeLoops } from '../support/cpu-rounds.ts';
import { type Contender, contendersFor, loopOf } from './contenders.ts';
import { type KeyCase, keysOfAllKinds } from './key-cases.ts';

export interface LookupTask extends KeyCase {
  readonly nodeCount: number;
  readonly rounds: number;
  readonly sampleMs: number;
}

export interface LookupAnswer {
  readonly task: LookupTask;
  readonly times: readonly LoopTimes[];
}

/** Lets keys of every kind go through a contender, as often as it takes to be compiled for them. */
function meetAllKinds({ subject, body }: Contender, keys: readonly string[]): void {
  const call = new Function('subject', 'key', `let value = 0; ${body} return value;`) as (
    subject: unknown,
    key: string,
  ) => number;
  for (let time = 0; time < 3; time++) for (const key of keys) call(subject, key);
}

const task = JSON.parse(process.argv[2]!) as LookupTask;
const contenders = await contendersFor(task.nodeCount);
const loops = contenders.map((contender) => loopOf(contender, task));
if (task.kind === 'flat after 8') {
  const keys = keysOfAllKinds();
  for (const contender of contenders) meetAllKinds(contender, keys);
}
process.send!({ task, times: timeLoops(loops, task) } satisfies LookupAnswer);
process.disconnect();
