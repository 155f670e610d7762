import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Value } from '../../src/backend/backend.ts';
import { MemoryBackend, type MemoryBackendOptions } from '../../src/backend/memory.ts';
import { ClosedError, InvalidArgumentError, NotAnIntegerError, ValueTooLargeError } from '../../src/errors/index.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';

const bytes = (text: string): Value => new TextEncoder().encode(text);
const text = (value: Value | undefined) => (value === undefined ? undefined : new TextDecoder().decode(value));

async function keysOf(backend: MemoryBackend): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of backend.scan({})) keys.push(key);
  return keys.sort();
}

describe('options of MemoryBackend', () => {
  it.each([
    [{ maxEntries: 0 }, 'options.maxEntries'],
    [{ maxEntries: 2 ** 23 + 1 }, 'options.maxEntries'],
    [{ maxEntries: 1.5 }, 'options.maxEntries'],
    [{ maxBytes: -1 }, 'options.maxBytes'],
    [{ maxBytes: Number.NaN }, 'options.maxBytes'],
    [{ clock: {} }, 'options.clock.wallMs'],
    [{ max: 5 }, 'options.max'],
    [null, 'options'],
  ])('refuses %j and names the field', (options, field) => {
    const construct = () => new MemoryBackend(options as MemoryBackendOptions);
    expect(construct).toThrow(InvalidArgumentError);
    expect(construct).toThrow(expect.objectContaining({ field }));
  });

  it('takes undefined for "not given"', async () => {
    const backend = new MemoryBackend({ maxEntries: undefined, maxBytes: undefined, clock: undefined });
    await backend.set('a', bytes('1'), {});
    expect(text(await backend.get('a', {}))).toBe('1');
  });
});

describe('limits of MemoryBackend', () => {
  it('evicts the least recently used entry above maxEntries, reads being uses', async () => {
    const backend = new MemoryBackend({ maxEntries: 3 });
    for (const key of ['a', 'b', 'c']) await backend.set(key, bytes(key), {});
    await backend.get('a', {});
    await backend.getMany(['b'], {});
    await backend.set('d', bytes('d'), {});
    expect(await keysOf(backend)).toEqual(['a', 'b', 'd']);
  });

  it('counts neither a scan nor a look at the expiry as use', async () => {
    const backend = new MemoryBackend({ maxEntries: 2 });
    await backend.set('old', bytes('1'), {});
    await backend.set('new', bytes('2'), {});
    await keysOf(backend);
    expect(await backend.expiresAt('old', {})).toBe(Number.POSITIVE_INFINITY);
    await backend.set('newest', bytes('3'), {});
    expect(await keysOf(backend)).toEqual(['new', 'newest']);
  });

  it('counts the UTF-8 bytes of the key and the bytes of the value', async () => {
    const backend = new MemoryBackend({ maxBytes: 10 });
    await backend.set('é', bytes('123'), {}); // 2 + 3
    await backend.set('b', bytes('1234'), {}); // 1 + 4
    expect(await keysOf(backend)).toEqual(['b', 'é']);
    await backend.set('c', bytes(''), {});
    expect(await keysOf(backend)).toEqual(['b', 'c']);
  });

  it('refuses an entry above maxBytes, evicts nothing for it and keeps the old value of its key', async () => {
    const backend = new MemoryBackend({ maxBytes: 10 });
    await backend.set('a', bytes('old'), {});
    await backend.set('b', bytes('12345'), {});
    const refusal = backend.set('a', bytes('1234567890'), {});
    await expect(refusal).rejects.toThrow(ValueTooLargeError);
    await expect(refusal).rejects.toMatchObject({ node: 'memory', sizeBytes: 11, limitBytes: 10 });
    await expect(backend.setIfAbsent('c', bytes('1234567890'), {})).rejects.toThrow(ValueTooLargeError);
    expect((await backend.getMany(['a', 'b'], {})).map(text)).toEqual(['old', '12345']);
  });

  it('reports the entry of setMany that is too large and stores the others', async () => {
    const backend = new MemoryBackend({ maxBytes: 10 });
    const failures = await backend.setMany(
      [
        ['a', bytes('1')],
        ['b', bytes('1234567890')],
        ['c', bytes('3')],
      ],
      {},
    );
    expect([...failures.keys()]).toEqual([1]);
    expect(failures.get(1)).toBeInstanceOf(ValueTooLargeError);
    expect(await keysOf(backend)).toEqual(['a', 'c']);
  });

  it('holds the empty value under the empty key, which has no bytes', async () => {
    const backend = new MemoryBackend({ maxBytes: 10 });
    await backend.set('', bytes(''), {});
    expect(text(await backend.get('', {}))).toBe('');
  });

  it('refuses an increment that makes the entry too large and leaves the value', async () => {
    const backend = new MemoryBackend({ maxBytes: 2 });
    await backend.set('n', bytes('9'), {});
    await expect(backend.increment('n', 1, {})).rejects.toThrow(ValueTooLargeError);
    expect(text(await backend.get('n', {}))).toBe('9');
  });
});

