import { describe, expect, it } from 'vitest';
import type { Backend, CallOptions, SetOptions, Value } from '../../src/backend/backend.ts';
import { portOf } from '../../src/backend/calls.ts';
import { checkBackend } from '../../src/backend/check-backend.ts';
import { completeBackend } from '../../src/backend/complete-backend.ts';
import { MemoryBackend } from '../../src/backend/memory.ts';
import { ShardedCache } from '../../src/cache/sharded-cache.ts';
import {
  InvalidArgumentError,
  NodeUnavailableError,
  TimeoutError,
  UnknownOutcomeError,
  UnsupportedError,
  ValueTooLargeError,
} from '../../src/errors/index.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';
import { backendOfOthers } from '../support/backend-of-others.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

/** The five required calls and no more. Private fields, so that a call that is not made as a method fails. */
class MinimalBackend implements Backend {
  readonly name: string = 'minimal';
  readonly #values = new Map<string, Value>();
  readonly sent: string[] = [];
  /** Errors by key. */
  readonly broken = new Map<string, unknown>();
  async get(key: string, _options: CallOptions) {
    this.#note('get', key);
    return this.#values.get(key);
  }
  async set(key: string, value: Value, _options: SetOptions) {
    this.#note('set', key);
    this.#values.set(key, value);
  }
  async delete(key: string, _options: CallOptions) {
    this.#note('delete', key);
    return this.#values.delete(key);
  }
  async ping(_options: CallOptions) {}
  async close() {
    this.#values.clear();
    this.sent.push('close');
  }
  async [Symbol.asyncDispose]() {}
  #note(operation: string, key: string) {
    this.sent.push(`${operation} ${key}`);
    if (this.broken.has(key)) throw this.broken.get(key);
  }
}

/** Never answers. */
class HangingBackend extends MinimalBackend {
  readonly listing = {
    async *scan() {
      yield 'first';
      await new Promise<never>(() => {});
    },
  };
  readonly clearing = { clear: () => new Promise<never>(() => {}) };
  override get = () => new Promise<never>(() => {});
  override set = () => new Promise<never>(() => {});
}

function complete(backend: Backend, clock = new SimulatedClock()) {
  return completeBackend(backend, { clock, nodeName: 'n1' });
}

describe('completeBackend', () => {
  it('returns a backend as it is when there is nothing to add', () => {
    const memory = new MemoryBackend();
    expect(complete(memory)).toBe(memory);
  });

  it('has the ports of the backend, and the one for many keys in any case', async () => {
    const backend = complete(new HangingBackend());
    const { expiring, conditional, counting, listing, clearing } = backend;
    expect([expiring, conditional, counting]).toEqual([undefined, undefined, undefined]);
    for (const port of [listing, clearing, backend.many]) expect(port).toBeDefined();
  });

  it('calls a port as methods of what the backend gave, with its own private fields', async () => {
    class Counter {
      #sum = 0;
      async increment(_key: string, by: number) {
        this.#sum += by;
        return this.#sum;
      }
    }
    const backend = complete(Object.assign(new MinimalBackend(), { counting: new Counter() }));
    expect(await backend.counting!.increment('a', 2, {})).toBe(2);
    expect(await backend.counting!.increment('a', 3, {})).toBe(5);
  });

  it('refuses an expiry where the backend keeps none', async () => {
    const conditional = { setIfAbsent: async () => true };
    const backend = complete(Object.assign(new MinimalBackend(), { conditional }));
    const calls = [
      backend.set('a', bytes('1'), { expiresAtMs: 1 }),
      backend.many.setMany([['a', bytes('1')]], { expiresAtMs: 1 }),
      backend.conditional!.setIfAbsent('a', bytes('1'), { expiresAtMs: 1 }),
    ];
    for (const call of calls) await expect(call).rejects.toThrow(UnsupportedError);
  });

  it('closes the backend it wraps', async () => {
    const minimal = new MinimalBackend();
    await complete(minimal)[Symbol.asyncDispose]();
    expect(minimal.sent).toEqual(['close']);
  });
});

