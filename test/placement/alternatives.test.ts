/** What rendezvous hashing, its table and Maglev promise alike. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Maglev } from '../../src/placement/maglev/maglev.ts';
import type { NodeInput } from '../../src/placement/node.ts';
import type { Placement } from '../../src/placement/placement.ts';
import { Rendezvous } from '../../src/placement/rendezvous/rendezvous.ts';
import { RendezvousTable } from '../../src/placement/rendezvous/rendezvous-table.ts';
import { anyKey, anyNodes } from '../support/arbitraries.ts';

interface Kind {
  readonly name: string;
  readonly create: (
    nodes: Iterable<NodeInput>,
    options?: { hashSeed?: number; replicationFactor?: number },
  ) => Placement;
  readonly fromSnapshot: (snapshot: unknown) => Placement;
  /** The text of the snapshot of a, and b of weight 2 in zone eu. */
  readonly snapshot: string;
  /** A change moves no key for nothing. */
  readonly isMinimal: boolean;
}

const slots = 2 ** 10;

const kinds: readonly Kind[] = [
  {
    name: 'Rendezvous',
    create: (nodes, { replicationFactor: _, ...options } = {}) => Rendezvous.create(nodes, options),
    fromSnapshot: (snapshot) => Rendezvous.fromSnapshot(snapshot),
    snapshot:
      '{"format":"shardring/placement","version":1,"placement":"rendezvous/1","hashSeed":0,' +
      '"nodes":[{"id":"a","weight":1},{"id":"b","weight":2,"zone":"eu"}],"checksum":"3ba8461d617b15aa"}',
    isMinimal: true,
  },
  {
    name: 'RendezvousTable',
    create: (nodes, options = {}) => RendezvousTable.create(nodes, { slots, ...options }),
    fromSnapshot: (snapshot) => RendezvousTable.fromSnapshot(snapshot),
    snapshot:
      '{"format":"shardring/placement","version":1,"placement":"rendezvous-table/1","slots":1024,"hashSeed":0,' +
      '"nodes":[{"id":"a","weight":1},{"id":"b","weight":2,"zone":"eu"}],"checksum":"4d0fa6a6591fe42d"}',
    isMinimal: true,
  },
  {
    name: 'Maglev',
    create: (nodes, options = {}) => Maglev.create(nodes, { slots, ...options }),
    fromSnapshot: (snapshot) => Maglev.fromSnapshot(snapshot),
    snapshot:
      '{"format":"shardring/placement","version":1,"placement":"maglev/1","slots":1024,"hashSeed":0,' +
      '"nodes":[{"id":"a","weight":1},{"id":"b","weight":2,"zone":"eu"}],"checksum":"e39bbaf2f54af5c5"}',
    isMinimal: false,
  },
];

const keys = Array.from({ length: 500 }, (_, index) => `key:${index}`);

/** Nodes of `set` that are not in `other`. */
const without = (set: readonly string[], other: readonly string[]) => set.filter((id) => !other.includes(id));

