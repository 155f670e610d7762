import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JumpTable } from '../../../src/placement/jump/jump-table.ts';
import type { NodeInput } from '../../../src/placement/node.ts';
import { anyKey, anyNodes } from '../../support/arbitraries.ts';

const small = { slots: 2 ** 10 } as const;

/** Nodes without weights, in an order that is not that of their ids. */
const anyBuckets = (min: number, max: number, zoned = false) =>
  anyNodes({ min, max, zoned }).map((nodes) => nodes.map(({ id, zone }): NodeInput => ({ id, zone })));

const numbered = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `n${index}` }));

describe('JumpTable', () => {
  it('maps as an independent program does, with replicas, seeds and zones', () => {
    const golden = JSON.parse(readFileSync(new URL('../../ring/golden/jump/table.json', import.meta.url), 'utf8')) as {
      nodes: number;
      slots: number;
      hashSeed: number;
      zones?: number[];
      rows: number[][];
    }[];
    expect(golden.length).toBe(5);
    for (const { nodes, slots, hashSeed, zones, rows } of golden) {
      const inputs = numbered(nodes).map(({ id }, index) => ({ id, zone: zones && `z${zones[index]}` }));
      const count = rows[0]!.length;
      expect(count).toBe(Math.min(5, nodes));
      const table = JumpTable.create(inputs, { slots, hashSeed });
      expect([...table.slotTable(count)]).toEqual(rows.flat());
      expect(table.slotNodes(slots - 1, count)).toEqual(rows.at(-1)!.map((index) => `n${index}`));
      expect([...table.slotTable(1)]).toEqual(rows.map((row) => row[0]));
    }
  });

  it('moves slots only to a node that joins, and is as before when that node leaves', () => {
    fc.assert(
      fc.property(anyBuckets(2, 8), fc.nat(2 ** 32 - 1), ([joining, ...nodes], hashSeed) => {
        const before = JumpTable.create(nodes, { ...small, hashSeed });
        const after = before.withNode(joining!);
        const [was, is] = [before.slotTable(1), after.slotTable(1)];
        expect(is.filter((owner, slot) => owner !== was[slot] && owner !== nodes.length).length).toBe(0);
        expect(after.withoutNode(joining!.id).checksum).toBe(before.checksum);
        expect(after.withoutNode(joining!.id).slotTable(1)).toEqual(was);
      }),
      { numRuns: 50 },
    );
  });

  it('moves to a node that joins about as much as its share', () => {
    for (const nodes of [1, 2, 9, 99]) {
      const before = JumpTable.create(numbered(nodes));
      const after = before.withNode({ id: 'new' });
      const moved = before.slotTable(1).filter((owner, slot) => owner !== after.slotTable(1)[slot]).length;
      const expected = before.slots / (nodes + 1);
      // A sum of 2^18 draws of chance 1 / (n + 1): its spread is below the root of what is expected.
      expect(Math.abs(moved - expected)).toBeLessThan(5 * Math.sqrt(expected));
    }
  });

  it('spreads slots evenly, as its header says', () => {
    for (const nodes of [10, 100]) {
      const shares = [...JumpTable.create(numbered(nodes)).shares().values()];
      const variance = shares.reduce((sum, share) => sum + (share * nodes - 1) ** 2, 0) / nodes;
      const spread = Math.sqrt(nodes / 2 ** 18);
      expect(Math.sqrt(variance)).toBeGreaterThan(spread / 2);
      expect(Math.sqrt(variance)).toBeLessThan(spread * 2);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    }
  });

  it('hardly ever changes more than one of three holders for a node that joins', () => {
    const nodes = 20;
    const before = JumpTable.create(numbered(nodes), { replicationFactor: 3 });
    const after = before.withNode({ id: 'new' });
    let twice = 0;
    for (let slot = 0; slot < before.slots; slot++) {
      const was = before.slotNodes(slot, 3);
      if (after.slotNodes(slot, 3).filter((id) => !was.includes(id)).length > 1) twice++;
    }
    // Three pairs of places, each with chance 1 / 21^2, in 2^18 rows: 1,783 with a spread of 42.
    expect(twice).toBeLessThan(1_783 + 5 * 42);
  });

  it('keeps the order of its nodes, which is its mapping', () => {
    const table = JumpTable.create([{ id: 'b' }, { id: 'a' }], small);
    expect(table.nodes.map(({ id }) => id)).toEqual(['b', 'a']);
    const other = JumpTable.create([{ id: 'a' }, { id: 'b' }], small);
    expect(other.checksum).not.toBe(table.checksum);
    expect(other.slotTable(1)).toEqual(table.slotTable(1));
    for (const key of ['', 'x', 'y', 'z']) expect(table.nodeFor(key)).not.toBe(other.nodeFor(key));
  });

  it('removes only its last node, and says why', () => {
    const table = JumpTable.create([{ id: 'b' }, { id: 'a' }, { id: 'c' }], small);
    const error = { code: 'ERR_INVALID_ARGUMENT', field: 'id', message: expect.stringMatching(/renumber.*HashRing/) };
    expect(() => table.withoutNode('a')).toThrow(expect.objectContaining(error));
    expect(() => table.withoutNode('b')).toThrow(expect.objectContaining(error));
    const left = table.withoutNode('c').withoutNode('a');
    expect(left.nodeFor('k')).toBe('b');
    expect(left.withoutNode('b').nodes).toEqual([]);
  });

  it('gives frozen lists of distinct nodes of which a shorter one is a prefix of a longer one', () => {
    fc.assert(
      fc.property(
        anyBuckets(1, 8, true),
        fc.integer({ min: 1, max: 8 }),
        anyKey,
        fc.nat(2 ** 32 - 1),
        (nodes, width, key, hashSeed) => {
          const table = JumpTable.create(nodes, { slots: 2 ** 8, replicationFactor: width, hashSeed });
          const all = table.preferenceList(key, nodes.length);
          expect(new Set(all).size).toBe(nodes.length);
          for (let count = 1; count <= nodes.length; count++) {
            const list = table.preferenceList(key, count);
            expect(list).toEqual(all.slice(0, count));
            expect(Object.isFrozen(list)).toBe(true);
          }
          expect(table.nodeFor(key)).toBe(all[0]);
        },
      ),
    );
  });

  it('lists all of many nodes, also those that no salt led to', () => {
    const nodes = numbered(2_000);
    const table = JumpTable.create(nodes, { slots: 2 ** 8 });
    const all = table.preferenceList('k', nodes.length);
    expect(new Set(all).size).toBe(nodes.length);
    expect(table.preferenceList('k', 1_999)).toEqual(all.slice(0, 1_999));
    // 2N + 64 draws leave out a part e^-2 of the nodes, and those come last, in order.
    const last = all.slice(-200).map((id) => Number(id.slice(1)));
    expect(last).toEqual(last.toSorted((a, b) => a - b));
  });

  it('visits every zone once before any zone twice, whatever the sizes of the zones', () => {
    fc.assert(
      fc.property(anyBuckets(2, 10, true), anyKey, (nodes, key) => {
        const zoneOf = new Map(nodes.map(({ id, zone }) => [id, zone ?? `only ${id}`]));
        const list = JumpTable.create(nodes, { slots: 2 ** 8 }).preferenceList(key, nodes.length);
        const distinct = new Set(zoneOf.values()).size;
        expect(new Set(list.slice(0, distinct).map((id) => zoneOf.get(id))).size).toBe(distinct);
      }),
    );
    const lopsided = numbered(300).map(({ id }, index) => ({ id, zone: index === 299 ? 'rare' : 'common' }));
    const table = JumpTable.create(lopsided, { slots: 2 ** 8, replicationFactor: 2 });
    for (let slot = 0; slot < 2 ** 8; slot++) {
      const row = table.slotNodes(slot, 2);
      expect(row).toContain('n299');
      expect(table.slotNodes(slot, 5).slice(0, 2)).toEqual(row);
    }
  });

  it('comes back from its snapshot in its order, and refuses one that was changed', () => {
    fc.assert(
      fc.property(anyBuckets(0, 6, true), fc.nat(2 ** 32 - 1), (nodes, hashSeed) => {
        const table = JumpTable.create(nodes, { ...small, hashSeed });
        const restored = JumpTable.fromSnapshot(JSON.stringify(table.toSnapshot()), { replicationFactor: 2 });
        expect(restored.nodes).toEqual(table.nodes);
        expect(restored.checksum).toBe(table.checksum);
        if (nodes.length > 0) expect(restored.slotTable(1)).toEqual(table.slotTable(1));
      }),
      { numRuns: 50 },
    );
    const snapshot = JumpTable.create(numbered(3), small).toSnapshot();
    for (const changed of [
      { ...snapshot, nodes: snapshot.nodes.toReversed() },
      { ...snapshot, nodes: [...snapshot.nodes.slice(1), { id: 'n0', weight: 2 }] },
      { ...snapshot, hashSeed: 1 },
      { ...snapshot, slots: 2 ** 11 },
      { ...snapshot, placement: 'jump-table/2' },
      { ...snapshot, virtualNodes: 1 },
    ]) {
      expect(() => JumpTable.fromSnapshot(changed)).toThrow(expect.objectContaining({ code: 'ERR_SNAPSHOT' }));
    }
  });

  it('takes any string for a key and any id for a name', () => {
    const ids = ['constructor', '__proto__', '\0'];
    const table = JumpTable.create(ids.map((id) => ({ id })));
    for (const key of ['__proto__', '', '\0', '😀', '\ud800', 'x'.repeat(1_000_000)]) {
      expect(ids).toContain(table.nodeFor(key));
    }
    expect(table.nodeFor('{user:1}:name')).toBe(table.nodeFor('user:1'));
    expect(table.shares().get('__proto__')).toBeCloseTo(1 / 3, 2);
  });

  it('refuses what it cannot place, and says what was expected', () => {
    const table = JumpTable.create([{ id: 'a' }], small);
    const refusals: [() => unknown, string][] = [
      [() => JumpTable.create([{ id: 'a' }, { id: 'b', weight: 2 }]), 'nodes[1].weight'],
      [() => JumpTable.create([{ id: 'b' }, { id: 'a' }, { id: 'b' }]), 'nodes[2].id'],
      [() => JumpTable.create([], { slots: 3 }), 'slots'],
      [() => JumpTable.create([], { hashSeed: -1 }), 'hashSeed'],
      [() => JumpTable.create([], { vnodes: 3 } as never), 'options.vnodes'],
      [() => table.withNode({ id: 'a' }), 'node.id'],
      [() => table.withNode({ id: 'b', weight: 0.5 }), 'node.weight'],
      [() => table.withoutNode('b'), 'id'],
      [() => table.withWeight('b', 1), 'id'],
      [() => table.withWeight('a', 2), 'weight'],
      [() => table.preferenceList('k', 2), 'count'],
    ];
    for (const [refused, field] of refusals) {
      expect(refused).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field }));
    }
    expect(table.withWeight('a', 1).checksum).toBe(table.checksum);
    const empty = JumpTable.create([], small);
    expect(empty.shares().size).toBe(0);
    expect(() => empty.nodeFor('k')).toThrow(expect.objectContaining({ code: 'ERR_NO_NODES' }));
    expect(empty.withNode({ id: 'a' }).nodeFor('k')).toBe('a');
  });
});