describe('checkBackend', () => {
  const changed = (change: object) => Object.assign(Object.create(new MinimalBackend()), change);

  it.each([
    [{ get: undefined }, 'get'],
    [{ close: 1 }, 'close'],
    [{ name: 5 }, 'name'],
    [{ many: 1 }, 'many'],
    [{ counting: {} }, 'counting.increment'],
    [{ listing: null }, 'listing'],
    [{ endsItsCalls: 'yes' }, 'endsItsCalls'],
    [{ expiryResolutionMs: 0 }, 'expiryResolutionMs'],
    [{ expiring: new MemoryBackend().expiring }, 'expiryResolutionMs'],
  ])('refuses a backend with %j and names the field', (change, field) => {
    const check = () => checkBackend('nodes[3].backend', changed(change));
    expect(check).toThrow(InvalidArgumentError);
    expect(check).toThrow(expect.objectContaining({ field: `nodes[3].backend.${field}` }));
  });

  const capabilities = { deadlines: false, expiryResolutionMs: 1, expiry: true, increment: true };
  const flat = { getWithExpiry() {}, expiresAt() {}, expire() {}, increment() {} };

  it('says how to move a backend that was written for shardring 0.1', () => {
    expect(() => checkBackend('backend', changed({ capabilities, ...flat }))).toThrow(
      'backend: It is written for shardring 0.1. Its capabilities are ports now ' +
        '(getWithExpiry, expiresAt, expire: expiring; increment: counting), endsItsCalls and expiryResolutionMs. ' +
        'See CHANGELOG.md.',
    );
    expect(() => checkBackend('backend', changed({ capabilities }))).toThrow(
      'It is written for shardring 0.1. Its capabilities are ports now, endsItsCalls and expiryResolutionMs.',
    );
    expect(() => checkBackend('backend', changed(flat))).toThrow('(getWithExpiry, expiresAt, expire: expiring;');
  });

  it('takes a class that has the calls of a port and leaves it out on purpose', () => {
    const backend = changed({ ...flat, expiring: undefined, counting: undefined });
    expect(checkBackend('backend', backend)).toBe(backend);
  });

  it('refuses a backend of 0.1 in the constructor of a cache and in addNode', async () => {
    const backend = changed({ capabilities });
    const refusal = expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field: 'nodes[0].backend' });
    expect(() => new ShardedCache({ nodes: [{ id: 'a', backend }] })).toThrow(refusal);
    await using cache = new ShardedCache({ nodes: [{ id: 'a', backend: new MemoryBackend() }] });
    await expect(cache.addNode({ id: 'b', backend })).rejects.toMatchObject({ field: 'node.backend' });
  });
});

describe('portOf', () => {
  it('refuses a call of a port that the backend does not have', () => {
    const asked = () => portOf(new MinimalBackend(), 'counting', 'increment');
    expect(asked).toThrow(UnsupportedError);
    expect(asked).toThrow(expect.objectContaining({ operation: 'increment', backend: 'minimal' }));
  });

  it('answers every call of a cache that needs one with ERR_UNSUPPORTED', async () => {
    await using cache = new ShardedCache({ nodes: [{ id: 'a', backend: new MinimalBackend() }] });
    await cache.set('x', 1);
    const keys = async () => {
      for await (const _ of cache.keys());
    };
    const calls = [cache.increment('x'), cache.expire('x', 5), cache.set('x', 1, { ttlMs: 5 })];
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' });
    for (const call of [cache.clear(), keys()]) {
      await expect(call).rejects.toMatchObject({ attempts: [{ error: { code: 'ERR_UNSUPPORTED' } }] });
    }
  });
});

