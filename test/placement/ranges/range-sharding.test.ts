import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NodeInput } from '../../../src/placement/node.ts';
import { RangeSharding, type RangeSplit } from '../../../src/placement/ranges/range-sharding.ts';
import { type Random, seededRandom } from '../../../src/runtime/random.ts';
import { describePlacement } from '../../../src/testing/placement-suite.ts';
import { anyKey, anyNodes } from '../../support/arbitraries.ts';

const invalid = (field: string) => expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field });

/** Nodes, and ranges that belong to some of them. */
const anySharding = fc
  .record({
    nodes: anyNodes({ min: 1, max: 6, zoned: true }),
    starts: fc.uniqueArray(anyKey, { maxLength: 10 }),
    owners: fc.array(fc.nat(), { minLength: 11 }),
  })
  .map(({ nodes, starts, owners }) => {
    const splits = ['', ...starts.filter((start) => start !== '')].map((start, index) => ({
      start,
      node: nodes[owners[index]! % nodes.length]!.id,
    }));
    return RangeSharding.create(nodes, { splits });
  });

/** What the splits say of a key, by trying them all. */
function ownerByScan(sharding: RangeSharding, key: string): string {
  return sharding
    .ranges()
    .filter(({ start }) => start <= key)
    .at(-1)!.node;
}

const idsOf = (sharding: RangeSharding) => sharding.nodes.map(({ id }) => id);

/** The order of all nodes for what `owner` owns, which every placement of these nodes has. */
function orderOf(nodes: readonly NodeInput[], owner: string): readonly string[] {
  return RangeSharding.create(nodes, { splits: [{ start: '', node: owner }] }).preferenceList('', nodes.length);
}

const keyOf = (random: Random) => random().toString(36).slice(2);
const sampleRandom = seededRandom(11);
const sample = Array.from({ length: 5_000 }, () => keyOf(sampleRandom));

describePlacement(
  { describe, it },
  {
    name: 'RangeSharding',
    create: (nodes) => RangeSharding.fromSample(nodes, sample),
    restore: (snapshot) => RangeSharding.fromSnapshot(snapshot),
    key: keyOf,
    unsupported: {
      historyFree: 'a node that joins has no range until it is given one',
      minimalReplicas: 'a range that gets another owner gets the replicas of that one',
      keyShares: 'without a sample, shares are those of the number of ranges',
      hashTags: 'keys are taken as they are, to keep their order',
    },
  },
);

