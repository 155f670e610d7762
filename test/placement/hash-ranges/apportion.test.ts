import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apportion, levelOff } from '../../../src/placement/hash-ranges/apportion.ts';

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
const slotCount = fc.constantFrom(256, 1_024, 16_384, 2 ** 22);
const anyWeight = fc.oneof(
  fc.double({ min: 0.1, max: 5, noNaN: true }),
  fc.constantFrom(1, 1, 2, 3, 1 / 3, 0.1),
  fc.double({ min: Number.MIN_VALUE, max: Number.MAX_VALUE, noNaN: true }),
);
const anyWeights = (minLength: number) => fc.array(anyWeight, { minLength, maxLength: 20 });

describe('apportion', () => {
  it('shares out all slots, whatever the weights', () => {
    fc.assert(
      fc.property(anyWeights(1), slotCount, (weights, slots) => {
        const counts = apportion(weights, slots);
        expect(sum(counts)).toBe(slots);
        expect(counts.every((count) => Number.isInteger(count) && count >= 0)).toBe(true);
      }),
    );
    expect(apportion([], 256)).toEqual([]);
  });

  it('gives no other node more when one joins or grows, for any weights', () => {
    fc.assert(
      fc.property(anyWeights(2), slotCount, fc.nat(), anyWeight, (weights, slots, pick, weight) => {
        const changed = pick % weights.length;
        const [less, more] = [Math.min(weights[changed]!, weight), Math.max(weights[changed]!, weight)];
        const light = apportion(weights.with(changed, less), slots);
        const heavy = apportion(weights.with(changed, more), slots);
        const without = apportion(weights.toSpliced(changed, 1), slots).toSpliced(changed, 0, 0);
        for (let index = 0; index < weights.length; index++) {
          if (index === changed) continue;
          expect(heavy[index]).toBeLessThanOrEqual(light[index]!);
          expect(light[index]).toBeLessThanOrEqual(without[index]!);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('comes within a slot of the ideal for equal weights, and for others as near as its header says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), slotCount, (nodes, slots) => {
        for (const count of apportion(new Array<number>(nodes).fill(0.7), slots)) {
          expect([Math.floor(slots / nodes), Math.ceil(slots / nodes)]).toContain(count);
        }
      }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { minLength: 1 }),
        slotCount,
        (weights, slots) => {
          const total = sum(weights);
          for (const [index, count] of apportion(weights, slots).entries()) {
            const ideal = (slots * weights[index]!) / total;
            expect(Math.abs(count - ideal)).toBeLessThanOrEqual(0.5 + (ideal * weights.length) / (2 * slots) + 1e-6);
          }
        },
      ),
    );
  });

  it('can be checked by hand', () => {
    // Bids of weight 5: 5, 5/3, 1, 5/7, ...; of weight 3: 3, 1, 3/5, ...; of weight 2: 2, 2/3, ... The four highest are
    // 5, 3, 2 and 5/3. The fifth is 1, which two nodes bid.
    expect(apportion([5, 3, 2], 4)).toEqual([2, 1, 1]);
    expect(apportion([5, 3, 2], 5)).toEqual([3, 1, 1]);
    expect(apportion([3, 5, 2], 5)).toEqual([2, 2, 1]);
    expect(apportion([1, 1, 1], 256)).toEqual([86, 85, 85]);
  });
});

describe('levelOff', () => {
  it('takes what is wanted from those that have most, and leaves those that gave level', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 20 }),
        fc.nat(),
        (surplus, pick) => {
          fc.pre(sum(surplus) >= 0);
          const wanted = pick % (sum(surplus) + 1);
          const given = levelOff(surplus, wanted);
          expect(sum(given)).toBe(wanted);
          const left = surplus.map((has, index) => has - given[index]!);
          const givers = left.filter((_, index) => given[index]! > 0);
          for (const has of givers) {
            expect(has).toBeGreaterThanOrEqual(0);
            expect(Math.max(...left) - has).toBeLessThanOrEqual(1);
          }
          expect(given.every((count) => count >= 0)).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('can be checked by hand', () => {
    expect(levelOff([5, 1, 3, -2], 4)).toEqual([3, 0, 1, 0]);
    expect(levelOff([5, 1, 3, -2], 7)).toEqual([5, 0, 2, 0]);
    expect(levelOff([2, 2], 0)).toEqual([0, 0]);
  });
});
