import { describe, expect, it } from 'vitest';
import { NodeReplyError } from '../../src/errors/index.ts';
import { makeFaultyCache } from '../support/faulty-cache.ts';

const code = (name: string) => expect.objectContaining({ code: name });

/** Lets the calls come to where they wait. */
const settle = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** Loads that end when they are told, and how many there were at a time. */
function slowSource() {
  const waiting: (() => void)[] = [];
  const source = {
    running: 0,
    most: 0,
    runs: 0,
    load: async () => {
      source.running++;
      source.runs++;
      source.most = Math.max(source.most, source.running);
      await new Promise<void>((resolve) => waiting.push(resolve));
      source.running--;
      return 'loaded';
    },
    endAll: async () => {
      while (waiting.length > 0) {
        waiting.shift()!();
        await settle();
      }
    },
  };
  return source;
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `key:${index}`);

describe('getOrSet of a key whose nodes are not available', () => {
  it('loads with one of three nodes dead, before and after that is known, and answers the other keys as ever', async () => {
    const { cache, nodes, clock, events } = makeFaultyCache(['a', 'b', 'c']);
    for (const key of numbered(60)) await cache.set(key, 'stored');
    nodes.b!.stop();
    for (let round = 0; round < 2; round++) {
      for (const key of numbered(60)) {
        const isOnDead = cache.topology.placement.nodeFor(key) === 'b';
        expect(await cache.getOrSet(key, () => 'loaded')).toBe(isOnDead ? 'loaded' : 'stored');
      }
      await clock.advance(5_000);
    }
    expect(events.some(({ name }) => name === 'backgroundError')).toBe(true);
    nodes.b!.start();
    await clock.advance(5_000);
    // Nothing was stored in between: the node has what it had.
    for (const key of numbered(60)) expect(await cache.getOrSet(key, () => 'loaded')).toBe('stored');
  });

  it('loads with all nodes dead, with copies and a stale time too', async () => {
    const { cache, nodes, clock } = makeFaultyCache(['a', 'b', 'c'], { replicationFactor: 2 });
    for (const node of Object.values(nodes)) node.stop();
    const options = { ttlMs: 1_000, staleWhileRevalidateMs: 1_000 };
    for (let round = 0; round < 2; round++) {
      expect(await cache.getOrSet('k', () => 1, options)).toBe(1);
      expect(await cache.getOrSet('l', () => 2)).toBe(2);
      await clock.advance(5_000);
    }
    await expect(cache.getOrSet('k', () => 1, { whenUnavailable: 'fail' })).rejects.toThrow(
      code('ERR_ALL_REPLICAS_FAILED'),
    );
  });

  it('loads when the node does not answer in time, and when it refuses to answer', async () => {
    const { cache, nodes, clock } = makeFaultyCache(['a'], { timeoutMs: 100 });
    nodes.a!.hang();
    const late = cache.getOrSet('k', () => 'loaded');
    await clock.advance(100);
    expect(await late).toBe('loaded');
    nodes.a!.start();
    for (const kind of ['LOADING', 'NOAUTH', 'MASTERDOWN'] as const) {
      nodes.a!.failNext(1, new NodeReplyError('a', 'get', kind));
      expect(await cache.getOrSet('l', () => kind)).toBe(kind);
    }
    nodes.a!.failNext(1, new Error('a backend of somebody else'));
    expect(await cache.getOrSet('m', () => 1)).toBe(1);
  });

  it('fails for what is no question of availability', async () => {
    const { cache, nodes, store, keyOf } = makeFaultyCache(['a']);
    nodes.a!.failNext(1, new NodeReplyError('a', 'get', 'WRONGTYPE'));
    await expect(cache.getOrSet('k', () => 1)).rejects.toThrow(expect.objectContaining({ kind: 'WRONGTYPE' }));
    await store('a', keyOf('a'), 'no JSON');
    await expect(cache.getOrSet(keyOf('a'), () => 1)).rejects.toThrow(code('ERR_CODEC'));
  });

  it('loads once for all who ask at the same time, and stores nothing', async () => {
    const { cache, nodes } = makeFaultyCache(['a']);
    nodes.a!.stop();
    const source = slowSource();
    const calls = Array.from({ length: 50 }, () => cache.getOrSet('k', source.load));
    await settle();
    nodes.a!.start();
    await source.endAll();
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['loaded']));
    expect(source.runs).toBe(1);
    expect(await cache.get('k')).toBeUndefined();
  });

  it('runs no more loads at a time than maxUnavailableLoads, and in the end all of them', async () => {
    const { cache, nodes } = makeFaultyCache(['a'], { maxUnavailableLoads: 3 });
    nodes.a!.stop();
    const source = slowSource();
    const calls = numbered(20).map((key) => cache.getOrSet(key, source.load));
    await settle();
    expect(source.running).toBe(3);
    await source.endAll();
    expect(await Promise.all(calls)).toEqual(numbered(20).map(() => 'loaded'));
    expect(source.most).toBe(3);
  });

  it('counts no load of a key whose node answers', async () => {
    const { cache } = makeFaultyCache(['a'], { maxUnavailableLoads: 1 });
    const source = slowSource();
    const calls = numbered(5).map((key) => cache.getOrSet(key, source.load));
    await settle();
    expect(source.running).toBe(5);
    await source.endAll();
    await Promise.all(calls);
  });

  it('lets loads ask for other keys though there is one place only', async () => {
    const { cache, nodes } = makeFaultyCache(['a'], { maxUnavailableLoads: 1 });
    nodes.a!.stop();
    const part = (name: string) => cache.getOrSet(name, async () => name);
    const whole = (name: string) => cache.getOrSet(name, async () => `${await part('x')} ${await part('y')}`);
    expect(await Promise.all([whole('one'), part('y'), whole('two'), part('x')])).toEqual(['x y', 'y', 'x y', 'x']);
  });

  it('tells those who wait for a place when the cache is closed', async () => {
    const { cache, nodes, clock } = makeFaultyCache(['a'], { maxUnavailableLoads: 1, timeoutMs: 100 });
    nodes.a!.stop();
    const calls = numbered(3).map((key) => cache.getOrSet(key, () => new Promise(() => undefined)));
    const outcomes = Promise.allSettled(calls);
    await settle();
    const closing = cache.close();
    await clock.advance(5_000);
    await closing;
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ reason: { code: 'ERR_CLOSED' } });
  });
});

