import { describe, expect, it } from 'vitest';
import type { RebalanceProgress } from '../../src/cluster/rebalance.ts';
import { HashRing } from '../../src/placement/ring/hash-ring.ts';
import { outcomeOf } from '../support/eventually.ts';
import { collect, makeFaultyCache } from '../support/faulty-cache.ts';
import { describeMembership, type Face } from './membership-suite.ts';

const code = (name: string) => expect.objectContaining({ code: name });
const keys = Array.from({ length: 300 }, (_, index) => `key:${index}`);
const ids = ['a', 'b', 'c'];

/** A cache of three nodes, loaded, and the keys that a fourth node would take over. */
async function loaded(options = {}) {
  const made = makeFaultyCache(ids, options);
  await made.cache.setMany(keys.map((key) => [key, key]));
  const after = made.cache.topology.placement.withNode({ id: 'd' });
  const moved = keys.filter((key) => after.nodeFor(key) === 'd');
  return { ...made, moved, add: (change = {}) => made.cache.addNode({ id: 'd', backend: made.newNode('d') }, change) };
}

describeMembership('a ShardedCache', async (options) => {
  const { cache, newNode, clock } = makeFaultyCache(ids, options);
  const found = async (keys: readonly string[]) => [...(await cache.getMany(keys)).keys()];
  return {
    face: cache as unknown as Face,
    node: (id) => ({ id, backend: newNode(id) }),
    deadNode: (id) => {
      const backend = newNode(id);
      backend.stop();
      return { node: { id, backend }, start: async () => backend.start() };
    },
    silentNode: (id) => {
      const backend = newNode(id);
      backend.hang();
      return { id, backend };
    },
    write: (keys) => cache.setMany(keys.map((key) => [key, key])),
    found,
    pass: (ms) => clock.advance(ms),
  };
});

