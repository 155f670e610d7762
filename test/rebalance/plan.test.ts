import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Placement } from '../../src/placement/placement.ts';
import { RangeSharding } from '../../src/placement/ranges/range-sharding.ts';
import { RendezvousTable } from '../../src/placement/rendezvous/rendezvous-table.ts';
import { HashRing } from '../../src/placement/ring/hash-ring.ts';
import { planRebalance } from '../../src/rebalance/plan.ts';
import type { PlacementAdapter } from '../../src/testing/placement-suite.ts';
import { anyNodes } from '../support/arbitraries.ts';
import { placementKinds, pointRingKinds } from '../support/placement-kinds.ts';

const small = { virtualNodes: 16, slots: 2 ** 8 } as const;

/** Two rings of which the second differs by a node more, a node less, or a weight. */
const anyChange = fc
  .tuple(
    anyNodes({ min: 2, max: 7, zoned: true }),
    fc.constantFrom('add', 'remove', 'reweight'),
    fc.double({ min: 0.4, max: 4, noNaN: true }),
  )
  .map(([nodes, kind, factor]) => {
    const all = HashRing.create(nodes, small);
    const { id, weight = 1 } = nodes[0]!;
    if (kind === 'add') return [all.withoutNode(id), all] as const;
    if (kind === 'remove') return [all, all.withoutNode(id)] as const;
    return [all, all.withWeight(id, weight * factor)] as const;
  });

/** The copies that must be made, counted slot by slot with nothing but preference lists. */
function countMoves(before: HashRing, after: HashRing, replicationFactor: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let slot = 0; slot < before.slots; slot++) {
    const was = before.slotNodes(slot, Math.min(replicationFactor, before.nodes.length));
    const is = after.slotNodes(slot, Math.min(replicationFactor, after.nodes.length));
    for (const node of is) if (!was.includes(node)) counts.set(node, (counts.get(node) ?? 0) + 1);
  }
  return counts;
}

