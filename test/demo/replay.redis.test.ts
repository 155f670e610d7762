/** The demo on real servers: started by it, killed and restarted; and given to it, where it is a guest. */

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from 'shardring';
import { RedisBackend } from 'shardring/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DemoNodes } from '../../examples/demo/nodes/demo-nodes.ts';
import { openNodes } from '../../examples/demo/nodes/open-nodes.ts';
import { Report } from '../../examples/demo/output/report.ts';
import { runReplay } from '../../examples/demo/replay/run-replay.ts';
import { runTour } from '../../examples/demo/tour.ts';
import { seededRandom } from '../../src/runtime/random.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

function recorder() {
  let output = '';
  const write = (text: string) => {
    output += text;
  };
  const report = new Report({ write, clock: systemClock, colourDepth: 0, isInteractive: false });
  return { report, output: () => output };
}

/** Twitter's format, with all operations; few keys are asked for often, many seldom. */
function syntheticTrace(requests: number): string {
  const random = seededRandom(1);
  const operations = ['get', 'get', 'get', 'get', 'get', 'gets', 'set', 'add', 'delete'];
  const lines = Array.from({ length: requests }, (_, index) => {
    const rank = Math.floor(random() ** 3 * 5_000);
    if (random() < 0.05) return `${index},counter:${rank % 100},9,0,c,incr,0`;
    const operation = operations[Math.floor(random() * operations.length)];
    return `${index},key:${rank},8,${Math.floor(random() * 300)},c,${operation},${random() < 0.1 ? 3_600 : 0}`;
  });
  return `${lines.join('\n')}\n`;
}

describe('a replay on four real servers', () => {
  const directory = mkdtempSync(join(tmpdir(), 'shardring-demo-'));
  const path = join(directory, 'synthetic.csv');
  let nodes: DemoNodes;

  beforeAll(async () => {
    writeFileSync(path, syntheticTrace(45_000));
    nodes = await openNodes({ kind: 'spawned', count: 4 }, 'test');
  });

  afterAll(async () => {
    await nodes?.close();
    rmSync(directory, { recursive: true });
  });

  it('shows no error when one of them is killed and comes back empty', async () => {
    const { report, output } = recorder();
    const trace = { path, concurrency: 32, limit: Number.POSITIVE_INFINITY, valueBytes: 100, killOne: true };
    await runReplay({ nodes, report, replicationFactor: 2, trace });
    expect(report.broken, output()).toEqual([]);
    expect(output()).toContain('Errors that reached the caller: 0');
    expect(output()).toMatch(/request +15,000 +node-2 is killed with SIGKILL/);
    expect(output()).toMatch(/nodeSuspect: node-2[\s\S]*node-2 is started again[\s\S]*nodeUp: node-2/);
    expect(output()).toMatch(/node-2 +[\d,]+ +[\d,]+ +[\d.]+ % +[1-9]/);
  });
});

describe('the tour on given servers', () => {
  const servers: RedisServer[] = [];

  beforeAll(async () => {
    servers.push(...(await Promise.all([startRedis(), startRedis(), startRedis()])));
  });

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
  });

  it('holds, and leaves what was there as it was and nothing else', async () => {
    const guests = servers.map(({ url }) => new RedisBackend(url));
    for (const guest of guests) await guest.set('shardring-demo:not ours', Buffer.from('1'), {});

    const urls = servers.map(({ url }) => url);
    const nodes = await openNodes({ kind: 'given', urls }, randomBytes(4).toString('hex'));
    const { report, output } = recorder();
    await runTour(
      { nodes: { kind: 'given', urls }, replicationFactor: 2, keys: 5_000, trace: undefined },
      nodes,
      report,
    );
    expect(report.broken, output()).toEqual([]);

    for (const guest of guests) {
      const keys = [];
      for await (const key of guest.scan()) keys.push(key);
      expect(keys).toEqual(['shardring-demo:not ours']);
      await guest.close();
    }
  });
});