describe('loadTimeoutMs', () => {
  it('fails a load that takes longer for all who wait, drops what it gives later, and lets the next one try', async () => {
    const { cache, clock, storedAt } = makeFaultyCache(['a'], { loadTimeoutMs: 1_000 });
    let end = (_: unknown) => {};
    const slow = () => new Promise((resolve) => (end = resolve));
    const calls = Promise.allSettled([cache.getOrSet('k', slow), cache.getOrSet('k', slow)]);
    await clock.advance(999);
    await clock.advance(1);
    for (const outcome of await calls) {
      expect(outcome).toMatchObject({ reason: { code: 'ERR_LOAD_TIMEOUT', timeoutMs: 1_000, retryable: true } });
    }
    end('late');
    await settle();
    expect(await storedAt('a', 'k')).toBeUndefined();
    expect(await cache.getOrSet('k', () => 'fresh', { loadTimeoutMs: 5 })).toBe('fresh');
    expect(await cache.get('k')).toBe('fresh');
    await clock.advance(0);
    expect(clock.pendingTimers).toBeLessThanOrEqual(1); // That of the next probes.
  });

  it('frees the place of a load that hangs', async () => {
    const { cache, clock, nodes } = makeFaultyCache(['a'], { loadTimeoutMs: 100, maxUnavailableLoads: 1 });
    nodes.a!.stop();
    const hanging = cache
      .getOrSet('k', () => new Promise(() => undefined))
      .catch((error: { code: string }) => error.code);
    await settle();
    const next = cache.getOrSet('l', () => 'next');
    await clock.advance(100);
    expect(await hanging).toBe('ERR_LOAD_TIMEOUT');
    expect(await next).toBe('next');
  });

  it('ends a load in the background too, and the stale value goes on', async () => {
    const { cache, clock, events } = makeFaultyCache(['a']);
    const options = { ttlMs: 1_000, staleWhileRevalidateMs: 60_000, loadTimeoutMs: 100 };
    await cache.getOrSet('k', () => 'first', options);
    await clock.advance(2_000);
    expect(await cache.getOrSet('k', () => new Promise(() => undefined), options)).toBe('first');
    await clock.advance(100);
    expect(events).toContainEqual(
      expect.objectContaining({ name: 'backgroundError', error: code('ERR_LOAD_TIMEOUT') }),
    );
    expect(await cache.getOrSet('k', () => 'second', options)).toBe('first');
    await settle();
    expect(await cache.get('k')).toBe('second');
  });

  it.each([
    [{ whenUnavailable: 'wait' }, 'whenUnavailable'],
    [{ loadTimeoutMs: 0 }, 'loadTimeoutMs'],
    [{ maxUnavailableLoads: 0 }, 'maxUnavailableLoads'],
  ])('and its siblings are checked: %j', async (options, field) => {
    expect(() => makeFaultyCache(['a'], options as object)).toThrow(expect.objectContaining({ field }));
    if (field === 'maxUnavailableLoads') return;
    const { cache } = makeFaultyCache(['a']);
    await expect(cache.getOrSet('k', () => 1, options as object)).rejects.toThrow(
      expect.objectContaining({ field: `options.${field}` }),
    );
  });
});

