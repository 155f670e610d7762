import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { NodeCall } from '../../src/index.ts';
import { ShardedRedis } from '../../src/redis/index.ts';
import { startFakeRedis, welcome } from '../support/fake-redis.ts';
import { collect, makeFaultyCache } from '../support/faulty-cache.ts';

function listen(): NodeCall[] {
  const calls: NodeCall[] = [];
  const listener = (call: unknown) => calls.push(call as NodeCall);
  subscribe('shardring:node', listener);
  onTestFinished(() => void unsubscribe('shardring:node', listener));
  return calls;
}

describe('the channel shardring:node', () => {
  it('tells of every call of a cache to a node: its name, its keys by number, and how long it took', async () => {
    const { cache, nodes, clock } = makeFaultyCache(['a']);
    nodes.a!.delayMs = 20;
    const calls = listen();
    const made = [
      cache.set('secret', 1),
      cache.get('secret'),
      cache.setMany([
        ['x', 1],
        ['y', 2],
      ]),
      collect(cache.keys()),
    ];
    await clock.advance(100);
    await Promise.all(made);
    const told = calls.map(({ operation, keys, effect, elapsedMs, error }) => [
      operation,
      keys,
      effect,
      elapsedMs,
      error,
    ]);
    expect(told).toEqual([
      ['set', 1, 'sets', 20, undefined],
      ['get', 1, 'reads', 20, undefined],
      ['setMany', 2, 'sets', 20, undefined],
      ['keys', 0, 'reads', expect.any(Number), undefined],
    ]);
    expect(JSON.stringify(calls)).not.toContain('secret');
  });

  it('tells of the failure, and of the reason of a signal where the caller has aborted', async () => {
    const { cache, nodes, clock } = makeFaultyCache(['a']);
    const calls = listen();
    nodes.a!.stop();
    await expect(cache.get('k')).rejects.toThrow();
    nodes.a!.start();
    nodes.a!.hang();
    const controller = new AbortController();
    const read = expect(cache.get('k', { signal: controller.signal })).rejects.toThrow('enough');
    controller.abort(new Error('enough'));
    await read;
    await clock.advance(10);
    expect(calls.map(({ error }) => (error as Error & { code?: string }).code ?? String(error))).toEqual([
      'ERR_NODE_UNAVAILABLE',
      'Error: enough',
    ]);
  });

  it('tells of each command that a ShardedRedis sends, and not of the whole beside its steps', async () => {
    const fakes = await Promise.all([1, 2].map(() => startFakeRedis((command) => welcome(command) ?? '+OK\r\n')));
    const redis = new ShardedRedis({
      nodes: fakes.map(({ port }, index) => ({ id: `n${index}`, host: '127.0.0.1', port })),
      ...{ replicationFactor: 2, allowSharedServers: true },
    });
    onTestFinished(async () => {
      await redis.quit();
      for (const fake of fakes) await fake[Symbol.asyncDispose]();
    });
    const calls = listen();
    await redis.set('secret', 'value');
    await expect.poll(() => calls.length).toBe(2);
    expect(calls.map(({ node }) => node).sort()).toEqual(['n0', 'n1']);
    expect(calls).toMatchObject([1, 2].map(() => ({ operation: 'set', keys: 1, effect: 'counts', error: undefined })));
  });
});
