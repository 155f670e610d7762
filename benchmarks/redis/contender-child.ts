/**
 * The process of one contender. It opens its clients, checks their answers, and then takes one sample per message.
 *
 * A process for each, since in a common one the garbage of one contender would be collected in the time of another, and
 * what the engine learns of ioredis' code from one use of it would shape the code that another one runs.
 */

import { type Cell, mgetKeys } from './cells.ts';
import { fillAndCheck, looksRight, manyLookRight } from './check.ts';
import { contenderNamed } from './contenders/index.ts';
import { type Data, makeData } from './data.ts';
import { type Load, type LoadResult, runLoad } from './load.ts';
import type { ManyAnswer, Ports, Store } from './store.ts';

export interface ChildTask {
  readonly contender: string;
  readonly prefix: string;
  readonly ports: Ports;
}

export interface SampleTask {
  readonly cell: Cell;
  /** Untimed, before the sample: other contenders have used the caches meanwhile. */
  readonly leadInMs: number;
  readonly sampleMs: number;
}

export interface Sample extends LoadResult {
  /** With those of the lead-in, as the servers have counted. */
  readonly allOperations: number;
}

function loadOf({ operation }: Cell, store: Store, data: Data): Pick<Load, 'call' | 'isRight'> {
  const { keys, values, batches, keyIndexAt, readsAt } = data;
  const batchAt = (number: number) => batches[Math.floor(keyIndexAt(number) / mgetKeys)]!;
  const get = (number: number) => store.get(keys[keyIndexAt(number)]!);
  const set = (number: number) => {
    const index = keyIndexAt(number);
    return store.set(keys[index]!, values[index]!);
  };
  const isValue = (answer: unknown) => looksRight(answer as string | null | undefined);
  switch (operation) {
    case 'get':
      return { call: get, isRight: isValue };
    case 'set':
      return { call: set, isRight: () => true };
    case 'mix':
      return {
        call: (number) => (readsAt(number) ? get(number) : set(number)),
        isRight: (answer, number) => !readsAt(number) || isValue(answer),
      };
    case 'mget':
      return {
        call: (number) => store.mget(batchAt(number)),
        isRight: (answer, number) => manyLookRight(answer as ManyAnswer, batchAt(number)),
      };
  }
}

async function takeSample(store: Store, data: Data, { cell, leadInMs, sampleMs }: SampleTask): Promise<Sample> {
  const isSlowOrFew = cell.operation === 'mget' || cell.callers < 50;
  const load = { ...cell, ...loadOf(cell, store, data), timedOneIn: isSlowOrFew ? 1 : 8 };
  const leadIn = await runLoad({ ...load, durationMs: leadInMs });
  const result = await runLoad({ ...load, durationMs: sampleMs });
  return { ...result, allOperations: leadIn.operations + result.operations };
}

const task = JSON.parse(process.argv[2]!) as ChildTask;
const data = makeData(task.prefix);
const store = await contenderNamed(task.contender).open(task.ports);
await fillAndCheck(store, data);
process.on('message', (message: SampleTask | 'close') => {
  if (message === 'close') void store.close().then(() => process.disconnect());
  else void takeSample(store, data, message).then((sample) => process.send!(sample));
});
// Also if the parent has died: open sockets would keep this process for ever.
process.on('disconnect', () => process.exit());
process.send!('ready');
