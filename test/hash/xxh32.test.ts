import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import createHasher from 'xxhash-wasm';
import { hashBytes, loadWasm, xxh32 } from '../../src/hash/xxh32.ts';

const seeds = [0, 1, 0x9e3779b1, 0xdeadbeef, 2 ** 32 - 1];
/** Strings of every kind: ASCII, two-byte, astral, and lone surrogates. */
const anyText = (maxLength: number) =>
  fc.oneof(
    fc.string({ unit: 'binary-ascii', maxLength }),
    fc.string({ unit: 'grapheme', maxLength: maxLength / 2 }),
    fc.string({ unit: 'binary', maxLength: maxLength / 2 }),
    fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength }).map((units) => String.fromCharCode(...units)),
  );

describe('xxh32', () => {
  let wasm: (text: string, seed: number) => number;
  beforeAll(async () => {
    wasm = (await createHasher()).h32;
  });

  // Runs before the WebAssembly module takes over the long texts, so that plain JavaScript is what is compared.
  it('gives the bits of xxhash-wasm for every string of 0 to 2,000 characters, in plain JavaScript', () => {
    const plain = (text: string, seed: number) => {
      const bytes = new TextEncoder().encode(text);
      return hashBytes(bytes, bytes.length, seed);
    };
    fc.assert(
      fc.property(anyText(2_000), fc.constantFrom(...seeds), (text, seed) => {
        expect(plain(text, seed)).toBe(wasm(text, seed));
        if (text.length < 64) expect(xxh32(text, seed)).toBe(wasm(text, seed));
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives them for every length from 0 to 2,000', () => {
    for (let length = 0; length <= 2_000; length++) {
      const ascii = 'k'.repeat(length);
      expect(xxh32(ascii, 7), `${length} ASCII characters`).toBe(wasm(ascii, 7));
      const lone = '\ud800'.repeat(length);
      expect(xxh32(lone, 7), `${length} lone surrogates`).toBe(wasm(lone, 7));
    }
  });

  it('gives them for a text of a megabyte', () => {
    const text = 'é😀k'.repeat(350_000);
    expect(xxh32(text, 1)).toBe(wasm(text, 1));
  });

  it('does not change its answers when WebAssembly takes over', async () => {
    const texts = ['', 'a', 'x'.repeat(63), 'x'.repeat(64), 'é'.repeat(500), '\ud800'.repeat(64)];
    const before = texts.map((text) => xxh32(text, 3));
    await loadWasm();
    expect(texts.map((text) => xxh32(text, 3))).toEqual(before);
  });

  it('gives the reference values of the specification for the empty text', () => {
    // XXH32 sanity checks of the reference implementation, xxhsum.c.
    expect(xxh32('', 0)).toBe(0x02cc5d05);
    expect(xxh32('', 0x9e3779b1)).toBe(0x36b78ae7);
  });
});