describe('expiry of MemoryBackend', () => {
  it('serves a value until one millisecond before it expires, and no longer', async () => {
    const clock = new SimulatedClock();
    const backend = new MemoryBackend({ clock });
    await backend.set('a', bytes('1'), { expiresAtMs: clock.wallMs() + 100 });
    await clock.advance(99);
    expect(text(await backend.get('a', {}))).toBe('1');
    await clock.advance(1);
    expect(await backend.get('a', {})).toBeUndefined();
  });

  it('counts an expired entry neither as removed nor as present', async () => {
    const clock = new SimulatedClock();
    const backend = new MemoryBackend({ clock });
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f'])
      await backend.set(key, bytes('1'), { expiresAtMs: clock.wallMs() + 1 });
    await clock.advance(1);
    expect(await backend.delete('a', {})).toBe(false);
    expect(await backend.setIfAbsent('b', bytes('2'), {})).toBe(true);
    expect(await backend.expire('c', undefined, {})).toBe(false);
    expect(await backend.increment('d', 5, {})).toBe(5);
    expect(await backend.getWithExpiry('e', {})).toBeUndefined();
    expect(await backend.expiresAt('f', {})).toBeUndefined();
    expect(await keysOf(backend)).toEqual(['b', 'd']);
  });

  it('frees the room of expired entries while others are written, so that it does not grow for ever', async () => {
    const clock = new SimulatedClock();
    const backend = new MemoryBackend({ clock, maxEntries: 1_500 });
    // Least recently used, so the first to go if the limit is ever reached.
    await backend.set('canary', bytes('x'), {});
    for (let i = 0; i < 20_000; i++) {
      await backend.set(`key${i}`, bytes('x'), { expiresAtMs: clock.wallMs() + 50 });
      if (i % 10 === 9) await clock.advance(1); // 500 entries are live at a time
    }
    expect(await backend.get('canary', {})).toBeDefined();
  });

  it('keeps an entry that expires in place of one without when there is room for only one: expiry is not priority', async () => {
    const clock = new SimulatedClock();
    const backend = new MemoryBackend({ clock, maxEntries: 1 });
    await backend.set('stays', bytes('1'), {});
    await backend.set('expires', bytes('2'), { expiresAtMs: clock.wallMs() + 1 });
    expect(await keysOf(backend)).toEqual(['expires']);
  });
});

