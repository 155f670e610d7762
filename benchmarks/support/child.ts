/** Runs a module of the benchmarks in a process of its own, and gives the one message that it sends back. */

import { fork } from 'node:child_process';

/**
 * @param module  Of this folder's parent; it gets `task` as JSON in its first argument.
 * @param flags   For the engine, beside those that this process has.
 */
export function runChild<Answer>(module: string, task: unknown, flags: readonly string[] = []): Promise<Answer> {
  const file = new URL(`../${module}`, import.meta.url);
  const child = fork(file, [JSON.stringify(task)], { execArgv: [...process.execArgv, ...flags] });
  return new Promise((resolve, reject) => {
    let answer: { readonly value: Answer } | undefined;
    child.once('message', (message) => {
      answer = { value: message as Answer };
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0 && answer !== undefined) resolve(answer.value);
      else reject(new Error(`${module} ended with code ${code} for ${JSON.stringify(task)}.`));
    });
  });
}
