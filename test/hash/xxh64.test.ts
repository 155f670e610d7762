import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import createHasher from 'xxhash-wasm';
import { xxh64 } from '../../src/hash/xxh64.ts';
import { anyKey } from '../support/arbitraries.ts';

/** As one integer, to compare with. */
function hashOf(text: string): bigint {
  const words = new Int32Array(2);
  xxh64(text, words);
  return (BigInt(words[1]! >>> 0) << 32n) | BigInt(words[0]! >>> 0);
}

describe('xxh64', () => {
  let reference: (text: string) => bigint;
  beforeAll(async () => {
    reference = (await createHasher()).h64;
  });

  it('gives the bits of xxhash-wasm for any string', () => {
    fc.assert(
      fc.property(fc.oneof(anyKey, fc.string({ unit: 'binary', maxLength: 300 })), (text) => {
        expect(hashOf(text)).toBe(reference(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives them for every length from 0 to 300, for every byte at the end, and for a text of a megabyte', () => {
    for (let length = 0; length <= 300; length++) {
      for (const unit of ['k', '\u007f', 'é', '\ud800']) {
        const text = unit.repeat(length);
        expect(hashOf(text), `${length} of ${JSON.stringify(unit)}`).toBe(reference(text));
      }
    }
    for (let code = 0; code < 0x800; code++) {
      const text = `key:${String.fromCharCode(code)}`;
      expect(hashOf(text)).toBe(reference(text));
    }
    const long = 'é😀k'.repeat(350_000);
    expect(hashOf(long)).toBe(reference(long));
  });

  it('gives the reference value of the specification for the empty text', () => {
    // XXH64 sanity checks of the reference implementation, xxhsum.c.
    expect(hashOf('')).toBe(0xef46db3751d8e999n);
  });
});
