import { expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/memory.ts';
import { ShardedCache } from '../../src/cache/sharded-cache.ts';
import { onAbort, untilAborted } from '../../src/runtime/abort.ts';

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
