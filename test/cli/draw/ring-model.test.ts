import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ringModel, shareAt } from '../../../src/cli/draw/ring-model.ts';
import { HashRing } from '../../../src/placement/ring/hash-ring.ts';
import { planRebalance } from '../../../src/rebalance/plan.ts';
import { ringArbitrary, smallRing } from './rings.ts';

it('the arcs of a ring that is small enough to check by hand are right', () => {
  const { arcs, nodes, balance } = ringModel(smallRing);
  expect(arcs).toEqual([
    { node: 1, firstSlot: 0, endSlot: 133 },
    { node: 0, firstSlot: 133, endSlot: 183 },
    { node: 2, firstSlot: 183, endSlot: 245 },
    { node: 1, firstSlot: 245, endSlot: 256 },
  ]);
  expect(nodes.map(({ share }) => share * 256)).toEqual([50, 144, 62]);
  expect(balance.fullest).toBeCloseTo((144 / 256) * 3);
  expect(balance.emptiest).toBeCloseTo((50 / 256) * 3);
  // The ratios are 3/256 of 50, 144 and 62, whose mean is 1: the deviation is sqrt(((50 - m)^2 + ...) / 3) / m, m = 256/3.
  const mean = 256 / 3;
  expect(balance.variation).toBeCloseTo(
    Math.sqrt(((50 - mean) ** 2 + (144 - mean) ** 2 + (62 - mean) ** 2) / 3) / mean,
  );
});

it('the arcs cover every slot once, each in the colour of its owner', () => {
  fc.assert(
    fc.property(ringArbitrary, (ring) => {
      const { arcs, nodes } = ringModel(ring);
      let next = 0;
      for (const { node, firstSlot, endSlot } of arcs) {
        expect(firstSlot).toBe(next);
        for (let slot = firstSlot; slot < endSlot; slot++) expect(ring.slotNodes(slot, 1)).toEqual([nodes[node]!.id]);
        next = endSlot;
      }
      expect(next).toBe(ring.slots);
    }),
    { numRuns: 20 },
  );
});

it('shares and ideals each sum to 1, and ideals follow the weights', () => {
  fc.assert(
    fc.property(ringArbitrary, (ring) => {
      const { nodes } = ringModel(ring);
      expect(nodes.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
      expect(nodes.reduce((sum, { ideal }) => sum + ideal, 0)).toBeCloseTo(1);
      for (const { ideal, weight } of nodes) expect(ideal / weight).toBeCloseTo(nodes[0]!.ideal / nodes[0]!.weight);
    }),
  );
});

it('a model with a plan holds the slots that move, with the node they move to', () => {
  const after = smallRing.withNode({ id: 'd' });
  const { moved, nodes } = ringModel(after, planRebalance(smallRing, after));
  for (let slot = 0; slot < after.slots; slot++) {
    const [before] = smallRing.slotNodes(slot, 1);
    const [now] = after.slotNodes(slot, 1);
    const targets = moved!.filter(({ firstSlot, endSlot }) => firstSlot <= slot && slot < endSlot);
    expect(targets.map(({ node }) => nodes[node]!.id)).toEqual(before === now ? [] : [now]);
  }
});

it('the pie of shares starts with the first node and ends with the last', () => {
  const model = ringModel(HashRing.create([{ id: 'a' }, { id: 'b' }]));
  expect([0, model.nodes[0]!.share, 1 - 1e-12].map((turn) => shareAt(model, turn))).toEqual([0, 1, 1]);
});
