/** The demo as who installed the package runs it: `npx shardring demo`. */

import { describe, expect, it } from 'vitest';
import { Consumer, manifest } from '../support/consumer.ts';

const bin = `node_modules/shardring/${manifest.bin.shardring}`;

describe('npx shardring demo', () => {
  it('keeps its promises on memory, with nothing installed but the package', async () => {
    using consumer = new Consumer();
    const { stdout, stderr } = await consumer.node(bin, undefined, ['demo', '--keys', '2000']);
    expect(stdout).toContain('All 9 promises held.');
    expect(stderr).toBe('');
  });

  it('runs on servers that it starts', async () => {
    using consumer = new Consumer({ ioredis: 'ioredis' });
    const { stdout } = await consumer.node(bin, undefined, ['demo', '--keys', '2000', '--spawn-redis', '2']);
    expect(stdout).toMatch(/All \d+ promises held\./);
  });

  it('describes its options', async () => {
    using consumer = new Consumer();
    expect((await consumer.node(bin, undefined, ['demo', '--help'])).stdout).toMatch(
      /^Usage: shardring demo \[options\]/,
    );
  });
});