describe('what a backend of others resolves with', () => {
  const entries = [['x', bytes('1')] as const, ['y', bytes('2')] as const];
  const reads = ['get', 'getMany', 'getWithExpiry', 'expiresAt', 'scan'];

  /** Makes `call` of a complete backend in which it answers with `reply`. */
  async function answerTo(call: string, reply: unknown): Promise<unknown> {
    const scan = () => ({ [Symbol.asyncIterator]: () => ({ next: async () => reply }) });
    const {
      get,
      delete: remove,
      many,
      expiring,
      conditional,
      counting,
      listing,
    } = complete(backendOfOthers({ [call]: call === 'scan' ? scan : async () => reply }));
    const calls: Record<string, () => Promise<unknown>> = {
      get: () => get('x', {}),
      delete: () => remove('x', {}),
      getMany: () => many.getMany(['x', 'y'], {}),
      setMany: () => many.setMany(entries, {}),
      deleteMany: () => many.deleteMany(['x', 'y'], {}),
      getWithExpiry: () => expiring!.getWithExpiry('x', {}),
      expiresAt: () => expiring!.expiresAt('x', {}),
      expire: () => expiring!.expire('x', undefined, {}),
      setIfAbsent: () => conditional!.setIfAbsent('x', bytes('1'), {}),
      increment: () => counting!.increment('x', 1, {}),
      scan: () => listing!.scan({})[Symbol.asyncIterator]().next(),
    };
    return calls[call]!();
  }

  it.each<[string, unknown, string]>([
    ['get', null, 'null in place of a Uint8Array or undefined'],
    ['get', 'secret', 'a string in place of a Uint8Array or undefined'],
    ['getMany', undefined, 'undefined in place of an array of values'],
    ['getMany', [bytes('1')], '1 value for 2 keys'],
    ['getMany', [undefined, undefined, undefined], '3 values for 2 keys'],
    ['getMany', [undefined, 'secret'], 'a string among the values'],
    ['getWithExpiry', bytes('1'), 'a value that is undefined in place of a Uint8Array'],
    ['getWithExpiry', null, 'null in place of { value, expiresAtMs } or undefined'],
    [
      'getWithExpiry',
      { value: bytes('1'), expiresAtMs: Number.POSITIVE_INFINITY },
      'an expiresAtMs that is a number in place of a finite number or undefined',
    ],
    ['expiresAt', Number.NaN, 'a number in place of a time or undefined'],
    ['expiresAt', null, 'null in place of a time or undefined'],
    ['scan', undefined, 'undefined in place of a step of an iterator'],
    ['scan', { done: false, value: bytes('1') }, 'an object in place of a key'],
    ['setMany', undefined, 'undefined in place of a Map of failures'],
    ['setMany', new Map([['x', new Error('refused')]]), 'failures under keys that are no indexes of entries'],
    ['setMany', new Map([[2, new Error('refused')]]), 'failures under keys that are no indexes of entries'],
    ['delete', 1, 'a number in place of true or false'],
    ['deleteMany', 2, 'a number in place of an array of answers'],
    ['deleteMany', [true], '1 answer for 2 keys'],
    ['deleteMany', [true, 1], 'a number among the answers'],
    ['expire', undefined, 'undefined in place of true or false'],
    ['setIfAbsent', 'OK', 'a string in place of true or false'],
    ['increment', '5', 'a string in place of an integer'],
    ['increment', 5n, 'a bigint in place of an integer'],
    ['increment', Number.NaN, 'a number in place of an integer'],
  ])('is looked at: %s with %o', async (call, reply, complaint) => {
    const reason = `its backend answered with ${complaint}.`;
    const message = `${call}: node n1 violates the contract of backends: ${reason}`;
    const breach = { code: 'ERR_NODE_PROTOCOL', node: 'n1', operation: call, backend: 'memory', message };
    const doubt = { code: 'ERR_UNKNOWN_OUTCOME', node: 'n1', operation: call, cause: breach };
    await expect(answerTo(call, reply)).rejects.toMatchObject(reads.includes(call) ? breach : doubt);
  });

  it.each<[string, unknown]>([
    ['get', undefined],
    ['get', Buffer.from('1')],
    ['getMany', [undefined, bytes('1')]],
    ['getWithExpiry', { value: bytes('1'), expiresAtMs: undefined }],
    ['getWithExpiry', { value: bytes('1'), expiresAtMs: 5 }],
    ['expiresAt', Number.POSITIVE_INFINITY],
    ['setMany', new Map([[1, new Error('refused')]])],
    ['deleteMany', [true, false]],
    ['increment', 2 ** 60],
  ])('is passed on as it is where it keeps the contract: %s with %o', async (call, reply) => {
    expect(await answerTo(call, reply)).toBe(reply);
  });

  it('is a rejection where the call throws, be it a ping or a close', async () => {
    const thrown = () => {
      throw new Error('thrown');
    };
    const backend = complete(backendOfOthers({ ping: thrown, close: thrown, scan: thrown }));
    await expect(backend.ping({})).rejects.toThrow('thrown');
    await expect(backend.close()).rejects.toThrow('thrown');
    await expect(backend.listing!.scan({})[Symbol.asyncIterator]().next()).rejects.toThrow('thrown');
  });

  it('names the kind of what is no list of keys', async () => {
    const backend = complete(backendOfOthers({ scan: () => ['x'] }));
    await expect(backend.listing!.scan({})[Symbol.asyncIterator]().next()).rejects.toThrow(
      'its backend answered with an array in place of an async iterable of keys.',
    );
  });
});

