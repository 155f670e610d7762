import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import createHasher from 'xxhash-wasm';
import { hashBytes, xxh32 } from '../../src/hash/xxh32.ts';

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
  let reference: (text: string, seed: number) => number;
  beforeAll(async () => {
    reference = (await createHasher()).h32;
  });

  it('gives the bits of xxhash-wasm for every string of 0 to 2,000 characters', () => {
    fc.assert(
      fc.property(anyText(2_000), fc.constantFrom(...seeds), (text, seed) => {
        expect(xxh32(text, seed)).toBe(reference(text, seed));
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives them for every length from 0 to 2,000', () => {
    for (let length = 0; length <= 2_000; length++) {
      const ascii = 'k'.repeat(length);
      expect(xxh32(ascii, 7), `${length} ASCII characters`).toBe(reference(ascii, 7));
      const lone = '\ud800'.repeat(length);
      expect(xxh32(lone, 7), `${length} lone surrogates`).toBe(reference(lone, 7));
    }
  });

  it('gives them for a text of megabytes', () => {
    const text = 'é😀k'.repeat(350_000);
    expect(xxh32(text, 1)).toBe(reference(text, 1));
  });

  it('hashes as many bytes as it is told to and none behind them', () => {
    const bytes = new TextEncoder().encode('user:42 and what stands behind');
    expect(hashBytes(bytes, 7, 0)).toBe(reference('user:42', 0));
  });

  it('gives the reference values of the specification for the empty text', () => {
    // XXH32 sanity checks of the reference implementation, xxhsum.c.
    expect(xxh32('', 0)).toBe(0x02cc5d05);
    expect(xxh32('', 0x9e3779b1)).toBe(0x36b78ae7);
  });
});
