import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/memory.ts';
import { bytesCodec, decode, encode, jsonCodec } from '../../src/cache/codecs.ts';
import { ShardedCache } from '../../src/cache/sharded-cache.ts';

const roundTrip = (value: unknown) => decode(jsonCodec, encode(jsonCodec, value));

describe("the codec 'json'", () => {
  it('keeps Buffers at any depth, and everything that JSON keeps', () => {
    const name = fc.oneof(
      fc.string(),
      fc.constantFrom('$buffer', '$$buffer', '$$$buffer', '$date', '$$date', 'buffer', 'type', 'data', '__proto__'),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.jsonValue({ maxDepth: 0 }),
        fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
        fc.date({ noInvalidDate: true }),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(name, tie('tree'), { maxKeys: 4, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        expect(roundTrip(value)).toStrictEqual(minusZeroAsZero(value));
      }),
      { numRuns: 1_000 },
    );
  });

  it('writes plain JSON that any program reads', () => {
    expect(Buffer.from(encode(jsonCodec, { a: [1, 'é'] })).toString()).toBe('{"a":[1,"é"]}');
    expect(Buffer.from(encode(jsonCodec, 5)).toString()).toBe('5');
    expect(Buffer.from(encode(jsonCodec, { file: Buffer.from('hi') })).toString()).toBe('{"file":{"$buffer":"aGk="}}');
  });

  it('reads a Uint8Array back as a Buffer, and only the bytes of its window', () => {
    const window = new Uint8Array([9, 1, 2, 9]).subarray(1, 3);
    expect(roundTrip(window)).toEqual(Buffer.from([1, 2]));
  });

  it('keeps Dates at any depth, also beside names that look like its own marks', () => {
    const birth = new Date('1815-12-10T00:00:00.123Z');
    const value = { birth, all: [new Date(8.64e15), { $date: 'x', $$date: birth }], $buffer: { $date: '1', b: 1 } };
    expect(roundTrip(value)).toStrictEqual(value);
    expect(roundTrip(birth)).toStrictEqual(birth);
    expect(Buffer.from(encode(jsonCodec, { birth })).toString()).toBe('{"birth":{"$date":"1815-12-10T00:00:00.123Z"}}');
  });

  it('leaves what another program stored under the name of a mark as it is', () => {
    for (const text of [
      '{"$date":"yesterday"}',
      '{"$date":1}',
      '{"$date":"2020-01-01"}',
      '{"$buffer":7}',
      '{"$buffer":"","b":1}',
    ]) {
      expect(decode(jsonCodec, Buffer.from(text))).toStrictEqual(JSON.parse(text));
    }
  });

  it('leaves out a property that is undefined, gives -0 as 0 and an object of no prototype as a plain one', () => {
    expect(roundTrip({ a: undefined, b: 1 })).toStrictEqual({ b: 1 });
    expect(roundTrip(-0)).toBe(0);
    expect(roundTrip(Object.assign(Object.create(null), { a: [1] }))).toStrictEqual({ a: [1] });
  });

  it('keeps a value that is met twice, as two equal ones, and one that is nested deeply', () => {
    const twice = { at: new Date(0) };
    expect(roundTrip({ one: twice, other: twice, list: [twice, twice] })).toStrictEqual({
      one: twice,
      other: twice,
      list: [twice, twice],
    });
    const deep = (levels: number, inner: unknown) => {
      let value = inner;
      for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { value };
      return value;
    };
    for (const levels of [63, 64, 65, 66, 500]) expect(roundTrip(deep(levels, 1))).toStrictEqual(deep(levels, 1));
    expect(() => encode(jsonCodec, deep(500, new Set()))).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }),
    );
  });

  it('takes plain objects and arrays of another realm for what they are', () => {
    const foreign = runInNewContext(`({ list: [1, { a: 2 }], at: new Date(0), bytes: new Uint8Array([1]) })`);
    expect(roundTrip(foreign)).toStrictEqual({ list: [1, { a: 2 }], at: new Date(0), bytes: Buffer.from([1]) });
  });

  class Account {
    id = 1;
  }
  class List extends Array {}
  const selfContaining: Record<string, unknown> = { name: 'loop' };
  selfContaining.self = [selfContaining];
  const refused: readonly (readonly [title: string, value: unknown])[] = [
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a bigint', 10n],
    ['NaN', Number.NaN],
    ['Infinity', Number.NEGATIVE_INFINITY],
    ['a promise', Promise.resolve(1)],
    ['a Map', new Map([['a', 1]])],
    ['a Set', new Set([1])],
    ['a WeakMap', new WeakMap()],
    ['an Error', new Error('hunter2')],
    ['a RegExp', /x/],
    ['a URL, which has toJSON', new URL('http://127.0.0.1/')],
    ['an object with toJSON of its own', { toJSON: () => 1 }],
    ['an object whose toJSON cannot be enumerated', Object.defineProperty({ a: 1 }, 'toJSON', { value: () => 1 })],
    ['an array with toJSON', Object.assign([1], { toJSON: () => 1 })],
    ['an instance of a class', new Account()],
    ['an object that inherits from another one', Object.create({ a: 1 })],
    ['an array of a subclass', List.from([1])],
    ['an array with undefined in it', [1, undefined]],
    ['an array with a hole', new Array(2)],
    ['a boxed string', Object('text')],
    ['an invalid Date', new Date(Number.NaN)],
    ['a Float64Array', new Float64Array([1])],
    ['a Uint8ClampedArray', new Uint8ClampedArray([1])],
    ['an ArrayBuffer', new ArrayBuffer(1)],
    ['a DataView', new DataView(new ArrayBuffer(1))],
    ['a property named by a symbol', { [Symbol('s')]: 1 }],
    ['an object that contains itself', selfContaining],
  ];

  it('names a bigint by its type, without showing its value', () => {
    expect(() => encode(jsonCodec, { id: 10n })).toThrow(/^value\.id: .*, got a bigint\.$/);
  });

  it.each([...refused, ['undefined', undefined] as const])(
    'refuses %s, alone and inside a value, saying where',
    (_, value) => {
      const placed = { user: { 'full name': 1, roles: [new Date(0), { $buffer: 'x' }, value] } };
      const where = 'value.user.roles[2]';
      for (const [given, path] of [
        [value, 'value'],
        [placed, where],
      ] as const) {
        try {
          encode(jsonCodec, given);
          expect.unreachable();
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
          const { field, message } = error as Error & { field: string };
          expect(field.startsWith(path)).toBe(true);
          expect(message.startsWith(`${field}: expected `)).toBe(true);
          expect(message).toMatch(/a codec that keeps it|await it first/);
          expect(message).not.toMatch(/hunter2|10/);
        }
      }
    },
  );

  it('shows names on the way readably, and long ways shortened', () => {
    const fieldOf = (value: unknown) => {
      try {
        encode(jsonCodec, value);
        return undefined;
      } catch (error) {
        return (error as { field?: string }).field;
      }
    };
    expect(fieldOf({ a: { 'b c': [{ 'd"': 1n }] } })).toBe('value.a["b c"][0]["d\\""]');
    expect(fieldOf({ '\u001b[31m\u009b\u202e': 1n })).toBe('value["?[31m??"]');
    expect(fieldOf({ ['x'.repeat(1_000)]: 1n })).toBe(`value["${'x'.repeat(40)}..."]`);
    let long: unknown = 1n;
    for (let level = 0; level < 200; level++) long = { n: long };
    expect(fieldOf(long)).toBe('value.n.n.n.n.n.n....n.n.n.n.n.n');
    expect(fieldOf(selfContaining)).toBe('value.self[0]');
  });

  it('rejects a value through the cache, and leaves the stored value as it was', async () => {
    await using cache = new ShardedCache({ nodes: [{ id: 'a', backend: new MemoryBackend() }] });
    await cache.set('k', 'old');
    const late = Promise.resolve('new');
    await expect(cache.set('k', late)).rejects.toThrow(/^value: expected a value and not the promise of one/);
    await expect(
      cache.setMany([
        ['k', 1],
        ['l', { at: late }],
      ]),
    ).rejects.toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field: 'entries[1][1].at' }));
    await expect(cache.getOrSet('m', () => ({ seen: new Set() }))).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field: 'value.seen' }),
    );
    expect(await cache.getMany(['k', 'l', 'm'])).toEqual(new Map([['k', 'old']]));
  });

  it('ignores properties that a program has put on Object.prototype', () => {
    Object.defineProperty(Object.prototype, 'polluted', { value: () => 1, enumerable: true, configurable: true });
    const stored = encode(jsonCodec, { a: [1] });
    delete (Object.prototype as { polluted?: unknown }).polluted;
    expect(decode(jsonCodec, stored)).toStrictEqual({ a: [1] });
  });

  it('says with ERR_CODEC that stored bytes are not its own, without showing them, and what a getter throws', () => {
    const failure = new Error('getter');
    const value = {
      get a() {
        throw failure;
      },
    };
    expect(() => encode(jsonCodec, value)).toThrow(
      expect.objectContaining({ code: 'ERR_CODEC', direction: 'encode', cause: failure }),
    );
    try {
      decode(jsonCodec, Buffer.from('hunter2'));
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_CODEC', direction: 'decode' });
      expect(`${error} ${(error as Error).cause}`).not.toContain('hunter2');
    }
  });
});

