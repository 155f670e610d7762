import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root, runProgram } from './support/doc-examples.ts';
import { startRedis } from './support/redis.ts';

it('examples/sharded-redis.ts runs as it stands on three servers, and leaves nothing behind', async () => {
  const servers = await Promise.all([startRedis(), startRedis(), startRedis()]);
  const urls = servers.map(({ url }) => url);
  const example = () => runProgram(join(root, 'examples/sharded-redis.ts'), urls);
  const [visits, counts, refusal] = (await example()).split('\n');
  expect(visits).toBe('user 42 was here 1 times and saw 1 pages');
  const profiles = [...counts!.matchAll(/shard-\d has (\d+) profiles/g)].map(([, count]) => Number(count));
  expect(profiles.reduce((sum, count) => sum + count, 0)).toBe(1_000);
  expect(Math.min(...profiles)).toBeGreaterThan(250);
  expect(refusal).toMatch(/^ERR_CROSS_NODE sinter: /);
  // A second run finds nothing of the first.
  expect((await example()).split('\n')[0]).toBe(visits);
  await Promise.all(servers.map((server) => server.stop()));
});