describe('many-key calls made of single ones', () => {
  it('send each key once, the last value of a key winning', async () => {
    const minimal = new MinimalBackend();
    const backend = complete(minimal);
    const failures = await backend.many.setMany([['a', bytes('1')] as const, ['b', bytes('2')], ['a', bytes('3')]], {});
    expect(failures.size).toBe(0);
    expect(await backend.many.getMany(['a', 'x', 'a', 'b'], {})).toEqual([
      bytes('3'),
      undefined,
      bytes('3'),
      bytes('2'),
    ]);
    expect(await backend.many.deleteMany(['a', 'x', 'a'], {})).toEqual([true, false, false]);
    expect(minimal.sent).toEqual(['set a', 'set b', 'get a', 'get x', 'get b', 'delete a', 'delete x']);
  });

  it('setMany gives each failure its place, also that of a key that comes twice', async () => {
    const minimal = new MinimalBackend();
    const tooLarge = new ValueTooLargeError('n1', 2, 1);
    minimal.broken.set('b', tooLarge);
    const failures = await complete(minimal).many.setMany(
      ['a', 'b', 'c', 'b'].map((key) => [key, bytes(key)] as const),
      {},
    );
    expect([...failures]).toEqual([
      [1, tooLarge],
      [3, tooLarge],
    ]);
  });

  it('setMany rejects when every entry failed in the same way, and only then', async () => {
    const minimal = new MinimalBackend();
    const backend = complete(minimal);
    const entries = ['a', 'b'].map((key) => [key, bytes(key)] as const);
    const first = new NodeUnavailableError('n1', 'set');
    minimal.broken.set('a', first).set('b', new NodeUnavailableError('n1', 'set'));
    await expect(backend.many.setMany(entries, {})).rejects.toBe(first);
    minimal.broken.set('b', new UnknownOutcomeError('n1', 'set'));
    expect((await backend.many.setMany(entries, {})).size).toBe(2);
  });

  it('getMany rejects with the failure of one key: it is never a miss', async () => {
    const minimal = new MinimalBackend();
    const error = new Error('connection lost');
    minimal.broken.set('b', error);
    await expect(complete(minimal).many.getMany(['a', 'b'], {})).rejects.toBe(error);
  });

  it('deleteMany says that the outcome is unknown when some keys were deleted', async () => {
    const minimal = new MinimalBackend();
    const cause = new NodeUnavailableError('n1', 'delete');
    minimal.broken.set('b', cause);
    const backend = complete(minimal);
    await expect(backend.many.deleteMany(['a', 'b'], {})).rejects.toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME', cause });
    await expect(backend.many.deleteMany(['b'], {})).rejects.toBe(cause);
  });

  it('send nothing for a signal that is already aborted', async () => {
    const minimal = new MinimalBackend();
    const signal = AbortSignal.abort('enough');
    for (const call of ['getMany', 'deleteMany'] as const) {
      await expect(complete(minimal).many[call]([], { signal })).rejects.toBe('enough');
    }
    await expect(complete(minimal).many.setMany([], { signal })).rejects.toBe('enough');
    expect(minimal.sent).toEqual([]);
  });
});

