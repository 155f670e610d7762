import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  giveSlots,
  parseRanges,
  rangesInOrder,
  type SlotRange,
  slotCounts,
} from '../../../src/placement/hash-ranges/slot-ranges.ts';
import type { PlacementNode } from '../../../src/placement/node.ts';

const slots = 64;
const ids = ['a', 'b', 'c'];
const nodes = ids.map((id): PlacementNode => ({ id, weight: 1, zone: undefined }));

/** The owner of each slot. */
const ownersOf = (ranges: readonly SlotRange[]) =>
  ranges.flatMap(({ node, firstSlot, endSlot }) => new Array<string>(endSlot - firstSlot).fill(node));

/** A list of one range for each slot, in some order. */
const anyPieces = fc.array(fc.constantFrom(...ids), { minLength: slots, maxLength: slots }).chain((owners) =>
  fc.shuffledSubarray(
    owners.map((node, slot): SlotRange => ({ node, firstSlot: slot, endSlot: slot + 1 })),
    { minLength: slots },
  ),
);

describe('parseRanges', () => {
  it('puts ranges in order and joins neighbours of one node', () => {
    fc.assert(
      fc.property(anyPieces, (pieces) => {
        const ranges = parseRanges(pieces, nodes, slots);
        const owners = ownersOf(ranges);
        for (const { node, firstSlot } of pieces) expect(owners[firstSlot]).toBe(node);
        expect(owners.length).toBe(slots);
        for (let index = 1; index < ranges.length; index++)
          expect(ranges[index]!.node).not.toBe(ranges[index - 1]!.node);
      }),
    );
  });

  it('refuses gaps, overlaps, unknown nodes and invalid slots', () => {
    const whole = { node: 'a', firstSlot: 0, endSlot: 64 };
    const refusals: [unknown, string][] = [
      [[], 'ranges'],
      [[{ ...whole, endSlot: 63 }], 'ranges'],
      [[{ ...whole, firstSlot: 1 }], 'ranges'],
      [[whole, { node: 'b', firstSlot: 3, endSlot: 4 }], 'ranges'],
      [
        [
          { ...whole, endSlot: 10 },
          { ...whole, firstSlot: 11 },
        ],
        'ranges',
      ],
      [[{ ...whole, node: 'd' }], 'ranges[0].node'],
      [[{ ...whole, endSlot: 65 }], 'ranges[0].endSlot'],
      [[{ ...whole, firstSlot: -1 }], 'ranges[0].firstSlot'],
      [[{ ...whole, firstSlot: 8, endSlot: 8 }], 'ranges[0].endSlot'],
      [[{ ...whole, lastSlot: 8 }], 'ranges[0].lastSlot'],
      ['a', 'ranges'],
    ];
    for (const [ranges, field] of refusals) {
      expect(() => parseRanges(ranges as SlotRange[], nodes, slots)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field }),
      );
    }
  });
});

describe('giveSlots', () => {
  it('moves as many slots as are asked for from the one node to the other, and no others', () => {
    fc.assert(
      fc.property(anyPieces, fc.nat(), (pieces, pick) => {
        const before = parseRanges(pieces, nodes, slots);
        const [owned] = slotCounts(before, ['a']);
        const count = pick % (owned! + 1);
        const after = giveSlots(before, 'a', 'b', count);
        const [was, is] = [ownersOf(before), ownersOf(after)];
        const moved = was.filter((owner, slot) => owner !== is[slot]);
        expect(moved.length).toBe(count);
        for (const [slot, owner] of was.entries())
          if (owner !== is[slot]) expect([owner, is[slot]]).toEqual(['a', 'b']);
        expect(parseRanges(after, nodes, slots)).toEqual(after);
      }),
    );
  });

  it('takes whole ranges while they are too short, then one of the right length, or else the end of the longest', () => {
    const ranges = rangesInOrder(['a', 'b', 'a', 'c', 'a', 'b', 'a'], [20, 4, 5, 4, 7, 4, 20]);
    const piecesFor = (count: number) =>
      giveSlots(ranges, 'a', 'x', count)
        .filter(({ node }) => node === 'x')
        .map(({ firstSlot, endSlot }) => [firstSlot, endSlot]);
    expect(piecesFor(1)).toEqual([[63, 64]]);
    expect(piecesFor(5)).toEqual([[24, 29]]);
    expect(piecesFor(7)).toEqual([[33, 40]]);
    expect(piecesFor(20)).toEqual([[44, 64]]);
    expect(piecesFor(27)).toEqual([
      [33, 40],
      [44, 64],
    ]);
    expect(piecesFor(41)).toEqual([
      [0, 20],
      [39, 40],
      [44, 64],
    ]);
    expect(piecesFor(0)).toEqual([]);
  });

  it('prefers what lies next to the node that gets it', () => {
    const ranges = rangesInOrder(['a', 'b', 'a', 'c', 'a'], [10, 10, 10, 10, 24]);
    // The end of the first range of a lies before b. Of two ranges of 10 slots, the second lies behind b.
    expect(giveSlots(ranges, 'a', 'b', 4)[0]).toEqual({ node: 'a', firstSlot: 0, endSlot: 6 });
    const [first, second] = giveSlots(rangesInOrder(['a', 'b', 'a', 'c'], [10, 10, 10, 34]), 'a', 'b', 10);
    expect([first, second]).toEqual([
      { node: 'a', firstSlot: 0, endSlot: 10 },
      { node: 'b', firstSlot: 10, endSlot: 30 },
    ]);
  });
});
