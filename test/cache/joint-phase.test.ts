/** What a joint phase owes to the keys that are asked for in it: each of these once went wrong. */

import { describe, expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/memory.ts';
import { NodeReplyError } from '../../src/errors/index.ts';
import { HashRing } from '../../src/index.ts';
import { collect, type FaultyCache, makeFaultyCache } from '../support/faulty-cache.ts';

const keys = Array.from({ length: 200 }, (_, index) => `key:${index}`);
const code = (name: string) => expect.objectContaining({ code: name });

/** A cache that has just been given d, by 'lazy', and the keys that went to d. */
async function withMovedKeys(options: object = {}) {
  const made = makeFaultyCache(['a', 'b', 'c'], options);
  await made.cache.setMany(keys.map((key) => [key, 1]));
  const change = made.cache.addNode({ id: 'd', backend: made.newNode('d') }, { lazyForMs: 1_000_000 });
  await change;
  return { ...made, change, moved: keys.filter((key) => made.cache.explain(key).previousOwners.length > 0) };
}

const turns = async ({ clock }: FaultyCache) => clock.advance(1);

describe('a write of many keys in a joint phase', () => {
  it('leaves the former values where the new owner has surely stored nothing', async () => {
    const made = await withMovedKeys();
    const { cache, nodes, moved } = made;
    nodes.d!.stop();
    await expect(cache.setMany(moved.map((key) => [key, 2]))).rejects.toThrow(code('ERR_PARTIAL_FAILURE'));
    nodes.d!.start();
    expect((await cache.getMany(moved)).size).toBe(moved.length);
    nodes.d!.failNext(1, new NodeReplyError('d', 'setMany', 'OOM'));
    await expect(cache.setMany(moved.map((key) => [key, 2]))).rejects.toThrow(code('ERR_PARTIAL_FAILURE'));
    expect([...(await cache.getMany(moved)).values()]).toEqual(moved.map(() => 1));
  });
});

describe('the end of a joint phase', () => {
  it('waits for what has been asked for and is still being brought over, so that no counter restarts', async () => {
    const made = await withMovedKeys();
    const { cache, nodes, moved, change, clock } = made;
    for (const node of Object.values(nodes)) node.delayMs = 10;
    const reads = moved.map((key) => cache.get(key));
    await clock.advance(20);
    await Promise.all(reads);
    change.cancel();
    const sums = moved.map((key) => cache.increment(key));
    await clock.advance(500);
    expect(await Promise.all(sums)).toEqual(moved.map(() => 2));
  });

  it('waits for an increment that began before the phase and is sent in it', async () => {
    const made = makeFaultyCache(['a', 'b', 'c', 'd'], { replicationFactor: 2, timeoutMs: 10_000 });
    const { cache, nodes, clock } = made;
    const { placement } = cache.topology;
    const next = HashRing.create(placement.nodes, { slots: 2 ** 10, virtualNodes: 16, hashSeed: 7 });
    const key = keys.find((name) => {
      const holders = placement.preferenceList(name, 2);
      return !next.preferenceList(name, 2).some((id) => holders.includes(id));
    })!;
    await cache.set(key, 10);
    for (const node of Object.values(nodes)) node.delayMs = 20;
    const sum = cache.increment(key);
    await clock.advance(10);
    const change = cache.setPlacement(next, { lazyForMs: 1_000_000 });
    await change;
    await clock.advance(35);
    change.cancel();
    const back = cache.setPlacement(placement, { strategy: 'none' });
    let isBack = false;
    void back.then(() => {
      isBack = true;
    });
    await clock.advance(15);
    expect(isBack).toBe(false);
    await clock.advance(1_000);
    await back;
    expect(await sum).toBe(11);
  });

  it('finds a key filled by a later read whose first fill has failed', async () => {
    const made = await withMovedKeys();
    const { cache, nodes, moved, change } = made;
    nodes.d!.failNext(2, new NodeReplyError('d', 'setIfAbsent', 'OOM'));
    for (let round = 0; round < 3; round++) {
      expect(await cache.get(moved[0]!)).toBe(1);
      await turns(made);
    }
    change.cancel();
    expect(await cache.get(moved[0]!)).toBe(1);
  });
});

describe('copies in a joint phase', () => {
  it('stay as many as they were when a value gets another time to live', async () => {
    const made = await withMovedKeys({ replicationFactor: 2 });
    const { cache, moved, storedAt } = made;
    for (const key of moved) expect(await cache.expire(key, 10_000)).toBe(true);
    await turns(made);
    for (const key of moved) {
      const holders = cache.topology.placement.preferenceList(key, 2);
      expect(await Promise.all(holders.map((id) => storedAt(id, key)))).toEqual(['1', '1']);
    }
  });

  it('are made of what is read where a second node joins a first one', async () => {
    const two = makeFaultyCache([], { replicationFactor: 2, confirmMisses: false });
    await two.cache.addNode({ id: 'a', backend: two.newNode('a') });
    await two.cache.setMany(keys.map((key) => [key, 1]));
    const change = two.cache.addNode({ id: 'b', backend: two.newNode('b') }, { lazyForMs: 1_000_000 });
    await change;
    expect((await two.cache.getMany(keys)).size).toBe(keys.length);
    await turns(two);
    change.cancel();
    expect((await two.cache.getMany(keys)).size).toBe(keys.length);
    for (const key of keys) expect(await two.storedAt('b', key)).toBe('1');
  });
});

describe('the keys of a cache whose nodes change while they are listed', () => {
  it.each(['addNode', 'removeNode'] as const)('are all there, though a whole %s comes between', async (kind) => {
    const made = makeFaultyCache(['a', 'b', 'c']);
    const { cache, newNode } = made;
    await cache.setMany(keys.map((key) => [key, 1]));
    const seen = new Set<string>();
    for await (const key of cache.keys()) {
      seen.add(key);
      if (seen.size !== 5) continue;
      const options = { lazyForMs: 1_000_000 };
      const change =
        kind === 'addNode'
          ? cache.addNode({ id: 'd', backend: newNode('d') }, options)
          : cache.removeNode('c', options);
      await change;
      await cache.getMany(keys);
      await turns(made);
      change.cancel();
      await collect(change);
    }
    expect(seen).toEqual(new Set(keys));
  });
});

describe('a write whose previous owner hangs', () => {
  it('ends within its one deadline, however long the new owner took', async () => {
    const made = await withMovedKeys({ timeoutMs: 1_000 });
    const { cache, nodes, moved, clock } = made;
    const key = moved[0]!;
    nodes[cache.explain(key).previousOwners[0]!]!.hang();
    nodes.d!.delayMs = 900;
    let isOver = false;
    const write = cache.set(key, 2).finally(() => {
      isOver = true;
    });
    await clock.advance(1_010);
    expect(isOver).toBe(true);
    await write;
  });
});

describe('a change of a cache', () => {
  it('takes no backend that another node has', async () => {
    const backend = new MemoryBackend();
    const { cache } = makeFaultyCache(['a']);
    const changes = [1, 2].map((index) => cache.addNode({ id: `new ${index}`, backend }, { strategy: 'none' }));
    await changes[0];
    await expect(changes[1]).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'node.backend' });
  });

  it('names what is wrong with a class, and with an id that is no string', async () => {
    const { cache } = makeFaultyCache(['a', 'b']);
    await expect(cache.setPlacement(HashRing as never)).rejects.toThrow('placement: a class is not a placement.');
    await expect(cache.removeNode(Symbol('a') as never)).rejects.toMatchObject({ field: 'id' });
    await expect(cache.setWeight(5 as never, 1)).rejects.toMatchObject({ field: 'id' });
  });
});
