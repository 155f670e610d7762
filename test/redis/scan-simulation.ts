/** Nodes to scan, in memory: pages of a fixed order, answered when the test says so or at once. */

import type { ScanArgument } from '../../src/redis/scan-options.ts';
import type { ScanNode, ScanReply } from '../../src/redis/scan-pages.ts';

export interface SimulatedNode extends ScanNode {
  /** Cursors asked for, in order. */
  readonly asked: string[];
  readonly args: (readonly ScanArgument[])[];
  /** Pages asked for and not answered. */
  readonly waiting: number;
  /** What the next calls fail with, if anything. */
  failure: Error | undefined;
  /** Answers the oldest page asked for. Only of nodes made with `isManual`. */
  answer(): void;
}

/** The server's cursor of page i is 1000 + i, so that no cursor looks like that of another thing. */
const cursorOf = (page: number) => (page === 0 ? '0' : `${1000 + page}`);

export function simulatedNode(
  id: string,
  pages: readonly (readonly (string | Buffer)[])[],
  isManual = false,
): SimulatedNode {
  const asked: string[] = [];
  const args: (readonly ScanArgument[])[] = [];
  const answers: (() => void)[] = [];
  const node: SimulatedNode = {
    id,
    asked,
    args,
    failure: undefined,
    get waiting() {
      return answers.length;
    },
    answer: () => answers.shift()?.(),
    async scanPage(cursor, given): Promise<ScanReply> {
      asked.push(cursor);
      args.push(given);
      if (isManual) await new Promise<void>((resolve) => answers.push(resolve));
      if (node.failure !== undefined) throw node.failure;
      const page = cursor === '0' ? 0 : Number(cursor) - 1000;
      const keys = (pages[page] ?? []).map((key) => (typeof key === 'string' ? Buffer.from(key) : key));
      return [page + 1 < pages.length ? cursorOf(page + 1) : '0', keys];
    },
  };
  return node;
}

/** Everything that can happen without I/O has happened. */
export const quiet = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