describe('increment of MemoryBackend', () => {
  it.each(['', '+1', '01', '-0', ' 1', '1 ', '1.0', '1e3', '9223372036854775808', '-9223372036854775809', 'x', '１'])(
    'refuses the value %j',
    async (value) => {
      const backend = new MemoryBackend();
      await backend.set('n', bytes(value), {});
      await expect(backend.increment('n', 1, {})).rejects.toThrow(NotAnIntegerError);
      expect(text(await backend.get('n', {}))).toBe(value);
    },
  );

  it('counts exactly up to 64 bits', async () => {
    const backend = new MemoryBackend();
    await backend.set('n', bytes('9223372036854775806'), {});
    expect(await backend.increment('n', 1, {})).toBe(2 ** 63);
    expect(text(await backend.get('n', {}))).toBe('9223372036854775807');
    await expect(backend.increment('n', 1, {})).rejects.toThrow(NotAnIntegerError);
    await backend.set('n', bytes('-9223372036854775808'), {});
    await expect(backend.increment('n', -1, {})).rejects.toThrow(NotAnIntegerError);
  });

  it('refuses to add what is not a safe integer', async () => {
    const backend = new MemoryBackend();
    for (const by of [0.5, Number.NaN, 2 ** 53])
      await expect(backend.increment('n', by, {})).rejects.toThrow(InvalidArgumentError);
  });
});

describe('what MemoryBackend keeps', () => {
  it('gives every reader a copy, so that no reader changes the store', async () => {
    const backend = new MemoryBackend();
    await backend.set('a', bytes('abc'), {});
    (await backend.get('a', {}))!.fill(0);
    (await backend.getMany(['a'], {}))[0]!.fill(0);
    (await backend.getWithExpiry('a', {}))!.value.fill(0);
    expect(text(await backend.get('a', {}))).toBe('abc');
  });

  it('does not keep a large buffer alive for a small view of it', async () => {
    const backend = new MemoryBackend();
    const large = new Uint8Array(1_000_000).fill(7);
    await backend.set('a', large.subarray(10, 13), {});
    large.fill(0); // seen only if the large buffer itself was kept
    expect([...(await backend.get('a', {}))!]).toEqual([7, 7, 7]);
  });
});

describe('calls of MemoryBackend', () => {
  it.each([
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['text', '5'],
    ['a Date', new Date(8.64e15)],
  ])('refuses %s as an expiry, as RedisBackend does, and leaves what is stored', async (_, wrong) => {
    const backend = new MemoryBackend();
    await backend.set('a', bytes('1'), {});
    const expiresAtMs = wrong as number;
    const refusal = { code: 'ERR_INVALID_ARGUMENT', field: 'expiresAtMs' };
    await expect(backend.set('a', bytes('2'), { expiresAtMs })).rejects.toMatchObject(refusal);
    await expect(backend.setMany([['a', bytes('2')]], { expiresAtMs })).rejects.toMatchObject(refusal);
    await expect(backend.setIfAbsent('a', bytes('2'), { expiresAtMs })).rejects.toMatchObject(refusal);
    await expect(backend.expire('a', expiresAtMs, {})).rejects.toMatchObject(refusal);
    expect(text(await backend.get('a', {}))).toBe('1');
  });

  it('does nothing for a signal that is already aborted, and passes the reason on', async () => {
    const backend = new MemoryBackend();
    const reason = new Error('no longer wanted');
    const signal = AbortSignal.abort(reason);
    await expect(backend.set('a', bytes('1'), { signal })).rejects.toBe(reason);
    await expect(backend.scan({ signal }).next()).rejects.toBe(reason);
    expect(await keysOf(backend)).toEqual([]);
  });

  it('ends a scan when the signal aborts or the backend closes on the way', async () => {
    const backend = new MemoryBackend();
    await backend.setMany(
      ['a', 'b', 'c'].map((key) => [key, bytes(key)] as const),
      {},
    );
    const controller = new AbortController();
    const aborted = backend.scan({ signal: controller.signal });
    const closed = backend.scan({});
    await aborted.next();
    await closed.next();
    controller.abort('enough');
    await expect(aborted.next()).rejects.toBe('enough');
    await backend.close();
    await expect(closed.next()).rejects.toThrow(ClosedError);
  });

  it('refuses every call after close, which may be repeated', async () => {
    const backend = new MemoryBackend();
    await backend.close();
    await backend.close();
    await backend[Symbol.asyncDispose]();
    await expect(backend.get('a', {})).rejects.toThrow(ClosedError);
    await expect(backend.getMany([], {})).rejects.toThrow(ClosedError);
    await expect(backend.scan({}).next()).rejects.toThrow(ClosedError);
  });
});

