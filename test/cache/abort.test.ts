/** What a signal means for a call that goes to several nodes. */

import { getEventListeners } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import type { ShardedCache } from '../../src/cache/sharded-cache.ts';
import { NodeUnavailableError } from '../../src/errors/index.ts';
import { type FaultyCache, makeFaultyCache } from '../support/faulty-cache.ts';

const twoCopies = { replicationFactor: 2, writeConsistency: 'one' } as const;
const reason = new Error('no longer needed');

type Call = readonly [name: string, call: (cache: ShardedCache, key: string, signal: AbortSignal) => Promise<unknown>];

const writes: readonly Call[] = [
  ['set', (cache, key, signal) => cache.set(key, 2, { signal })],
  ['setMany', (cache, key, signal) => cache.setMany([[key, 2]], { signal })],
  ['delete', (cache, key, signal) => cache.delete(key, { signal })],
  ['deleteMany', (cache, key, signal) => cache.deleteMany([key], { signal })],
  ['expire', (cache, key, signal) => cache.expire(key, 1_000, { signal })],
  ['increment', (cache, key, signal) => cache.increment(key, 1, { signal })],
  ['clear', (cache, _, signal) => cache.clear({ signal })],
];

const reads: readonly Call[] = [
  ['get', (cache, key, signal) => cache.get(key, { signal })],
  ['getMany', (cache, key, signal) => cache.getMany([key], { signal })],
  ['has', (cache, key, signal) => cache.has(key, { signal })],
  ['ttl', (cache, key, signal) => cache.ttl(key, { signal })],
];

/** A cache of two nodes, of which only the first in the key's list has it, as the counter 1. */
async function heldByFirst(options = {}): Promise<FaultyCache & { key: string }> {
  const made = makeFaultyCache(['a', 'b'], { ...twoCopies, ...options });
  const key = made.keyOf('a', 'b');
  await made.store('a', key, '1');
  return { ...made, key };
}

/** Lets everything go on that waits for no time. */
const settle = ({ clock }: FaultyCache) => clock.advance(0);

/** Aborts the call while one node hangs. It rejects with the reason and tells nobody. */
async function expectAborted(made: FaultyCache & { key: string }, call: Call[1]): Promise<void> {
  const controller = new AbortController();
  const outcome = call(made.cache, made.key, controller.signal);
  await settle(made);
  controller.abort(reason);
  await expect(outcome).rejects.toBe(reason);
  expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  await settle(made);
  expect(made.events).toEqual([]);
}

describe('a signal that aborts during a call', () => {
  it.each([...writes.filter(([name]) => !name.startsWith('set')), ...reads])(
    'ends %s with its reason, whatever the nodes that have answered said',
    async (_, call) => {
      for (const silent of ['a', 'b']) {
        const made = await heldByFirst(silent === 'a' ? {} : { writeConsistency: 'all' });
        // The node that does not answer is the one that has the key; or the other one, where its answer is waited for.
        if (silent === 'b') await made.nodes.a!.delete(made.key, {});
        made.nodes[silent]!.hang();
        await expectAborted(made, call);
        expect(made.cache.health()).not.toContainEqual([silent, 'suspect']);
      }
    },
  );

  it.each(writes.filter(([name]) => name.startsWith('set')))(
    'ends %s with its reason while it waits for a copy that its level needs',
    async (_, call) => {
      const made = await heldByFirst({ writeConsistency: 'all' });
      made.nodes.b!.hang();
      await expectAborted(made, call);
    },
  );
});

