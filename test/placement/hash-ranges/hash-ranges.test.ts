import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apportion } from '../../../src/placement/hash-ranges/apportion.ts';
import { HashRanges } from '../../../src/placement/hash-ranges/hash-ranges.ts';
import type { NodeInput } from '../../../src/placement/node.ts';
import { isSlottedPlacement } from '../../../src/placement/placement.ts';
import { HashRing } from '../../../src/placement/ring/hash-ring.ts';
import { anyKey, anyNodes } from '../../support/arbitraries.ts';

const small = { slots: 2 ** 8 } as const;

const anyStep = fc.record({
  kind: fc.constantFrom('add', 'remove', 'reweigh'),
  pick: fc.nat(),
  weight: fc.double({ min: 0.1, max: 5, noNaN: true }),
  zone: fc.constantFrom(undefined, 'eu', 'us', 'ap'),
});
type Step = typeof anyStep extends fc.Arbitrary<infer Value> ? Value : never;

/** The placement after a step, and the id of the node that came, went or got another weight. */
function takeStep(before: HashRanges, { kind, pick, weight, zone }: Step, index: number): [HashRanges, string] {
  const chosen = before.nodes[pick % Math.max(1, before.nodes.length)];
  if (kind === 'add' || chosen === undefined) {
    const id = `new-${index}`;
    return [before.withNode({ id, weight, zone }), id];
  }
  return [kind === 'remove' ? before.withoutNode(chosen.id) : before.withWeight(chosen.id, weight), chosen.id];
}

const slotsOf = (placement: HashRanges) => [...placement.shares().values()].map((share) => share * placement.slots);
const targetsOf = ({ nodes, slots }: HashRanges) =>
  apportion(
    nodes.map(({ weight }) => weight),
    slots,
  );
const ownersOf = (placement: HashRanges) => Array.from(placement.slotTable(1), (owner) => placement.nodes[owner]!.id);