describe('MemoryBackend against a plain Map', () => {
  const keyOf = fc.constantFrom('', 'a', '__proto__', '\0', '\u{1f600}', '\ud800', '\udc00', '\ufffd');
  const lifetimeMs = fc.option(fc.integer({ min: -1, max: 30 }), { nil: undefined });
  const number = fc.integer({ min: -5, max: 5 });
  const step = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), key: keyOf, number, lifetimeMs }),
    fc.record({ kind: fc.constant('setIfAbsent' as const), key: keyOf, number, lifetimeMs }),
    fc.record({ kind: fc.constant('expire' as const), key: keyOf, number, lifetimeMs }),
    fc.record({ kind: fc.constant('increment' as const), key: keyOf, number, lifetimeMs }),
    fc.record({ kind: fc.constant('delete' as const), key: keyOf, number, lifetimeMs }),
    fc.record({ kind: fc.constant('wait' as const), key: keyOf, number: fc.integer({ min: 0, max: 20 }), lifetimeMs }),
  );
  type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
  type Model = Map<string, { number: number; expiresAtMs: number }>;

  /** What the call answers, done on the model. Expired entries are taken out before each step. */
  function applyToModel(model: Model, { kind, key, number, lifetimeMs }: Step, nowMs: number): unknown {
    const found = model.get(key);
    const expiresAtMs = lifetimeMs === undefined ? Number.POSITIVE_INFINITY : nowMs + lifetimeMs;
    switch (kind) {
      case 'set':
        model.set(key, { number, expiresAtMs });
        return undefined;
      case 'setIfAbsent':
        if (found === undefined) model.set(key, { number, expiresAtMs });
        return found === undefined;
      case 'expire':
        if (found !== undefined) found.expiresAtMs = expiresAtMs;
        return found !== undefined;
      case 'increment': {
        const sum = (found?.number ?? 0) + number;
        model.set(key, { number: sum, expiresAtMs: found?.expiresAtMs ?? Number.POSITIVE_INFINITY });
        return sum;
      }
      case 'delete':
        return model.delete(key);
      case 'wait':
        return undefined;
    }
  }

  function applyToBackend(backend: MemoryBackend, { kind, key, number, lifetimeMs }: Step, clock: SimulatedClock) {
    const expiresAtMs = lifetimeMs === undefined ? undefined : clock.wallMs() + lifetimeMs;
    switch (kind) {
      case 'set':
        return backend.set(key, bytes(`${number}`), { expiresAtMs });
      case 'setIfAbsent':
        return backend.setIfAbsent(key, bytes(`${number}`), { expiresAtMs });
      case 'expire':
        return backend.expire(key, expiresAtMs, {});
      case 'increment':
        return backend.increment(key, number, {});
      case 'delete':
        return backend.delete(key, {});
      case 'wait':
        return clock.advance(number);
    }
  }

  function dropExpired(model: Model, nowMs: number): void {
    for (const [key, { expiresAtMs }] of model) if (expiresAtMs <= nowMs) model.delete(key);
  }

  it('gives the same answers and holds the same entries, whatever is done to both', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.boolean(), async (steps, limited) => {
        const clock = new SimulatedClock();
        const backend = new MemoryBackend(limited ? { clock, maxEntries: 100, maxBytes: 10_000 } : { clock });
        const model: Model = new Map();
        for (const one of steps) {
          dropExpired(model, clock.wallMs());
          const expected = applyToModel(model, one, clock.wallMs());
          expect(await applyToBackend(backend, one, clock)).toEqual(expected);
        }
        dropExpired(model, clock.wallMs());
        expect(await keysOf(backend)).toEqual([...model.keys()].sort());
        const values = await backend.getMany([...model.keys()], {});
        expect(values.map(text)).toEqual([...model.values()].map((entry) => `${entry.number}`));
      }),
    );
  });
});
