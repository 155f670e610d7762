import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { MemoryBackend } from '../../src/backend/memory.ts';
import { ShardedCache } from '../../src/cache/sharded-cache.ts';
import { HashRing } from '../../src/placement/ring/hash-ring.ts';
import { anyKey } from '../support/arbitraries.ts';
import { collect, makeFaultyCache } from '../support/faulty-cache.ts';

const code = (name: string) => expect.objectContaining({ code: name });

describe('a cache over four memory nodes', () => {
  it('gives back what was set, for any key and JSON value', async () => {
    const { cache } = makeFaultyCache(['a', 'b', 'c', 'd']);
    await fc.assert(
      fc.asyncProperty(anyKey, fc.jsonValue({ maxDepth: 3 }), async (key, value) => {
        await cache.set(key, value);
        expect(await cache.get(key)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(await cache.has(key)).toBe(true);
        expect(await cache.delete(key)).toBe(true);
        expect(await cache.get(key)).toBeUndefined();
        expect(await cache.delete(key)).toBe(false);
        expect(await cache.has(key)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('distinguishes null from a miss', async () => {
    const { cache } = makeFaultyCache(['a']);
    await cache.set('k', null);
    expect(await cache.get('k')).toBeNull();
    expect(await cache.get('other')).toBeUndefined();
    expect([...(await cache.getMany(['k', 'other']))]).toEqual([['k', null]]);
  });

  it('stores a key at its owner alone, and in replicas with a replication factor', async () => {
    for (const replicationFactor of [1, 2, 3]) {
      const { cache, storedAt } = makeFaultyCache(['a', 'b', 'c', 'd'], { replicationFactor, writeConsistency: 'all' });
      for (let index = 0; index < 50; index++) {
        const key = `key:${index}`;
        await cache.set(key, index);
        const holders = cache.topology.placement.preferenceList(key, replicationFactor);
        for (const id of ['a', 'b', 'c', 'd']) {
          expect(await storedAt(id, key)).toBe(holders.includes(id) ? String(index) : undefined);
        }
      }
    }
  });

  it('keeps order and duplicates in the many-key calls', async () => {
    const { cache } = makeFaultyCache(['a', 'b', 'c', 'd']);
    await cache.setMany([
      ['x', 1],
      ['y', 2],
      ['x', 3],
      ['z', null],
    ]);
    const hits = await cache.getMany(['z', 'y', 'missing', 'x', 'y']);
    expect([...hits]).toEqual([
      ['z', null],
      ['y', 2],
      ['x', 3],
    ]);
    expect(await cache.deleteMany(['x', 'x', 'missing', 'y'])).toBe(2);
    expect([...(await cache.getMany(['x', 'y', 'z'])).keys()]).toEqual(['z']);
    expect((await cache.getMany([])).size).toBe(0);
    await cache.setMany([]);
    expect(await cache.deleteMany([])).toBe(0);
    expect([...(await cache.getMany(new Set(['z'])).then((map) => map.values()))]).toEqual([null]);
  });

  it('does what a Map does, in any sequence of calls', async () => {
    const key = fc.constantFrom('a', 'b', '{t}1', '{t}2', '__proto__', '');
    const call = fc.oneof(
      fc.tuple(fc.constant('set' as const), key, fc.integer()),
      fc.tuple(fc.constant('delete' as const), key, fc.constant(0)),
      fc.tuple(fc.constant('increment' as const), key, fc.integer({ min: -9, max: 9 })),
      fc.tuple(fc.constant('setMany' as const), key, fc.integer()),
      fc.tuple(fc.constant('getMany' as const), key, fc.constant(0)),
      fc.tuple(fc.constant('clear' as const), key, fc.constant(0)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(call, { maxLength: 30 }),
        fc.integer({ min: 1, max: 3 }),
        async (calls, replicationFactor) => {
          const cache = new ShardedCache<number>({
            nodes: ['a', 'b', 'c'].map((id) => ({ id, backend: new MemoryBackend() })),
            replicationFactor,
            slots: 256,
            virtualNodes: 8,
          });
          const model = new Map<string, number>();
          for (const [kind, name, number] of calls) {
            if (kind === 'set') {
              await cache.set(name, number);
              model.set(name, number);
            } else if (kind === 'delete') expect(await cache.delete(name)).toBe(model.delete(name));
            else if (kind === 'increment') {
              const sum = (model.get(name) ?? 0) + number;
              expect(await cache.increment(name, number)).toBe(sum);
              model.set(name, sum);
            } else if (kind === 'setMany') {
              await cache.setMany([
                [name, number],
                ['b', number + 1],
              ]);
              model.set(name, number).set('b', number + 1);
            } else if (kind === 'getMany') {
              expect(new Map(await cache.getMany(['a', name, '__proto__']))).toEqual(
                new Map(['a', name, '__proto__'].flatMap((id) => (model.has(id) ? [[id, model.get(id)!]] : []))),
              );
            } else {
              await cache.clear();
              model.clear();
            }
            expect(await cache.get(name)).toBe(model.get(name));
          }
          expect((await collect(cache.keys())).sort()).toEqual([...model.keys()].sort());
          await cache.close();
        },
      ),
      { numRuns: 100 },
    );
  });

  it('expires values to the millisecond', async () => {
    const { cache, clock } = makeFaultyCache(['a', 'b']);
    await cache.set('k', 1, { ttlMs: 1_000 });
    expect(await cache.ttl('k')).toBe(1_000);
    await clock.advance(999);
    expect(await cache.get('k')).toBe(1);
    expect(await cache.ttl('k')).toBe(1);
    await clock.advance(1);
    expect(await cache.get('k')).toBeUndefined();
    expect(await cache.ttl('k')).toBeUndefined();

    await cache.setMany([['m', 1]], { ttlMs: 10 });
    await clock.advance(10);
    expect((await cache.getMany(['m'])).size).toBe(0);
  });

  it('keeps a value that has no time to live, and changes the time of one that is there', async () => {
    const { cache, clock } = makeFaultyCache(['a', 'b']);
    await cache.set('k', 1);
    expect(await cache.ttl('k')).toBe(Number.POSITIVE_INFINITY);
    expect(await cache.expire('k', 50)).toBe(true);
    expect(await cache.ttl('k')).toBe(50);
    expect(await cache.expire('k', Number.POSITIVE_INFINITY)).toBe(true);
    await clock.advance(60_000);
    expect(await cache.get('k')).toBe(1);
    expect(await cache.expire('missing', 50)).toBe(false);
  });

  it('uses the default time to live where a call has none', async () => {
    const { cache } = makeFaultyCache(['a'], { defaultTtlMs: 500 });
    await cache.set('k', 1);
    await cache.setMany([['m', 1]]);
    await cache.set('stays', 1, { ttlMs: Number.POSITIVE_INFINITY });
    expect([await cache.ttl('k'), await cache.ttl('m'), await cache.ttl('stays')]).toEqual([
      500,
      500,
      Number.POSITIVE_INFINITY,
    ]);
  });

  it('counts, keeping the time to live, and refuses what is not an integer', async () => {
    const { cache } = makeFaultyCache(['a', 'b', 'c'], { replicationFactor: 2 });
    expect(await cache.increment('n')).toBe(1);
    expect(await cache.increment('n', 41)).toBe(42);
    expect(await cache.increment('n', -2)).toBe(40);
    expect(await cache.get('n')).toBe(40);
    await cache.set('n', 5, { ttlMs: 100 });
    expect(await cache.increment('n')).toBe(6);
    expect(await cache.ttl('n')).toBe(100);
    await cache.set('text', 'five');
    await expect(cache.increment('text')).rejects.toThrow();
    await expect(cache.increment('n', 0.5)).rejects.toThrow(code('ERR_INVALID_ARGUMENT'));
  });

  it('lists every key once, whatever the replication factor, and clears all', async () => {
    const { cache } = makeFaultyCache(['a', 'b', 'c', 'd'], { replicationFactor: 3 });
    const keys = Array.from({ length: 500 }, (_, index) => `key:${index}`);
    await cache.setMany(keys.map((key) => [key, 1]));
    const listed = await collect(cache.keys());
    expect(listed.length).toBe(500);
    expect(new Set(listed)).toEqual(new Set(keys));
    await cache.clear();
    expect(await collect(cache.keys())).toEqual([]);
  });

  it('explains where a key is and why', async () => {
    const { cache, nodes, probe } = makeFaultyCache(['a', 'b', 'c', 'd'], { replicationFactor: 2 });
    nodes.b!.stop();
    await probe();
    const explanation = cache.explain('user:{42}:name');
    const ring = cache.topology.placement as HashRing;
    expect(explanation).toMatchObject({
      routingKey: '42',
      position: ring.positionOf('42'),
      slot: ring.slotOf('42'),
      epoch: 1,
    });
    expect(explanation.hash).toBe(ring.positionOf('42').toString(16).padStart(8, '0'));
    expect(explanation.nodes.map(({ id }) => id)).toEqual(ring.preferenceList('42', 4));
    expect(explanation.nodes.map(({ role }) => role)).toEqual(['primary', 'replica', 'next', 'next']);
    expect(explanation.nodes.find(({ id }) => id === 'b')!.health).toBe('down');
    expect(explanation.nodes.filter(({ health }) => health === 'up').length).toBe(3);
  });
});

describe('a cache', () => {
  it('can be made without nodes; every call then rejects with ERR_NO_NODES', async () => {
    const cache = new ShardedCache({ nodes: [] });
    const calls: (() => Promise<unknown>)[] = [
      () => cache.get('k'),
      () => cache.set('k', 1),
      () => cache.delete('k'),
      () => cache.has('k'),
      () => cache.ttl('k'),
      () => cache.expire('k', 1),
      () => cache.increment('k'),
      () => cache.getMany(['k']),
      () => cache.getMany([]),
      () => cache.setMany([['k', 1]]),
      () => cache.deleteMany(['k']),
      () => cache.getOrSet('k', () => 1),
      () => cache.clear(),
      () => collect(cache.keys()),
    ];
    for (const call of calls) await expect(call()).rejects.toThrow(code('ERR_NO_NODES'));
    expect(() => cache.explain('k')).toThrow(code('ERR_NO_NODES'));
    await cache.addNode({ id: 'first', backend: new MemoryBackend() });
    await cache.set('k', 1);
    expect(await cache.get('k')).toBe(1);
    await cache.close();
  });

  it('refuses one backend for two nodes', () => {
    const backend = new MemoryBackend();
    expect(
      () =>
        new ShardedCache({
          nodes: [
            { id: 'a', backend },
            { id: 'b', backend },
          ],
        }),
    ).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field: 'nodes[1].backend' }));
  });

  it('shows received ids and words in its messages, since they are no secrets', () => {
    const node = { id: 'a', backend: new MemoryBackend() };
    expect(() => new ShardedCache({ nodes: [node], whenDown: 'wait' as never })).toThrow('got "wait".');
    expect(() => new ShardedCache({ nodes: [node, { id: 'a', backend: new MemoryBackend() }] })).toThrow('got "a".');
  });

  it('refuses bad options, naming the field, what was expected and what came', () => {
    const node = (id: string, more: object = {}) => ({ id, backend: new MemoryBackend(), ...more });
    const refused: [unknown, string][] = [
      [undefined, 'options'],
      [{}, 'nodes'],
      [{ nodes: 'a,b' }, 'nodes'],
      [{ nodes: [node('a')], replicas: 2 }, 'options.replicas'],
      [{ nodes: [node('a')], placement: HashRing }, 'placement'],
      [{ nodes: [node('a')], health: Promise.resolve({ probeIntervalMs: 50 }) }, 'health'],
      [{ nodes: [node('a'), node('a')] }, 'nodes[1].id'],
      [{ nodes: [node('a', { weight: 0 })] }, 'nodes[0].weight'],
      [{ nodes: [node('a', { weight: Number.NaN })] }, 'nodes[0].weight'],
      [{ nodes: [node('a', { weight: '2' })] }, 'nodes[0].weight'],
      [{ nodes: [node('a', { wieght: 2 })] }, 'nodes[0].wieght'],
      [{ nodes: [{ id: 'a' }] }, 'nodes[0].backend'],
      [{ nodes: [{ id: 'a', backend: {} }] }, 'nodes[0].backend.get'],
      [{ nodes: [node('a')], replicationFactor: 2 }, 'replicationFactor'],
      [{ nodes: [node('a')], replicationFactor: 0 }, 'replicationFactor'],
      [{ nodes: [node('a')], writeConsistency: 'two' }, 'writeConsistency'],
      [{ nodes: [node('a')], whenDown: 'wait' }, 'whenDown'],
      [{ nodes: [node('a')], timeoutMs: 0 }, 'timeoutMs'],
      [{ nodes: [node('a')], timeoutMs: '1000' }, 'timeoutMs'],
      [{ nodes: [node('a')], codec: 'msgpack' }, 'codec'],
      [{ nodes: [node('a')], codec: { name: 'mine' } }, 'codec.encode'],
      [{ nodes: [node('a')], defaultTtlMs: 0 }, 'defaultTtlMs'],
      [{ nodes: [node('a')], health: { probeIntervalMs: 1 } }, 'health.probeIntervalMs'],
      [{ nodes: [node('a')], health: { intervalMs: 1 } }, 'health.intervalMs'],
      [{ nodes: [node('a')], readRepair: 1 }, 'readRepair'],
      [{ nodes: [node('a')], slots: 1000 }, 'slots'],
      [{ nodes: [node('a')], clock: {} }, 'clock.nowMs'],
    ];
    for (const [options, field] of refused) {
      expect(() => new ShardedCache(options as never), field).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field }),
      );
    }
  });

  it('refuses bad arguments and changes nothing', async () => {
    const { cache } = makeFaultyCache(['a']);
    await cache.set('k', 1);
    const refused: [() => Promise<unknown>, string][] = [
      [() => cache.get(7 as never), 'key'],
      [() => cache.get(undefined as never), 'key'],
      [() => cache.get('k', { sginal: 1 } as never), 'options.sginal'],
      [() => cache.get('k', { signal: {} as never }), 'options.signal'],
      [() => cache.get('k', { signal: new EventTarget() as never }), 'options.signal'],
      // In the place of `{ signal }`: it has no options, and would not end the call.
      [() => cache.get('k', new AbortController().signal as never), 'options'],
      [() => cache.set('k', 2, Promise.resolve({ ttlMs: 1 }) as never), 'options'],
      [() => cache.ready(new AbortController().signal as never), 'options'],
      [() => cache.set('k', undefined), 'value'],
      [() => cache.set('k', () => 1), 'value'],
      [() => cache.set('k', 2, { ttlMs: 0 }), 'options.ttlMs'],
      [() => cache.set('k', 2, { ttlMs: -1 }), 'options.ttlMs'],
      [() => cache.set('k', 2, { ttlMs: 1.5 }), 'options.ttlMs'],
      [() => cache.set('k', 2, { ttlMs: Number.NaN }), 'options.ttlMs'],
      [() => cache.expire('k', 0), 'ttlMs'],
      [() => cache.expire('k', undefined as never), 'ttlMs'],
      [() => cache.getMany('keys'), 'keys'],
      [() => cache.getMany(['a', 1 as never]), 'keys[1]'],
      [() => cache.setMany(['ab'] as never), 'entries[0]'],
      [
        () =>
          cache.setMany([
            ['k', 2],
            [3 as never, 4],
          ]),
        'entries[1][0]',
      ],
      [() => cache.getOrSet('k', 5 as never), 'load'],
      [() => cache.increment('k', Number.POSITIVE_INFINITY), 'by'],
    ];
    for (const [call, field] of refused) {
      await expect(call(), field).rejects.toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field }));
    }
    expect(await cache.get('k')).toBe(1);
  });

  it('rejects with the reason of a signal that was aborted, and sends nothing', async () => {
    const { cache, nodes } = makeFaultyCache(['a']);
    await cache.get('warm');
    nodes.a!.resetCalls();
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    for (const call of [
      () => cache.get('k', { signal }),
      () => cache.set('k', 1, { signal }),
      () => cache.getMany(['k'], { signal }),
      () => cache.setMany([['k', 1]], { signal }),
      () => cache.deleteMany(['k'], { signal }),
      () => cache.getOrSet('k', () => 1, { signal }),
      () => cache.increment('k', 1, { signal }),
      () => cache.clear({ signal }),
      () => collect(cache.keys({ signal })),
    ]) {
      await expect(call()).rejects.toBe(reason);
    }
    expect(Object.values(nodes.a!.calls).reduce((sum, count) => sum + count, 0)).toBe(0);
  });

  it('rejects with the reason of a signal that aborts during the call', async () => {
    const { cache, nodes } = makeFaultyCache(['a', 'b'], { replicationFactor: 2 });
    for (const node of Object.values(nodes)) node.hang();
    const reason = new Error('enough');
    for (const call of [
      (signal: AbortSignal) => cache.get('k', { signal }),
      (signal: AbortSignal) => cache.set('k', 1, { signal }),
      (signal: AbortSignal) => cache.getMany(['k'], { signal }),
      (signal: AbortSignal) => cache.setMany([['k', 1]], { signal }),
      (signal: AbortSignal) => cache.deleteMany(['k'], { signal }),
      (signal: AbortSignal) => cache.clear({ signal }),
    ]) {
      const controller = new AbortController();
      const result = call(controller.signal);
      controller.abort(reason);
      await expect(result).rejects.toBe(reason);
    }
    expect([...cache.health().values()]).toEqual(['unknown', 'unknown']);
    for (const node of Object.values(nodes)) node.start();
  });

  it('waits on closing for calls in flight, rejects later ones, and can be closed twice', async () => {
    const { cache, clock, nodes } = makeFaultyCache(['a']);
    nodes.a!.delayMs = 100;
    const write = cache.set('k', 1);
    const closing = cache.close();
    expect(cache.close()).toBe(closing);
    await expect(cache.get('k')).rejects.toThrow(code('ERR_CLOSED'));
    expect(() => cache.addNode({ id: 'b', backend: new MemoryBackend() })).toThrow(code('ERR_CLOSED'));
    await clock.advance(100);
    await write;
    await closing;
    expect(clock.pendingTimers).toBe(0);
    await expect(nodes.a!.get('k', {})).rejects.toThrow(code('ERR_CLOSED'));
  });

  it('closes within timeoutMs though a backend does not, and reports what fails later', async () => {
    const { cache, clock, events, nodes } = makeFaultyCache(['a', 'b'], { timeoutMs: 300 });
    let fail!: (error: Error) => void;
    nodes.a!.close = () =>
      new Promise((_, reject) => {
        fail = reject;
      });
    const closing = cache.close();
    await clock.advance(300);
    await closing;
    const late = new Error('late');
    fail(late);
    await vi.waitFor(() =>
      expect(events).toEqual([{ name: 'backgroundError', operation: 'close', node: 'a', error: late }]),
    );
  });

  it('does not wait on closing for an abandoned listing, which then ends with ERR_CLOSED', async () => {
    const { cache } = makeFaultyCache(['a', 'b']);
    await cache.setMany(['x', 'y', 'z'].map((key) => [key, 1]));
    const listing = cache.keys();
    expect((await listing.next()).done).toBe(false);
    await cache.close();
    await expect(listing.next()).rejects.toThrow(code('ERR_CLOSED'));
    await expect(collect(cache.keys())).rejects.toThrow(code('ERR_CLOSED'));
  });

  it('is closed at the end of its block by `await using`', async () => {
    const backend = new MemoryBackend();
    {
      await using cache = new ShardedCache({ nodes: [{ id: 'a', backend }] });
      await cache.set('k', 1);
    }
    await expect(backend.get('k', {})).rejects.toThrow(code('ERR_CLOSED'));
  });

  it('does not fail a call when a listener throws', async () => {
    const { cache, nodes, keyOf } = makeFaultyCache(['a', 'b'], { replicationFactor: 2 });
    const thrown = new Promise((resolve) => {
      process.once('uncaughtException', resolve);
    });
    cache.on('failover', () => {
      throw new Error('from a listener');
    });
    const key = keyOf('a', 'b');
    await cache.set(key, 1);
    nodes.a!.stop();
    expect(await cache.get(key)).toBe(1);
    expect(await thrown).toEqual(new Error('from a listener'));
  });
});
