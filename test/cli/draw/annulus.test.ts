import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { annulus, blank, polar, ringBand, ringSteps, shareBand, slotShownAt } from '../../../src/cli/draw/annulus.ts';
import { ringModel, shareAt } from '../../../src/cli/draw/ring-model.ts';
import { ringArbitrary } from './rings.ts';

const sizeArbitrary = fc.integer({ min: 6, max: 30 }).map((half) => half * 2);

describe('a cell', () => {
  it('has the owner of the slot at its angle in the outer band, the pie in the inner one, and nothing elsewhere', () => {
    fc.assert(
      fc.property(ringArbitrary, sizeArbitrary, sizeArbitrary, (ring, columns, rows) => {
        const model = ringModel(ring);
        const cells = annulus(model, columns, rows);
        for (const [index, node] of cells.entries()) {
          const { radius, turn } = polar(index % columns, Math.floor(index / columns), columns, rows);
          if (radius >= ringBand[0] && radius < ringBand[1]) {
            const slot = slotShownAt(turn, ring.slots);
            expect(model.nodes[node]!.id).toBe(ring.slotNodes(slot, 1)[0]);
            // The slot is that of the angle, up to half a step.
            expect(Math.abs(slot / ring.slots - turn)).toBeLessThan(0.5 / ringSteps + 1 / ring.slots);
          } else if (radius >= shareBand[0] && radius < shareBand[1]) {
            expect(node).toBe(shareAt(model, turn));
          } else {
            expect(node).toBe(blank);
          }
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('an angle', () => {
  it('grows clockwise from the top', () => {
    // A grid of odd size has a cell in the middle of each side.
    const turns = [polar(2, 0, 5, 5), polar(4, 2, 5, 5), polar(2, 4, 5, 5), polar(0, 2, 5, 5)].map(({ turn }) => turn);
    expect(turns).toEqual([0, 0.25, 0.5, 0.75]);
  });

  it('is always a part of one turn', () => {
    fc.assert(
      fc.property(fc.nat(999), fc.nat(999), (column, row) => {
        const { turn } = polar(column, row, 1_000, 1_000);
        expect(turn).toBeGreaterThanOrEqual(0);
        expect(turn).toBeLessThan(1);
      }),
    );
  });
});