describe('a signal that aborts once the call has ended', () => {
  it.each(writes)('does not disturb the copies that %s has not made yet', async (_, call) => {
    const made = await heldByFirst();
    const { cache, key, nodes, clock, events } = made;
    await made.store('b', key, '1');
    nodes.b!.delayMs = 60;
    const controller = new AbortController();
    let hasEnded = false;
    const outcome = call(cache, key, controller.signal).then(() => {
      hasEnded = true;
      controller.abort(reason); // In the very turn in which the caller hears of the end.
    });
    await settle(made);
    for (let round = 0; round < 2 && !hasEnded; round++) await clock.advance(60); // For one that waits for all copies.
    await outcome;
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    await clock.advance(60);
    expect(await made.storedAt('b', key)).toBe(await made.storedAt('a', key));
    expect(events).toEqual([]);
  });

  it.each(['set', 'setMany'])('does not disturb the fallback node that %s still writes', async (name) => {
    const made = makeFaultyCache(['a', 'b', 'c'], { ...twoCopies, whenDown: 'spill' });
    const { cache, nodes, clock, probe } = made;
    const key = made.keyOf('a', 'b', 'c');
    nodes.b!.stop();
    await probe();
    nodes.c!.delayMs = 60;
    const controller = new AbortController();
    const [, call] = writes.find(([each]) => each === name)!;
    await call(cache, key, controller.signal);
    controller.abort(reason);
    await clock.advance(60);
    expect(await made.storedAt('c', key)).toBe('2');
  });

  it.each(['set', 'setMany', 'delete', 'expire'])(
    'does not hide the error of a copy that %s could not make',
    async (name) => {
      const made = await heldByFirst({ timeoutMs: 250 });
      const { cache, key, nodes, clock, events } = made;
      nodes.b!.hang();
      const controller = new AbortController();
      const [, call] = writes.find(([each]) => each === name)!;
      const outcome = call(cache, key, controller.signal);
      await settle(made);
      await outcome;
      controller.abort(reason);
      await clock.advance(249);
      expect(events).toEqual([]);
      await clock.advance(1);
      const error = expect.objectContaining({ code: 'ERR_UNKNOWN_OUTCOME', node: 'b' });
      expect(events).toContainEqual({ name: 'writeMissed', operation: name, node: 'b', error, keys: 1 });
      expect(events).toContainEqual({ name: 'nodeSuspect', node: 'b', error });
    },
  );
});

it('a write that may have been done deletes the key at its previous owner, even if an error of ours aborted it', async () => {
  for (const name of ['set', 'setMany']) {
    const made = makeFaultyCache(['a', 'b']);
    const { cache, nodes, newNode } = made;
    const after = cache.topology.placement.withNode({ id: 'c' });
    const key = Array.from({ length: 1_000 }, (_, index) => `key:${index}`).find(
      (each) => after.nodeFor(each) === 'c',
    )!;
    const former = cache.topology.placement.nodeFor(key);
    await cache.set(key, 1);
    await cache.addNode({ id: 'c', backend: newNode('c') });
    nodes.c!.hang();
    const controller = new AbortController();
    const [, call] = writes.find(([each]) => each === name)!;
    const outcome = call(cache, key, controller.signal);
    const ours = new NodeUnavailableError('elsewhere', 'get', { cause: undefined });
    controller.abort(ours);
    await expect(outcome).rejects.toBe(ours);
    await settle(made);
    expect(await made.storedAt(former, key)).toBeUndefined();
  }
});

it('a call without a signal, or of a key with one node, needs no signal of its own', async () => {
  const alone = makeFaultyCache(['a', 'b']);
  const copied = makeFaultyCache(['a', 'b'], twoCopies);
  const controller = new AbortController();
  const make = vi.fn(() => controller);
  vi.stubGlobal('AbortController', make);
  try {
    await alone.cache.set('key', 1, { signal: controller.signal });
    await alone.cache.delete('key', { signal: controller.signal });
    await alone.cache.setMany([['key', 1]], { signal: controller.signal });
    await copied.cache.set('key', 1);
    await copied.cache.setMany([['key', 1]]);
    await copied.cache.delete('key');
  } finally {
    vi.unstubAllGlobals();
  }
  expect(make).not.toHaveBeenCalled();
});

it("a listing ends with the signal's reason when it aborts between two keys, even if the next keys are at hand", async () => {
  const { cache, nodes } = makeFaultyCache(['a']);
  const scan = async function* () {
    yield* ['one', 'two'];
  };
  Object.assign(nodes.a!, { listing: { scan } });
  for (const abortAt of ['one', 'two']) {
    const controller = new AbortController();
    const seen: string[] = [];
    const listing = async () => {
      for await (const key of cache.keys({ signal: controller.signal })) {
        seen.push(key);
        if (key === abortAt) controller.abort(reason);
      }
    };
    await expect(listing()).rejects.toBe(reason);
    expect(seen.at(-1)).toBe(abortAt);
  }
});
