import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RendezvousTable } from '../../../src/placement/rendezvous/rendezvous-table.ts';
import { anyNodes } from '../../support/arbitraries.ts';
import { type GoldenVector, placesOf } from '../../support/golden-places.ts';

const { configurations } = JSON.parse(
  readFileSync(new URL('../../ring/golden/own/rendezvous.json', import.meta.url), 'utf8'),
) as { configurations: (GoldenVector & { slots: number })[] };
const golden = configurations.filter(({ slots }) => slots !== undefined);

const named = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `node-${index}` }));

/** Slots of each node as owner, in the order of the nodes. */
const ownedSlots = (table: RendezvousTable) => [...table.copies(1)];

/** Standard deviation of the shares, as a part of their mean. */
function spreadOf(table: RendezvousTable): number {
  const mean = 1 / table.nodes.length;
  const squares = [...table.shares().values()].map((share) => (share - mean) ** 2);
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length) / mean;
}

describe('RendezvousTable', () => {
  it.each(
    golden.map((vector) => [`${vector.nodes.length} nodes, 2^${Math.log2(vector.slots)} slots`, vector] as const),
  )('maps 10,000 keys as an independent program does, for ever: %s', (_, vector) => {
    const { nodes, slots, hashSeed, places } = vector;
    const options = { slots, hashSeed };
    const table = RendezvousTable.create(nodes, { ...options, replicationFactor: places.length });
    expect(placesOf(table, vector)).toEqual(places);
    expect(placesOf(RendezvousTable.create(nodes, options), vector)).toEqual(places);
    expect(placesOf(RendezvousTable.fromSnapshot(table.toSnapshot(), { replicationFactor: 2 }), vector)).toEqual(
      places,
    );
    const grown = RendezvousTable.create(nodes.slice(0, -1), options).withNode(nodes.at(-1)!);
    expect(placesOf(grown, vector)).toEqual(places);
  });

  it('has vectors', () => expect(golden.length).toBe(5));

  it('has the table it would have if made anew, after any change of one node', () => {
    const nodeSets = fc
      .record({ zoned: fc.boolean(), weighted: fc.boolean() })
      .chain(({ zoned, weighted }) =>
        anyNodes({ min: 1, max: 9, zoned }).map((nodes) =>
          weighted ? nodes : nodes.map((node) => ({ ...node, weight: 1 })),
        ),
      );
    const factor = fc.constantFrom(0.2, 0.9, 1, 1.1, 5);
    fc.assert(
      fc.property(nodeSets, fc.integer({ min: 1, max: 6 }), factor, (nodes, replicationFactor, by) => {
        const options = { slots: 2 ** 8, replicationFactor };
        const [changed, ...others] = nodes;
        const { id, weight = 1 } = changed!;
        const made = RendezvousTable.create(nodes, options);
        const pairs = [
          [RendezvousTable.create(others, options).withNode(changed!), made],
          [made.withoutNode(id), RendezvousTable.create(others, options)],
          [
            made.withWeight(id, weight * by),
            RendezvousTable.create([{ ...changed!, weight: weight * by }, ...others], options),
          ],
        ] as const;
        for (const [after, anew] of pairs) {
          expect(after.checksum).toBe(anew.checksum);
          if (anew.nodes.length === 0) continue;
          const width = Math.min(replicationFactor, anew.nodes.length);
          expect([...after.slotTable(width)]).toEqual([...anew.slotTable(width)]);
          expect([...after.slotTable(1)]).toEqual([...anew.slotTable(1)]);
        }
        // The one before a change stays as it was.
        expect([...made.slotTable(1)]).toEqual([...RendezvousTable.create(nodes, options).slotTable(1)]);
      }),
      { numRuns: 150 },
    );
  });

  it('spreads 2^16 slots as its documentation says', () => {
    // Counted by slot_scorer() of golden/own/make_rendezvous.py.
    const counted = [6494, 6522, 6557, 6603, 6549, 6500, 6653, 6559, 6484, 6615];
    expect(ownedSlots(RendezvousTable.create(named(10)))).toEqual(counted);
    const sets = Array.from({ length: 10 }, (_, set) => named(10).map(({ id }) => ({ id: `${set}/${id}` })));
    const spreads = sets.map((nodes) => spreadOf(RendezvousTable.create(nodes)));
    expect(Math.max(...spreads)).toBeLessThan(0.012);
    expect(spreadOf(RendezvousTable.create(named(100)))).toBeLessThan(0.03);
  });

  it('gives weights their shares', () => {
    const nodes = [1, 2, 4, 1, 2, 4, 0.5].map((weight, index) => ({ id: `node-${index}`, weight }));
    const table = RendezvousTable.create(nodes);
    for (const { id, weight } of nodes) {
      expect(Math.abs(table.shares().get(id)! / (weight / 14.5) - 1)).toBeLessThan(0.02);
    }
  });

  it('moves no more than the share of what changes', () => {
    const before = RendezvousTable.create(named(50), { replicationFactor: 3 });
    const after = before.withoutNode('node-7');
    let moved = 0;
    for (let slot = 0; slot < before.slots; slot++) {
      const [left, right] = [before.slotNodes(slot, 3), after.slotNodes(slot, 3)];
      if (left.includes('node-7')) moved++;
      else expect(right).toEqual(left);
    }
    expect(moved).toBe(before.copies(3)[before.nodes.findIndex(({ id }) => id === 'node-7')]);
    expect(Math.abs(moved / before.slots / (3 / 50) - 1)).toBeLessThan(0.05);
  });

  it('hands the keys of a node to all others alike', () => {
    // Chi-square of the first two places over all ordered pairs; one for each degree of freedom is chance.
    const count = 12;
    const table = RendezvousTable.create(named(count), { replicationFactor: 2 });
    const pairs = new Float64Array(count * count);
    const rows = table.slotTable(2);
    for (let row = 0; row < rows.length; row += 2) pairs[rows[row]! * count + rows[row + 1]!]!++;
    const expected = table.slots / count / (count - 1);
    const terms = [...pairs]
      .filter((_, pair) => pair % (count + 1) !== 0)
      .map((pair) => (pair - expected) ** 2 / expected);
    expect(terms.reduce((sum, term) => sum + term, 0) / terms.length).toBeLessThan(1.3);
  });
});
