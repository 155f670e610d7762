import { describe, expect, it } from 'vitest';
import { balanceOf, expectedSpread } from '../../src/placement/balance.ts';
import { HashRing } from '../../src/placement/ring/hash-ring.ts';

const nodes = (count: number, set = 0) => Array.from({ length: count }, (_, index) => ({ id: `set-${set}-${index}` }));
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('the balance of a ring', () => {
  it('can be checked by hand: two nodes of which one has three quarters of the slots', () => {
    const placement = {
      nodes: [
        { id: 'a', weight: 1 },
        { id: 'b', weight: 1 },
      ],
      shares: () =>
        new Map([
          ['a', 0.75],
          ['b', 0.25],
        ]),
    };
    expect(balanceOf(placement as never)).toEqual({
      nodes: [
        { id: 'a', weight: 1, share: 0.75, ideal: 0.5, ratio: 1.5 },
        { id: 'b', weight: 1, share: 0.25, ideal: 0.5, ratio: 0.5 },
      ],
      coefficientOfVariation: 0.5,
      fullest: 1.5,
      emptiest: 0.5,
    });
  });

  it('has its fullest node within 1.08 of the mean at 10 nodes and 1.12 at 100, with the defaults, over name sets', () => {
    for (const [count, limit] of [
      [10, 1.08],
      [100, 1.12],
    ] as const) {
      const fullest = Array.from({ length: 20 }, (_, set) => HashRing.create(nodes(count, set)).balance().fullest);
      expect(mean(fullest)).toBeLessThan(limit);
    }
  });

  it('spreads as its formula says, for few and many points a slot', () => {
    for (const [count, virtualNodes, slots] of [
      [10, 160, 2 ** 18],
      [100, 512, 2 ** 18],
      [300, 160, 2 ** 16],
      [300, 160, 2 ** 14],
      [300, 160, 2 ** 12],
    ] as const) {
      const expected = expectedSpread(HashRing.create(nodes(count)).nodes, virtualNodes, slots);
      const measured = Array.from({ length: 12 }, (_, set) =>
        HashRing.create(nodes(count, set), { virtualNodes, slots }).balance(),
      );
      // The square is what the formula gives the mean of.
      const variation = Math.sqrt(mean(measured.map(({ coefficientOfVariation }) => coefficientOfVariation ** 2)));
      expect(variation / expected.coefficientOfVariation).toBeGreaterThan(0.85);
      expect(variation / expected.coefficientOfVariation).toBeLessThan(1.15);
      expect(mean(measured.map(({ fullest }) => fullest - 1)) / (expected.fullest - 1)).toBeGreaterThan(0.85);
      expect(mean(measured.map(({ fullest }) => fullest - 1)) / (expected.fullest - 1)).toBeLessThan(1.2);
    }
  });

  it('counts a node of weight 2 as full when it has more than twice the share of the others', () => {
    const ring = HashRing.create([{ id: 'a' }, { id: 'b', weight: 2 }, { id: 'c' }]);
    const { nodes: balances, fullest } = ring.balance();
    expect(balances.map(({ ideal }) => ideal)).toEqual([0.25, 0.5, 0.25]);
    expect(mean(balances.map(({ share }) => share)) * 3).toBeCloseTo(1, 12);
    expect(fullest).toBe(Math.max(...balances.map(({ ratio }) => ratio)));
    expect(fullest).toBeLessThan(1.15);
  });

  it('says what more virtual nodes or slots would bring, and when they would bring nothing', () => {
    const few = HashRing.create(nodes(100), { virtualNodes: 40 }).balance();
    expect(few.outlooks.map(({ virtualNodes, slots }) => [virtualNodes, slots])).toEqual([
      [80, 2 ** 18],
      [160, 2 ** 18],
      [40, 2 ** 20],
    ]);
    expect(few.outlooks[1]!.fullest).toBeLessThan(few.expected.fullest);
    expect(few.advice).toContain('80 virtual nodes');
    expect(few.advice).toContain('More slots would not help.');
    const coarse = HashRing.create(nodes(300), { virtualNodes: 512, slots: 2 ** 12 }).balance();
    expect(coarse.advice).toContain('16,384 slots');
    const fine = HashRing.create(nodes(10), { virtualNodes: 65_536 }).balance();
    expect(fine.advice).toContain('would not help');
  });

  it('is even for one node or none', () => {
    expect(HashRing.create([{ id: 'a' }]).balance()).toMatchObject({
      fullest: 1,
      emptiest: 1,
      advice: 'A single node owns every key.',
    });
    expect(HashRing.create([]).balance()).toMatchObject({ nodes: [], coefficientOfVariation: 0, fullest: 1 });
  });
});
