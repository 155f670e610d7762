import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { multiplyHigh } from '../../src/hash/multiply-high.ts';

describe('multiplyHigh', () => {
  const word = fc.oneof(
    fc.integer(),
    fc.constantFrom(0, 1, -1, 0xffff, 0x10000, 0x7fffffff, -0x80000000, 0xfffffffe | 0),
  );
  const unsigned = (value: number) => BigInt(value >>> 0);

  it('is the high word of the product of two unsigned words', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(multiplyHigh(a, b)).toBe(Number(BigInt.asIntN(32, (unsigned(a) * unsigned(b)) >> 32n)));
      }),
      { numRuns: 5_000 },
    );
  });
});