describe('a load that waits for itself', () => {
  const cycle = code('ERR_LOAD_CYCLE');

  it.each([
    ['at once', () => Promise.resolve()],
    ['after a while', settle],
    ['out of a callback', () => new Promise<void>((resolve) => setTimeout(resolve, 1))],
  ])('is told so, asking %s, and so are all who wait with it', async (_, pause) => {
    const { cache } = makeFaultyCache(['a', 'b']);
    const load = async () => {
      await pause();
      return cache.getOrSet('k', () => 'inner');
    };
    const calls = await Promise.allSettled([cache.getOrSet('k', load), cache.getOrSet('k', () => 'other')]);
    for (const call of calls) expect(call).toMatchObject({ reason: cycle });
    expect(await cache.getOrSet('k', () => 'afterwards')).toBe('afterwards');
  });

  it('is told so by way of other keys, also where two loads begun by different callers wait for each other', async () => {
    const { cache } = makeFaultyCache(['a']);
    const nested = cache.getOrSet('k', () => cache.getOrSet('l', async () => cache.getOrSet('k', () => 1)));
    await expect(nested).rejects.toThrow(cycle);
    const asking = (key: string) => async () => {
      await settle();
      return cache.getOrSet(key, () => 'never');
    };
    const outcomes = await Promise.allSettled([cache.getOrSet('x', asking('y')), cache.getOrSet('y', asking('x'))]);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: cycle });
  });

  it('may catch the error and go on', async () => {
    const { cache } = makeFaultyCache(['a']);
    expect(await cache.getOrSet('k', () => cache.getOrSet('k', () => 1).catch(() => 'source'))).toBe('source');
  });

  it('is not seen where there is none: other keys, the same key later, or from what a load has left behind', async () => {
    const { cache } = makeFaultyCache(['a']);
    const shared = () => cache.getOrSet('shared', async () => 's');
    expect(await Promise.all(['a', 'b'].map((key) => cache.getOrSet(key, async () => key + (await shared()))))).toEqual(
      ['as', 'bs'],
    );
    let later: Promise<unknown> | undefined;
    let go = () => {};
    const gone = new Promise<void>((resolve) => (go = resolve));
    await cache.getOrSet('k', () => {
      later = gone.then(() => cache.getOrSet('k', () => 'again'));
      return 'first';
    });
    await cache.delete('k');
    go();
    expect(await later).toBe('again');
  });

  it('is no deadlock where a stale value is there to answer', async () => {
    const { cache, clock } = makeFaultyCache(['a']);
    const options = { ttlMs: 1_000, staleWhileRevalidateMs: 60_000 };
    await cache.getOrSet('k', () => 'first', options);
    await clock.advance(2_000);
    const before = async () => `after ${await cache.getOrSet('k', () => 'inner', options)}`;
    expect(await cache.getOrSet('k', before, options)).toBe('first');
    await settle();
    expect(await cache.get('k')).toBe('after first');
  });
});
