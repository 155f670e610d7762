import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jumpHash } from '../../../src/placement/jump/jump-hash.ts';

describe('jumpHash', () => {
  it("gives the bucket that the paper's own program gives, for 1 to 2^31 - 1 buckets", () => {
    const { keys, buckets } = JSON.parse(
      readFileSync(new URL('../../ring/golden/jump/vectors.json', import.meta.url), 'utf8'),
    ) as { keys: string; buckets: Record<string, number[]> };
    const words = keys.match(/.{8}/g)!.map((word) => Number.parseInt(word, 16));
    expect(words.length).toBe(2 * 1_200);
    expect(Object.keys(buckets)).toContain('2147483647');
    for (const [count, expected] of Object.entries(buckets)) {
      const found = expected.map((_, index) => jumpHash(words[2 * index]!, words[2 * index + 1]!, Number(count)));
      expect(found, `${count} buckets`).toEqual(expected);
    }
  });

  it('moves a key only to the bucket that is new', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.integer({ min: 1, max: 10_000 }), (high, low, buckets) => {
        const before = jumpHash(high, low, buckets);
        expect(before).toBeLessThan(buckets);
        expect([before, buckets]).toContain(jumpHash(high, low, buckets + 1));
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes words as signed and as unsigned alike', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (high, low) => {
        expect(jumpHash(high >>> 0, low >>> 0, 1_000)).toBe(jumpHash(high, low, 1_000));
      }),
    );
  });
});
