import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exponential } from '../../../src/placement/rendezvous/exponential.ts';

const golden = JSON.parse(readFileSync(new URL('../../ring/golden/own/rendezvous.json', import.meta.url), 'utf8'));
const anyBits = fc.integer({ min: 0, max: 2 ** 32 - 1 });

const hexOf = (value: number) =>
  Buffer.from(new Float64Array([value]).buffer)
    .reverse()
    .toString('hex');

describe('exponential', () => {
  it('is -ln of the 32 bits as a fraction, to within a few units of the last place', () => {
    fc.assert(
      fc.property(anyBits, (bits) => {
        const expected = -Math.log((bits + 0.5) / 2 ** 32);
        // Math.log itself may err by its last place, and near 1 its argument is given to 2^-53 only.
        expect(Math.abs(exponential(bits) - expected)).toBeLessThan(expected * 4e-15);
      }),
      { numRuns: 5_000 },
    );
  });

  it('falls strictly from any value of the bits to the next', () => {
    const edges = Array.from({ length: 32 }, (_, power) => [2 ** power - 1, Math.floor(2 ** power * Math.SQRT2) - 1]);
    for (const edge of edges.flat()) {
      for (let bits = Math.max(0, edge - 64); bits < Math.min(2 ** 32 - 1, edge + 64); bits++) {
        expect(exponential(bits)).toBeGreaterThan(exponential(bits + 1));
      }
    }
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 2 }), (bits) => exponential(bits) > exponential(bits + 1)),
      { numRuns: 20_000 },
    );
  });

  it('reads signed bits as unsigned', () => {
    fc.assert(fc.property(anyBits, (bits) => exponential(bits | 0) === exponential(bits)));
  });

  it('is the same to the last bit in an independent program', () => {
    expect(golden.exponentials.length).toBeGreaterThan(500);
    for (const [bits, expected] of golden.exponentials) expect(hexOf(exponential(bits))).toBe(expected);
  });
});
