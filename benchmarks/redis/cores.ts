/**
 * Servers on one core and the client on another, so that what one of them saves is not taken up by the other.
 *
 * Done by `taskset` of util-linux. Where it is missing, or where this process may use one core only, nothing is pinned,
 * and the heading of the results says so.
 */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

export interface Cores {
  readonly client: number;
  readonly servers: number;
}

/** The cores of a list as Linux writes it: `0-2,5` is 0, 1, 2 and 5. */
export function coresOf(list: string): number[] {
  return [...list.matchAll(/(\d+)(?:-(\d+))?/g)].flatMap(([, from, to = from]) => {
    const [first, last] = [Number(from), Number(to)];
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** The first two cores that this process may use; undefined where things cannot be pinned. */
export async function chooseCores(): Promise<Cores | undefined> {
  const [client, servers] = coresOf(allowedList());
  if (client === undefined || servers === undefined) return undefined;
  try {
    await promisify(execFile)('taskset', ['--version']);
  } catch {
    return undefined;
  }
  return { client, servers };
}

function allowedList(): string {
  try {
    return /^Cpus_allowed_list:\s*(.+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  } catch {
    return ''; // No Linux.
  }
}

/** Puts a process, with all its threads, on a core. */
export async function pin(pid: number, core: number | undefined): Promise<void> {
  if (core === undefined) return;
  await promisify(execFile)('taskset', ['-a', '-c', '-p', `${core}`, `${pid}`]);
}
