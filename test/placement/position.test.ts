import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import createHasher from 'xxhash-wasm';
import { InvalidArgumentError } from '../../src/errors/index.ts';
import { makeMemoryHash, makeStringHash } from '../../src/hash/xxh32-wasm.ts';
import { makePositionBits, positionBits } from '../../src/placement/position.ts';
import { routingKeyOf } from '../../src/placement/routing-key.ts';
import { instantiateStringModule } from '../support/string-module.ts';

const memory = makeMemoryHash();
const emulatedString = instantiateStringModule();
const nativeString = makeStringHash();

/** Every way to the bits. The last exists from Node 24 on; before, the emulated builtins take the same path. */
const engines = {
  'the engine of this process': positionBits,
  'plain JavaScript': makePositionBits({ memory: undefined, string: undefined }),
  'WebAssembly memory': makePositionBits({ memory, string: undefined }),
  'emulated string builtins': makePositionBits({ memory, string: emulatedString }),
  'emulated string builtins without memory': makePositionBits({ memory: undefined, string: emulatedString }),
  ...(nativeString && { 'string builtins': makePositionBits({ memory, string: nativeString }) }),
};

const seeds = [0, 1, 0x7fffffff, 0x80000000, 0x9e3779b1, 2 ** 32 - 1];
const anySeed = fc.oneof(fc.constantFrom(...seeds), fc.integer({ min: 0, max: 2 ** 32 - 1 }));

/** Keys of all kinds of characters, among them braces at any place. */
const anyTaggedKey = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: fc.string({ unit: 'binary-ascii', maxLength: 60 }) },
      { weight: 1, arbitrary: fc.constantFrom('{', '}', '{}', '\x7f', '\ud800', '\udc00', 'é', '😀', '\uffff') },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
    ),
    { maxLength: 6 },
  )
  .map((pieces) => pieces.join(''));

/** All strings of at most `maxLength` of these characters. */
function everyText(characters: readonly string[], maxLength: number): string[] {
  const texts = [''];
  for (let begin = 0, length = 1; length <= maxLength; length++) {
    const end = texts.length;
    for (; begin < end; begin++) for (const character of characters) texts.push(texts[begin] + character);
  }
  return texts;
}

describe.each(Object.entries(engines))('positionBits by %s', (_name, bits) => {
  let reference: (key: string, seed: number) => number;
  beforeAll(async () => {
    const { h32 } = await createHasher();
    reference = (key, seed) => h32(routingKeyOf(key), seed) | 0;
  });

  /** Compares without a call of `expect` for each of many keys. */
  function expectSame(keys: readonly string[], seed: number): void {
    expect(keys.filter((key) => bits(key, seed) !== reference(key, seed))).toEqual([]);
  }

  it('gives the bits of xxhash-wasm for every key and seed', () => {
    fc.assert(
      fc.property(anyTaggedKey, anySeed, (key, seed) => {
        expect(bits(key, seed)).toBe(reference(key, seed));
      }),
      { numRuns: 3_000 },
    );
  });

  it('takes a seed as signed or as unsigned', () => {
    for (const seed of seeds) {
      for (const key of ['', 'user:42', 'k'.repeat(30), 'k'.repeat(90), '{é}']) {
        expect(bits(key, seed | 0)).toBe(reference(key, seed));
      }
    }
  });

  it('gives them for every length from 0 to 300, of ASCII, two-byte characters, and lone surrogates', () => {
    const lengths = Array.from({ length: 301 }, (_, length) => length);
    for (const character of ['k', 'z', 'é', '€', '😀', '\ud800', '\udfff', '\uffff', '{', '}']) {
      expectSame(
        lengths.map((length) => character.repeat(length)),
        7,
      );
    }
  });

  it('gives them for braces and odd characters in every order', () => {
    const keys = everyText(['a', '{', '}', 'é', '\ud800'], 5);
    for (const before of [0, 3, 9, 12, 15, 16, 40, 48, 64]) {
      expectSame(
        keys.map((key) => 'k'.repeat(before) + key),
        0,
      );
    }
    expectSame(
      keys.map((key) => `${key}${'k'.repeat(20)}}`),
      0,
    );
  });

  it('gives them with any one character at any place', () => {
    const odd = [
      '{',
      '|',
      '}',
      '~',
      '\x7f',
      '\x80',
      '\u00ff',
      '\u0100',
      '\u7b00',
      '\uff80',
      '\ufffb',
      '\uffff',
      '\udbff',
    ];
    for (const length of [1, 4, 7, 12, 13, 15, 16, 17, 31, 47, 48, 49, 70]) {
      const keys = odd.flatMap((character) =>
        Array.from({ length }, (_, place) => 'k'.repeat(place) + character + 'k'.repeat(length - place - 1)),
      );
      expectSame(keys, 3);
    }
  });

  it('gives them for long keys, around the size of its memory and up to megabytes', () => {
    const lengths = [16_384, 21_839, 21_840, 21_841, 65_519, 65_520, 65_536, 65_537, 1_048_576];
    for (const character of ['k', '€', '\ud800']) {
      for (const key of lengths.map((length) => character.repeat(length))) {
        // Compared as a boolean, so that a failure does not print megabytes.
        expect(bits(key, 5) === reference(key, 5), `${key.length} of ${character}`).toBe(true);
        expect(bits(`${key}{tag}`, 5), `a tag after ${key.length} of ${character}`).toBe(reference('tag', 5));
      }
    }
  });

  it('gives them for strings that the engine stores in different ways', () => {
    const flat = Buffer.from('session:0123456789:profile:abcdefgh').toString('latin1');
    for (const length of [3, 10, 13, 15, 16, 25, 34]) {
      const text = flat.slice(0, length);
      const expected = reference(text, 0);
      const twoByte = `€${text}`.slice(1);
      const [interned] = Object.keys({ [text]: 1 });
      for (const key of [text, flat.slice(0, 2) + flat.slice(2, length), twoByte, interned!]) {
        expect(bits(key, 0)).toBe(expected);
      }
    }
  });

  it('refuses what is not a string, and goes on working', () => {
    const notStrings = [5, 0n, null, undefined, true, Symbol('s'), ['a'], { length: 1 }, () => 'a', new String('a')];
    for (const value of notStrings) {
      const call = () => bits(value as never, 0);
      expect(call).toThrow(InvalidArgumentError);
      expect(call).toThrow(/^key: expected a string, got /);
    }
    expect(bits('user:42', 0)).toBe(reference('user:42', 0));
  });
});

describe('positionBits', () => {
  it('gives the reference values of the specification for the empty key', () => {
    // XXH32 sanity checks of the reference implementation, xxhsum.c.
    expect(positionBits('', 0)).toBe(0x02cc5d05);
    expect(positionBits('', 0x9e3779b1)).toBe(0x36b78ae7);
  });

  it('gives keys of one tag one position', () => {
    const position = positionBits('user:7', 0);
    for (const key of ['{user:7}', '{user:7}:name', 'mail:{user:7}', 'a{user:7}b{user:8}', '}{user:7}{}']) {
      expect(positionBits(key, 0)).toBe(position);
    }
    for (const key of ['{}user:7', '{user:7', 'user:7}', '{{user:7}}']) expect(positionBits(key, 0)).not.toBe(position);
  });
});
