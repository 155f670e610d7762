import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedLoadRing, leastCapacityFactor } from '../../../src/placement/ring/bounded-load-ring.ts';
import { HashRing } from '../../../src/placement/ring/hash-ring.ts';
import { describePlacement } from '../../../src/testing/placement-suite.ts';
import { anyKey, anyNodes } from '../../support/arbitraries.ts';

const ringOptions = { virtualNodes: 16, slots: 2 ** 10 } as const;
const anyFactor = fc.oneof(
  fc.constant(leastCapacityFactor),
  fc.double({ min: leastCapacityFactor, max: 4, noNaN: true }),
);
const anyLoad = fc.oneof(fc.nat({ max: 20 }), fc.double({ min: 0, max: 1e15, noNaN: true }), fc.constant(0));

/** A ring with a load for each of its nodes. */
const anyLoaded = fc
  .record({
    nodes: anyNodes({ min: 1, max: 12 }),
    capacityFactor: anyFactor,
    values: fc.array(anyLoad, { minLength: 12 }),
  })
  .map(({ nodes, capacityFactor, values }) => ({
    ring: BoundedLoadRing.create(nodes, { ...ringOptions, capacityFactor }),
    loads: new Map(nodes.map(({ id }, index) => [id, values[index]!])),
  }));

const sumOf = (numbers: Iterable<number>) => [...numbers].reduce((sum, number) => sum + number, 0);

const alike = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `node-${index}` }));

describePlacement(
  { describe, it },
  {
    name: 'BoundedLoadRing',
    create: (nodes, replicationFactor) => BoundedLoadRing.create(nodes, { slots: 2 ** 14, replicationFactor }),
    restore: (snapshot) => BoundedLoadRing.fromSnapshot(snapshot),
  },
);