describe('a change of the topology', () => {
  it("by 'lazy' tells that it is in force and not yet that it is done, and leads to the ring that is made of its nodes", async () => {
    const { cache, add, events } = await loaded();
    const adding = add();
    const plan = await adding;
    expect(plan.needlessMoves).toBe(0);
    expect(events).toEqual([
      { name: 'rebalance', epoch: 2, change: { kind: 'addNode', node: 'd', weight: 1 }, plan: plan },
    ]);
    adding.cancel();
    await cache.setWeight('d', 2, { strategy: 'none' });
    await cache.removeNode('a', { strategy: 'none' });
    const expected = HashRing.create([{ id: 'b' }, { id: 'c' }, { id: 'd', weight: 2 }], {
      slots: 2 ** 10,
      virtualNodes: 16,
    });
    expect(cache.topology.placement.checksum).toBe(expected.checksum);
  });

  it("by 'lazy' misses nothing, and fills the new owner with what is asked for", async () => {
    for (const read of ['get', 'getMany'] as const) {
      const { cache, add, moved, storedAt, clock, events } = await loaded();
      await add();
      if (read === 'getMany') expect((await cache.getMany(keys)).size).toBe(keys.length);
      else for (const key of keys) expect(await cache.get(key)).toBe(key);
      await clock.advance(0);
      for (const key of moved) expect(await storedAt('d', key)).toBe(JSON.stringify(key));
      expect(events.filter(({ name }) => name === 'repaired').length).toBe(moved.length);
      await clock.advance(60_000);
      expect((await cache.getMany(keys)).size).toBe(keys.length);
    }
  });

  it("by 'lazy' keeps the time to live of what it fills", async () => {
    const { cache, add, moved, clock } = await loaded();
    await cache.set(moved[0]!, 1, { ttlMs: 10_000 });
    await add();
    expect(await cache.ttl(moved[0]!)).toBe(10_000);
    await clock.advance(0);
    expect(await cache.get(moved[0]!)).toBe(1);
    await clock.advance(1_000);
    expect(await cache.ttl(moved[0]!)).toBe(9_000);
    await clock.advance(9_000);
    expect(await cache.get(moved[0]!)).toBeUndefined();
  });

  it("by 'lazy' ends after lazyForMs: what nobody asked for is then missed", async () => {
    const { cache, add, moved, clock, events } = await loaded();
    await add({ lazyForMs: 5_000 });
    await cache.get(moved[0]!);
    await clock.advance(4_999);
    expect(cache.topology.phase.kind).toBe('joint');
    await clock.advance(1);
    expect(cache.topology.phase.kind).toBe('stable');
    expect(await cache.get(moved[0]!)).toBe(moved[0]);
    expect(await cache.get(moved[1]!)).toBeUndefined();
    expect(events.at(-1)).toEqual({ name: 'rebalanceDone', epoch: 2 });
  });

  it("by 'lazy' never answers with what was overwritten or deleted at the new owner", async () => {
    const { cache, add, moved, storedAt } = await loaded();
    const previousOwner = cache.topology.placement.nodeFor(moved[0]!);
    await add();
    const [set, setMany, deleted, deletedMany, expired, fresh] = moved;
    await cache.set(set!, 'new');
    await cache.setMany([[setMany!, 'new']]);
    expect(await cache.delete(deleted!)).toBe(true);
    expect(await cache.deleteMany([deletedMany!])).toBe(1);
    await cache.set(expired!, 'new', { ttlMs: 5 });
    expect(await cache.expire(fresh!, 5)).toBe(true);
    expect(await storedAt(previousOwner, set!)).toBeUndefined();
    const hits = await cache.getMany([set!, setMany!, deleted!, deletedMany!]);
    expect([...hits]).toEqual([
      [set, 'new'],
      [setMany, 'new'],
    ]);
  });

  it("by 'lazy' lets a value with a new time to live end for good", async () => {
    const { cache, add, moved, clock } = await loaded();
    await add();
    await cache.set(moved[0]!, 'new', { ttlMs: 5 });
    expect(await cache.expire(moved[1]!, 5)).toBe(true);
    await clock.advance(5);
    expect(await cache.get(moved[0]!)).toBeUndefined();
    expect(await cache.get(moved[1]!)).toBeUndefined();
  });

  it("by 'lazy' does not restart a counter, however many count at once", async () => {
    const { cache, add, moved, storedAt } = await loaded();
    const key = moved[0]!;
    const previousOwner = cache.topology.placement.nodeFor(key);
    await cache.set(key, 100);
    await add();
    const sums = await Promise.all(Array.from({ length: 20 }, () => cache.increment(key)));
    expect([...sums].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => 101 + index));
    expect(await storedAt(previousOwner, key)).toBeUndefined();
  });

  it("by 'lazy' refuses to count rather than to restart when the previous owner does not answer", async () => {
    const { cache, add, moved, nodes } = await loaded();
    const key = moved[0]!;
    const previousOwner = cache.topology.placement.nodeFor(key);
    await cache.set(key, 100);
    await add();
    nodes[previousOwner]!.stop();
    await expect(cache.increment(key)).rejects.toThrow(code('ERR_NODE_UNAVAILABLE'));
    nodes[previousOwner]!.start();
    expect(await cache.increment(key)).toBe(101);
  });

  it("by 'lazy' asks a previous owner no more once it could not be told of a write", async () => {
    const { cache, add, moved, nodes } = await loaded();
    const key = moved[0]!;
    const previousOwner = cache.topology.placement.nodeFor(key);
    await add();
    nodes[previousOwner]!.failNext(1, new Error('lost'));
    await cache.delete(key);
    expect(await cache.get(key)).toBeUndefined();
  });

  it("by 'lazy' finds the keys of a node that was removed, and closes its backend at the end", async () => {
    const { cache, nodes, clock } = await loaded();
    await cache.removeNode('b', { lazyForMs: 1_000 });
    expect([...(await cache.getMany(keys)).keys()]).toEqual(keys);
    expect(new Set(await collect(cache.keys()))).toEqual(new Set(keys));
    expect(await nodes.b!.get('k', {})).toBeUndefined();
    await clock.advance(1_000);
    await expect(nodes.b!.get('k', {})).rejects.toThrow(code('ERR_CLOSED'));
    expect([...cache.health().keys()]).toEqual(['a', 'c']);
    expect((await cache.getMany(keys)).size).toBe(keys.length);
  });

  it('misses nothing of what is asked for in each joint phase, in whichever number changes follow one another', async () => {
    const { cache, add, newNode, clock } = await loaded();
    const short = { lazyForMs: 1_000 };
    const adding = [add(short), cache.addNode({ id: 'e', backend: newNode('e') }, short)];
    for (let change = 0; change < 3; change++) {
      await adding[change];
      expect((await cache.getMany(keys)).size).toBe(keys.length);
      if (change === 1) adding.push(cache.removeNode('a', short));
      await clock.advance(1_000);
    }
    expect(cache.topology).toMatchObject({ epoch: 4, phase: { kind: 'stable' } });
    expect((await cache.getMany(keys)).size).toBe(keys.length);
    for (const key of keys) expect(await cache.get(key)).toBe(key);
  });

  it('with replicas misses nothing, whatever the change', async () => {
    const { cache, add, clock } = await loaded({ replicationFactor: 2, writeConsistency: 'all' });
    const changes = [add(), cache.removeNode('a'), cache.setWeight('b', 0.5)];
    for (const change of changes) {
      await change;
      expect((await cache.getMany(keys)).size).toBe(keys.length);
      for (const key of keys) expect(await cache.get(key)).toBe(key);
      await clock.advance(60_000);
    }
    expect((await cache.getMany(keys)).size).toBe(keys.length);
  });

  it("by 'lazy' gives every new holder its copy of what is read, and each key once", async () => {
    for (const read of ['get', 'getMany'] as const) {
      const { cache, add, storedAt, nodes, clock } = await loaded({ replicationFactor: 2, writeConsistency: 'all' });
      await add();
      for (let round = 0; round < 3; round++) {
        if (read === 'get') for (const key of keys) await cache.get(key);
        else await cache.getMany(keys);
        await clock.advance(0);
      }
      const theirs = keys.filter((key) => cache.topology.placement.preferenceList(key, 2).includes('d'));
      for (const key of theirs) expect(await storedAt('d', key)).toBe(JSON.stringify(key));
      expect(nodes.d!.calls.setIfAbsent).toBe(theirs.length);
    }
  });

  it('can be followed to its end, and ended early', async () => {
    const { cache, add, moved, clock } = await loaded();
    const rebalance = add({ lazyForMs: 10_000 });
    const seen: RebalanceProgress[] = [];
    const following = (async () => {
      for await (const progress of rebalance) seen.push(progress);
    })();
    const plan = await rebalance;
    await cache.getMany(moved);
    await clock.advance(3_000);
    expect(seen[0]).toEqual({ phase: 'switched', epoch: 2, plan, filled: 0, remainingMs: 10_000 });
    expect(seen.at(-1)).toMatchObject({ phase: 'filling', filled: moved.length, remainingMs: 7_000 });
    rebalance.cancel();
    await following;
    expect(seen.at(-1)).toMatchObject({ phase: 'done', filled: moved.length, remainingMs: 0 });
    expect(cache.topology.phase.kind).toBe('stable');
    expect(cache.topology.placement.nodes.length).toBe(4);
    rebalance.cancel();
  });

  it('rejects at once in the joint phase of another one where it is not to wait, and says what to do', async () => {
    const { cache, add } = await loaded();
    const adding = add();
    const weigh = () => cache.setWeight('a', 2, { onBusy: 'reject', strategy: 'none' });
    await adding;
    await expect(weigh()).rejects.toThrow(
      "setWeight a: addNode d is still in progress. Wait until it ends, cancel it, or let this change wait (onBusy: 'wait').",
    );
    adding.cancel();
    await collect(adding);
    await weigh();
    expect(cache.topology.epoch).toBe(3);
  });

  it('is given up by its signal while it waits for the end of a joint phase, and the next one takes its turn', async () => {
    const { cache, add, clock } = await loaded();
    await add({ lazyForMs: 1_000 });
    const controller = new AbortController();
    const reason = new Error('not now');
    const given = expect(cache.setWeight('a', 2, { signal: controller.signal })).rejects.toBe(reason);
    const next = cache.setWeight('a', 3, { strategy: 'none' });
    controller.abort(reason);
    await given;
    await clock.advance(1_000);
    await next;
    expect(cache.topology.placement.nodes.map(({ weight }) => weight)).toEqual([3, 1, 1, 1]);
  });

  it('rejects when the cache is closed while it waits, and leaves the backend to its caller', async () => {
    const { cache, add, newNode } = await loaded();
    await add();
    const backend = newNode('e');
    const waiting = expect(cache.addNode({ id: 'e', backend })).rejects.toThrow(code('ERR_CLOSED'));
    await cache.close();
    await waiting;
    await backend.set('mine', Buffer.from('still'), {});
    expect(await backend.get('mine', {})).toEqual(Buffer.from('still'));
  });

  it('does not happen without a backend for the new node', async () => {
    const { cache } = await loaded();
    const field = expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field: 'node.backend' });
    await expect(cache.addNode({ id: 'x' } as never)).rejects.toThrow(field);
    expect(cache.topology.epoch).toBe(1);
  });

  it('does not add a node where its signal aborts before that takes force', async () => {
    const { cache, newNode } = await loaded();
    const reason = new Error('not now');
    for (let microtasks = 0; cache.topology.epoch === 1; microtasks++) {
      const controller = new AbortController();
      const change = { signal: controller.signal, strategy: 'none' } as const;
      const outcome = outcomeOf(Promise.resolve(cache.addNode({ id: 'd', backend: newNode('d') }, change)));
      for (let left = microtasks; left > 0; left--) await undefined;
      const isInForce = cache.topology.epoch !== 1;
      controller.abort(reason);
      const { error } = await outcome;
      if (!isInForce) expect([microtasks, error, cache.topology.epoch]).toEqual([microtasks, reason, 1]);
    }
    expect(cache.topology.epoch).toBe(2);
  });

  it('rejects where closing has waited long enough for it, and leaves the backend to its caller', async () => {
    const { cache, newNode, clock } = await loaded({ timeoutMs: 300 });
    const slow = newNode('d');
    let answer!: () => void;
    slow.ping = () => new Promise<void>((resolve) => (answer = resolve)); // Not ended by its deadline.
    const added = expect(cache.addNode({ id: 'd', backend: slow })).rejects.toThrow(code('ERR_CLOSED'));
    const weighed = expect(cache.setWeight('a', 2)).rejects.toThrow(code('ERR_CLOSED'));
    const closing = cache.close();
    await clock.advance(300);
    await closing;
    await added;
    await weighed;
    answer();
    await clock.advance(0);
    expect(cache.topology.placement.nodes.map(({ id }) => id)).toEqual(ids);
    await slow.set('mine', Buffer.from('still'), {});
    expect(await slow.get('mine', {})).toEqual(Buffer.from('still'));
  });

  it('has its backend closed with the others where it is in force before closing is over', async () => {
    const { cache, newNode, clock } = await loaded({ timeoutMs: 300 });
    const slow = newNode('d');
    slow.delayMs = 100;
    const added = cache.addNode({ id: 'd', backend: slow });
    const closing = cache.close();
    await clock.advance(100);
    await added;
    await closing;
    expect(cache.topology.placement.nodes.map(({ id }) => id)).toEqual([...ids, 'd']);
    await expect(slow.ping({})).rejects.toThrow(code('ERR_CLOSED'));
  });

  it('leaves no timer behind on closing', async () => {
    const { cache, add, clock } = await loaded();
    await add();
    await cache.close();
    expect(clock.pendingTimers).toBe(0);
  });
});
