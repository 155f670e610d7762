/** Whether a contender does what is asked of it: before it is timed, and cheaply while it is. */

import { valueLength } from './cells.ts';
import type { Data } from './data.ts';
import type { ManyAnswer, Store } from './store.ts';

/**
 * Writes all keys and asks for them in every way that is timed.
 * @throws {Error} Something else came back than was written.
 */
export async function fillAndCheck(store: Store, { keys, values, batches }: Data): Promise<void> {
  const written = new Map(keys.map((key, index) => [key, values[index]!]));
  const some = keys.flatMap((key, index) => (index % 50 === 0 ? [{ key, value: values[index]! }] : []));
  for (const { key, value } of some.slice(0, 20)) {
    const absent = await store.get(key);
    expectSame('a key that is not there', absent ?? undefined, undefined);
    await store.set(key, `${value}, to be written over`);
  }
  // By hundreds: ten thousand at once would measure patience.
  for (let start = 0; start < keys.length; start += 100) {
    const part = keys.slice(start, start + 100);
    await Promise.all(part.map((key, index) => store.set(key, values[start + index]!)));
  }
  const answers = await Promise.all(some.map(({ key }) => store.get(key)));
  for (const [index, { value }] of some.entries()) expectSame('get', answers[index], value);
  for (const batch of batches) await checkMany(store, batch, written);
  const [first, second] = [keys[0]!, keys[1]!];
  await checkMany(store, [second, `${first}:absent`, first], written);
}

async function checkMany(store: Store, batch: readonly string[], written: ReadonlyMap<string, string>): Promise<void> {
  const answer = await store.mget(batch);
  const found = isMap(answer) ? batch.map((key) => answer.get(key)) : answer;
  expectSame('the number of answers', found.length, batch.length);
  for (const [index, key] of batch.entries()) {
    expectSame('mget', found[index] ?? undefined, written.get(key));
  }
}

function expectSame(what: string, found: unknown, wanted: unknown): void {
  if (found !== wanted) throw new Error(`${what} is ${JSON.stringify(found)} and should be ${JSON.stringify(wanted)}`);
}

const isMap = (answer: ManyAnswer): answer is ReadonlyMap<string, string> => answer instanceof Map;

/** In the timed loop: right length, nothing more, so that it costs nanoseconds. */
export const looksRight = (value: string | null | undefined) => value?.length === valueLength;

export function manyLookRight(answer: ManyAnswer, batch: readonly string[]): boolean {
  if (isMap(answer)) return answer.size === batch.length;
  return answer.length === batch.length && looksRight(answer[0]) && looksRight(answer[batch.length - 1]);
}