describe('a bounded-load ring', () => {
  it('chooses the first node of the preference order that is below its capacity, whatever the loads', () => {
    fc.assert(
      fc.property(anyLoaded, anyKey, ({ ring, loads }, key) => {
        const capacities = ring.capacities(sumOf(ring.nodes.map(({ id }) => loads.get(id)!)));
        const order = ring.preferenceList(key, ring.nodes.length);
        const expected = order.find((id) => loads.get(id)! < capacities.get(id)!);
        expect(expected).toBeDefined();
        expect(ring.choose(key, loads)).toBe(expected);
        expect(ring.choose(key, (id) => loads.get(id)!)).toBe(expected);
      }),
    );
  });

  it('keeps every node within its capacity as loads grow one by one, and as keys are placed at once', () => {
    const keys = fc.array(anyKey, { maxLength: 60 });
    fc.assert(
      fc.property(anyNodes({ min: 1, max: 8 }), anyFactor, keys, (nodes, capacityFactor, all) => {
        const ring = BoundedLoadRing.create(nodes, { ...ringOptions, capacityFactor });
        const loads = new Map<string, number>();
        for (const [total, key] of all.entries()) {
          const id = ring.choose(key, loads);
          loads.set(id, (loads.get(id) ?? 0) + 1);
          expect(loads.get(id)).toBeLessThanOrEqual(ring.capacities(total).get(id)!);
        }
        const placed = ring.assign(all);
        expect([...placed.keys()]).toEqual(ring.nodes.map(({ id }) => id));
        expect([...placed.values()].flat().sort()).toEqual([...all].sort());
        const bounds = ring.capacities(Math.max(0, all.length - 1));
        for (const [id, its] of placed) expect(its.length).toBeLessThanOrEqual(bounds.get(id)!);
      }),
      { numRuns: 60 },
    );
  });

  it('maps as its ring does, in every call of a placement', () => {
    fc.assert(
      fc.property(anyNodes({ min: 1, max: 6, zoned: true }), anyKey, (nodes, key) => {
        const options = { ...ringOptions, replicationFactor: 2 };
        const [ring, bounded] = [HashRing.create(nodes, options), BoundedLoadRing.create(nodes, options)];
        expect(bounded.nodes).toEqual(ring.nodes);
        expect(bounded.nodeFor(key)).toBe(ring.nodeFor(key));
        expect(bounded.preferenceList(key, nodes.length)).toEqual(ring.preferenceList(key, nodes.length));
        expect([bounded.positionOf(key), bounded.slotOf(key)]).toEqual([ring.positionOf(key), ring.slotOf(key)]);
        expect(bounded.shares()).toEqual(ring.shares());
        expect(bounded.arcs(1)).toEqual(ring.arcs(1));
        expect([bounded.slotting, bounded.slots]).toEqual([ring.slotting, ring.slots]);
        expect(bounded.choose(key, new Map())).toBe(ring.nodeFor(key));
      }),
      { numRuns: 40 },
    );
  });

  it('has capacities that can be worked out by hand', () => {
    const ring = BoundedLoadRing.create([{ id: 'a' }, { id: 'b' }, { id: 'c', weight: 2 }], ringOptions);
    expect(ring.capacityFactor).toBe(1.25);
    // 1.25 * (7 + 1) = 10, of which a and b have a quarter each and c a half.
    expect([...ring.capacities(7)]).toEqual([
      ['a', 3],
      ['b', 3],
      ['c', 5],
    ]);
    // 1.25 * 1 / 4 and 1.25 * 2 / 4, rounded up: the first unit finds room anywhere.
    expect([...ring.capacities(0).values()]).toEqual([1, 1, 1]);
    const [first, second, third] = ring.preferenceList('key', 3) as [string, string, string];
    const full = { a: 3, b: 3, c: 5 } as Record<string, number>;
    const room = (open: string) => new Map(Object.keys(full).map((id) => [id, id === open ? 0 : full[id]!]));
    expect(ring.choose('key', room(first), 7)).toBe(first);
    expect(ring.choose('key', room(second), 7)).toBe(second);
    expect(ring.choose('key', room(third), 7)).toBe(third);
  });

  it('spreads 10,000 keys so that the fullest node has at most c times the mean, where the ring alone has more', () => {
    const keys = Array.from({ length: 10_000 }, (_, index) => `key:${index}`);
    const ring = BoundedLoadRing.create(alike(10), { virtualNodes: 16, capacityFactor: 1.05 });
    const fullest = (parts: Iterable<readonly string[]>) => Math.max(...[...parts].map(({ length }) => length));
    const placed = ring.assign(keys);
    expect(fullest(placed.values())).toBe(1_050);
    expect(Math.max(...ring.shares().values())).toBeGreaterThan(0.105);
    // All but those that found their node full are where the ring has them.
    const atOwner = [...placed].flatMap(([id, its]) => its.filter((key) => ring.nodeFor(key) === id)).length;
    const overflow = sumOf(
      ring.nodes.map(({ id }) => Math.max(0, keys.filter((key) => ring.nodeFor(key) === id).length - 1_050)),
    );
    expect(atOwner).toBeGreaterThanOrEqual(keys.length - 3 * overflow);
    expect(atOwner).toBeLessThanOrEqual(keys.length - overflow);
  });

  it('never lists the nodes of a key whose first has room', () => {
    const ring = BoundedLoadRing.create(alike(50), ringOptions);
    const lists: number[] = [];
    const walk = ring.ring.preferenceList.bind(ring.ring);
    Object.defineProperty(ring.ring, 'preferenceList', {
      value: (key: string, count: number) => {
        lists.push(count);
        return walk(key, count);
      },
    });
    ring.choose('key', new Map());
    expect(lists).toEqual([]);
    const order = walk('key', 50);
    const loads = new Map(order.slice(0, 5).map((id) => [id, 100]));
    expect(ring.choose('key', loads)).toBe(order[5]);
    expect(lists).toEqual([2, 4, 8]);
  });

  it('reads only the loads of the nodes it walks past, where the total is given', () => {
    const ring = BoundedLoadRing.create(alike(50), ringOptions);
    const read: string[] = [];
    const loadOf = (id: string) => {
      read.push(id);
      return read.length <= 2 ? 100 : 0;
    };
    expect(ring.choose('key', loadOf, 200)).toBe(ring.preferenceList('key', 3)[2]);
    expect(read).toEqual(ring.preferenceList('key', 3));
  });

  it('counts a node without an entry as idle, and ignores the loads of unknown nodes', () => {
    const ring = BoundedLoadRing.create(alike(2), ringOptions);
    const owner = ring.nodeFor('key');
    // Were the stranger counted, the capacity of the owner would be far above 2.
    const loads = new Map([
      ['stranger', 1_000],
      [owner, 2],
    ]);
    expect(ring.choose('key', loads)).not.toBe(owner);
  });

  it('refuses invalid loads, and loads that do not fit together', () => {
    const ring = BoundedLoadRing.create([{ id: 'a' }], ringOptions);
    const invalid = (field: string) => expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field });
    for (const load of [-1, Number.NaN, Number.POSITIVE_INFINITY, '1' as never, 1n as never]) {
      expect(() => ring.choose('key', new Map([['a', load]]))).toThrow(invalid('loads of node a'));
      expect(() => ring.choose('key', () => load)).toThrow(invalid('loads of node a'));
      expect(() => ring.choose('key', new Map(), load)).toThrow(invalid('totalLoad'));
      expect(() => ring.capacities(load)).toThrow(invalid('totalLoad'));
    }
    for (const loads of [undefined, null, 7, 'a', { a: 1 }, []]) {
      expect(() => ring.choose('key', loads as never)).toThrow(invalid('loads'));
    }
    expect(() => ring.choose('key', () => undefined as never)).toThrow(invalid('loads of node a'));
    expect(() => ring.choose('key', new Map([['a', 10]]), 5)).toThrow(invalid('loads'));
    let calls = 0;
    expect(() => ring.choose('key', () => 10 * calls++)).toThrow(invalid('loads'));
    const two = BoundedLoadRing.create(alike(2), ringOptions);
    expect(() => two.choose('key', () => Number.MAX_VALUE)).toThrow(invalid('loads'));
    expect(() => ring.assign('keys' as never)).toThrow(invalid('keys'));
    expect(() => ring.assign(['a', 7 as never])).toThrow(invalid('keys[1]'));
  });

  it('finds room even for loads so large that one more is lost in rounding', () => {
    const ring = BoundedLoadRing.create(alike(9), { ...ringOptions, capacityFactor: leastCapacityFactor });
    expect(ring.choose('key', () => 1e300)).toBe(ring.nodeFor('key'));
  });

  it('refuses a capacity factor that leaves no room, and options it does not know', () => {
    for (const capacityFactor of [1, 0.5, 1.0009, Number.NaN, Number.POSITIVE_INFINITY, '2' as never, null as never]) {
      expect(() => BoundedLoadRing.create([], { capacityFactor })).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field: 'capacityFactor' }),
      );
    }
    expect(() => BoundedLoadRing.create([], { factor: 2 } as never)).toThrow(/options\.factor/);
  });

  it('has no node to choose while it is empty', () => {
    const ring = BoundedLoadRing.create([], ringOptions);
    const noNodes = expect.objectContaining({ code: 'ERR_NO_NODES' });
    expect(() => ring.choose('key', new Map())).toThrow(noNodes);
    expect(() => ring.assign(['key'])).toThrow(noNodes);
    expect(ring.assign([])).toEqual(new Map());
    expect(ring.capacities(0)).toEqual(new Map());
  });

  it('keeps its capacity factor through changes and snapshots, and names it in the checksum', () => {
    const ring = BoundedLoadRing.create(alike(3), { ...ringOptions, capacityFactor: 2, hashSeed: 7 });
    const changed = ring.withNode({ id: 'new' }).withWeight('new', 2).withoutNode('node-0');
    expect(changed.capacityFactor).toBe(2);
    expect(changed.nodes.map(({ id, weight }) => [id, weight])).toEqual([
      ['new', 2],
      ['node-1', 1],
      ['node-2', 1],
    ]);
    expect(BoundedLoadRing.fromSnapshot(JSON.stringify(ring.toSnapshot()))).toEqual(ring);
    expect(BoundedLoadRing.create(alike(3), { ...ringOptions, hashSeed: 7 }).checksum).not.toBe(ring.checksum);
    expect(BoundedLoadRing.fromSnapshot(ring.toSnapshot(), { replicationFactor: 2 }).ring.replicationFactor).toBe(2);
  });

  it('keeps the text of its snapshots for ever', () => {
    expect(JSON.stringify(BoundedLoadRing.create([{ id: 'a', zone: 'eu' }], ringOptions).toSnapshot())).toBe(
      '{"format":"shardring/placement","version":1,"placement":"bounded-load/1","slots":1024,"virtualNodes":16,' +
        '"hashSeed":0,"capacityFactor":1.25,"nodes":[{"id":"a","weight":1,"zone":"eu"}],"checksum":"de4d8a497b4fdd69"}',
    );
  });

  it('refuses snapshots that were altered or lack a parameter', () => {
    const snapshot = BoundedLoadRing.create([{ id: 'a' }], ringOptions).toSnapshot();
    for (const altered of [
      { ...snapshot, capacityFactor: 2 },
      { ...snapshot, capacityFactor: undefined },
      { ...snapshot, hashSeed: undefined },
      { ...snapshot, placement: 'bounded-load/2' },
      { ...snapshot, format: 'shardring/ring' },
    ]) {
      expect(() => BoundedLoadRing.fromSnapshot(altered)).toThrow(expect.objectContaining({ code: 'ERR_SNAPSHOT' }));
    }
  });
});
