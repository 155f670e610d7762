/** What can come between the steps of a change of nodes, of a copy, of a load: each of these once went wrong. */

import { describe, expect, it } from 'vitest';
import { NodeReplyError } from '../../src/errors/index.ts';
import type { Placement } from '../../src/placement/placement.ts';
import { type FaultyCache, makeFaultyCache } from '../support/faulty-cache.ts';

const code = (name: string) => expect.objectContaining({ code: name });

/** A cache of a, b and c that has just been given d, by 'lazy', and a key that went from `from` to d. */
async function withMovedKey(options: object = {}) {
  const made = makeFaultyCache(['a', 'b', 'c'], { timeoutMs: 1_000, ...options });
  const after = made.cache.topology.placement.withNode({ id: 'd' });
  const keys = Array.from({ length: 500 }, (_, index) => `key:${index}`);
  const moved = keys.filter((key) => after.nodeFor(key) === 'd');
  const from = made.cache.topology.placement.nodeFor(moved[0]!);
  const sameWay = moved.filter((key) => made.cache.topology.placement.nodeFor(key) === from);
  const add = (lazyForMs = 1_000_000) => made.cache.addNode({ id: 'd', backend: made.newNode('d') }, { lazyForMs });
  return { ...made, key: moved[0]!, other: sameWay[1]!, from, add };
}

const idsOf = ({ cache }: FaultyCache) => cache.topology.placement.nodes.map(({ id }) => id);

