/** Nodes to scan, in memory: pages of a fixed order, answered when the test says so or at once. */

import type { ScanArgument } from '../../../src/redis/scans/scan-options.ts';
import type { ScanNode } from '../../../src/redis/scans/scan-pages.ts';
import { pageAt } from '../../../src/server/backend/scan-position.ts';
import { CallLimits } from '../../../src/server/sending/call.ts';

export interface SimulatedNode extends ScanNode {
  /** Cursors asked for, in order. */
  readonly asked: string[];
  readonly args: (readonly ScanArgument[])[];
  /** Pages asked for and not answered. */
  readonly waiting: number;
  /** What the next calls fail with, if anything. */
  failure: Error | undefined;
  /** The server is another process from now on, behind a new connection, with these pages. */
  becomeAnother(run: string, pages: readonly (readonly (string | Buffer)[])[]): void;
  /** Answers the oldest page asked for. Only of nodes made with `isManual`. */
  answer(): void;
}

/** The server's cursor of page i is 1000 + i, so that no cursor looks like that of another thing. */
const cursorOf = (page: number) => (page === 0 ? '0' : `${1000 + page}`);

export function simulatedNode(
  id: string,
  firstPages: readonly (readonly (string | Buffer)[])[],
  isManual = false,
  firstRun = 'run-1',
): SimulatedNode {
  let pages = firstPages;
  let run = firstRun;
  let connectionCount = 1;
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
    becomeAnother(nextRun, nextPages) {
      run = nextRun;
      pages = nextPages;
      connectionCount++;
    },
    answer: () => answers.shift()?.(),
    runId: async () => run,
    async scanPage(position, given) {
      const read = async (cursor: string) => {
        asked.push(cursor);
        args.push(given);
        if (isManual) await new Promise<void>((resolve) => answers.push(resolve));
        if (node.failure !== undefined) throw node.failure;
        const page = cursor === '0' ? 0 : Number(cursor) - 1000;
        const keys = (pages[page] ?? []).map((key) => (typeof key === 'string' ? Buffer.from(key) : key));
        return { cursor: page + 1 < pages.length ? cursorOf(page + 1) : '0', keys };
      };
      const { page, next } = await pageAt({ connectionCount, runId: node.runId }, position, 'scan', noLimits, read);
      return { next, keys: page.keys };
    },
  };
  return node;
}

const noLimits = new CallLimits(1_000, Number.POSITIVE_INFINITY, undefined);

/** Everything that can happen without I/O has happened. */
export const quiet = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