describe('planRebalance', () => {
  it('moves exactly the copies that are missing, and none needlessly, for any change of one node', () => {
    fc.assert(
      fc.property(anyChange, fc.integer({ min: 1, max: 4 }), ([before, after], replicationFactor) => {
        const plan = planRebalance(before, after, { replicationFactor });
        const expected = countMoves(before, after, replicationFactor);
        const received = new Map<string, number>();
        for (const { to, slotCount } of plan.moves) received.set(to, (received.get(to) ?? 0) + slotCount);
        expect(received).toEqual(expected);
        expect(plan.needlessMoves).toBe(0);
        expect(plan.movedShare).toBe(plan.minimumShare);
      }),
      { numRuns: 300 },
    );
  });

  it('takes every copy from a node that has it, and gives it to a node that then holds it', () => {
    fc.assert(
      fc.property(anyChange, fc.integer({ min: 1, max: 3 }), ([before, after], replicationFactor) => {
        const { moves } = planRebalance(before, after, { replicationFactor });
        for (const { from, to, slots, slotCount } of moves) {
          let counted = 0;
          let last = -1;
          for (const [first, end] of slots) {
            expect(first).toBeGreaterThan(last);
            expect(end).toBeGreaterThan(first);
            for (let slot = first; slot < end; slot++) {
              expect(before.slotNodes(slot, Math.min(replicationFactor, before.nodes.length))).toContain(from);
              expect(after.slotNodes(slot, Math.min(replicationFactor, after.nodes.length))).toContain(to);
            }
            counted += end - first;
            last = end;
          }
          expect(slotCount).toBe(counted);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('balances its books: a node holds after the change what it held before, plus in, minus out', () => {
    fc.assert(
      fc.property(anyChange, fc.integer({ min: 1, max: 3 }), ([before, after], replicationFactor) => {
        const plan = planRebalance(before, after, { replicationFactor });
        const copies = {
          before: Math.min(replicationFactor, before.nodes.length),
          after: Math.min(replicationFactor, after.nodes.length),
        };
        for (const { shareBefore, shareAfter, slotsIn, slotsOut } of plan.nodes) {
          const held = shareBefore * copies.before * before.slots + slotsIn - slotsOut;
          expect(held).toBeCloseTo(shareAfter * copies.after * after.slots, 6);
          expect(slotsOut).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('finds nothing to move between a ring and itself', () => {
    const ring = HashRing.create([{ id: 'a' }, { id: 'b' }], small);
    const plan = planRebalance(ring, ring, { replicationFactor: 2 });
    expect(plan).toMatchObject({ moves: [], movedShare: 0, minimumShare: 0, needlessMoves: 0 });
  });

  it('moves for a node that joins its own share, which is the least possible', () => {
    const before = HashRing.create(Array.from({ length: 10 }, (_, index) => ({ id: `node-${index}` })));
    const after = before.withNode({ id: 'node-10', weight: 2.5 });
    const plan = planRebalance(before, after);
    expect(plan.movedShare).toBe(after.shares().get('node-10'));
    expect(plan.moves.every(({ to }) => to === 'node-10')).toBe(true);
  });

  it('counts as needless what a change moves beyond the minimum', () => {
    // Two nodes that swap names hold as much as before, so nothing had to move.
    const before = HashRing.create([{ id: 'a' }, { id: 'b' }], small);
    const named = new Map([...before.shares()].map(([id, share]) => [id, share]));
    const swapped = swapNames(before);
    const plan = planRebalance(before, swapped);
    const difference = Math.abs(named.get('a')! - named.get('b')!);
    expect(plan.movedShare).toBe(1);
    expect(plan.minimumShare).toBeCloseTo(difference, 10);
    expect(plan.needlessMoves).toBe(Math.round((1 - difference) * before.slots));
  });

  it('moves nothing for a first node, and copies from the primary for a raised replication factor', () => {
    const empty = HashRing.create([], small);
    const one = empty.withNode({ id: 'a' });
    expect(planRebalance(empty, one)).toMatchObject({ moves: [], movedShare: 0, needlessMoves: 0 });
    expect(planRebalance(empty, one).nodes).toEqual([
      { id: 'a', shareBefore: 0, shareAfter: 1, slotsIn: 0, slotsOut: 0 },
    ]);
    const two = one.withNode({ id: 'b' });
    const plan = planRebalance(one, two, { replicationFactor: 2 });
    expect(plan.moves).toEqual([
      expect.objectContaining({ from: 'a', to: 'b', slots: [[0, 256]], slotCount: 256, share: 0.5 }),
    ]);
    expect(plan.nodes).toEqual([
      { id: 'a', shareBefore: 1, shareAfter: 0.5, slotsIn: 0, slotsOut: 0 },
      { id: 'b', shareBefore: 0, shareAfter: 0.5, slotsIn: 256, slotsOut: 0 },
    ]);
  });

  it('estimates keys and bytes from a sample, scaled by its rate', () => {
    const before = HashRing.create([{ id: 'a' }, { id: 'b' }], small);
    const after = before.withNode({ id: 'c' });
    const sample = Array.from({ length: 1_000 }, (_, index) => [`key:${index}`, 10] as const);
    const moved = sample.filter(([key]) => after.nodeFor(key) === 'c').length;
    const plan = planRebalance(before, after, { keySample: sample, sampleRate: 0.5 });
    expect(plan.estimate).toEqual({ keys: 2_000, movedKeys: moved * 2, movedBytes: moved * 20 });
    expect(planRebalance(before, after, { keySample: sample.map(([key]) => key) }).estimate).toEqual({
      keys: 1_000,
      movedKeys: moved,
      movedBytes: 0,
    });
    expect(planRebalance(before, after).estimate).toBeUndefined();
  });

  it('compares placements without slots in common by a sample of keys, and says so', () => {
    const ring = HashRing.create([{ id: 'a' }, { id: 'b' }], small);
    const otherSeed = HashRing.create([{ id: 'a' }, { id: 'b' }], { ...small, hashSeed: 1 });
    const keys = Array.from({ length: 5_000 }, (_, index) => `user:${index}`);
    const plan = planRebalance(ring, otherSeed, { keySample: keys });
    const moved = keys.filter((key) => ring.nodeFor(key) !== otherSeed.nodeFor(key)).length;
    expect(plan).toMatchObject({ basis: 'keys', slots: 5_000, movedShare: moved / 5_000 });
    expect(planRebalance(ring, otherSeed)).toMatchObject({ basis: 'keys', slots: 65_536 });
    expect(planRebalance(ring, ring.withNode({ id: 'c' })).basis).toBe('slots');
  });

  it('refuses options out of range', () => {
    const ring = HashRing.create([{ id: 'a' }], small);
    const field = (name: string) => expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field: name });
    expect(() => planRebalance(ring, ring, { replicationFactor: 0 })).toThrow(field('replicationFactor'));
    expect(() => planRebalance(ring, ring, { sampleRate: 1.5 })).toThrow(field('sampleRate'));
    expect(() => planRebalance(ring, undefined as never)).toThrow(field('after'));
    expect(() => planRebalance(ring.toSnapshot() as never, ring)).toThrow(field('before.nodeFor'));
    expect(() => planRebalance(ring, ring, { keySample: [1] as never })).toThrow(field('keySample[0]'));
    expect(() => planRebalance(ring, ring, { keySample: ['a', ['b', -5]] })).toThrow(field('keySample[1]'));
    expect(() => planRebalance(ring, ring, { keySample: 'abc' })).toThrow(field('keySample'));
  });
});

describe('planRebalance, for any kind of placement,', () => {
  const five = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id }));
  const keys = Array.from({ length: 20_000 }, (_, index) => `session:${index}`);
  const sharding: PlacementAdapter = {
    name: 'RangeSharding',
    create: (nodes) => RangeSharding.fromSample(nodes, keys),
    restore: (snapshot) => RangeSharding.fromSnapshot(snapshot),
  };

  /** Copies that keys must be given, for each node that enters a list. */
  function received(before: Placement, after: Placement, count: number): Map<string, number> {
    const counts = new Map<string, number>();
    for (const key of keys) {
      const was = before.preferenceList(key, count);
      for (const id of after.preferenceList(key, count))
        if (!was.includes(id)) counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return counts;
  }

  it.each([...placementKinds, ...pointRingKinds].map((kind) => [kind.name, kind] as const))(
    'predicts for %s the part of the keys that moves when a node joins and when the last one leaves',
    (_, kind) => {
      const before = kind.create(five, 2);
      const joined = before.withNode({ id: 'f' });
      const left = before.withoutNode(before.nodes.at(-1)!.id);
      for (const after of [joined, left]) {
        for (const replicationFactor of [1, 2]) {
          const plan = planRebalance(before, after, { replicationFactor });
          const counts = received(before, after, replicationFactor);
          const total = keys.length * replicationFactor;
          const moved = [...counts.values()].reduce((sum, count) => sum + count, 0);
          // Four standard deviations of what a sample of this size can be off, and of the plan's own where it is one.
          expect(Math.abs(moved / total - plan.movedShare)).toBeLessThan(4 * Math.sqrt(0.25 / keys.length));
          for (const { id, slotsIn } of plan.nodes) {
            const share = slotsIn / (plan.slots * replicationFactor);
            expect(Math.abs((counts.get(id) ?? 0) / total - share)).toBeLessThan(4 * Math.sqrt(0.25 / keys.length));
          }
          const isScored = ['Rendezvous', 'GoRedisRing'].includes(kind.name);
          expect(plan.basis).toBe(isScored ? 'keys' : 'slots');
        }
      }
    },
  );

  it('compares ranges by the pieces between all bounds, and names the ranges that move', () => {
    const before = sharding.create(five, 1) as RangeSharding;
    const bound = before.ranges()[2]!.start;
    const after = before.split('session:5', 'a').assign(bound, 'e');
    const plan = planRebalance(before, after);
    expect(plan.basis).toBe('ranges');
    expect(plan.slots).toBe(new Set([...before.ranges(), ...after.ranges()].map(({ start }) => start)).size);
    for (const { from, to, ranges, slotCount } of plan.moves) {
      let pieces = 0;
      for (const [start, end] of ranges!) {
        expect([before.nodeFor(start), after.nodeFor(start)]).toEqual([from, to]);
        if (end !== undefined) expect(end > start).toBe(true);
        pieces++;
      }
      expect(slotCount).toBeGreaterThanOrEqual(pieces);
    }
    const changed = keys.filter((key) => before.nodeFor(key) !== after.nodeFor(key));
    const covered = changed.filter((key) =>
      plan.moves.some(({ ranges }) => ranges!.some(([start, end]) => key >= start && (end === undefined || key < end))),
    );
    expect(covered.length).toBe(changed.length);
    expect(changed.length).toBeGreaterThan(1_000);
  });

  it('compares two kinds that share their slots exactly: the ring, and the table of rendezvous hashing', () => {
    const ring = HashRing.create(five, { slots: 2 ** 12 });
    const table = RendezvousTable.create(five, { slots: 2 ** 12 });
    const plan = planRebalance(ring, table);
    let moved = 0;
    for (let slot = 0; slot < ring.slots; slot++) {
      if (ring.slotNodes(slot, 1)[0] !== table.slotNodes(slot, 1)[0]) moved++;
    }
    expect(plan).toMatchObject({ basis: 'slots', slots: 2 ** 12, movedShare: moved / 2 ** 12 });
  });
});

/** A placement in which each key has the other node. */
function swapNames(ring: HashRing) {
  const table = ring.slotTable(1).map((node) => 1 - node);
  return {
    nodes: ring.nodes,
    checksum: 'swapped',
    ...Object.fromEntries(
      ['nodeFor', 'preferenceList', 'withNode', 'withoutNode', 'withWeight', 'shares', 'toSnapshot'].map((name) => [
        name,
        () => {},
      ]),
    ),
    slots: ring.slots,
    slotting: ring.slotting,
    slotOf: (key: string) => ring.slotOf(key),
    arcs: () => ({ starts: Array.from(table, (_, slot) => slot), rows: table }),
  } as unknown as HashRing;
}
