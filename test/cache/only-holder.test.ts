/** Calls for a key that has one node, which is up: they take a short way, and must come to the same as on the long one. */

import { describe, expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/memory.ts';
import { ShardedCache } from '../../src/cache/sharded-cache.ts';
import { NodeUnavailableError } from '../../src/errors/index.ts';
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
  it('is repeated when it finds nothing and the nodes changed meanwhile', async () => {
    const { cache, clock, key, holder, add } = withKeyToMove();
    holder.delayMs = 100;
    const reading = cache.get(key);
    await add();
    const writing = cache.set(key, 'value');
    await clock.advance(500);
    await writing;
    expect(await reading).toBe('value');
  });

  it('is repeated in the time left when it fails and the nodes changed meanwhile', async () => {
    const { cache, clock, key, holder, nodes, add } = withKeyToMove();
    const startMs = clock.nowMs();
    holder.hang();
    const reading = cache.get(key).then(
      () => 'answered',
      () => clock.nowMs() - startMs,
    );
    await add();
    await clock.advance(400);
    nodes.d!.hang();
    await clock.advance(200);
    holder.stop();
    await clock.advance(5_000);
    expect(await reading).toBeLessThanOrEqual(1_000);
    expect(nodes.d!.calls.get).toBe(1);
  });

  it.each(['get', 'set'] as const)(
    'reports its failure, as a write does, and makes the node suspect: %s',
    async (call) => {
      const { cache, nodes, events, keyOf } = makeFaultyCache(['a', 'b']);
      nodes.a!.stop();
      const answer = call === 'get' ? cache.get(keyOf('a')) : cache.set(keyOf('a'), 'value');
      await expect(answer).rejects.toThrow(code('ERR_NODE_UNAVAILABLE'));
      expect(events).toMatchObject([{ name: 'nodeSuspect', node: 'a' }]);
      expect(cache.health().get('a')).toBe('suspect');
    },
  );

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

  it('rejects with the reason when it is aborted, and says nothing of the node, however the node ends it', async () => {
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
    expect(cache.health().get('a')).not.toBe('suspect');
  });
});

describe('a read of many keys with one node each', () => {
  it('asks a suspect node at once, beside one that hangs, and leaves it its time', async () => {
    const { cache, clock, nodes, keyOf } = makeFaultyCache(['a', 'b', 'c'], { timeoutMs: 400 });
    const keys = [keyOf('a'), keyOf('b'), keyOf('c')];
    for (const key of keys) await cache.set(key, key);
    nodes.a!.stop();
    await cache.get(keys[0]!).catch(() => undefined);
    nodes.a!.start();
    expect(cache.health().get('a')).toBe('suspect');
    nodes.b!.hang();
    const reading = cache.getMany(keys).catch((error: unknown) => error);
    await clock.advance(1);
    expect([nodes.a!.calls.getMany, nodes.b!.calls.getMany, nodes.c!.calls.getMany]).toEqual([1, 1, 1]);
    await clock.advance(1_000);
    expect(await reading).toMatchObject({ code: 'ERR_PARTIAL_FAILURE', failedKeys: [keys[1]] });
    expect(cache.health().get('a')).toBe('up');
    nodes.b!.start();
  });

  it('is repeated when it finds nothing and the nodes changed meanwhile', async () => {
    const { cache, clock, key, holder, add } = withKeyToMove();
    holder.delayMs = 100;
    const reading = cache.getMany([key, 'another']);
    await add();
    const writing = cache.set(key, 'value');
    await clock.advance(500);
    await writing;
    expect(await reading).toEqual(new Map([[key, 'value']]));
  });

  it('names the keys whose node failed, and gives the others', async () => {
    const { cache, nodes, keyOf } = makeFaultyCache(['a', 'b']);
    const keys = [keyOf('b'), keyOf('a')];
    for (const key of keys) await cache.set(key, key);
    nodes.b!.stop();
    const error = await cache.getMany(keys).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'ERR_PARTIAL_FAILURE',
      failedKeys: [keys[0]],
      results: new Map([[keys[1], keys[1]]]),
    });
  });
});

describe('a third-party backend, complete and used as it is', () => {
  const kinds: readonly (readonly [name: string, give: (value: unknown) => unknown])[] = [
    ['promises', (value) => Promise.resolve(value)],
    ['no promises', (value) => value],
    [
      'something with a then that returns nothing',
      // biome-ignore lint/suspicious/noThenProperty: this is what is tried here.
      (value) => ({ then: (resolve: (given: unknown) => void) => resolve(value) }),
    ],
  ];

  it.each(kinds)('may give %s', async (_name, give) => {
    const { cache, limits } = cacheOver(give);
    await cache.set('key', 'value');
    expect(await cache.get('key')).toBe('value');
    expect(await cache.getMany(['key', 'none'])).toEqual(new Map([['key', 'value']]));
    // As given, and no other number for the arithmetic of deadlines.
    expect(limits.slice(0, 2)).toEqual([1_000, 1_000]);
    await cache.close();
  });

  it('may throw, and the cache closes all the same', async () => {
    const { cache } = cacheOver(() => {
      throw new NodeUnavailableError('a', 'get', { cause: undefined });
    });
    await expect(cache.get('key')).rejects.toThrow(code('ERR_NODE_UNAVAILABLE'));
    expect(cache.health().get('a')).toBe('suspect');
    await expect(cache.set('key', 'value')).rejects.toThrow(code('ERR_NODE_UNAVAILABLE'));
    await cache.close();
  });

  it('may hold what the codec cannot read, and the cache closes all the same', async () => {
    const { cache } = cacheOver((value) => (value instanceof Uint8Array ? Buffer.from('{') : value));
    await cache.set('key', 'value');
    await expect(cache.get('key')).rejects.toThrow(code('ERR_CODEC'));
    await cache.close();
  });
});

/** A cache over one memory node whose answers reach it through `give`, and the time limits that the node was given. */
function cacheOver(give: (value: unknown) => unknown) {
  const stored = new Map<string, Uint8Array>();
  const limits: (number | undefined)[] = [];
  class Backend extends MemoryBackend {
    override get(key: string, options: { timeoutMs?: number | undefined } = {}): Promise<never> {
      limits.push(options.timeoutMs);
      return give(stored.get(key)) as Promise<never>;
    }
    override set(key: string, value: Uint8Array, options: { timeoutMs?: number | undefined } = {}): Promise<never> {
      limits.push(options.timeoutMs);
      stored.set(key, value);
      return give(undefined) as Promise<never>;
    }
    override getMany(keys: readonly string[]): Promise<never> {
      return give(keys.map((key) => stored.get(key))) as Promise<never>;
    }
  }
  const cache = new ShardedCache({ nodes: [{ id: 'a', backend: new Backend() }], timeoutMs: 1_000 });
  return { cache, limits };
}