describe('a backend without deadlines', () => {
  it('is cut off at timeoutMs: a read times out, the outcome of a write is unknown', async () => {
    const clock = new SimulatedClock();
    const backend = complete(new HangingBackend(), clock);
    const reads = [backend.get('a', { timeoutMs: 100 }), backend.many.getMany(['a'], { timeoutMs: 100 })];
    const writes = [backend.set('a', bytes('1'), { timeoutMs: 100 }), backend.clearing!.clear({ timeoutMs: 100 })];
    const all = Promise.allSettled([...reads, ...writes]);
    await clock.advance(100);
    const errors = (await all).map((outcome) => outcome.status === 'rejected' && outcome.reason);
    for (const error of errors.slice(0, 2)) expect(error).toBeInstanceOf(TimeoutError);
    for (const error of errors.slice(2)) expect(error).toBeInstanceOf(UnknownOutcomeError);
    expect(errors[2]).toMatchObject({ node: 'n1', cause: { code: 'ERR_TIMEOUT', timeoutMs: 100 } });
    expect(clock.pendingTimers).toBe(0);
  });

  it('is cut off in each step of a scan', async () => {
    const clock = new SimulatedClock();
    const scan = complete(new HangingBackend(), clock).listing!.scan({ timeoutMs: 100 })[Symbol.asyncIterator]();
    expect(await scan.next()).toEqual({ done: false, value: 'first' });
    await clock.advance(1_000); // the consumer's own time does not count
    const second = expect(scan.next()).rejects.toThrow(TimeoutError);
    await clock.advance(100);
    await second;
  });

  it('is cut off when the signal aborts, with the reason', async () => {
    const controller = new AbortController();
    const get = complete(new HangingBackend()).get('a', { signal: controller.signal });
    controller.abort('enough');
    await expect(get).rejects.toBe('enough');
  });

  it('is not called when there is no time left or the signal is aborted', async () => {
    const minimal = new MinimalBackend();
    await expect(complete(minimal).set('a', bytes('1'), { timeoutMs: 0 })).rejects.toThrow(TimeoutError);
    await expect(complete(minimal).get('a', { signal: AbortSignal.abort('no') })).rejects.toBe('no');
    expect(minimal.sent).toEqual([]);
  });

  it('leaves no timer and no listener behind', async () => {
    const clock = new SimulatedClock();
    const { signal } = new AbortController();
    let listeners = 0;
    const counted = Object.create(signal, {
      aborted: { value: false },
      throwIfAborted: { value: () => {} },
      addEventListener: { value: () => listeners++ },
      removeEventListener: { value: () => listeners-- },
    });
    await complete(new MinimalBackend(), clock).get('a', { timeoutMs: 100, signal: counted });
    expect([clock.pendingTimers, listeners]).toEqual([0, 0]);
  });

  it('may throw where it should reject', async () => {
    const backend = new MinimalBackend();
    backend.get = () => {
      throw new Error('thrown');
    };
    await expect(complete(backend).get('a', {})).rejects.toThrow('thrown');
    await expect(complete(backend).many.getMany(['a'], { timeoutMs: 5 })).rejects.toThrow('thrown');
  });
});
