import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseNodes } from '../../../src/placement/members.ts';
import { exponential } from '../../../src/placement/rendezvous/exponential.ts';
import { SlotScores } from '../../../src/placement/rendezvous/slot-scores.ts';
import { anyNodes } from '../../support/arbitraries.ts';

const anySlots = fc.integer({ min: 8, max: 11 }).map((bits) => 2 ** bits);
const anySeed = fc.integer({ min: 0, max: 2 ** 32 - 1 });

/** All slots of a node in the order of their scores, listed in pieces of 32. */
function listAll(scores: SlotScores, node: number): { slot: number; score: number }[] {
  const all: { slot: number; score: number }[] = [];
  const slots = new Uint32Array(32);
  const slotScores = new Float64Array(32);
  for (let first = 0; first < scores.slots; first += 32) {
    scores.listSlots(node, first, slots, slotScores);
    for (const [place, slot] of slots.entries()) all.push({ slot, score: slotScores[place]! });
  }
  return all;
}

describe('SlotScores', () => {
  it('lists every slot once, by ascending score, with the score that the slot has for itself', () => {
    fc.assert(
      fc.property(anyNodes({ min: 1, max: 3 }), anySlots, anySeed, (nodes, slots, seed) => {
        const scores = new SlotScores(parseNodes(nodes), slots, seed);
        const ofSlot = new Float64Array(nodes.length);
        for (let node = 0; node < nodes.length; node++) {
          const listed = listAll(scores, node);
          expect(new Set(listed.map(({ slot }) => slot)).size).toBe(slots);
          for (const [place, { slot, score }] of listed.entries()) {
            scores.scoreSlot(slot, ofSlot);
            if (ofSlot[node] !== score) expect(ofSlot[node]).toBe(score);
            if (place > 0 && score <= listed[place - 1]!.score) expect(score).toBeGreaterThan(listed[place - 1]!.score);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it('has one score of a node in each equal part of their distribution', () => {
    const weight = 2.5;
    const scores = new SlotScores(parseNodes([{ id: 'a', weight }]), 2 ** 10, 0);
    for (const [place, { score }] of listAll(scores, 0).entries()) {
      // Part `part` is that of the draws from part * 2^22 to (part + 1) * 2^22 - 1.
      const part = 2 ** 10 - 1 - place;
      expect(score).toBeGreaterThanOrEqual(exponential((part + 1) * 2 ** 22 - 1) / weight);
      expect(score).toBeLessThanOrEqual(exponential(part * 2 ** 22) / weight);
    }
  });

  it('orders slots alike with and without the logarithms that weights of 1 leave out', () => {
    const slotsOf = (weight: number) =>
      listAll(new SlotScores(parseNodes([{ id: 'a', weight }]), 2 ** 8, 3), 0).map(({ slot }) => slot);
    expect(slotsOf(1)).toEqual(slotsOf(2));
  });

  it('gives any two nodes permutations that look independent', () => {
    // Slots that are in the upper quarter of both: S / 16 expected, sd sqrt(S) * 3 / 16 (hypergeometric).
    const slots = 2 ** 12;
    const nodes = Array.from({ length: 60 }, (_, index) => ({ id: `node-${index}` }));
    const scores = new SlotScores(parseNodes(nodes), slots, 0);
    const upper = nodes.map(
      (_, node) =>
        new Set(
          listAll(scores, node)
            .slice(0, slots / 4)
            .map(({ slot }) => slot),
        ),
    );
    const deviations: number[] = [];
    for (const [a, of] of upper.entries()) {
      for (const other of upper.slice(a + 1)) {
        const both = [...of].filter((slot) => other.has(slot)).length;
        deviations.push((both - slots / 16) / (Math.sqrt(slots) * (3 / 16)));
      }
    }
    const variance = deviations.reduce((sum, z) => sum + z * z, 0) / deviations.length;
    expect(Math.max(...deviations.map(Math.abs))).toBeLessThan(4.5);
    expect(variance).toBeGreaterThan(0.9);
    expect(variance).toBeLessThan(1.1);
  });
});
