import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ringModel } from '../../../src/cli/draw/ring-model.ts';
import { ringSvg } from '../../../src/cli/draw/svg.ts';
import { maxArcs, shownArcs } from '../../../src/cli/draw/svg-arcs.ts';
import { visible } from '../../../src/cli/draw/visible-text.ts';
import { HashRing } from '../../../src/placement/ring/hash-ring.ts';
import { planRebalance } from '../../../src/rebalance/plan.ts';
import { nastyIds, ringArbitrary, smallRing } from './rings.ts';
import { parseXml } from './xml-check.ts';

const titlesOf = (svg: string) =>
  parseXml(svg)
    .filter(({ path }) => path.at(-1) === 'title')
    .map(({ text }) => text);

describe('the SVG', () => {
  it('is well-formed XML whatever ids and zones hold, with a plan and without', () => {
    fc.assert(
      fc.property(ringArbitrary, (ring) => {
        parseXml(ringSvg(ringModel(ring)));
        const after = ring.withNode({ id: 'one more', zone: '<zone>' });
        parseXml(ringSvg(ringModel(after, planRebalance(ring, after))));
      }),
      { numRuns: 30 },
    );
  });

  it('has ids as text only, written out where XML forbids them', () => {
    const svg = ringSvg(ringModel(HashRing.create(nastyIds.map((id) => ({ id })))));
    expect(svg).not.toMatch(/<script/);
    const titles = titlesOf(svg);
    for (const id of nastyIds) expect(titles.some((title) => title.startsWith(`${visible(id)}: positions`))).toBe(true);
  });

  it('tells the node and the positions of each arc', () => {
    const titles = titlesOf(ringSvg(ringModel(smallRing))).filter((title) => title.includes('positions'));
    // A slot is 2^24 positions: 133 * 2^24 = 2,231,369,728.
    expect(titles.sort()).toEqual([
      'a: positions 2,231,369,728 to 3,070,230,527',
      'b: positions 0 to 2,231,369,727',
      'b: positions 4,110,417,920 to 4,294,967,295',
      'c: positions 3,070,230,528 to 4,110,417,919',
    ]);
  });

  it('is the same for the same ring, in whatever order its nodes were given', () => {
    const [one, other] = [
      [{ id: 'a' }, { id: 'b' }],
      [{ id: 'b' }, { id: 'a' }],
    ].map((nodes) => ringSvg(ringModel(HashRing.create(nodes))));
    expect(one).toBe(other);
  });

  it('needs nothing from outside', () => {
    const svg = ringSvg(ringModel(smallRing)).replace('http://www.w3.org/2000/svg', '');
    expect(svg).not.toMatch(/https?:|href|url\(|@import|<image/);
  });

  it('draws a ring of one node as a whole circle', () => {
    const svg = ringSvg(ringModel(HashRing.create([{ id: 'a' }])));
    parseXml(svg);
    expect(titlesOf(svg)).toContain('a: positions 0 to 4,294,967,295');
  });
});

describe('a ring of more arcs than can be seen', () => {
  const model = ringModel(HashRing.create(Array.from({ length: 40 }, (_, index) => ({ id: `node-${index}` }))));

  it('is drawn in steps, each with the node at its first slot, and the file says so', () => {
    const { arcs, note } = shownArcs(model);
    const slotsPerStep = model.slots / maxArcs;
    expect(model.arcs.length).toBeGreaterThan(maxArcs);
    expect(arcs.length).toBeLessThanOrEqual(maxArcs);
    for (const { node, firstSlot, endSlot } of arcs) {
      for (let slot = firstSlot; slot < endSlot; slot += slotsPerStep) expect(model.owners[slot]).toBe(node);
    }
    expect(arcs.reduce((sum, { firstSlot, endSlot }) => sum + endSlot - firstSlot, 0)).toBe(model.slots);
    expect(ringSvg(model)).toContain(note);
    expect(note).toContain('4,096 steps');
  });

  it('lists as many nodes as fit and says how many are left', () => {
    expect(ringSvg(model)).toContain('and 8 more nodes');
  });
});
