/** The process of one contender in the benchmark of failures. Started by `main.ts`. */

import { readShare } from '../cells.ts';
import { looksRight } from '../check.ts';
import { makeData } from '../data.ts';
import { deadlineMs, failureContenders } from './contenders.ts';
import { openLoop } from './open-loop.ts';
import type { FailureChildTask, FailureTask, PhaseResult } from './phases.ts';

const task = JSON.parse(process.argv[2]!) as FailureChildTask;
const contender = failureContenders.find(({ name }) => name === task.contender);
if (contender === undefined) throw new Error(`There is no contender ${task.contender}.`);
const data = makeData('fl');
const { keys, values } = data;
const store = await contender.open(task.ports);
const nodes = keys.map((key) => store.nodeOf(key));
if (new Set(nodes).size !== task.ports.length) throw new Error(`${task.contender} does not use every server.`);

for (let start = 0; start < keys.length; start += 100) {
  await Promise.all(keys.slice(start, start + 100).map((key, index) => store.set(key, values[start + index]!)));
}
await expectAllRight();

async function expectAllRight(): Promise<void> {
  for (const index of firstKeys()) {
    const value = await store.get(keys[index]!);
    if (value !== values[index]) throw new Error(`${task.contender} gives a wrong value.`);
  }
}

/** One key of each node. */
function firstKeys(): number[] {
  return task.ports.map((_, node) => nodes.indexOf(node));
}

/** Later phases go on with other keys. */
let calls = 0;

async function load(durationMs: number, perSecond: number): Promise<PhaseResult> {
  const first = calls;
  calls += Math.ceil((durationMs * perSecond) / 1_000);
  let wrong = 0;
  const result = await openLoop({
    durationMs,
    perSecond,
    patienceMs: 3 * deadlineMs,
    call(number) {
      const index = data.keyIndexAt(first + number);
      const group = nodes[index] === task.victim ? 'victim' : 'others';
      if (!data.readsAt(first + number)) return { group, answer: store.set(keys[index]!, values[index]!) };
      const answer = store.get(keys[index]!).then((value) => {
        // A node that was started anew is empty; any other answer is a wrong one.
        if (!looksRight(value) && value !== null && value !== undefined) wrong++;
      });
      return { group, answer };
    },
  });
  if (wrong > 0) throw new Error(`${task.contender}: ${wrong} answers of ${readShare * 100} % reads are wrong.`);
  return result;
}

/** For as long as it takes; the parent gives up on us in the end. */
async function recover(): Promise<void> {
  for (;;) {
    const outcomes = await Promise.allSettled(firstKeys().map((index) => store.get(keys[index]!)));
    if (outcomes.every(({ status }) => status === 'fulfilled')) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

process.on('message', (message: FailureTask | 'close') => {
  if (message === 'close') void store.close().then(() => process.disconnect());
  else if (message.kind === 'recover') void recover().then(() => process.send!('recovered'));
  else void load(message.durationMs, message.perSecond).then((result) => process.send!(result));
});
// Also if the parent has died: open sockets would keep this process for ever.
process.on('disconnect', () => process.exit());
process.send!('ready');