describe('range sharding', () => {
  it('gives every key to the owner of the last range that starts at or before it', () => {
    fc.assert(
      fc.property(anySharding, anyKey, (sharding, key) => {
        expect(sharding.nodeFor(key)).toBe(ownerByScan(sharding, key));
        for (const { start, node } of sharding.ranges()) expect(sharding.nodeFor(start)).toBe(node);
      }),
    );
  });

  it('has ranges that follow one another from the empty key to the end of all keys', () => {
    fc.assert(
      fc.property(anySharding, (sharding) => {
        const ranges = sharding.ranges();
        expect(ranges[0]!.start).toBe('');
        expect(ranges.at(-1)!.end).toBeUndefined();
        for (const [index, { start, end }] of ranges.slice(0, -1).entries()) {
          expect(end).toBe(ranges[index + 1]!.start);
          expect(start < end!).toBe(true);
        }
      }),
    );
  });

  it('lists all nodes, the owner first, as prefixes of one shared frozen order for each owner', () => {
    fc.assert(
      fc.property(anySharding, anyKey, (sharding, key) => {
        const all = sharding.preferenceList(key, sharding.nodes.length);
        expect(all[0]).toBe(sharding.nodeFor(key));
        expect([...all].sort()).toEqual(idsOf(sharding));
        for (let count = 1; count <= all.length; count++) {
          const list = sharding.preferenceList(key, count);
          expect(list).toEqual(all.slice(0, count));
          expect(Object.isFrozen(list)).toBe(true);
          for (const { start, node } of sharding.ranges()) {
            if (node === all[0]) expect(sharding.preferenceList(start, count)).toBe(list);
          }
        }
      }),
    );
  });

  it('visits by rangesBetween exactly the keys in [from, to), in order, each at its owner', () => {
    fc.assert(
      fc.property(anySharding, anyKey, fc.option(anyKey, { nil: undefined }), anyKey, (sharding, one, other, key) => {
        const [from, to] = other !== undefined && other < one ? [other, one] : [one, other];
        const pieces = sharding.rangesBetween(from, to);
        if (from === to) {
          expect(pieces).toEqual([]);
          return;
        }
        expect(pieces[0]!.start).toBe(from);
        expect(pieces.at(-1)!.end).toBe(to);
        for (const [index, { start, end, node }] of pieces.entries()) {
          expect(end === undefined || start < end).toBe(true);
          expect(sharding.nodeFor(start)).toBe(node);
          if (index > 0) expect(start).toBe(pieces[index - 1]!.end);
        }
        const holder = pieces.find(({ start, end }) => start <= key && (end === undefined || key < end));
        const isWithin = from <= key && (to === undefined || key < to);
        expect(holder?.node).toBe(isWithin ? sharding.nodeFor(key) : undefined);
      }),
    );
  });

  it('moves nothing by a split that names no node, and a merge takes the split back', () => {
    fc.assert(
      fc.property(anySharding, anyKey, anyKey, (sharding, at, key) => {
        fc.pre(!sharding.ranges().some(({ start }) => start === at));
        const split = sharding.split(at);
        expect(split.ranges().length).toBe(sharding.ranges().length + 1);
        expect(split.checksum).toBe(sharding.checksum);
        const count = sharding.nodes.length;
        expect(split.preferenceList(key, count)).toEqual(sharding.preferenceList(key, count));
        expect(split.merge(at).ranges()).toEqual(sharding.ranges());
      }),
    );
  });

  it('moves by a split with a node, and by an assignment, only the keys of that range', () => {
    fc.assert(
      fc.property(anySharding, anyKey, anyKey, fc.nat(), (sharding, at, key, pick) => {
        fc.pre(!sharding.ranges().some(({ start }) => start === at));
        const node = sharding.nodes[pick % sharding.nodes.length]!.id;
        const split = sharding.split(at, node);
        const range = split.ranges().find(({ start }) => start === at)!;
        const isIn = (start: string, end: string | undefined) => start <= key && (end === undefined || key < end);
        expect(split.nodeFor(key)).toBe(isIn(at, range.end) ? node : sharding.nodeFor(key));
        const first = sharding.ranges()[0]!;
        expect(sharding.assign('', node).nodeFor(key)).toBe(isIn('', first.end) ? node : sharding.nodeFor(key));
        expect(split.assign(at, sharding.nodeFor(at)).checksum).toBe(sharding.checksum);
      }),
    );
  });

  it('moves nothing when a node joins, and only the keys of a node that leaves', () => {
    fc.assert(
      fc.property(anySharding, anyKey, fc.nat(), (sharding, key, pick) => {
        const joined = sharding.withNode({ id: 'newcomer', zone: 'eu' });
        expect(joined.nodeFor(key)).toBe(sharding.nodeFor(key));
        expect(joined.withoutNode('newcomer').checksum).toBe(sharding.checksum);
        const leaver = sharding.nodes[pick % sharding.nodes.length]!.id;
        fc.pre(sharding.nodes.length > 1);
        const left = sharding.withoutNode(leaver);
        if (sharding.nodeFor(key) !== leaver) expect(left.nodeFor(key)).toBe(sharding.nodeFor(key));
        expect(left.ranges().some(({ node }) => node === leaver)).toBe(false);
      }),
    );
  });

  it('keeps the order of the other nodes for an owner when one joins, leaves or is weighed anew, without zones', () => {
    fc.assert(
      fc.property(anyNodes({ min: 3, max: 8 }), fc.double({ min: 0.1, max: 9, noNaN: true }), (zoned, weight) => {
        const nodes = zoned.map(({ id, weight }) => ({ id, weight }));
        const [owner, other] = [nodes[0]!.id, nodes[1]!.id];
        const without = (ids: readonly string[]) => ids.filter((id) => id !== other);
        const rest = nodes.filter(({ id }) => id !== other);
        expect(without(orderOf(nodes, owner))).toEqual(orderOf(rest, owner));
        const reweighed = nodes.map((node) => (node.id === other ? { ...node, weight } : node));
        expect(without(orderOf(reweighed, owner))).toEqual(orderOf(rest, owner));
      }),
    );
  });

  it('takes replicas in proportion to their weights', () => {
    const owners = Array.from({ length: 500 }, (_, index) => ({ id: `owner-${index}`, weight: 1e-9 }));
    const nodes = [...owners, { id: 'light', weight: 1 }, { id: 'heavy', weight: 3 }];
    const splits = owners.map(({ id }, index) => ({ start: index === 0 ? '' : `${10_000 + index}`, node: id }));
    const sharding = RangeSharding.create(nodes, { splits });
    const heavy = sharding.ranges().filter(({ start }) => sharding.preferenceList(start, 2)[1] === 'heavy').length;
    // 375 of 500 expected; five standard deviations of a binomial count are 48.
    expect(Math.abs(heavy - 375)).toBeLessThan(48);
  });

  it('has replicas in other zones first', () => {
    fc.assert(
      fc.property(anySharding, anyKey, (sharding, key) => {
        const zones = new Map(sharding.nodes.map(({ id, zone }) => [id, zone ?? `alone: ${id}`]));
        const all = sharding.preferenceList(key, sharding.nodes.length).map((id) => zones.get(id));
        const zoneCount = new Set(all).size;
        expect(new Set(all.slice(0, zoneCount)).size).toBe(zoneCount);
      }),
    );
  });

  it('has arcs that give every key the nodes of its list', () => {
    fc.assert(
      fc.property(anySharding, anyKey, fc.nat(), (sharding, key, pick) => {
        const count = 1 + (pick % sharding.nodes.length);
        const { starts, rows } = sharding.arcs(count);
        const arc = Array.from(starts).findLastIndex((start) => start <= key);
        expect(starts[0]).toBe('');
        expect(rows.length).toBe(starts.length * count);
        const row = Array.from(rows).slice(arc * count, (arc + 1) * count);
        expect(row.map((index) => sharding.nodes[index]!.id)).toEqual(sharding.preferenceList(key, count));
      }),
    );
  });

  it('comes back from a snapshot through JSON, whatever the splits', () => {
    fc.assert(
      fc.property(anySharding, (sharding) => {
        const again = RangeSharding.fromSnapshot(JSON.stringify(sharding.toSnapshot()));
        expect(again.checksum).toBe(sharding.checksum);
        expect(again.ranges()).toEqual(sharding.ranges());
        expect(again.toSnapshot()).toEqual(sharding.toSnapshot());
      }),
    );
  });

  it('can be followed by hand', () => {
    const splits = [
      { start: 'm', node: 'b' },
      { start: '', node: 'a' },
    ];
    const sharding = RangeSharding.create([{ id: 'b' }, { id: 'a' }], { splits });
    expect(['', 'ant', 'lz', 'm', 'zebra'].map((key) => sharding.nodeFor(key))).toEqual(['a', 'a', 'a', 'b', 'b']);
    // Raw keys: the tag says 'z' and the key still starts with '{', which is after every letter.
    expect(sharding.nodeFor('{a}')).toBe('b');
    expect(sharding.preferenceList('ant', 2)).toEqual(['a', 'b']);
    const grown = sharding.withNode({ id: 'c' }).split('t', 'c').split('c');
    expect(grown.ranges()).toEqual([
      { start: '', end: 'c', node: 'a' },
      { start: 'c', end: 'm', node: 'a' },
      { start: 'm', end: 't', node: 'b' },
      { start: 't', end: undefined, node: 'c' },
    ]);
    expect(grown.rangesBetween('b', 'p')).toEqual([
      { start: 'b', end: 'c', node: 'a' },
      { start: 'c', end: 'm', node: 'a' },
      { start: 'm', end: 'p', node: 'b' },
    ]);
    expect(grown.rangesBetween('t')).toEqual([{ start: 't', end: undefined, node: 'c' }]);
    expect(grown.merge('m').nodeFor('n')).toBe('a');
    expect([...grown.shares()]).toEqual([
      ['a', 0.5],
      ['b', 0.25],
      ['c', 0.25],
    ]);
    expect([...grown.shares(['a', 'b', 'x', 'y', 'z']).values()]).toEqual([0.4, 0, 0.6]);
    expect([...grown.shares([]).values()]).toEqual([0, 0, 0]);
  });

  it('orders keys by UTF-16 code units: an emoji before U+E000, unlike in UTF-8', () => {
    const splits = [
      { start: '', node: 'before' },
      { start: '\ue000', node: 'after' },
    ];
    const sharding = RangeSharding.create([{ id: 'before' }, { id: 'after' }], { splits });
    expect(['\ud7ff', '😀', '\ue000', '\uffff'].map((key) => sharding.nodeFor(key))).toEqual([
      'before',
      'before',
      'after',
      'after',
    ]);
  });

  describe('when a node leaves', () => {
    const nodes = ['a', 'b', 'c', 'd'].map((id) => ({ id }));
    const owned = (owners: string) =>
      RangeSharding.create(nodes, {
        splits: [...owners].map((node, index) => ({ start: index === 0 ? '' : `${index}`, node })),
      });
    const ownersOf = (sharding: RangeSharding) => sharding.ranges().map(({ start, node }) => `${start}${node}`);

    it('merges each of its ranges with the one before, and with the one after at the beginning', () => {
      expect(ownersOf(owned('abcb').withoutNode('b'))).toEqual(['a', '2c']);
      expect(ownersOf(owned('bbac').withoutNode('b'))).toEqual(['a', '3c']);
      expect(ownersOf(owned('abbb').withoutNode('b'))).toEqual(['a']);
      expect(ownersOf(owned('aaca').withoutNode('b'))).toEqual(['a', '1a', '2c', '3a']);
    });

    it('gives all to its first replica where no other node has a range', () => {
      const sharding = owned('bb');
      expect(ownersOf(sharding.withoutNode('b'))).toEqual([sharding.preferenceList('', 2)[1]]);
    });

    it('may be empty in the end, and the next first node has every key', () => {
      const empty = RangeSharding.create([{ id: 'a' }], { splits: [{ start: '', node: 'a' }] }).withoutNode('a');
      const noNodes = expect.objectContaining({ code: 'ERR_NO_NODES' });
      expect(empty.ranges()).toEqual([]);
      expect(empty.shares()).toEqual(new Map());
      for (const call of [
        () => empty.nodeFor('key'),
        () => empty.preferenceList('key', 1),
        () => empty.rangesBetween('a'),
        () => empty.split('m'),
        () => empty.arcs(1),
      ]) {
        expect(call).toThrow(noNodes);
      }
      expect(ownersOf(empty.withNode({ id: 'b' }))).toEqual(['b']);
      expect(RangeSharding.fromSnapshot(empty.toSnapshot()).nodes).toEqual([]);
    });
  });

  describe('made from a sample of keys', () => {
    const words = ['ant', 'bear', 'bee', 'cat', 'cow', 'dog', 'eel', 'fox'];

    it('cuts it by weight, with the shortest split points there are, nodes ascending', () => {
      const sharding = RangeSharding.fromSample([{ id: 'y' }, { id: 'x', weight: 2 }, { id: 'z' }], words);
      expect(sharding.ranges()).toEqual([
        { start: '', end: 'co', node: 'x' },
        { start: 'co', end: 'e', node: 'y' },
        { start: 'e', end: undefined, node: 'z' },
      ]);
      expect([...sharding.shares(words).values()]).toEqual([0.5, 0.25, 0.25]);
    });

    it('does not depend on the order of the sample or of the nodes', () => {
      const nodes = [{ id: 'b', weight: 3 }, { id: 'a' }];
      const one = RangeSharding.fromSample(nodes, words);
      expect(RangeSharding.fromSample(nodes.toReversed(), words.toReversed()).checksum).toBe(one.checksum);
    });

    it('leaves no node without a key of the sample, and where no key comes twice, no share off by more than one key', () => {
      const anySample = fc.array(anyKey, { minLength: 1, maxLength: 60 });
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 6 }), anySample, (nodeCount, keys) => {
          const nodes = Array.from({ length: nodeCount }, (_, index) => ({ id: `${index}` }));
          const different = new Set(keys).size;
          if (different < nodeCount) {
            expect(() => RangeSharding.fromSample(nodes, keys)).toThrow(invalid('keys'));
            return;
          }
          const sharding = RangeSharding.fromSample(nodes, keys);
          for (const share of sharding.shares(keys).values()) expect(share).toBeGreaterThan(0);
          // With no key twice, a range ends at most half a key from where it should, on either side.
          if (different < keys.length) return;
          for (const share of sharding.shares(keys).values()) {
            expect(Math.abs(share * keys.length - keys.length / nodeCount)).toBeLessThanOrEqual(1 + 1e-9);
          }
        }),
      );
    });

    it.each([
      ['in the middle', ['cold', 'warm'], [0.01, 0.98, 0.01]],
      ['first', ['x', 'y', 'z'], [0.97, 0.01, 0.02]],
      ['last', ['a', 'b', 'c'], [0.02, 0.01, 0.97]],
    ])('keeps equal keys together, and still gives every node a part, where they are %s', (_, others, shares) => {
      const keys = [...Array.from({ length: 100 - others.length }, () => 'hot'), ...others];
      const sharding = RangeSharding.fromSample([{ id: 'a' }, { id: 'b' }, { id: 'c' }], keys);
      expect([...sharding.shares(keys).values()]).toEqual(shares);
    });

    it('splits no character in two', () => {
      // The characters differ in the first of their two units.
      const sharding = RangeSharding.fromSample([{ id: 'a' }, { id: 'b' }], ['x😀y', 'x🤀y']);
      expect(sharding.ranges()[1]!.start).toBe('x🤀');
    });

    it('refuses a sample that does not consist of keys, and names no key', () => {
      expect(() => RangeSharding.fromSample([{ id: 'a' }], ['a', 7 as never])).toThrow(invalid('keys[1]'));
      expect(() => RangeSharding.fromSample([{ id: 'a' }], 'keys')).toThrow(invalid('keys'));
      expect(RangeSharding.fromSample([], []).nodes).toEqual([]);
    });
  });

  it.each<[string, readonly unknown[] | undefined, string]>([
    ['no splits', undefined, 'splits'],
    ['no split at all', [], 'splits'],
    ['no split at the empty key', [{ start: 'b', node: 'a' }], 'splits[0].start'],
    [
      'two splits at one start',
      [
        { start: '', node: 'a' },
        { start: '', node: 'b' },
      ],
      'splits[1].start',
    ],
    ['a split of an unknown node', [{ start: '', node: 'c' }], 'splits[0].node'],
    ['a split without a node', [{ start: '' }], 'splits[0].node'],
    ['a start that is no string', [{ start: 0, node: 'a' }], 'splits[0].start'],
    ['a split with an end', [{ start: '', end: 'b', node: 'a' }], 'splits[0].end'],
  ])('refuses %s', (_, splits, field) => {
    const create = () => RangeSharding.create([{ id: 'a' }, { id: 'b' }], { splits: splits as RangeSplit[] });
    expect(create).toThrow(invalid(field));
  });

  it('refuses invalid changes without naming a key', () => {
    const splits = [
      { start: '', node: 'a' },
      { start: 'secret', node: 'b' },
    ];
    const sharding = RangeSharding.create([{ id: 'a' }, { id: 'b' }], { splits });
    for (const [field, call] of [
      ['at', () => sharding.split('secret')],
      ['at', () => sharding.split('')],
      ['at', () => sharding.split(7 as never)],
      ['node', () => sharding.split('m', 'c')],
      ['at', () => sharding.merge('')],
      ['at', () => sharding.merge('secre')],
      ['start', () => sharding.assign('secrets', 'a')],
      ['node', () => sharding.assign('secret', 'c')],
      ['to', () => sharding.rangesBetween('secret', 'm')],
      ['from', () => sharding.rangesBetween(undefined as never)],
      ['key', () => sharding.nodeFor(undefined as never)],
      ['count', () => sharding.preferenceList('secret', 3)],
      ['count', () => sharding.arcs(0)],
    ] as const) {
      expect(call).toThrow(invalid(field));
      expect(call).not.toThrow(/secret/);
    }
    expect(() => RangeSharding.create([], { splits: [], order: 'utf-8' } as never)).toThrow(invalid('options.order'));
    expect(() => RangeSharding.create([{ id: 'a' }, { id: 'a' }], { splits })).toThrow(invalid('nodes[1].id'));
  });

  describe('as a snapshot', () => {
    const splits = [
      { start: '', node: 'a' },
      { start: 'm', node: 'b' },
    ];
    const snapshot = RangeSharding.create([{ id: 'a' }, { id: 'b', weight: 2, zone: 'eu' }], { splits }).toSnapshot();

    it('keeps its text for ever', () => {
      expect(JSON.stringify(snapshot)).toBe(
        '{"format":"shardring/placement","version":1,"placement":"range/1","splits":[{"start":"","node":"a"},' +
          '{"start":"m","node":"b"}],"nodes":[{"id":"a","weight":1},{"id":"b","weight":2,"zone":"eu"}],"checksum":"9a23a1312eafc183"}',
      );
    });

    it('is refused when it was altered', () => {
      for (const altered of [
        { ...snapshot, splits: undefined },
        { ...snapshot, splits: [splits[0], { start: 'n', node: 'b' }] },
        { ...snapshot, splits: [splits[0]] },
        { ...snapshot, nodes: [{ id: 'a' }, { id: 'b', zone: 'eu' }] },
        { ...snapshot, placement: 'range/2' },
      ]) {
        expect(() => RangeSharding.fromSnapshot(altered)).toThrow(expect.objectContaining({ code: 'ERR_SNAPSHOT' }));
      }
    });
  });

  it('has the same replicas for the same owners for ever, as computed by a program in another language', () => {
    const nodes = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, weight: id === 'e' ? 2 : 1 }));
    expect(nodes.map(({ id }) => orderOf(nodes, id).join(''))).toEqual(['adceb', 'becda', 'cedba', 'dabec', 'ecbda']);
  });
});
