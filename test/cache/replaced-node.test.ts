import { describe, expect, it } from 'vitest';
import { makeFaultyCache } from '../support/faulty-cache.ts';

const none = { strategy: 'none' } as const;

describe('a node that comes under the id of one that was removed', () => {
  it('is not suspected because of calls that were sent to its predecessor', async () => {
    const { cache, nodes, newNode, keyOf, clock, events } = makeFaultyCache(['a', 'b'], { timeoutMs: 250 });
    const [key, other] = [keyOf('a'), keyOf('b')];
    const former = nodes.a!;
    former.hang();
    former.close = () => Promise.resolve(); // As one that waits for its calls before it closes.
    const writes = [
      cache.set(key, 1),
      cache.increment(key),
      cache.setMany([
        [key, 1],
        [other, 1],
      ]),
      cache.clear(),
    ];
    const ended = Promise.allSettled(writes);
    await cache.removeNode('a', none);
    await cache.addNode({ id: 'a', backend: newNode('a') }, none);
    await clock.advance(250);
    expect((await ended).map(({ status }) => status)).toEqual(writes.map(() => 'rejected'));
    expect(cache.health().get('a')).toBe('up');
    expect(events.filter(({ name }) => name === 'nodeSuspect')).toEqual([]);
  });

  it('is asked as a previous owner for keys whose changes its predecessor missed', async () => {
    const { cache, nodes, newNode, keyOf, clock } = makeFaultyCache(['a', 'b', 'c']);
    const key = keyOf('a');
    await cache.removeNode('a', { lazyForMs: 1_000 });
    nodes.a!.stop();
    await cache.delete(key);
    await clock.advance(1_000);
    await cache.addNode({ id: 'a', backend: newNode('a') }, none);
    await cache.set(key, 'new');
    await cache.removeNode('a');
    expect(await cache.get(key)).toBe('new');
  });
});
