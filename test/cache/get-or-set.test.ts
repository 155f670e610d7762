import { describe, expect, it } from 'vitest';
import { collect, makeFaultyCache } from '../support/faulty-cache.ts';

/** A loader that counts its runs and ends when told. */
function slowLoader() {
  let runs = 0;
  const waiting: { resolve: (value: unknown) => void; reject: (error: unknown) => void }[] = [];
  return {
    load: () => {
      runs++;
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    get runs() {
      return runs;
    },
    end: (value: unknown) => waiting.shift()!.resolve(value),
    fail: (error: unknown) => waiting.shift()!.reject(error),
    /** Lets the calls come to where they wait. */
    settle: async () => {
      for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    },
  };
}

describe('getOrSet', () => {
  it('loads what is missing, stores it, and does not load it again', async () => {
    const { cache } = makeFaultyCache(['a', 'b']);
    let loads = 0;
    const load = async () => ({ loaded: ++loads });
    expect(await cache.getOrSet('k', load, { ttlMs: 1_000 })).toEqual({ loaded: 1 });
    expect(await cache.getOrSet('k', load, { ttlMs: 1_000 })).toEqual({ loaded: 1 });
    expect(await cache.ttl('k')).toBe(1_000);
  });

  it('loads once for all who ask at the same time', async () => {
    const { cache } = makeFaultyCache(['a', 'b']);
    const loader = slowLoader();
    const calls = Array.from({ length: 50 }, () => cache.getOrSet('k', loader.load));
    const other = cache.getOrSet('other', () => 'other');
    expect(await other).toBe('other');
    expect(loader.runs).toBe(1);
    loader.end('value');
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['value']));
    expect(loader.runs).toBe(1);
  });

  it('fails for all who wait when the load fails, and loads anew afterwards', async () => {
    const { cache } = makeFaultyCache(['a']);
    const failure = new Error('database down');
    const fail = () => Promise.reject(failure);
    const calls = await Promise.allSettled([cache.getOrSet('k', fail), cache.getOrSet('k', fail)]);
    expect(calls).toEqual([
      { status: 'rejected', reason: failure },
      { status: 'rejected', reason: failure },
    ]);
    expect(await cache.getOrSet('k', () => 1)).toBe(1);
    await expect(
      cache.getOrSet('thrown', () => {
        throw failure;
      }),
    ).rejects.toBe(failure);
  });

  it('lets one caller give up without stopping the load for the others', async () => {
    const { cache } = makeFaultyCache(['a']);
    const loader = slowLoader();
    const controller = new AbortController();
    const impatient = cache.getOrSet('k', loader.load, { signal: controller.signal });
    const patient = cache.getOrSet('k', loader.load);
    await loader.settle();
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(impatient).rejects.toBe(reason);
    loader.end(1);
    expect(await patient).toBe(1);
    expect(loader.runs).toBe(1);
  });

  it('does not store what was loaded before a delete or set of the key', async () => {
    for (const write of ['delete', 'set', 'setMany', 'deleteMany', 'clear'] as const) {
      const { cache } = makeFaultyCache(['a', 'b']);
      const loader = slowLoader();
      const call = cache.getOrSet('k', loader.load);
      await loader.settle();
      expect(loader.runs).toBe(1);
      if (write === 'set') await cache.set('k', 'newer');
      else if (write === 'setMany') await cache.setMany([['k', 'newer']]);
      else if (write === 'deleteMany') await cache.deleteMany(['k']);
      else if (write === 'clear') await cache.clear();
      else await cache.delete('k');
      loader.end('older');
      expect(await call).toBe('older');
      expect(await cache.get('k')).toBe(write.startsWith('set') ? 'newer' : undefined);
    }
  });

  it('answers undefined without storing it', async () => {
    const { cache } = makeFaultyCache(['a']);
    expect(await cache.getOrSet('k', () => undefined)).toBeUndefined();
    expect(await collect(cache.keys())).toEqual([]);
  });

  it('answers a stale value at once and replaces it by one load', async () => {
    const { cache, clock } = makeFaultyCache(['a']);
    const options = { ttlMs: 1_000, staleWhileRevalidateMs: 500 };
    await cache.getOrSet('k', () => 'first', options);
    expect(await cache.ttl('k')).toBe(1_500);
    const loader = slowLoader();
    await clock.advance(999);
    expect(await cache.getOrSet('k', loader.load, options)).toBe('first');
    expect(loader.runs).toBe(0);
    await clock.advance(1);
    expect(await cache.getOrSet('k', loader.load, options)).toBe('first');
    expect(await cache.getOrSet('k', loader.load, options)).toBe('first');
    expect(loader.runs).toBe(1);
    loader.end('second');
    await loader.settle();
    expect(await cache.getOrSet('k', loader.load, options)).toBe('second');
    expect(await cache.ttl('k')).toBe(1_500);
    await clock.advance(1_500);
    const third = cache.getOrSet('k', loader.load, options);
    await loader.settle();
    loader.end('third');
    expect(await third).toBe('third');
  });

  it('goes on with the stale value when its replacement cannot be loaded, and says so', async () => {
    const { cache, clock, events } = makeFaultyCache(['a']);
    const options = { ttlMs: 1_000, staleWhileRevalidateMs: 500 };
    await cache.getOrSet('k', () => 'first', options);
    await clock.advance(1_000);
    const failure = new Error('database down');
    expect(await cache.getOrSet('k', () => Promise.reject(failure), options)).toBe('first');
    await slowLoader().settle();
    expect(events).toEqual([{ name: 'backgroundError', operation: 'getOrSet', node: undefined, error: failure }]);
  });

  it('needs a time to live for staleWhileRevalidateMs', async () => {
    const { cache } = makeFaultyCache(['a']);
    await expect(cache.getOrSet('k', () => 1, { staleWhileRevalidateMs: 5 })).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field: 'options.ttlMs' }),
    );
  });

  it('answers what it loaded though it cannot be stored, and says so', async () => {
    const { cache, nodes, events } = makeFaultyCache(['a']);
    const loader = slowLoader();
    const call = cache.getOrSet('k', loader.load);
    await loader.settle();
    nodes.a!.stop();
    loader.end('value');
    expect(await call).toBe('value');
    expect(events.filter(({ name }) => name === 'backgroundError')).toEqual([
      expect.objectContaining({
        operation: 'getOrSet',
        error: expect.objectContaining({ code: 'ERR_NODE_UNAVAILABLE' }),
      }),
    ]);
  });

  it('fails without loading when the node cannot be asked and the caller wants that', async () => {
    for (const [ofCache, ofCall] of [
      [{}, { whenUnavailable: 'fail' }],
      [{ whenUnavailable: 'fail' }, {}],
    ] as const) {
      const { cache, nodes } = makeFaultyCache(['a'], ofCache);
      nodes.a!.stop();
      let loads = 0;
      await expect(cache.getOrSet('k', () => ++loads, ofCall)).rejects.toThrow(
        expect.objectContaining({ code: 'ERR_NODE_UNAVAILABLE' }),
      );
      expect(loads).toBe(0);
    }
  });

  it('is waited for on closing', async () => {
    const { cache, storedAt } = makeFaultyCache(['a']);
    const loader = slowLoader();
    const call = cache.getOrSet('k', loader.load);
    await loader.settle();
    let closed = false;
    const closing = cache.close().then(() => {
      closed = true;
    });
    await loader.settle();
    expect(closed).toBe(false);
    loader.end(1);
    expect(await call).toBe(1);
    await closing;
    await expect(storedAt('a', 'k')).rejects.toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }));
  });

  it('ends with ERR_CLOSED for all who wait for a load that hangs, when closing has waited for timeoutMs', async () => {
    const { cache, clock, events } = makeFaultyCache(['a'], { timeoutMs: 300 });
    const loader = slowLoader();
    const calls = ['k', 'k', 'other'].map((key) => cache.getOrSet(key, loader.load));
    const outcomes = Promise.allSettled(calls);
    await loader.settle();
    const closing = cache.close();
    await clock.advance(299);
    loader.end('in time');
    expect(await calls[0]).toBe('in time');
    await clock.advance(1);
    await closing;
    expect(
      (await outcomes).map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : outcome.value)),
    ).toEqual(['in time', 'in time', 'ERR_CLOSED']);
    loader.end('too late');
    await loader.settle();
    expect(events).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('reports nothing when closing ends a background renewal', async () => {
    const { cache, clock, events } = makeFaultyCache(['a'], { timeoutMs: 300 });
    const loader = slowLoader();
    const options = { ttlMs: 100, staleWhileRevalidateMs: 10_000 };
    await cache.getOrSet('k', () => 'old', options);
    await clock.advance(200);
    expect(await cache.getOrSet('k', loader.load, options)).toBe('old');
    await loader.settle();
    await cache.close();
    await loader.settle();
    expect([loader.runs, events]).toEqual([1, []]);
  });
});
