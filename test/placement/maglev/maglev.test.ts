import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Maglev } from '../../../src/placement/maglev/maglev.ts';
import { maglevOwners } from '../../../src/placement/maglev/maglev-turns.ts';
import { parseNodes } from '../../../src/placement/members.ts';
import { sortNodes } from '../../../src/placement/node.ts';
import { nodeHashes } from '../../../src/placement/node-hashes.ts';
import { anyNodes } from '../../support/arbitraries.ts';
import { type GoldenVector, placesOf } from '../../support/golden-places.ts';

const golden = JSON.parse(
  readFileSync(new URL('../../ring/golden/own/maglev.json', import.meta.url), 'utf8'),
) as (GoldenVector & { slots: number })[];

const named = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `node-${index}` }));

describe('Maglev', () => {
  it('gives each of equal nodes the same number of slots, or one more to those that sort first', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.nat({ max: 1_000 }), (count, hashSeed) => {
        const table = Maglev.create(named(count), { slots: 2 ** 10, hashSeed });
        const most = 2 ** 10 % count;
        const each = Math.floor(2 ** 10 / count);
        expect([...table.copies(1)]).toEqual(table.nodes.map((_, index) => (index < most ? each + 1 : each)));
      }),
      { numRuns: 30 },
    );
  });

  it('gives any node its share by weight to within a slot for each node, and at least one slot', () => {
    fc.assert(
      fc.property(anyNodes({ min: 1, max: 8 }), (nodes) => {
        const slots = 2 ** 12;
        const table = Maglev.create(nodes, { slots });
        const total = table.nodes.reduce((sum, { weight }) => sum + weight, 0);
        for (const [index, { weight }] of table.nodes.entries()) {
          const owned = table.copies(1)[index]!;
          expect(Math.abs(owned - (weight / total) * slots)).toBeLessThanOrEqual(nodes.length);
          expect(owned).toBeGreaterThan(0);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('can be checked by hand: in its turn a node takes the first free slot of its places', () => {
    const nodes = sortNodes(parseNodes([{ id: 'a', weight: 2 }, { id: 'b' }]));
    const owners = maglevOwners(nodes, 256, 0);
    const places = nodes.map(({ id }) => {
      const { h1, h2 } = nodeHashes(id, 0);
      return Array.from({ length: 256 }, (_, place) => ((h1 >>> 24) + place * ((h2 >>> 24) | 1)) % 256);
    });
    const [a, b] = [places[0]!, places[1]!];
    // Times of turns: a 0, 1, 2, 3 ...; b 0, 2, 4 ...; at one time by id. So: a b a a b a a b ...
    const expected = new Map<number, number>();
    for (const node of [0, 1, 0, 0, 1, 0, 0, 1]) {
      const slot = (node === 0 ? a : b).find((place) => !expected.has(place))!;
      expected.set(slot, node);
    }
    for (const [slot, node] of expected) expect(owners[slot]).toBe(node);
  });

  it('lists the owners met from the slot on, and from the last slot to the first', () => {
    const table = Maglev.create(named(5), { slots: 256, replicationFactor: 2 });
    const owners = Array.from({ length: 256 }, (_, slot) => table.slotNodes(slot, 1)[0]!);
    for (let slot = 0; slot < 256; slot++) {
      const met = [...new Set([...owners.slice(slot), ...owners.slice(0, slot)])];
      for (const count of [2, 3, 5]) expect(table.slotNodes(slot, count)).toEqual(met.slice(0, count));
    }
  });

  it('moves few keys between nodes that did not change', () => {
    const needless = (count: number) => {
      const before = Maglev.create(named(count));
      const left = `node-${count >> 1}`;
      const after = before.withoutNode(left);
      let moved = 0;
      for (let slot = 0; slot < before.slots; slot++) {
        const owner = before.slotNodes(slot, 1)[0];
        if (owner !== left && after.slotNodes(slot, 1)[0] !== owner) moved++;
      }
      return moved;
    };
    // Of 65,536: 0.3 % and 0.6 %. Counted by owners_of() of golden/own/make_maglev.py.
    expect([needless(10), needless(100)]).toEqual([202, 368]);
  });

  it('refuses more nodes than slots, since each has to own one', () => {
    expect(() => Maglev.create(named(257), { slots: 256 })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field: 'nodes' }),
    );
    expect(Maglev.create(named(256), { slots: 256 }).shares().get('node-255')).toBe(1 / 256);
  });

  it.each(
    golden.map((vector) => [`${vector.nodes.length} nodes, 2^${Math.log2(vector.slots)} slots`, vector] as const),
  )('maps 10,000 keys as an independent program does, for ever: %s', (_, vector) => {
    const { nodes, slots, hashSeed, places } = vector;
    const table = Maglev.create(nodes, { slots, hashSeed, replicationFactor: places.length });
    expect(placesOf(table, vector)).toEqual(places);
    expect(placesOf(Maglev.create(nodes, { slots, hashSeed }), vector)).toEqual(places);
    expect(placesOf(Maglev.fromSnapshot(JSON.stringify(table.toSnapshot())), vector)).toEqual(places);
  });

  it('has vectors', () => expect(golden.length).toBe(5));
});
