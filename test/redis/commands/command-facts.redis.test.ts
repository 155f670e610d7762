/** What we know of commands, against what the servers say of themselves. */

import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { exists, getKeyIndexes, hasFlag } from '../../../src/redis/commands/command-facts.ts';
import { ShardedRedis } from '../../../src/redis/index.ts';
import { startRedis } from '../../support/redis.ts';

type CommandInfo = [name: string, arity: number, flags: string[], firstKey: number, lastKey: number, step: number];

describe('the facts about commands', () => {
  it('name every command of the server, and agree on which write and where a single key is', async () => {
    await using server = await startRedis();
    const client = new Redis(server.url);
    const infos = (await client.call('COMMAND')) as CommandInfo[];
    client.disconnect();
    const wrong: string[] = [];
    for (const [givenName, , flags, firstKey, lastKey] of infos) {
      const name = givenName.toLowerCase();
      // Modules have names with a dot, and rules of their own.
      if (name.includes('.')) continue;
      if (!exists(name)) wrong.push(`${name} is not known`);
      else if (flags.includes('write') && !hasFlag(name, 'write')) wrong.push(`${name} writes`);
      else if (flags.includes('readonly') && !hasFlag(name, 'readonly')) wrong.push(`${name} only reads`);
      else if (firstKey === 1 && lastKey === 1 && !flags.includes('movablekeys') && name !== 'clusterscan') {
        if (getKeyIndexes(name, ['a', 'b', 'c']).join() !== '0') wrong.push(`${name} has its key first`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it.each([1, 2])('send DELIFEQ of Valkey to the node of its key, with %i copies', async (replicationFactor) => {
    await using one = await startRedis();
    await using two = await startRedis();
    const redis = new ShardedRedis({
      nodes: [
        { id: 'one', url: one.url },
        { id: 'two', url: two.url },
      ],
      replicationFactor,
      writeConsistency: 'all',
    });
    await redis.set('key', 'value');
    const deleted = await redis.call('delifeq', 'key', 'value').catch(({ message }: Error) => message);
    // Servers of Redis do not know it, and then it is they who say so.
    const isKnown = !String(deleted).includes('unknown command');
    if (isKnown) expect(deleted).toBe(1);
    const holders = await Promise.all(redis.nodes().map((node) => node.exists('key')));
    expect(holders.filter((count) => count === 1)).toHaveLength(isKnown ? 0 : replicationFactor);
    await redis.quit();
  });
});