describe('HashRanges', () => {
  it('gives every node its exact share, after creation and after any changes', () => {
    fc.assert(
      fc.property(anyNodes({ min: 1, max: 6 }), fc.array(anyStep, { maxLength: 10 }), (nodes, steps) => {
        let placement = HashRanges.create(nodes, small);
        expect(slotsOf(placement)).toEqual(targetsOf(placement));
        for (const [index, step] of steps.entries()) {
          [placement] = takeStep(placement, step, index);
          expect(slotsOf(placement)).toEqual(targetsOf(placement));
        }
      }),
    );
  });

  it('moves slots only to or from the node that changed, and no more than its share takes', () => {
    fc.assert(
      fc.property(anyNodes({ min: 2, max: 6 }), fc.array(anyStep, { minLength: 1, maxLength: 6 }), (nodes, steps) => {
        let placement = HashRanges.create(nodes, small);
        for (const [index, step] of steps.entries()) {
          const before = placement;
          if (before.nodes.length === 1 && step.kind === 'remove') return;
          const [after, changed] = takeStep(before, step, index);
          placement = after;
          const [was, is] = [ownersOf(before), ownersOf(after)];
          const moved = was.flatMap((owner, slot) => (owner === is[slot] ? [] : [[owner, is[slot]]]));
          const [less, more] = [before, after].map((one) => (one.shares().get(changed) ?? 0) * small.slots);
          expect(moved.length).toBe(Math.abs(more! - less!));
          for (const [from, to] of moved) expect(more! > less! ? to : from).toBe(changed);
        }
      }),
    );
  });

  it('exchanges at most one of the nodes that hold a slot', () => {
    fc.assert(
      fc.property(anyNodes({ min: 3, max: 8 }), anyStep, fc.integer({ min: 1, max: 3 }), (nodes, step, count) => {
        const before = HashRanges.create(
          nodes.map((node) => ({ ...node, zone: undefined })),
          { ...small, replicationFactor: count },
        );
        const [after, changed] = takeStep(before, { ...step, zone: undefined }, 0);
        if (after.nodes.length < count) return;
        for (let slot = 0; slot < small.slots; slot++) {
          const [was, is] = [before.slotNodes(slot, count), after.slotNodes(slot, count)];
          const entered = is.filter((id) => !was.includes(id));
          const left = was.filter((id) => !is.includes(id));
          expect(entered.length).toBeLessThanOrEqual(1);
          if (entered.length === 1) expect([...entered, ...left, was[0], is[0]]).toContain(changed);
        }
      }),
    );
  });

  it('is as before when a node that joined leaves again', () => {
    fc.assert(
      fc.property(anyNodes({ min: 2, max: 8 }), ([joining, ...nodes]) => {
        const before = HashRanges.create(nodes, { slots: 2 ** 12 });
        const after = before.withNode(joining!).withoutNode(joining!.id);
        expect(after.ranges()).toEqual(before.ranges());
        expect(after.checksum).toBe(before.checksum);
      }),
    );
  });

  it('cuts few ranges: one more for each node that gives', () => {
    let placement = HashRanges.create([{ id: 'n0' }]);
    for (let nodes = 1; nodes < 20; nodes++) {
      const before = placement.ranges().length;
      placement = placement.withNode({ id: `n${nodes}` });
      expect(placement.ranges().length - before).toBeLessThanOrEqual(nodes);
    }
  });

  it('does not depend on the order of the nodes it is created from, but on that of the changes', () => {
    fc.assert(
      fc.property(anyNodes({ min: 1, max: 8, zoned: true }), (nodes) => {
        expect(HashRanges.create(nodes.toReversed(), small).checksum).toBe(HashRanges.create(nodes, small).checksum);
      }),
    );
    const start = HashRanges.create([{ id: 'a' }]);
    const one = start.withNode({ id: 'b' }).withNode({ id: 'c' });
    const other = start.withNode({ id: 'c' }).withNode({ id: 'b' });
    expect(one.nodes).toEqual(other.nodes);
    expect(one.checksum).not.toBe(other.checksum);
  });

  it('gives frozen lists of distinct nodes of which a shorter one is a prefix of a longer one', () => {
    fc.assert(
      fc.property(anyNodes({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 }), anyKey, (nodes, width, key) => {
        const placement = HashRanges.create(nodes, { ...small, replicationFactor: width });
        const all = placement.preferenceList(key, nodes.length);
        expect(new Set(all).size).toBe(nodes.length);
        for (let count = 1; count <= nodes.length; count++) {
          const list = placement.preferenceList(key, count);
          expect(list).toEqual(all.slice(0, count));
          expect(Object.isFrozen(list)).toBe(true);
        }
        expect(placement.nodeFor(key)).toBe(all[0]);
      }),
    );
  });

  it('visits every zone once before any zone twice', () => {
    fc.assert(
      fc.property(anyNodes({ min: 2, max: 10, zoned: true }), anyKey, (nodes, key) => {
        const zoneOf = new Map(nodes.map(({ id, zone }) => [id, zone ?? `only ${id}`]));
        const list = HashRanges.create(nodes, small).preferenceList(key, nodes.length);
        const distinct = new Set(zoneOf.values()).size;
        expect(new Set(list.slice(0, distinct).map((id) => zoneOf.get(id))).size).toBe(distinct);
      }),
    );
  });

  it('has ranges that say who owns what, and can be made of them', () => {
    fc.assert(
      fc.property(anyNodes({ min: 1, max: 6 }), fc.array(anyStep, { maxLength: 6 }), (nodes, steps) => {
        const placement = steps.reduce(
          (before, step, i) => takeStep(before, step, i)[0],
          HashRanges.create(nodes, small),
        );
        if (placement.nodes.length === 0) return;
        const owners = ownersOf(placement);
        for (const { node, firstSlot, endSlot } of placement.ranges()) {
          expect(owners.slice(firstSlot, endSlot)).toEqual(new Array(endSlot - firstSlot).fill(node));
        }
        const again = HashRanges.fromRanges(placement.nodes, placement.ranges().toReversed(), small);
        expect(again.checksum).toBe(placement.checksum);
        expect(again.slotTable(1)).toEqual(placement.slotTable(1));
        const starts = placement.ranges().map(({ firstSlot }) => firstSlot);
        expect(placement.arcs(1).starts).toEqual(starts);
      }),
    );
  });

  it('moves lopsided ranges no more than a change needs, and towards the targets', () => {
    const ranges = [
      { node: 'a', firstSlot: 0, endSlot: 200 },
      { node: 'b', firstSlot: 200, endSlot: 256 },
    ];
    const lopsided = HashRanges.fromRanges([{ id: 'a' }, { id: 'b' }, { id: 'c' }], ranges, small);
    expect(slotsOf(lopsided)).toEqual([200, 56, 0]);
    // A fourth node's target is 64 slots, and a alone has more than its own.
    expect(slotsOf(lopsided.withNode({ id: 'd' }))).toEqual([136, 56, 0, 64]);
    // The slots of b go to c, which lacks most.
    expect(slotsOf(lopsided.withoutNode('b'))).toEqual([200, 56]);
    // With a weight of 2, c lacks 128 of 256 slots; a gives them.
    expect(slotsOf(lopsided.withWeight('c', 2))).toEqual([72, 56, 128]);
    expect(slotsOf(lopsided.withWeight('b', 0.9))).toEqual([200, 56, 0]);
  });

  it('can be checked by hand: 256 slots of three nodes, and a fourth that joins', () => {
    const placement = HashRanges.create([{ id: 'b' }, { id: 'c' }, { id: 'a', weight: 2 }], small);
    // Ideals are 128, 64 and 64.
    expect(placement.ranges()).toEqual([
      { node: 'a', firstSlot: 0, endSlot: 128 },
      { node: 'b', firstSlot: 128, endSlot: 192 },
      { node: 'c', firstSlot: 192, endSlot: 256 },
    ]);
    // Of weight 4 it has half of them: 64 from a and 32 each from b and c, each from the end. Those of a lie before b.
    expect(placement.withNode({ id: 'd', weight: 4 }).ranges()).toEqual([
      { node: 'a', firstSlot: 0, endSlot: 64 },
      { node: 'd', firstSlot: 64, endSlot: 128 },
      { node: 'b', firstSlot: 128, endSlot: 160 },
      { node: 'd', firstSlot: 160, endSlot: 192 },
      { node: 'c', firstSlot: 192, endSlot: 224 },
      { node: 'd', firstSlot: 224, endSlot: 256 },
    ]);
  });

  it('has the history that an independent program gives it, slot by slot', () => {
    const golden = JSON.parse(readFileSync(new URL('../../ring/golden/own/ranges.json', import.meta.url), 'utf8')) as {
      nodes: NodeInput[];
      slots: number;
      hashSeed: number;
      steps: { kind: string; argument: unknown; ranges: [number, string][]; rows: string[][] }[];
    }[];
    expect(golden.flatMap(({ steps }) => steps).length).toBe(16);
    for (const { nodes, steps, ...options } of golden) {
      let placement = HashRanges.create(nodes, { ...options, replicationFactor: 3 });
      for (const [index, { kind, argument, ranges, rows }] of steps.entries()) {
        if (kind === 'join') placement = placement.withNode(argument as NodeInput);
        if (kind === 'leave') placement = placement.withoutNode(argument as string);
        if (kind === 'reweigh') placement = placement.withWeight(...(argument as [string, number]));
        const found = placement.ranges().map(({ firstSlot, node }) => [firstSlot, node]);
        expect(found, `step ${index}: ${kind}`).toEqual(ranges);
        expect(rows.map((_, row) => placement.slotNodes(7 * row, 3))).toEqual(rows);
      }
    }
  });

  it('finds slots as a ring does, so that the two can be compared', () => {
    const nodes = [{ id: 'a' }, { id: 'b' }];
    const placement = HashRanges.create(nodes, { hashSeed: 5, slots: 2 ** 10 });
    const ring = HashRing.create(nodes, { hashSeed: 5, slots: 2 ** 10 });
    expect(isSlottedPlacement(placement)).toBe(true);
    expect(placement.slotting).toBe(ring.slotting);
    expect(placement.slotOf('{x}y')).toBe(ring.slotOf('x'));
  });

  it('comes back from its snapshot with all its history, and refuses one that was changed', () => {
    fc.assert(
      fc.property(
        anyNodes({ min: 0, max: 5, zoned: true }),
        fc.array(anyStep, { maxLength: 6 }),
        fc.nat(2 ** 32 - 1),
        (nodes, steps, hashSeed) => {
          const start = HashRanges.create(nodes, { ...small, hashSeed });
          const placement = steps.reduce((before, step, i) => takeStep(before, step, i)[0], start);
          const restored = HashRanges.fromSnapshot(JSON.stringify(placement.toSnapshot()));
          expect(restored.checksum).toBe(placement.checksum);
          expect(restored.nodes).toEqual(placement.nodes);
          expect(restored.ranges()).toEqual(placement.ranges());
          if (placement.nodes.length > 1) expect(restored.slotTable(2)).toEqual(placement.slotTable(2));
          // What comes next goes on as it would have.
          expect(restored.withNode({ id: 'next' }).checksum).toBe(placement.withNode({ id: 'next' }).checksum);
        },
      ),
    );
    const snapshot = HashRanges.create([{ id: 'a' }, { id: 'b' }], small).toSnapshot();
    expect(snapshot.ranges).toEqual([
      [0, 0],
      [128, 1],
    ]);
    for (const changed of [
      { ...snapshot, placement: 'hash-ranges/2' },
      {
        ...snapshot,
        ranges: [
          [0, 0],
          [127, 1],
        ],
      },
      {
        ...snapshot,
        ranges: [
          [1, 0],
          [128, 1],
        ],
      },
      {
        ...snapshot,
        ranges: [
          [0, 0],
          [128, 2],
        ],
      },
      {
        ...snapshot,
        ranges: [
          [128, 1],
          [0, 0],
        ],
      },
      { ...snapshot, ranges: [[0, 0, 0]] },
      { ...snapshot, ranges: 'all' },
      { ...snapshot, hashSeed: 1 },
      { ...snapshot, slots: 512 },
      { ...snapshot, slots: 100 },
      { ...snapshot, nodes: [{ id: 'a' }] },
    ]) {
      expect(() => HashRanges.fromSnapshot(changed)).toThrow(expect.objectContaining({ code: 'ERR_SNAPSHOT' }));
    }
  });

  it('takes any string for a key and any id for a name', () => {
    const ids = ['__proto__', 'constructor', '\0'];
    const placement = HashRanges.create(ids.map((id) => ({ id })));
    for (const key of ['__proto__', '', '\0', '😀', '\ud800', 'x'.repeat(1_000_000)]) {
      expect(ids).toContain(placement.nodeFor(key));
    }
    expect(placement.nodeFor('{user:1}:name')).toBe(placement.nodeFor('user:1'));
    expect(placement.shares().get('__proto__')).toBeCloseTo(1 / 3, 4);
  });

  it('refuses what it cannot place, and says what was expected', () => {
    const placement = HashRanges.create([{ id: 'a' }], small);
    const all = [{ node: 'a', firstSlot: 0, endSlot: 256 }];
    const refusals: [() => unknown, string][] = [
      [() => HashRanges.create([{ id: 'a' }, { id: 'a' }]), 'nodes[1].id'],
      [() => HashRanges.create([{ id: 'a', weight: -1 }]), 'nodes[0].weight'],
      [() => HashRanges.create([], { slots: 100 }), 'slots'],
      [() => HashRanges.create([], { virtualNodes: 3 } as never), 'options.virtualNodes'],
      [() => HashRanges.fromRanges([{ id: 'a' }], []), 'ranges'],
      [() => HashRanges.fromRanges([{ id: 'a' }], all), 'ranges'],
      [() => HashRanges.fromRanges([{ id: 'b' }], all, small), 'ranges[0].node'],
      [() => HashRanges.fromRanges([], all, small), 'ranges[0].node'],
      [() => placement.withNode({ id: 'a' }), 'node.id'],
      [() => placement.withoutNode('b'), 'id'],
      [() => placement.withWeight('b', 1), 'id'],
      [() => placement.withWeight('a', 0), 'weight'],
      [() => placement.preferenceList('k', 0), 'count'],
      [() => placement.preferenceList('k', 2), 'count'],
    ];
    for (const [refused, field] of refusals) {
      expect(refused).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field }));
    }
  });

  it('exists without nodes, and can be left by its last and joined by its first', () => {
    const empty = HashRanges.create([], small);
    expect(empty.ranges()).toEqual([]);
    expect(empty.shares().size).toBe(0);
    expect(() => empty.nodeFor('k')).toThrow(expect.objectContaining({ code: 'ERR_NO_NODES' }));
    expect(HashRanges.fromRanges([], [], small).checksum).toBe(empty.checksum);
    const one = empty.withNode({ id: 'a', weight: 3 });
    expect(one.ranges()).toEqual([{ node: 'a', firstSlot: 0, endSlot: 256 }]);
    expect(one.withoutNode('a').checksum).toBe(empty.checksum);
  });

  it('leaves no slot to a node whose share is less than half a slot, and can still remove it', () => {
    const placement = HashRanges.create([{ id: 'a' }, { id: 'b', weight: 1e-9 }], small);
    expect(slotsOf(placement)).toEqual([256, 0]);
    expect(placement.preferenceList('k', 2)).toEqual(['a', 'b']);
    expect(slotsOf(placement.withoutNode('a'))).toEqual([256]);
    expect(slotsOf(placement.withoutNode('b'))).toEqual([256]);
  });
});
