import { describe, expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/memory.ts';
import { ShardedCache } from '../../src/cache/sharded-cache.ts';
import { NodeReplyError } from '../../src/errors/index.ts';
import { makeFaultyCache } from '../support/faulty-cache.ts';
import { LateClock } from '../support/late-clock.ts';

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

const never = () => new Promise<never>(() => undefined);

/** What has become of a call by now. */
function watch(call: Promise<unknown>): { outcome: unknown } {
  const watched: { outcome: unknown } = { outcome: 'waits' };
  const note = (outcome: unknown) => {
    watched.outcome = outcome;
  };
  call.then(note, note);
  return watched;
}

/** Its only caller goes as soon as it waits. */
async function abortedWhileLoading(cache: ShardedCache, key: string, load: () => unknown): Promise<void> {
  const controller = new AbortController();
  const call = cache.getOrSet(key, load, { signal: controller.signal });
  const outcome = call.catch((error) => error);
  await settle();
  controller.abort(new Error('gone'));
  expect(await outcome).toMatchObject({ message: 'gone' });
}

function otherKeyOf(cache: ShardedCache, node: string, key: string): string {
  return numbered(1_000).find((other) => other !== key && cache.topology.placement.nodeFor(other) === node)!;
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

  it('fails when the problem is not availability', async () => {
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

  it('keeps the place of a load that asks another cache, until one of that cache asks the first again', async () => {
    const { cache: near, nodes } = makeFaultyCache(['a'], { maxUnavailableLoads: 1 });
    const { cache: far } = makeFaultyCache(['a']);
    nodes.a!.stop();
    const source = slowSource();
    const calls = numbered(3).map((key) => near.getOrSet(key, () => far.getOrSet(key, source.load)));
    await settle();
    expect(source.running).toBe(1);
    await source.endAll();
    expect(await Promise.all(calls)).toEqual(['loaded', 'loaded', 'loaded']);
    const back = near.getOrSet('one', () => far.getOrSet('one', () => near.getOrSet('other', () => 'of the other')));
    expect(await back).toBe('of the other');
  });

  it('gives back the places of loads that never end when all their callers have gone, and not before', async () => {
    const { cache, nodes } = makeFaultyCache(['a', 'b', 'c'], { maxUnavailableLoads: 3 });
    for (const node of Object.values(nodes)) node.stop();
    const [first, second] = [new AbortController(), new AbortController()];
    const outcomes = [...numbered(3), ...numbered(3)].map((key, index) =>
      cache.getOrSet(key, never, { signal: (index < 3 ? first : second).signal }).catch((error) => error),
    );
    await settle();
    const fresh = watch(cache.getOrSet('fresh', () => 1));
    first.abort(new Error('gone'));
    await settle();
    expect(fresh.outcome).toBe('waits');
    second.abort(new Error('gone too'));
    expect((await Promise.all(outcomes)).map(({ message }) => message)).toEqual([
      ...numbered(3).map(() => 'gone'),
      ...numbered(3).map(() => 'gone too'),
    ]);
    await settle();
    expect(fresh.outcome).toBe(1);
  });

  it('lets a load whose callers have gone finish, for who comes meanwhile, and never runs two of a key at a time', async () => {
    const { cache, nodes } = makeFaultyCache(['a'], { maxUnavailableLoads: 1 });
    nodes.a!.stop();
    const source = slowSource();
    await abortedWhileLoading(cache, 'k', source.load);
    expect(await cache.getOrSet('other', () => 'other')).toBe('other');
    const later = cache.getOrSet('k', source.load);
    await settle();
    await source.endAll();
    expect(await later).toBe('loaded');
    expect(source.runs).toBe(1);
    const gone = slowSource();
    await abortedWhileLoading(cache, 'k', gone.load);
    await gone.endAll();
    expect(await cache.getOrSet('k', () => 'anew')).toBe('anew');
  });

  it('gives each place back once, however its load and its callers end', async () => {
    const { cache, nodes, clock } = makeFaultyCache(['a'], { maxUnavailableLoads: 2, loadTimeoutMs: 100 });
    nodes.a!.stop();
    const source = slowSource();
    await abortedWhileLoading(cache, 'aborted', never);
    await abortedWhileLoading(cache, 'aborted and ended', source.load);
    await source.endAll();
    await clock.advance(100); // The one that never ends is late as well.
    const calls = numbered(6).map((key) => cache.getOrSet(key, source.load));
    await settle();
    await source.endAll();
    await Promise.all(calls);
    expect(source.most).toBe(2);
  });

  it('does not load a key when every caller that waited for a place has gone', async () => {
    const { cache, nodes } = makeFaultyCache(['a'], { maxUnavailableLoads: 1 });
    nodes.a!.stop();
    const source = slowSource();
    const running = cache.getOrSet('running', source.load);
    await settle();
    let loads = 0;
    const load = () => ++loads;
    await abortedWhileLoading(cache, 'k', load);
    // Who comes in the very turn in which the last one goes has its value too.
    const controller = new AbortController();
    const gone = cache.getOrSet('l', load, { signal: controller.signal });
    await settle();
    controller.abort();
    const came = cache.getOrSet('l', load);
    await expect(gone).rejects.toThrow();
    const cameThen = cache.getOrSet('l', load);
    await settle();
    expect(loads).toBe(0);
    await source.endAll();
    expect(await Promise.all([running, came, cameThen])).toEqual(['loaded', 1, 1]);
    await settle();
    expect(loads).toBe(1);
  });

  it('does not load for a caller who went while the nodes were being asked', async () => {
    const { cache, nodes, clock } = makeFaultyCache(['a'], { timeoutMs: 100 });
    nodes.a!.hang();
    let loads = 0;
    await abortedWhileLoading(cache, 'k', () => ++loads);
    await clock.advance(100);
    expect(loads).toBe(0);
    nodes.a!.stop();
    expect(await cache.getOrSet('k', () => ++loads)).toBe(1);
  });

  it('counts those who wait by way of other loads as its callers, as long as they wait', async () => {
    for (const ending of ['abort outside', 'abort inside', 'time'] as const) {
      const { cache, nodes, clock } = makeFaultyCache(['a'], { maxUnavailableLoads: 1 });
      nodes.a!.stop();
      const [outside, inside] = [new AbortController(), new AbortController()];
      const part = () => cache.getOrSet('part', never, { signal: inside.signal }).catch(never);
      const options = { signal: outside.signal, loadTimeoutMs: 500 };
      const whole = cache.getOrSet('whole', part, options).catch(() => 'ended');
      await settle();
      const fresh = watch(cache.getOrSet('fresh', () => 1));
      await settle();
      expect(fresh.outcome).toBe('waits');
      if (ending === 'abort outside') outside.abort();
      else if (ending === 'abort inside') inside.abort();
      else await clock.advance(500);
      await settle();
      expect(fresh.outcome).toBe(1);
      outside.abort();
      inside.abort();
      expect(await whole).toBe('ended');
    }
  });

  it('keeps the place of a load that a renewal in the background waits for', async () => {
    const { cache, nodes, clock, keyOf } = makeFaultyCache(['a', 'b'], { maxUnavailableLoads: 1 });
    const options = { ttlMs: 1_000, staleWhileRevalidateMs: 60_000 };
    await cache.getOrSet(keyOf('a'), () => 'old', options);
    await clock.advance(2_000);
    nodes.b!.stop();
    const source = slowSource();
    const renewal = () => cache.getOrSet(keyOf('b'), source.load);
    expect(await cache.getOrSet(keyOf('a'), renewal, options)).toBe('old');
    await settle();
    const next = watch(cache.getOrSet(otherKeyOf(cache, 'b', keyOf('b')), () => 'next'));
    await settle();
    expect([source.running, next.outcome]).toEqual([1, 'waits']);
    await source.endAll();
    expect(next.outcome).toBe('next');
  });

  it('rejects callers that wait for a place when the cache is closed', async () => {
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

  it('fails no load for a stall of this process: a result that came meanwhile counts', async () => {
    const clock = new LateClock();
    const nodes = [{ id: 'a', backend: new MemoryBackend({ clock }) }];
    const cache = new ShardedCache({ nodes, clock, loadTimeoutMs: 1_000, health: { probeIntervalMs: 60_000 } });
    let end = (_: unknown) => {};
    const got = cache.getOrSet('k', () => new Promise((resolve) => (end = resolve)));
    await settle();
    clock.fireNext(); // The first probes.
    await settle();
    clock.stall(1_500);
    clock.fireNext(); // The time is up, and no socket has been read.
    end('loaded');
    expect(await got).toBe('loaded');
    expect(clock.loop.holders).toBe(0);
    await cache.close();
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

  it('includes the wait for a place; a load that had no turn by then is never run', async () => {
    const { cache, clock, nodes } = makeFaultyCache(['a'], { maxUnavailableLoads: 1 });
    nodes.a!.stop();
    const source = slowSource();
    const running = cache.getOrSet('running', source.load);
    await settle();
    let loads = 0;
    const waiting = watch(cache.getOrSet('k', () => ++loads, { loadTimeoutMs: 100 }));
    await clock.advance(99);
    expect(waiting.outcome).toBe('waits');
    await clock.advance(1);
    expect(waiting.outcome).toMatchObject({ code: 'ERR_LOAD_TIMEOUT', timeoutMs: 100 });
    expect((waiting.outcome as Error).message).toContain('maxUnavailableLoads');
    const half = watch(cache.getOrSet('l', never, { loadTimeoutMs: 100 }));
    await clock.advance(50);
    await source.endAll();
    expect([await running, loads]).toEqual(['loaded', 0]);
    await clock.advance(49);
    expect(half.outcome).toBe('waits');
    await clock.advance(1);
    expect(half.outcome).toMatchObject({ code: 'ERR_LOAD_TIMEOUT', timeoutMs: 100 });
    expect(await cache.getOrSet('m', () => 'next')).toBe('next');
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
  ])('is checked, and so are its sibling options: %j', async (options, field) => {
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
    ['out of a callback', () => new Promise<void>((resolve) => setImmediate(resolve))],
  ])('is rejected when it asks %s, and so are all who wait with it', async (_, pause) => {
    const { cache } = makeFaultyCache(['a', 'b']);
    const load = async () => {
      await pause();
      return cache.getOrSet('k', () => 'inner');
    };
    const calls = await Promise.allSettled([cache.getOrSet('k', load), cache.getOrSet('k', () => 'other')]);
    for (const call of calls) expect(call).toMatchObject({ reason: cycle });
    expect(await cache.getOrSet('k', () => 'afterwards')).toBe('afterwards');
  });

  it('is found by way of other keys, and when two loads begun by different callers wait for each other', async () => {
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

  it('is found by way of another cache, and when loads of two caches wait for each other', async () => {
    const { cache: near } = makeFaultyCache(['a']);
    const { cache: far } = makeFaultyCache(['a']);
    const nested = near.getOrSet('k', () => far.getOrSet('k', () => near.getOrSet('k', () => 1)));
    await expect(nested).rejects.toThrow(cycle);
    const asking = (cache: ShardedCache, key: string) => async () => {
      await settle();
      return cache.getOrSet(key, () => 'never');
    };
    const outcomes = [near.getOrSet('x', asking(far, 'y')), far.getOrSet('y', asking(near, 'x'))].map(watch);
    await settle();
    await settle();
    for (const { outcome } of outcomes) expect(outcome).toMatchObject({ code: 'ERR_LOAD_CYCLE' });
  });

  it('may catch the error and go on', async () => {
    const { cache } = makeFaultyCache(['a']);
    expect(await cache.getOrSet('k', () => cache.getOrSet('k', () => 1).catch(() => 'source'))).toBe('source');
  });

  it('is never suspected wrongly: for other keys, for the same key later, or for work that a load left behind', async () => {
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

  it('does not deadlock when a stale value can answer', async () => {
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
