/** Calls for a key that has one node, which is up: they take a short way, and must come to the same as on the long one. */

import { describe, expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/memory.ts';
import { ShardedCache } from '../../src/cache/sharded-cache.ts';
import { NodeUnavailableError } from '../../src/errors.ts';
import { makeFaultyCache } from '../support/faulty-cache.ts';

const code = (name: string) => expect.objectContaining({ code: name });

/** A cache of a, b and c, and a key of theirs that d will have once it is a member. */
function withKeyToMove() {
  const made = makeFaultyCache(['a', 'b', 'c'], { timeoutMs: 1_000 });
  const { placement } = made.cache.topology;
  const after = placement.withNode({ id: 'd' });
  const key = Array.from({ length: 500 }, (_, index) => `key:${index}`).find((each) => after.nodeFor(each) === 'd')!;
  const add = () => made.cache.addNode({ id: 'd', backend: made.newNode('d') }, { lazyForMs: 1_000_000 });
  return { ...made, key, holder: made.nodes[placement.nodeFor(key)]!, add };
}

describe('a read of a key with one node', () => {
  it('that finds nothing is made again when the nodes changed meanwhile', async () => {
    const { cache, clock, key, holder, add } = withKeyToMove();
    holder.delayMs = 100;
    const reading = cache.get(key);
    await add();
    const writing = cache.set(key, 'value');
    await clock.advance(500);
    await writing;
    expect(await reading).toBe('value');
  });

  it('that fails is made again when the nodes changed meanwhile, in the time that is left', async () => {
    const { cache, clock, key, holder, nodes, add } = withKeyToMove();
    const startMs = clock.nowMs();
    holder.hang();
    const reading = cache.get(key).then(
      () => 'answered',
      () => clock.nowMs() - startMs,
    );
    await add();
    nodes.d!.hang();
    await clock.advance(600);
    holder.stop();
    await clock.advance(5_000);
    expect(await reading).toBeLessThanOrEqual(1_000);
    expect(nodes.d!.calls.get).toBe(1);
  });

  it.each(['get', 'set'] as const)('or a write that fails says so, and the node is suspect: %s', async (call) => {
    const { cache, nodes, events, keyOf } = makeFaultyCache(['a', 'b']);
    nodes.a!.stop();
    const answer = call === 'get' ? cache.get(keyOf('a')) : cache.set(keyOf('a'), 'value');
    await expect(answer).rejects.toThrow(code('ERR_NODE_UNAVAILABLE'));
    expect(events).toMatchObject([{ name: 'nodeSuspect', node: 'a' }]);
    expect(cache.health().get('a')).toBe('suspect');
  });

  it('goes on as usual for keys of other nodes while one is down', async () => {
    const { cache, nodes, keyOf, probe, events } = makeFaultyCache(['a', 'b']);
    nodes.a!.stop();
    await expect(cache.get(keyOf('a'))).rejects.toThrow(code('ERR_NODE_UNAVAILABLE'));
    await probe();
    expect(cache.health().get('a')).toBe('down');
    events.length = 0;
    await cache.set(keyOf('b'), 'value');
    expect(await cache.get(keyOf('b'))).toBe('value');
    await expect(cache.get(keyOf('a'))).rejects.toThrow(code('ERR_NODE_UNAVAILABLE'));
    expect(events).toEqual([]);
  });

  it('that was aborted rejects with the reason and says nothing of the node, however the node ends it', async () => {
    class FailsWhenAborted extends MemoryBackend {
      override get(_key: string, { signal }: { signal?: AbortSignal }): Promise<never> {
        return new Promise((_, reject) => {
          signal!.addEventListener('abort', () => reject(new NodeUnavailableError('a', 'get', { cause: undefined })));
        });
      }
    }
    await using cache = new ShardedCache({ nodes: [{ id: 'a', backend: new FailsWhenAborted() }] });
    const controller = new AbortController();
    const reading = cache.get('key', { signal: controller.signal });
    controller.abort(new Error('no more'));
    await expect(reading).rejects.toThrow('no more');
    expect(cache.health().get('a')).toBe('up');
  });
});
