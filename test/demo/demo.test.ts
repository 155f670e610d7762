/** The demo as a user starts it: a process of its own, on memory. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { HashRing, planRebalance } from 'shardring';
import { describe, expect, it } from 'vitest';
import { count, percent } from '../../src/cli/draw/numbers.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tiny = fileURLToPath(new URL('fixtures/tiny.lis.zst', import.meta.url));

/** Without npm and without a terminal. */
function demo(...args: string[]): Promise<{ code: number; output: string; errors: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--import', 'tsx', 'examples/demo/main.ts', ...args],
      { cwd: root },
      (_, output, errors) => resolve({ code: child.exitCode!, output, errors }),
    );
  });
}

/** What the ring itself says of the demo's keys. */
function expectedFigures() {
  const before = HashRing.create(
    [1, 2, 3, 4].map((number) => ({ id: `node-${number}` })),
    { replicationFactor: 2 },
  );
  const primary = new Map<string, number>();
  const held = new Map<string, number>();
  const add = (counts: Map<string, number>, id: string) => counts.set(id, (counts.get(id) ?? 0) + 1);
  for (let index = 0; index < 100_000; index++) {
    const nodes = before.preferenceList(`user:${index}`, 2);
    add(primary, nodes[0]!);
    for (const node of nodes) add(held, node);
  }
  const { movedShare } = planRebalance(before, before.withNode({ id: 'node-5' }), { replicationFactor: 2 });
  return { primary, held, movedShare: percent(movedShare) };
}

describe('the demo', () => {
  it('shows on four nodes in memory all that it promises', async () => {
    const { code, output } = await demo();
    const { primary, held, movedShare } = expectedFigures();
    for (const figure of [
      '100 %  100,000 of 100,000',
      'all             100,000    200,000  200,000',
      '✔ every key is on 2 nodes',
      'event nodeDown: node-2',
      'event nodeUp: node-2',
      '✔ reads failed over with 0 errors (300,000 reads)',
      '✔ the hit ratio stayed at 100 %, and every value was right',
      `Moved share           ${movedShare}`,
      `Theoretical minimum   ${movedShare}`,
      '✔ the hit ratio did not fall (100.00 % before)',
      '✔ the moved share is the theoretical minimum',
      'All 9 promises held.',
    ]) {
      expect(output).toContain(figure);
    }
    for (const id of primary.keys()) {
      expect(output).toMatch(new RegExp(`${id} +${count(primary.get(id)!)} +${count(held.get(id)!)} +50,000 `));
    }
    expect(output).not.toContain('\u001b');
    expect(Math.max(...output.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(code).toBe(0);
  });

  it('replays a trace', async () => {
    const { code, output } = await demo('--trace', tiny, '--concurrency', '3');
    expect(output).toContain('Hit ratio 11.11 %: 1 of 9 reads');
    expect(output).toContain('Errors that reached the caller: 0');
    expect(code).toBe(0);
  });

  it('exits with 2 for a wrong option and with 1 for a file that is not a trace', async () => {
    expect(await demo('--tracee', 'x')).toMatchObject({
      code: 2,
      output: '',
      errors: expect.stringContaining('--trace,'),
    });
    expect(await demo('--trace', 'package.json')).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/^package\.json:1: expected /),
    });
  });
});