describe("the codec 'bytes'", () => {
  it('stores bytes as they are and gives a Buffer', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    const stored = encode(bytesCodec, bytes);
    const back = decode(bytesCodec, stored);
    expect(Buffer.isBuffer(back)).toBe(true);
    expect(back).toEqual(Buffer.from(bytes));
    bytes[0] = 99;
    expect(stored[0]).toBe(0);
  });

  it('rejects values that are not bytes', () => {
    expect(() => encode(bytesCodec, 'text')).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field: 'value' }),
    );
  });
});

describe("a user's own codec", () => {
  it('is used for every value, and its failures name it', async () => {
    const codec = {
      name: 'hex',
      encode: (value: string) => {
        if (value === 'bad') throw new TypeError('bad');
        return Buffer.from(value, 'hex');
      },
      decode: (bytes: Uint8Array) => Buffer.from(bytes).toString('hex'),
    };
    await using cache = new ShardedCache<string>({ nodes: [{ id: 'a', backend: new MemoryBackend() }], codec });
    await cache.set('k', 'c0ffee');
    expect(await cache.get('k')).toBe('c0ffee');
    await expect(cache.set('k', 'bad')).rejects.toThrow(expect.objectContaining({ code: 'ERR_CODEC', codec: 'hex' }));
    expect(await cache.get('k')).toBe('c0ffee');
  });

  it('must give bytes', () => {
    const codec = { name: 'wrong', encode: () => 'text' as never, decode: () => 1 };
    expect(() => encode(codec, 1)).toThrow(expect.objectContaining({ code: 'ERR_CODEC' }));
  });
});

/** JSON has no -0. */
function minusZeroAsZero(value: unknown): unknown {
  if (Buffer.isBuffer(value) || value instanceof Date) return value;
  if (Object.is(value, -0)) return 0;
  if (Array.isArray(value)) return value.map(minusZeroAsZero);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, minusZeroAsZero(field)]));
}