describe.each(kinds)('$name', ({ create, fromSnapshot, snapshot }) => {
  it('does not depend on the order in which nodes joined', () => {
    fc.assert(
      fc.property(
        anyNodes({ min: 1, max: 8, zoned: true }),
        fc.infiniteStream(fc.nat()),
        anyKey,
        (nodes, random, key) => {
          const shuffled = nodes
            .map((node) => ({ node, order: random.next().value }))
            .sort((a, b) => a.order - b.order)
            .map(({ node }) => node);
          const made = create(nodes);
          const grown = shuffled.reduce<Placement>((sum, node) => sum.withNode(node), create([]));
          expect(grown.checksum).toBe(made.checksum);
          expect(grown.preferenceList(key, nodes.length)).toEqual(made.preferenceList(key, nodes.length));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('comes back by the opposite change, as if made anew', () => {
    fc.assert(
      fc.property(anyNodes({ min: 2, max: 6, zoned: true }), fc.integer({ min: 1, max: 3 }), (nodes, width) => {
        const [changed, ...others] = nodes;
        const { id, weight = 1 } = changed!;
        const options = { replicationFactor: width };
        const made = create(nodes, options);
        for (const back of [
          create(others, options).withNode(changed!),
          made.withNode({ id: `${id}!` }).withoutNode(`${id}!`),
          made.withWeight(id, weight * 2).withWeight(id, weight),
          made.withWeight(id, 1).withWeight(id, weight),
        ]) {
          expect(back.checksum).toBe(made.checksum);
          expect(keys.map((key) => back.nodeFor(key))).toEqual(keys.map((key) => made.nodeFor(key)));
          for (const key of keys.slice(0, 100)) {
            expect(back.preferenceList(key, nodes.length)).toEqual(made.preferenceList(key, nodes.length));
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it('gives preference lists of distinct nodes of which a shorter one is a prefix of a longer one', () => {
    fc.assert(
      fc.property(
        anyNodes({ min: 1, max: 10, zoned: true }),
        fc.integer({ min: 1, max: 10 }),
        anyKey,
        (nodes, width, key) => {
          const placement = create(nodes, { replicationFactor: width });
          const all = placement.preferenceList(key, nodes.length);
          expect(new Set(all)).toEqual(new Set(nodes.map(({ id }) => id)));
          for (let count = 1; count <= nodes.length; count++) {
            const list = placement.preferenceList(key, count);
            expect(list).toEqual(all.slice(0, count));
            expect(Object.isFrozen(list)).toBe(true);
          }
          expect(placement.nodeFor(key)).toBe(all[0]);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('visits every zone once before any zone twice', () => {
    fc.assert(
      fc.property(anyNodes({ min: 2, max: 10, zoned: true }), anyKey, (nodes, key) => {
        const zoneOf = new Map(nodes.map(({ id, zone }) => [id, zone ?? `only ${id}`]));
        const zones = create(nodes)
          .preferenceList(key, nodes.length)
          .map((id) => zoneOf.get(id));
        const distinct = new Set(zones).size;
        expect(new Set(zones.slice(0, distinct)).size).toBe(distinct);
      }),
      { numRuns: 100 },
    );
  });

  it('does not heed zones for the owner, nor for the order where each node has its own', () => {
    fc.assert(
      fc.property(anyNodes({ min: 1, max: 8, zoned: true }), anyKey, (nodes, key) => {
        const unzoned = nodes.map((node) => ({ ...node, zone: undefined }));
        const alone = nodes.map((node) => ({ ...node, zone: `of ${node.id}` }));
        expect(create(nodes).nodeFor(key)).toBe(create(unzoned).nodeFor(key));
        expect(create(alone).preferenceList(key, nodes.length)).toEqual(
          create(unzoned).preferenceList(key, nodes.length),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('keeps together the keys of one hash tag', () => {
    const placement = create([{ id: 'a' }, { id: 'b' }, { id: 'c' }]);
    for (let user = 0; user < 50; user++) {
      const owners = ['', ':name', ':mail'].map((field) => placement.nodeFor(`{user:${user}}${field}`));
      expect(new Set(owners)).toEqual(new Set([placement.nodeFor(`user:${user}`)]));
    }
  });

  it('has a snapshot that gives back the same mapping through JSON, for any nodes and seed', () => {
    const seed = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    fc.assert(
      fc.property(anyNodes({ min: 1, max: 6, zoned: true }), seed, anyKey, (nodes, hashSeed, key) => {
        const before = create(nodes, { hashSeed });
        const after = fromSnapshot(JSON.stringify(before.toSnapshot()));
        expect(after.checksum).toBe(before.checksum);
        expect(after.preferenceList(key, nodes.length)).toEqual(before.preferenceList(key, nodes.length));
      }),
      { numRuns: 40 },
    );
  });

  it('has a snapshot that keeps its text for ever and is refused where it was altered', () => {
    const taken = create([{ id: 'b', weight: 2, zone: 'eu' }, { id: 'a' }]).toSnapshot();
    expect(JSON.stringify(taken)).toBe(snapshot);
    for (const altered of [
      { ...taken, format: 'shardring/ring' },
      { ...taken, version: 2 },
      { ...taken, placement: 'xxh32/1' },
      { ...taken, nodes: [taken.nodes[0], { id: 'b', weight: 3, zone: 'eu' }] },
      { ...taken, hashSeed: 1 },
      { ...taken, hashSeed: '0' },
      { ...taken, virtualNodes: 160 },
      { ...taken, checksum: '0'.repeat(16) },
    ]) {
      expect(() => fromSnapshot(altered)).toThrow(expect.objectContaining({ code: 'ERR_SNAPSHOT' }));
    }
  });

  it('has a checksum that differs where the mapping differs', () => {
    const placements = [
      create([{ id: 'a' }, { id: 'b' }]),
      create([{ id: 'a' }, { id: 'b' }], { hashSeed: 1 }),
      create([{ id: 'a' }, { id: 'b', weight: 2 }]),
      create([{ id: 'a' }, { id: 'b', zone: 'z' }]),
      create([{ id: 'a' }]),
      create([]),
    ];
    expect(new Set(placements.map(({ checksum }) => checksum)).size).toBe(placements.length);
  });

  it('maps otherwise under another seed', () => {
    const nodes = Array.from({ length: 8 }, (_, index) => ({ id: `node-${index}` }));
    const [one, other] = [create(nodes), create(nodes, { hashSeed: 1 })];
    const alike = keys.filter((key) => one.nodeFor(key) === other.nodeFor(key)).length;
    // One in eight by chance; sd 7.4.
    expect(Math.abs(alike - keys.length / 8)).toBeLessThan(4 * 7.4);
  });

  it('takes weights of any size', () => {
    const placement = create([
      { id: 'a', weight: 5e-324 },
      { id: 'b', weight: 1 },
      { id: 'c', weight: Number.MAX_VALUE },
      { id: 'd', weight: Number.MAX_VALUE },
    ]);
    // Maglev gives every node one slot of the 1,024 at least.
    const owners = keys.map((key) => placement.nodeFor(key));
    expect(owners.filter((id) => id === 'c' || id === 'd').length).toBeGreaterThan(490);
    expect(new Set(placement.preferenceList('key', 4)).size).toBe(4);
    const shares = [...placement.shares().values()];
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
  });

  it('says what is wrong with what it is given', () => {
    const placement = create([{ id: 'a' }]);
    const refused = (field: string) => expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field });
    expect(() => placement.withNode({ id: 'a' })).toThrow(refused('node.id'));
    expect(() => placement.withNode({ id: 'b', weight: 0 })).toThrow(refused('node.weight'));
    expect(() => placement.withoutNode('b')).toThrow(refused('id'));
    expect(() => placement.withWeight('b', 1)).toThrow(refused('id'));
    expect(() => placement.withWeight('a', Number.NaN)).toThrow(refused('weight'));
    expect(() => placement.preferenceList('key', 2)).toThrow(refused('count'));
    expect(() => placement.preferenceList('key', 0)).toThrow(refused('count'));
    expect(() => create([{ id: 'a' }, { id: 'a' }])).toThrow(refused('nodes[1].id'));
    expect(() => create([], { hashSeed: -1 })).toThrow(refused('hashSeed'));
    expect(() => create([], { virtualNodes: 7 } as never)).toThrow(refused('options.virtualNodes'));
    expect(() => create([]).nodeFor('key')).toThrow(expect.objectContaining({ code: 'ERR_NO_NODES' }));
    expect(() => create([]).preferenceList('key', 1)).toThrow(expect.objectContaining({ code: 'ERR_NO_NODES' }));
    expect(create([]).shares().size).toBe(0);
  });
});

describe.each(kinds.filter(({ isMinimal }) => isMinimal))('$name, when one node changes,', ({ create }) => {
  it('changes lists only by that node, and moves the order of no two others', () => {
    fc.assert(
      fc.property(anyNodes({ min: 2, max: 8 }), fc.integer({ min: 1, max: 3 }), (inputs, width) => {
        const nodes = inputs.map((node) => ({ ...node, zone: undefined }));
        const [joining, ...others] = nodes;
        const before = create(others, { replicationFactor: width });
        const after = before.withNode(joining!);
        for (const key of keys.slice(0, 200)) {
          const list = after.preferenceList(key, nodes.length);
          expect(without(list, [joining!.id])).toEqual(before.preferenceList(key, others.length));
        }
      }),
      { numRuns: 30 },
    );
  });

  it('puts only that node in and at most one other out of the first nodes of a key, with zones too', () => {
    fc.assert(
      fc.property(anyNodes({ min: 3, max: 9, zoned: true }), fc.integer({ min: 1, max: 5 }), (nodes, wanted) => {
        const [joining, ...others] = nodes;
        const count = Math.min(wanted, others.length);
        const before = create(others, { replicationFactor: count });
        const after = before.withNode(joining!);
        for (const key of keys.slice(0, 200)) {
          const [left, right] = [before.preferenceList(key, count), after.preferenceList(key, count)];
          const joined = without(right, left);
          if (joined.length > 0) expect(joined).toEqual([joining!.id]);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('moves keys only to a node whose weight grows', () => {
    fc.assert(
      fc.property(anyNodes({ min: 2, max: 8 }), fc.double({ min: 1.01, max: 4, noNaN: true }), (nodes, factor) => {
        const { id, weight = 1 } = nodes[0]!;
        const before = create(nodes);
        const heavier = before.withWeight(id, weight * factor);
        for (const key of keys) {
          if (heavier.nodeFor(key) !== before.nodeFor(key)) expect(heavier.nodeFor(key)).toBe(id);
        }
      }),
      { numRuns: 30 },
    );
  });
});
