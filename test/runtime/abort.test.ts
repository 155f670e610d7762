import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/memory.ts';
import { ShardedCache } from '../../src/cache/sharded-cache.ts';
import { offAbort, onAbort, untilAborted } from '../../src/runtime/abort.ts';
import { sleep, systemClock } from '../../src/runtime/clock.ts';
import { watchedSignal } from '../support/watched-signal.ts';

it('a signal that many calls share is not taken for a leak', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on('warning', note);
  const controller = new AbortController();
  let told = 0;
  for (let index = 0; index < 50; index++) onAbort(controller.signal, () => told++);
  await using cache = new ShardedCache({ nodes: [{ id: 'a', backend: new MemoryBackend() }] });
  await Promise.all(Array.from({ length: 50 }, (_, index) => cache.get(`${index}`, { signal: controller.signal })));
  const waiting = untilAborted(new Promise(() => undefined), controller.signal);
  controller.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  expect(told).toBe(50);
  // Warnings are told in a later turn.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', note);
  expect(warnings).toEqual([]);
});

it('a signal has one listener of ours however many wait, and none when nobody does', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const told: number[] = [];
  const listeners = Array.from({ length: 1_000 }, (_, index) => () => told.push(index));
  for (const listener of listeners) onAbort(signal, listener);
  const sleeping = sleep(systemClock, 1, { signal });
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  for (const listener of listeners) offAbort(signal, listener);
  for (const listener of listeners) offAbort(signal, listener);
  await sleeping;
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  onAbort(signal, listeners[7]!);
  onAbort(signal, listeners[3]!);
  controller.abort();
  controller.abort();
  expect(told).toEqual([7, 3]);
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});

it('a listener that throws, or removes others, keeps none of the rest from being called', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const failure = new Error('listener');
  const uncaught = new Promise((resolve) => {
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => {
      for (const other of others) process.on('uncaughtException', other);
      resolve(error);
    });
  });
  const told: string[] = [];
  const taken = () => told.push('taken away');
  onAbort(signal, () => {
    offAbort(signal, taken);
    throw failure;
  });
  onAbort(signal, taken);
  onAbort(signal, () => told.push('last'));
  controller.abort();
  expect(told).toEqual(['last']);
  expect(await uncaught).toBe(failure);
});

it('calls that share a signal have one listener together, and not one for each key', async () => {
  const ids = Array.from({ length: 8 }, (_, index) => `n${index}`);
  // Backends of somebody else, which are cut off from outside and whose many-key calls are made of single ones.
  const nodes = ids.map((id) => ({ id, backend: singleCalls(new MemoryBackend()) }));
  await using cache = new ShardedCache({ nodes });
  const { signal, counts } = watchedSignal();
  const keys = Array.from({ length: 2_000 }, (_, index) => `key:${index}`);
  await cache.setMany(
    keys.map((key) => [key, 1] as const),
    { signal },
  );
  await cache.getMany(keys, { signal });
  await Promise.all(keys.map((key) => cache.get(key, { signal })));
  await Promise.all(keys.map((key) => cache.getOrSet(key, () => 2, { signal })));
  await cache.deleteMany(keys, { signal });
  expect(counts.most).toBe(1);
  expect(counts.now).toBe(0);
});

/** The five required calls of a backend. */
function singleCalls(backend: MemoryBackend) {
  return {
    name: 'single',
    get: backend.get.bind(backend),
    set: backend.set.bind(backend),
    delete: backend.delete.bind(backend),
    ping: backend.ping.bind(backend),
    close: backend.close.bind(backend),
    [Symbol.asyncDispose]: () => backend.close(),
  };
}
