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
      fc.constantFrom('$buffer', '$$buffer', '$$$buffer', 'buffer', 'type', 'data', '__proto__'),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.jsonValue({ maxDepth: 0 }),
        fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
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

  it.each([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
  ])('refuses %s', (_, value) => {
    expect(() => encode(jsonCodec, value)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field: 'value' }),
    );
  });

  it('says with ERR_CODEC that a value cannot be encoded, or that stored bytes are not its own, without showing them', () => {
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    expect(() => encode(jsonCodec, circular)).toThrow(
      expect.objectContaining({ code: 'ERR_CODEC', direction: 'encode' }),
    );
    expect(() => encode(jsonCodec, 10n)).toThrow(expect.objectContaining({ code: 'ERR_CODEC' }));
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

  it('refuses what is not bytes', () => {
    expect(() => encode(bytesCodec, 'text')).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field: 'value' }),
    );
  });
});

describe("a user's own codec", () => {
  it('is used for every value, and its failures are told as its own', async () => {
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
  if (Buffer.isBuffer(value)) return value;
  if (Object.is(value, -0)) return 0;
  if (Array.isArray(value)) return value.map(minusZeroAsZero);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, minusZeroAsZero(field)]));
}
