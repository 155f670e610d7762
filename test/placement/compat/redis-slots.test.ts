import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc16Bytes } from '../../../src/hash/crc16.ts';
import { RedisSlots } from '../../../src/placement/compat/redis-slots.ts';
import { isSlottedPlacement } from '../../../src/placement/placement.ts';
import { anyKey, anyNodes } from '../../support/arbitraries.ts';

interface Golden {
  readonly keys: readonly (readonly [key: string, slot: number])[];
  readonly bytes: readonly (readonly [hex: string, slot: number])[];
  /** The last slot of each master, by number of masters. */
  readonly masters: Readonly<Record<string, readonly number[]>>;
  readonly shards: {
    readonly assignments: readonly { readonly node: string; readonly slots: readonly (readonly [number, number])[] }[];
    /** Nodes of the first keys. */
    readonly served: readonly string[];
  };
}

const golden: Golden = JSON.parse(
  readFileSync(new URL('../../ring/golden/redis-slots/vectors.json', import.meta.url), 'utf8'),
);
const three = [{ id: 'a' }, { id: 'b' }, { id: 'c' }];

describe('RedisSlots', () => {
  it('finds the slot that CLUSTER KEYSLOT of Redis answers, for tags, UTF-8 and any other text', () => {
    expect(golden.keys.length).toBeGreaterThan(900);
    const placement = RedisSlots.create(three);
    for (const [key, slot] of golden.keys) expect(placement.slotOf(key), JSON.stringify(key.slice(0, 50))).toBe(slot);
  });

  it('has the checksum of Redis for bytes that are not text too', () => {
    expect(golden.bytes.length).toBeGreaterThan(100);
    for (const [hex, slot] of golden.bytes) {
      const bytes = Buffer.from(hex, 'hex');
      expect(crc16Bytes(bytes, bytes.length) % 16_384, hex).toBe(slot);
    }
  });

  it('divides the slots among masters as redis-cli --cluster create does', () => {
    expect(Object.keys(golden.masters)).toEqual(expect.arrayContaining(['3', '7', '78', '87', '100']));
    for (const [masters, lasts] of Object.entries(golden.masters)) {
      // Ids that sort in another order than the masters have.
      const ids = lasts.map((_, index) => `m${(index * 37) % 101}`);
      const placement = RedisSlots.create(ids.map((id) => ({ id })));
      expect(placement.ranges(), `${masters} masters`).toEqual(
        lasts.map((last, index) => ({
          node: ids[index],
          firstSlot: index === 0 ? 0 : lasts[index - 1]! + 1,
          endSlot: last + 1,
        })),
      );
    }
  });

  it('gives every key the node that serves it in a cluster whose ranges it was made of', () => {
    const { assignments, served } = golden.shards;
    const placement = RedisSlots.fromRanges(assignments);
    expect(served.length).toBe(400);
    expect(golden.keys.slice(0, served.length).map(([key]) => placement.nodeFor(key))).toEqual(served);
    expect(placement.ranges().length).toBe(assignments.flatMap(({ slots }) => slots).length);
  });

  it('gives every one of any number of equal nodes its slots, to one, and all slots to some node', () => {
    for (const count of [1, 2, 33, 101, 500, 999, 1_000]) {
      const nodes = Array.from({ length: count }, (_, index) => ({ id: `n${index}`, weight: 3 }));
      const placement = RedisSlots.create(nodes);
      expect(placement.ranges().length).toBe(count);
      expect(placement.ranges().at(-1)!.endSlot).toBe(16_384);
      for (const { firstSlot, endSlot } of placement.ranges()) {
        expect(Math.abs(endSlot - firstSlot - 16_384 / count)).toBeLessThan(2);
      }
    }
  });

  it('follows weights that are not equal', () => {
    const placement = RedisSlots.create([{ id: 'b', weight: 3 }, { id: 'a' }]);
    expect(placement.ranges()).toEqual([
      { node: 'b', firstSlot: 0, endSlot: 12_288 },
      { node: 'a', firstSlot: 12_288, endSlot: 16_384 },
    ]);
  });

  const ownersOf = (one: RedisSlots) => Array.from(one.slotTable(1), (index) => one.nodes[index]!.id);

  it('moves slots only to a node that joins and only from one that leaves, and as few as can be', () => {
    fc.assert(
      fc.property(anyNodes({ min: 2, max: 6 }), ([joining, ...nodes]) => {
        const before = RedisSlots.create(nodes);
        const after = before.withNode(joining!);
        const back = after.withoutNode(joining!.id);
        const [first, second, third] = [before, after, back].map(ownersOf) as [string[], string[], string[]];
        const slotsOfJoining = second.flatMap((owner, slot) => (owner === joining!.id ? [slot] : []));
        const changed = (from: string[], to: string[]) =>
          to.flatMap((owner, slot) => (owner === from[slot] ? [] : [slot]));
        expect(changed(first, second)).toEqual(slotsOfJoining);
        expect(changed(second, third)).toEqual(slotsOfJoining);
        // Ranges laid end to end and slots dealt out one by one are rounded differently, by less than a slot each.
        for (const [id, share] of before.shares())
          expect(Math.abs(back.shares().get(id)! - share)).toBeLessThan(1.5 / 16_384);
      }),
      { numRuns: 20 },
    );
    const heavier = RedisSlots.create(three).withWeight('b', 2);
    expect(heavier).toBeInstanceOf(RedisSlots);
    expect(heavier.shares().get('b')).toBe(0.5);
  });

  it('gives frozen lists of distinct nodes in which a shorter one is a prefix and zones come once before twice', () => {
    fc.assert(
      fc.property(anyNodes({ min: 1, max: 8, zoned: true }), anyKey, (nodes, key) => {
        const placement = RedisSlots.create(nodes);
        const zoneOf = new Map(nodes.map(({ id, zone }) => [id, zone ?? `only ${id}`]));
        const all = placement.preferenceList(key, nodes.length);
        expect(new Set(all).size).toBe(nodes.length);
        for (let count = 1; count <= nodes.length; count++) {
          const list = placement.preferenceList(key, count);
          expect(list).toEqual(all.slice(0, count));
          expect(Object.isFrozen(list)).toBe(true);
        }
        const distinct = new Set(zoneOf.values()).size;
        expect(new Set(all.slice(0, distinct).map((id) => zoneOf.get(id))).size).toBe(distinct);
        expect(placement.nodeFor(key)).toBe(all[0]);
        expect(placement.slotNodes(placement.slotOf(key), nodes.length)).toEqual(all);
      }),
      { numRuns: 50 },
    );
  });

  it('has positions whose top 14 bits are the slot, and a slotting of its own', () => {
    const placement = RedisSlots.create(three, { replicationFactor: 3 });
    expect(isSlottedPlacement(placement)).toBe(true);
    expect(placement.slots).toBe(16_384);
    expect(placement.slotting).toBe('crc16 slots=16384');
    // The slot of 'foo' is 12182, see the specification of CLUSTER KEYSLOT.
    expect(placement.slotOf('foo')).toBe(12_182);
    expect(placement.slotOf('bar{foo}')).toBe(12_182);
    expect(placement.positionOf('foo')).toBe(12_182 * 2 ** 18);
    expect(placement.nodeFor('foo')).toBe('c');
    expect(placement.preferenceList('foo', 3)[0]).toBe('c');
  });

  it('comes back from its snapshot, and refuses one that was changed', () => {
    fc.assert(
      fc.property(anyNodes({ min: 0, max: 5, zoned: true }), (nodes) => {
        const placement = RedisSlots.create(nodes).withNode({ id: 'another one', weight: 2 });
        const restored = RedisSlots.fromSnapshot(JSON.stringify(placement.toSnapshot()));
        expect(restored.checksum).toBe(placement.checksum);
        expect(restored.ranges()).toEqual(placement.ranges());
        expect(restored.nodes).toEqual(placement.nodes);
      }),
      { numRuns: 30 },
    );
    const snapshot = RedisSlots.create(three).toSnapshot();
    expect(snapshot.ranges).toEqual([
      [0, 0],
      [5_461, 1],
      [10_923, 2],
    ]);
    for (const changed of [
      { ...snapshot, placement: 'hash-ranges/1' },
      {
        ...snapshot,
        ranges: [
          [0, 0],
          [5_460, 1],
          [10_923, 2],
        ],
      },
      {
        ...snapshot,
        ranges: [
          [0, 0],
          [5_461, 3],
        ],
      },
      { ...snapshot, ranges: {} },
      { ...snapshot, slots: 16_384 },
      { ...snapshot, nodes: [...snapshot.nodes].reverse() },
    ]) {
      expect(() => RedisSlots.fromSnapshot(changed)).toThrow(expect.objectContaining({ code: 'ERR_SNAPSHOT' }));
    }
  });

  it('refuses what is no assignment of the slots, and says what was expected', () => {
    const all = [[0, 16_383]] as [number, number][];
    const refusals: [() => unknown, string][] = [
      [() => RedisSlots.create([{ id: 'a' }, { id: 'a' }]), 'nodes[1].id'],
      [() => RedisSlots.create(Array.from({ length: 1_001 }, (_, id) => ({ id: `${id}` }))), 'nodes'],
      [() => RedisSlots.create(three, { slots: 16_384 } as never), 'options.slots'],
      [() => RedisSlots.fromRanges([{ node: 'a', slots: [[0, 16_382]] }]), 'ranges'],
      [
        () =>
          RedisSlots.fromRanges([
            { node: 'a', slots: all },
            { node: 'b', slots: [[7, 7]] },
          ]),
        'ranges',
      ],
      [() => RedisSlots.fromRanges([{ node: 'a', slots: [[0, 16_384]] }]), 'assignments[0].slots[0][1]'],
      [() => RedisSlots.fromRanges([{ node: 'a', slots: [[5, 4]] }]), 'assignments[0].slots[0][1]'],
      [() => RedisSlots.fromRanges([{ node: 'a', slots: [[0] as never] }]), 'assignments[0].slots[0]'],
      [
        () =>
          RedisSlots.fromRanges([
            { node: 'a', slots: all },
            { node: 'a', slots: [] },
          ]),
        'nodes[1].id',
      ],
      [() => RedisSlots.fromRanges([{ node: '', slots: all }]), 'nodes[0].id'],
      [() => RedisSlots.fromRanges([{ node: { id: 'a', weight: 0 }, slots: all }]), 'assignments[0].node.weight'],
      [() => RedisSlots.fromRanges([{ node: 'a' } as never]), 'assignments[0].slots'],
      [() => RedisSlots.create(three).nodeFor(5 as never), 'key'],
      [() => RedisSlots.create(three).preferenceList('k', 4), 'count'],
    ];
    for (const [refused, field] of refusals) {
      expect(refused).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field }));
    }
    const empty = RedisSlots.fromRanges([]);
    expect(empty.checksum).toBe(RedisSlots.create([]).checksum);
    expect(() => empty.nodeFor('k')).toThrow(expect.objectContaining({ code: 'ERR_NO_NODES' }));
  });

  it('takes weights, zones and nodes without slots from a cluster', () => {
    const placement = RedisSlots.fromRanges([
      {
        node: { id: 'b', weight: 2, zone: 'eu' },
        slots: [
          [8_192, 16_383],
          [0, 8_191],
        ],
      },
      { node: 'a', slots: [] },
    ]);
    expect(placement.nodes).toEqual([
      { id: 'a', weight: 1, zone: undefined },
      { id: 'b', weight: 2, zone: 'eu' },
    ]);
    expect(placement.ranges()).toEqual([{ node: 'b', firstSlot: 0, endSlot: 16_384 }]);
    expect(placement.nodeFor('__proto__')).toBe('b');
  });
});
