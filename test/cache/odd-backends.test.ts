import { describe, expect, it, onTestFinished } from 'vitest';
import { ShardedCache } from '../../src/cache/sharded-cache.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';
import { backendOfOthers, Unreadable, untouchable } from '../support/backend-of-others.ts';
import { makeFaultyCache } from '../support/faulty-cache.ts';

const code = (name: string) => expect.objectContaining({ code: name });

/** Two nodes on backends of others, `calls` being in place of their own. */
function cacheOver(calls: Parameters<typeof backendOfOthers>[0], options = {}) {
  const clock = new SimulatedClock();
  const nodes = ['a', 'b'].map((id) => ({ id, backend: backendOfOthers(calls, { clock }) }));
  const cache = new ShardedCache({ nodes, clock, ...options });
  onTestFinished(() => cache.close());
  return { cache, clock };
}

describe.each([1, 2])('a cache with %i copies, over backends that break their contract', (replicationFactor) => {
  it.each([undefined, null, true, [], new Map([['x', new Error('refused')]])])(
    'rejects a setMany that they answered with %s, and says that it may have been done',
    async (reply) => {
      const { cache } = cacheOver({ setMany: async () => reply }, { replicationFactor });
      const failure = await cache
        .setMany([
          ['x', 1],
          ['y', 2],
        ])
        .catch((error) => error);
      expect(failure).toMatchObject({ code: 'ERR_PARTIAL_FAILURE', results: [], failedKeys: ['x', 'y'] });
      expect(failure.attempts[0].error).toMatchObject({
        code: 'ERR_UNKNOWN_OUTCOME',
        cause: { code: 'ERR_NODE_PROTOCOL', operation: 'setMany', backend: 'memory' },
      });
    },
  );

  it.each([undefined, 5, 'x', [], [undefined, undefined, undefined], [null, null]])(
    'treats a getMany that they answered with %j as a failure and not as a miss',
    async (reply) => {
      const { cache } = cacheOver({ getMany: async () => reply }, { replicationFactor });
      const failure = await cache.getMany(['x', 'y']).catch((error) => error);
      expect(failure).toMatchObject({ code: 'ERR_PARTIAL_FAILURE', failedKeys: ['x', 'y'] });
      expect(failure.attempts[0].error).toMatchObject({ code: 'ERR_NODE_PROTOCOL', operation: 'getMany' });
      expect(failure.retryable).toBe(true);
    },
  );

  it('counts no deletion when they answer a deleteMany with nothing', async () => {
    const { cache } = cacheOver({ deleteMany: async () => undefined }, { replicationFactor });
    await expect(cache.deleteMany(['x', 'y'])).rejects.toMatchObject({ code: 'ERR_PARTIAL_FAILURE', results: 0 });
  });
});

describe('a cache with two copies, one over a backend that breaks its contract', () => {
  it('reads at the other node', async () => {
    const clock = new SimulatedClock();
    const odd = backendOfOthers({ getMany: async () => [], get: async () => null }, { clock });
    const nodes = ['a', 'b'].map((id) => ({ id, backend: id === 'a' ? odd : backendOfOthers({}, { clock }) }));
    await using cache = new ShardedCache({ nodes, clock, replicationFactor: 2 });
    const keys = Array.from({ length: 20 }, (_, index) => `key:${index}`);
    await cache.setMany(keys.map((key) => [key, key]));
    expect([...(await cache.getMany(keys)).keys()]).toEqual(keys);
    for (const key of keys) expect(await cache.get(key)).toBe(key);
  });
});

describe('a cache over backends whose failures throw when they are looked at', () => {
  it.each([
    ['an error with getters that throw', () => new Unreadable()],
    ['a proxy that throws whatever is done', untouchable],
  ])('rejects its calls with them: %s', async (_, make) => {
    const thrown = make();
    const fail = () => Promise.reject(thrown);
    for (const replicationFactor of [1, 2]) {
      const { cache } = cacheOver({ get: fail, set: fail, setMany: fail, getMany: fail }, { replicationFactor });
      const calls = [cache.get('x'), cache.set('x', 1), cache.getMany(['x']), cache.setMany([['x', 1]])];
      const outcomes = await Promise.allSettled(calls);
      expect(outcomes.map(({ status }) => status)).toEqual(calls.map(() => 'rejected'));
    }
  });

  it.each([
    ['an error with getters that throw', () => new Unreadable()],
    ['a proxy that throws whatever is done', untouchable],
  ])('goes on probing their nodes, and finds them well again: %s', async (_, make) => {
    let isWell = false;
    const { cache, clock } = cacheOver({ ping: () => (isWell ? Promise.resolve() : Promise.reject(make())) });
    cache.health();
    for (let round = 0; round < 4; round++) await clock.advance(500);
    expect([...cache.health().values()]).toEqual(['down', 'down']);
    const waiting = expect(cache.ready({ timeoutMs: 10 })).rejects.toThrow(code('ERR_NOT_READY'));
    await clock.advance(10);
    await waiting;
    isWell = true;
    await clock.advance(500);
    expect([...cache.health().values()]).toEqual(['up', 'up']);
  });
});

describe('a backend that throws where it should reject', () => {
  const thrower = (call: string) =>
    backendOfOthers({
      [call]: () => {
        throw new Error(`thrown by ${call}`);
      },
    });

  it('is refused as a new node, and its id is free again', async () => {
    const { cache, newNode } = makeFaultyCache(['a']);
    await expect(cache.addNode({ id: 'b', backend: thrower('ping') })).rejects.toThrow('thrown by ping');
    await expect(cache.addNode({ id: 'b', backend: thrower('takeSeat') })).rejects.toThrow('thrown by takeSeat');
    await cache.addNode({ id: 'b', backend: newNode('b') });
    expect(cache.topology.epoch).toBe(2);
  });

  it('does not undo the removal of its node by how it closes; an event reports it', async () => {
    const { cache, events } = makeFaultyCache(['a']);
    await cache.addNode({ id: 'b', backend: thrower('close') }, { strategy: 'none' });
    await cache.removeNode('b', { strategy: 'none' });
    expect(cache.topology.placement.nodes.map(({ id }) => id)).toEqual(['a']);
    const error = expect.objectContaining({ message: 'thrown by close' });
    await expect.poll(() => events.at(-1)).toEqual({ name: 'backgroundError', operation: 'close', node: 'b', error });
  });

  it('does not keep the others open when the cache is closed; close() then rejects with what it threw', async () => {
    const closed: string[] = [];
    const closer = (id: string) => backendOfOthers({ close: async () => closed.push(id) });
    const backends = { a: closer('a'), b: thrower('close'), c: closer('c') };
    const cache = new ShardedCache({ nodes: Object.entries(backends).map(([id, backend]) => ({ id, backend })) });
    await expect(cache.close()).rejects.toThrow('thrown by close');
    expect(closed).toEqual(['a', 'c']);
  });
});
