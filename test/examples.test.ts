import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, runProgram } from './support/doc-examples.ts';

const output: Record<string, string> = {
  'quick-start.ts': "{ name: 'Ada' }\nd primary, c replica, a next, b next\n19.8 % of all copies move, 0 needlessly\n",
  'stampede.ts':
    "Set(1) { 'answer 1' } by 1 query\nanswer 1 (two seconds too old, answered at once)\nanswer 2 by 2 queries\n",
  'failover.ts': '1000 of 1000 orders found, 325 of them at their replica\n',
};

/** Run by examples.redis.test.ts. */
const onServers = ['sharded-redis.ts'];

describe('the examples', () => {
  it('are all known to this test', () => {
    const files = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.ts'));
    expect(files.sort()).toEqual([...Object.keys(output), ...onServers].sort());
  });

  it.each(Object.entries(output))('run as they stand: %s', async (name, expected) => {
    expect(await runProgram(join(root, 'examples', name))).toBe(expected);
  });
});