describe('changes that come together', () => {
  it('happen one after the other, each made to what the one before has put in force', async () => {
    const made = makeFaultyCache(['a', 'b', 'c']);
    const none = { strategy: 'none' } as const;
    await Promise.all([made.cache.setWeight('a', 2, none), made.cache.setWeight('b', 3, none)]);
    expect(made.cache.topology.placement.nodes.map(({ weight }) => weight)).toEqual([2, 3, 1]);
    const add = (id: string) => made.cache.addNode({ id, backend: made.newNode(id) }, { lazyForMs: 100 });
    const adding = Promise.all([add('d'), add('e')]);
    await made.clock.advance(99);
    expect(idsOf(made)).toEqual(['a', 'b', 'c', 'd']);
    await made.clock.advance(1);
    await adding;
    expect(idsOf(made)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('cannot take more nodes away than the replication factor allows', async () => {
    const made = makeFaultyCache(['a', 'b', 'c'], { replicationFactor: 2 });
    const short = { lazyForMs: 10 };
    const removing = Promise.allSettled([made.cache.removeNode('a', short), made.cache.removeNode('b', short)]);
    await made.clock.advance(10);
    expect((await removing).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(idsOf(made)).toEqual(['b', 'c']);
  });

  it('leave nothing behind of one that is refused', async () => {
    const made = makeFaultyCache(['a', 'b']);
    const node = made.newNode('d');
    await expect(made.cache.addNode({ id: 'd', backend: node, weight: 1e-9 })).rejects.toThrow(
      code('ERR_INVALID_ARGUMENT'),
    );
    expect([...made.cache.health().keys()]).toEqual(['a', 'b']);
    await made.cache.addNode({ id: 'd', backend: node });
    expect(idsOf(made)).toEqual(['a', 'b', 'd']);
  });

  it('are waited for by close where one is being prepared', async () => {
    const made = makeFaultyCache(['a']);
    const node = made.newNode('d');
    node.delayMs = 100;
    const adding = made.cache.addNode({ id: 'd', backend: node });
    const closing = made.cache.close();
    await made.clock.advance(100);
    await adding;
    await closing;
    expect(made.clock.pendingTimers).toBe(0);
    await expect(node.get('k', {})).rejects.toThrow(code('ERR_CLOSED'));
  });

  it('have no joint phase where a cancel comes before they are in force', async () => {
    const made = makeFaultyCache(['a', 'b']);
    const change = made.cache.setWeight('a', 2);
    change.cancel();
    await change;
    expect(made.cache.topology).toMatchObject({ epoch: 2, phase: { kind: 'stable' } });
  });
});

describe('a previous owner that is down', () => {
  it('does not bring back what was deleted or has expired meanwhile', async () => {
    for (const write of ['delete', 'deleteMany', 'set', 'setMany'] as const) {
      const { cache, key, from, nodes, add, probe, clock } = await withMovedKey();
      await cache.set(key, 'v1');
      await add();
      nodes[from]!.stop();
      await probe();
      if (write === 'delete') await cache.delete(key);
      else if (write === 'deleteMany') await cache.deleteMany([key]);
      else if (write === 'set') await cache.set(key, 'v2', { ttlMs: 10 });
      else await cache.setMany([[key, 'v2']], { ttlMs: 10 });
      nodes[from]!.start();
      await probe();
      await clock.advance(10);
      expect(await cache.get(key)).toBeUndefined();
      expect((await cache.getMany([key])).size).toBe(0);
    }
  });

  it('makes a read fail and not miss, and an increment fail and not restart', async () => {
    const { cache, key, from, nodes, add, probe } = await withMovedKey();
    await cache.set(key, 100);
    await add();
    nodes[from]!.stop();
    for (const round of ['before', 'after'] as const) {
      await expect(cache.get(key), round).rejects.toThrow(
        expect.objectContaining({ code: 'ERR_NODE_UNAVAILABLE', node: from }),
      );
      await expect(cache.getMany([key])).rejects.toThrow(
        expect.objectContaining({ failedKeys: [key], attempts: [expect.anything()] }),
      );
      await expect(cache.increment(key)).rejects.toThrow(code('ERR_NODE_UNAVAILABLE'));
      await probe();
    }
    nodes[from]!.start();
    await probe();
    expect(await cache.increment(key)).toBe(101);
  });

  it("is a miss with whenDown: 'spill'", async () => {
    const { cache, key, from, nodes, add } = await withMovedKey({ whenDown: 'spill' });
    await cache.set(key, 'v1');
    await add();
    nodes[from]!.stop();
    expect(await cache.get(key)).toBeUndefined();
  });

  it('is still asked for other keys once it has missed a write', async () => {
    const { cache, key, other, from, nodes, add } = await withMovedKey();
    await cache.setMany([
      [key, 1],
      [other, 100],
    ]);
    await add();
    nodes[from]!.failNext(1, new Error('lost'));
    await cache.delete(key);
    expect(await cache.get(key)).toBeUndefined();
    expect(await cache.increment(other)).toBe(101);
  });
});

describe('two opposite changes', () => {
  it('do not let a write that began between them undo what was acknowledged after them', async () => {
    for (const write of ['set', 'setMany', 'delete'] as const) {
      const { cache, key, nodes, add, clock } = await withMovedKey();
      await cache.set(key, 0);
      const adding = add();
      await adding;
      nodes.d!.delayMs = 50;
      // Acknowledged by the new owner after 50 ms or more, then deleted at the previous one.
      const slow =
        write === 'set' ? cache.set(key, 1) : write === 'setMany' ? cache.setMany([[key, 1]]) : cache.delete(key);
      adding.cancel();
      const removing = cache.removeNode('d', { lazyForMs: 1_000_000 });
      await clock.advance(10);
      const later = cache.set(key, 'later');
      await clock.advance(1_000);
      await Promise.all([slow, later, removing]);
      nodes.d!.delayMs = 0;
      expect(await cache.get(key), write).toBe('later');
      expect(idsOf({ cache } as FaultyCache)).toEqual(['a', 'b', 'c']);
    }
  });
});

describe('a write in a joint phase', () => {
  it('leaves the former value where the new owner refuses it', async () => {
    const { cache, key, nodes, add } = await withMovedKey();
    await cache.set(key, 'v1');
    await add();
    nodes.d!.failNext(1, new NodeReplyError('d', 'set', 'OOM'));
    await expect(cache.set(key, 'v2')).rejects.toThrow(code('ERR_NODE_REPLY'));
    expect(await cache.get(key)).toBe('v1');
  });

  it('does not make a read that crosses it miss', async () => {
    for (const read of ['get', 'getMany'] as const) {
      const { cache, key, nodes, add, clock } = await withMovedKey();
      await cache.set(key, 'v1');
      await add();
      for (const node of Object.values(nodes)) node.delayMs = 10;
      const reading = read === 'get' ? cache.get(key) : cache.getMany([key]).then((hits) => hits.get(key));
      const writing = cache.set(key, 'v2');
      await clock.advance(200);
      await writing;
      expect(['v1', 'v2']).toContain(await reading);
    }
  });

  it('does not make a read miss that was on its way past the nodes it went to', async () => {
    for (const read of ['get', 'getMany'] as const) {
      const made = makeFaultyCache(['a', 'b', 'c', 'd'], { replicationFactor: 2 });
      const { cache, nodes, clock } = made;
      const keys = Array.from({ length: 500 }, (_, index) => `key:${index}`);
      const weigh = (onNew: number, onOld: number) => (current: Placement) =>
        ['a', 'b', 'c', 'd'].reduce((next, id) => next.withWeight(id, 'cd'.includes(id) ? onNew : onOld), current);
      await cache.setPlacement(weigh(0.1, 1), { strategy: 'none' });
      await cache.setMany(keys.map((key) => [key, 'v1']));
      const wereOld = keys.filter((key) => !/[cd]/.test(cache.topology.placement.preferenceList(key, 2).join()));
      await cache.setPlacement(weigh(1, 0.1), { lazyForMs: 1_000_000 });
      const key = wereOld.find((name) => cache.topology.placement.preferenceList(name, 2).join() === 'c,d')!;
      // The read is told of no value by c, then waits for d. Meanwhile the write is confirmed by c, and removes the former.
      nodes.d!.delayMs = 50;
      const reading = read === 'get' ? cache.get(key) : cache.getMany([key]).then((hits) => hits.get(key));
      await clock.advance(1);
      await cache.set(key, 'v2');
      await clock.advance(200);
      expect(await reading).toBe('v2');
    }
  });

  it('ends with its signal and its deadline, though a previous owner hangs', async () => {
    const { cache, key, from, nodes, add, clock } = await withMovedKey();
    await add();
    nodes[from]!.hang();
    const controller = new AbortController();
    const reason = new Error('enough');
    const aborted = cache.set(key, 1, { signal: controller.signal });
    const patient = cache.set(key, 2);
    let isDone = false;
    void patient.then(() => {
      isDone = true;
    });
    await clock.advance(10);
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    await clock.advance(1_000);
    expect(isDone).toBe(true);
    nodes[from]!.start();
    expect(await cache.get(key)).toBe(2);
  });

  it('counts on when the nodes change in the middle of an increment', async () => {
    for (const delayMs of [0, 10]) {
      const { cache, key, nodes, add, clock } = await withMovedKey();
      await cache.set(key, 100);
      for (const node of Object.values(nodes)) node.delayMs = delayMs;
      const sums = [cache.increment(key)];
      const adding = add();
      for (let turn = 0; turn < 3; turn++) {
        sums.push(cache.increment(key));
        await clock.advance(7);
      }
      await clock.advance(2_000);
      await adding;
      expect((await Promise.all(sums)).sort()).toEqual([101, 102, 103, 104]);
    }
  });

  it('lets no copy come back that clear has removed', async () => {
    const { cache, key, from, nodes, add, clock } = await withMovedKey();
    await cache.set(key, 'v1');
    await add();
    nodes[from]!.delayMs = 50;
    const reading = cache.get(key);
    const clearing = cache.clear();
    await clock.advance(500);
    await Promise.all([reading, clearing]);
    nodes[from]!.delayMs = 0;
    expect(await cache.get(key)).toBeUndefined();
  });
});

describe('with two copies', () => {
  it('an increment goes on where one holder cannot be given the value it lacks, and that holder is left out', async () => {
    const { cache, nodes, keyOf, events, storedAt } = makeFaultyCache(['a', 'b'], { replicationFactor: 2 });
    const key = keyOf('a', 'b');
    await cache.set(key, 1);
    await nodes.b!.delete(key, {});
    nodes.b!.loseReplies();
    expect(await cache.increment(key)).toBe(2);
    await Promise.resolve();
    expect(await storedAt('b', key)).toBeUndefined();
    expect(events.filter(({ name }) => name === 'writeMissed').length).toBe(1);
  });

  it('a miss is believed in a joint phase, and a hit found, even with confirmMisses off', async () => {
    const { cache, key, add } = await withMovedKey({ replicationFactor: 2, confirmMisses: false });
    await cache.set(key, 'v');
    await add();
    expect(await cache.get(key)).toBe('v');
    expect(await cache.get('never')).toBeUndefined();
  });
});

describe('getOrSet', () => {
  it('loads anew for who asks after a write that came during a load', async () => {
    const { cache } = makeFaultyCache(['a']);
    let end = (_: string) => {};
    const first = cache.getOrSet('k', () => new Promise<string>((resolve) => (end = resolve)));
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    await cache.set('k', 'new');
    expect(await cache.getOrSet('k', () => 'not called')).toBe('new');
    end('old');
    expect(await first).toBe('old');
    expect(await cache.get('k')).toBe('new');
  });

  it('never runs two loads of one key at once, a refresh and a miss included', async () => {
    const { cache, clock } = makeFaultyCache(['a']);
    const options = { ttlMs: 1_000, staleWhileRevalidateMs: 500 };
    await cache.getOrSet('k', () => 'first', options);
    await clock.advance(1_200);
    let running = 0;
    let most = 0;
    const ends: (() => void)[] = [];
    const load = async () => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => ends.push(resolve));
      running--;
      return 'next';
    };
    expect(await cache.getOrSet('k', load, options)).toBe('first');
    await clock.advance(400);
    const missed = cache.getOrSet('k', load, options);
    await clock.advance(0);
    for (const end of ends) end();
    expect(await missed).toBe('next');
    expect(most).toBe(1);
  });

  it('does not load again and again while a stand-in shortens the lives of its values', async () => {
    const { cache, nodes, probe, keyOf } = makeFaultyCache(['a', 'b'], { whenDown: 'spill', spillTtlMs: 1_000 });
    const key = keyOf('a');
    nodes.a!.stop();
    await probe();
    let loads = 0;
    for (let call = 0; call < 20; call++) {
      await cache.getOrSet(key, () => ++loads, { ttlMs: 10_000, staleWhileRevalidateMs: 5_000 });
    }
    expect(loads).toBe(1);
  });

  it('does not hold up closing by a load that never ends, when its caller has given up', async () => {
    const { cache } = makeFaultyCache(['a']);
    const controller = new AbortController();
    const call = cache.getOrSet('k', () => new Promise(() => {}), { signal: controller.signal });
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    await cache.close();
  });
});

describe('a call that is at fault itself', () => {
  it('fails as such, whether its other nodes say the same or are down', async () => {
    const { cache, nodes, probe } = makeFaultyCache(['a', 'b'], { replicationFactor: 2 });
    await cache.set('text', 'five');
    await expect(cache.increment('text')).rejects.toThrow(code('ERR_NOT_AN_INTEGER'));
    nodes.a!.stop();
    await expect(cache.increment('text')).rejects.toThrow(code('ERR_NOT_AN_INTEGER'));
    await probe();
    await expect(cache.increment('text')).rejects.toThrow(code('ERR_NOT_AN_INTEGER'));
  });
});

describe('a node that refuses its probes', () => {
  it('is down for the reason that it gives, which calls tell', async () => {
    const { cache, nodes, clock, keyOf } = makeFaultyCache(['a', 'b']);
    await cache.get('k');
    await clock.advance(0);
    const said = new Error('WRONGPASS invalid username-password pair');
    nodes.a!.failNext(3, new NodeReplyError('a', 'ping', 'WRONGPASS', { cause: said }));
    await clock.advance(1_500);
    await expect(cache.get(keyOf('a'))).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_NODE_REPLY', kind: 'WRONGPASS', operation: 'get', cause: said }),
    );
  });
});

describe('getMany', () => {
  it('names the node of a value that cannot be read, also where that node has been removed meanwhile', async () => {
    const { cache, nodes, store, clock } = makeFaultyCache(['a']);
    await store('a', 'key', 'no JSON');
    nodes.a!.delayMs = 10;
    nodes.a!.close = () => Promise.resolve(); // As one that waits for its calls before it closes.
    const read = expect(cache.getMany(['key'])).rejects.toMatchObject({
      code: 'ERR_PARTIAL_FAILURE',
      attempts: [{ node: 'a', error: { code: 'ERR_CODEC' } }],
    });
    await cache.removeNode('a', { strategy: 'none' });
    await clock.advance(100);
    await read;
  });

  it('keeps the other hits when one stored value cannot be read', async () => {
    const { cache, store } = makeFaultyCache(['a']);
    await cache.set('good', 1);
    await store('a', 'bad', '{');
    await expect(cache.getMany(['good', 'bad'])).rejects.toThrow(
      expect.objectContaining({
        code: 'ERR_PARTIAL_FAILURE',
        failedKeys: ['bad'],
        results: new Map([['good', 1]]),
        attempts: [expect.objectContaining({ error: code('ERR_CODEC') })],
      }),
    );
  });
});
