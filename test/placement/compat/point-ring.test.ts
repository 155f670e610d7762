import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PointDirectory } from '../../../src/placement/compat/point-directory.ts';
import { PointRing } from '../../../src/placement/compat/point-ring.ts';
import type { PointRule } from '../../../src/placement/compat/point-rule.ts';
import { ketama, libmemcached, npmHashring, twemproxy } from '../../../src/placement/compat/rings.ts';
import type { NodeInput } from '../../../src/placement/node.ts';
import { isSlottedPlacement } from '../../../src/placement/placement.ts';
import { anyKey, anyNodes } from '../../support/arbitraries.ts';

/** Nodes with integer weights, which every program takes; some so light that they have no point. */
const integerNodes = (min: number, max: number) =>
  anyNodes({ min, max, zoned: true }).map((nodes) =>
    nodes.map((node) => ({ ...node, weight: Math.ceil((node.weight ?? 1) ** 4) })),
  );

const makers = [
  ketama,
  (nodes: NodeInput[]) => libmemcached(nodes, { weighted: true }),
  (nodes: NodeInput[]) => npmHashring(nodes),
  (nodes: NodeInput[]) => twemproxy(nodes, { hashTag: '{}' }),
] as const;
const anyMaker = fc.constantFrom(...makers);

/** A ring whose points stand where the test says: `points[id]`. A key's position is the number that it spells. */
function drawnRing(points: Readonly<Record<string, readonly number[]>>, nodes: NodeInput[]): PointRing {
  const rule: PointRule = {
    placement: 'drawn/1',
    parameters: {},
    keyHash: 'number',
    isOrdered: false,
    positionOf: Number,
    pointsOf: (members) => ({
      positions: Uint32Array.from(members.flatMap(({ id }) => points[id]!)),
      owners: Uint16Array.from(members.flatMap(({ id }, owner) => points[id]!.map(() => owner))),
    }),
  };
  return PointRing.create(nodes, rule);
}

describe('a ring of points drawn by hand', () => {
  //        100 a   200 b   300 a and b   400 a   and c without a point
  const points = { a: [100, 300, 400], b: [300, 200], c: [] };
  const ring = drawnRing(points, [{ id: 'c' }, { id: 'b' }, { id: 'a' }]);

  it('gives a point the positions after the point before it, up to and including its own', () => {
    const owners = [0, 100, 101, 200, 201, 300, 301, 400].map((position) => ring.nodeFor(`${position}`));
    expect(owners).toEqual(['a', 'a', 'b', 'b', 'a', 'a', 'a', 'a']);
  });

  it('goes on at the first point after the last', () => {
    expect(ring.nodeFor('401')).toBe('a');
    expect(ring.nodeFor(`${2 ** 32 - 1}`)).toBe('a');
  });

  it('gives a position of two points to the id that sorts first', () => {
    expect(ring.nodeFor('250')).toBe('a');
    expect(ring.preferenceList('250', 2)).toEqual(['a', 'b']);
  });

  it('lists a node without points last, and gives it no share', () => {
    expect(ring.preferenceList('150', 3)).toEqual(['b', 'a', 'c']);
    expect(ring.shares().get('c')).toBe(0);
    expect(ring.shares().get('b')).toBe(100 / 2 ** 32);
    expect(ring.shares().get('a')).toBe((2 ** 32 - 100) / 2 ** 32);
  });

  it('has the arcs that the points make', () => {
    const { starts, rows } = ring.arcs(2);
    expect([...Array.from(starts)]).toEqual([0, 101, 201, 301, 401]);
    expect([...Array.from(rows)]).toEqual([0, 1, 1, 0, 0, 1, 0, 1, 0, 1]);
  });

  it('has no arc after a point on the last position of all', () => {
    const full = drawnRing({ a: [5], b: [2 ** 32 - 1] }, [{ id: 'a' }, { id: 'b' }]);
    expect([...Array.from(full.arcs(1).starts)]).toEqual([0, 6]);
    expect([full.nodeFor('5'), full.nodeFor('6'), full.nodeFor(`${2 ** 32 - 1}`)]).toEqual(['a', 'b', 'b']);
  });

  it('spreads over zones first, nodes without points included', () => {
    const zoned = drawnRing({ a: [1], b: [2], c: [3], d: [] }, [
      { id: 'a', zone: 'eu' },
      { id: 'b', zone: 'eu' },
      { id: 'c', zone: 'us' },
      { id: 'd', zone: 'ap' },
    ]);
    expect(zoned.preferenceList('0', 4)).toEqual(['a', 'c', 'd', 'b']);
    expect(zoned.preferenceList('2', 4)).toEqual(['b', 'c', 'd', 'a']);
  });
});

describe('a ring of points of another program', () => {
  it('gives a shorter preference list as the beginning of a longer one, all different, each zone once before any twice', () => {
    fc.assert(
      fc.property(anyMaker, integerNodes(1, 8), anyKey, (make, nodes, key) => {
        const ring = make(nodes);
        const all = ring.preferenceList(key, nodes.length);
        expect(new Set(all).size).toBe(nodes.length);
        expect(Object.isFrozen(all)).toBe(true);
        expect(ring.nodeFor(key)).toBe(all[0]);
        for (let count = 1; count < nodes.length; count++) {
          expect(ring.preferenceList(key, count)).toEqual(all.slice(0, count));
        }
        const zones = new Map(nodes.map(({ id, zone }) => [id, zone ?? Symbol('own')]));
        const zoneCount = new Set(zones.values()).size;
        expect(new Set(all.slice(0, zoneCount).map((id) => zones.get(id))).size).toBe(zoneCount);
      }),
      { numRuns: 150 },
    );
  });

  it('answers a whole arc alike: the key at its start, at its end, and the arc itself', () => {
    fc.assert(
      fc.property(
        integerNodes(1, 6),
        fc.array(fc.array(fc.nat(2 ** 32 - 1), { maxLength: 5 }), { minLength: 6, maxLength: 6 }),
        (nodes, lists) => {
          const points = Object.fromEntries(nodes.map(({ id }, index) => [`n${id}`, lists[index]!]));
          fc.pre(nodes.some(({ id }) => points[`n${id}`]!.length > 0));
          const ring = drawnRing(
            points,
            nodes.map((node) => ({ ...node, id: `n${node.id}` })),
          );
          const count = Math.min(3, nodes.length);
          const { starts, rows } = ring.arcs(count);
          expect(starts[0]).toBe(0);
          for (let arc = 0; arc < starts.length; arc++) {
            const end = arc + 1 < starts.length ? starts[arc + 1]! : 2 ** 32;
            expect(end).toBeGreaterThan(starts[arc]!);
            const row = Array.from({ length: count }, (_, at) => ring.nodes[rows[arc * count + at]!]!.id);
            expect(ring.preferenceList(`${starts[arc]}`, count)).toEqual(row);
            expect(ring.preferenceList(`${end - 1}`, count)).toEqual(row);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('has shares that are the lengths of its arcs and add up to 1', () => {
    fc.assert(
      fc.property(anyMaker, integerNodes(1, 8), (make, nodes) => {
        const ring = make(nodes);
        const { starts, rows } = ring.arcs(1);
        const lengths = new Map(nodes.map(({ id }) => [id, 0]));
        for (let arc = 0; arc < starts.length; arc++) {
          const id = ring.nodes[rows[arc]!]!.id;
          lengths.set(id, lengths.get(id)! + (starts[arc + 1] ?? 2 ** 32) - starts[arc]!);
        }
        expect(ring.shares()).toEqual(new Map(ring.nodes.map(({ id }) => [id, lengths.get(id)! / 2 ** 32])));
        expect([...lengths.values()].reduce((sum, length) => sum + length)).toBe(2 ** 32);
      }),
      { numRuns: 50 },
    );
  });

  it('does not depend on the order of joining where the other program leaves it open', () => {
    fc.assert(
      fc.property(fc.constantFrom(makers[0], makers[3]), integerNodes(2, 8), anyKey, (make, nodes, key) => {
        const one = make(nodes);
        const other = make([...nodes].reverse());
        expect(other.checksum).toBe(one.checksum);
        expect(other.nodes).toEqual(one.nodes);
        expect(other.nodeFor(key)).toBe(one.nodeFor(key));
      }),
      { numRuns: 50 },
    );
  });

  it('keeps the order of the list, in nodes and checksum, where the other program gives it a meaning', () => {
    for (const make of [makers[1], makers[2]]) {
      const ring = make([{ id: 'b' }, { id: 'a' }]).withNode({ id: '0' });
      expect(ring.nodes.map(({ id }) => id)).toEqual(['b', 'a', '0']);
      expect(ring.checksum).not.toBe(make([{ id: 'a' }, { id: 'b' }, { id: '0' }]).checksum);
    }
  });

  it('changes into the ring that the new list of nodes has', () => {
    fc.assert(
      fc.property(anyMaker, integerNodes(2, 8), fc.integer({ min: 1, max: 1000 }), (make, nodes, weight) => {
        const [first, ...others] = nodes as [NodeInput, ...NodeInput[]];
        const ring = make(nodes);
        const before = ring.checksum;
        expect(make(others).withNode(first).checksum).toBe(make([...others, first]).checksum);
        expect(ring.withoutNode(first.id).checksum).toBe(make(others).checksum);
        expect(ring.withWeight(first.id, weight).checksum).toBe(make([{ ...first, weight }, ...others]).checksum);
        expect(ring.checksum).toBe(before);
      }),
      { numRuns: 50 },
    );
  });

  it('comes back from its snapshot, as an object and as text, and refuses an altered one', () => {
    fc.assert(
      fc.property(anyMaker, integerNodes(0, 8), anyKey, (make, nodes, key) => {
        const ring = make(nodes);
        const snapshot = ring.toSnapshot();
        for (const form of [snapshot, JSON.stringify(snapshot), JSON.parse(JSON.stringify(snapshot))]) {
          const restored = PointRing.fromSnapshot(form);
          expect(restored.checksum).toBe(ring.checksum);
          expect(restored.toSnapshot()).toEqual(snapshot);
          if (nodes.length > 0) expect(restored.nodeFor(key)).toBe(ring.nodeFor(key));
        }
        const altered = { ...snapshot, nodes: [...snapshot.nodes, { id: 'one more, of a name not drawn', weight: 1 }] };
        expect(() => PointRing.fromSnapshot(altered)).toThrow(expect.objectContaining({ code: 'ERR_SNAPSHOT' }));
      }),
      { numRuns: 50 },
    );
  });

  it('has the options in its snapshot', () => {
    const nodes = [{ id: 'a' }, { id: 'b' }];
    const options = {
      vnodes: 7,
      nodeVnodes: { b: 9, a: 3 },
      replicas: 2,
      algorithm: 'sha1',
      defaultPort: 6379,
    } as const;
    const ring = npmHashring(nodes, options);
    expect(ring.toSnapshot()).toMatchObject({ format: 'shardring/placement', placement: 'npm-hashring/1', ...options });
    expect(PointRing.fromSnapshot(JSON.stringify(ring.toSnapshot())).slotting).toBe('sha1/1 slots=2^32');
    const tagged = twemproxy(nodes, { hash: 'murmur', hashTag: '[]', label: 'name' });
    expect(tagged.toSnapshot()).toMatchObject({ hash: 'murmur', hashTag: '[]', label: 'name' });
    expect(PointRing.fromSnapshot(tagged.toSnapshot()).checksum).toBe(tagged.checksum);
  });

  it('refuses a snapshot of another kind', () => {
    const snapshot = ketama([{ id: 'a' }]).toSnapshot();
    const wrong: unknown[] = ['', '{', 'null', 5, null, undefined, [], {}, { ...snapshot, version: 2 }];
    wrong.push(
      { ...snapshot, placement: 'ketama/2' },
      { ...snapshot, format: 'shardring/ring' },
      { ...snapshot, more: 1 },
    );
    for (const input of wrong) {
      expect(() => PointRing.fromSnapshot(input)).toThrow(expect.objectContaining({ code: 'ERR_SNAPSHOT' }));
    }
  });

  it('refuses lookups without nodes, and invalid counts and keys', () => {
    for (const make of makers) {
      const empty = make([]);
      expect(empty.shares()).toEqual(new Map());
      for (const ask of [() => empty.nodeFor('k'), () => empty.preferenceList('k', 1), () => empty.arcs(1)]) {
        expect(ask).toThrow(expect.objectContaining({ code: 'ERR_NO_NODES' }));
      }
      const ring = empty.withNode({ id: 'a' });
      expect(ring.nodeFor('k')).toBe('a');
      for (const count of [0, 2, 1.5, Number.NaN]) {
        expect(() => ring.preferenceList('k', count)).toThrow(expect.objectContaining({ field: 'count' }));
      }
      expect(() => ring.nodeFor(5 as never)).toThrow(expect.objectContaining({ field: 'key' }));
      expect(() => ring.withNode({ id: 'a' })).toThrow(expect.objectContaining({ field: 'node.id' }));
      expect(() => ring.withoutNode('b')).toThrow(expect.objectContaining({ field: 'id' }));
      expect(() => make([{ id: 'a' }, { id: 'a' }])).toThrow(expect.objectContaining({ field: 'nodes[1].id' }));
    }
  });

  it('can be compared only with rings that hash keys alike', () => {
    const nodes = [{ id: 'a' }, { id: 'b' }];
    const ring = ketama(nodes);
    expect(isSlottedPlacement(ring)).toBe(true);
    expect(ring.slots).toBe(2 ** 32);
    expect(npmHashring(nodes).slotting).toBe(ring.slotting);
    expect(libmemcached(nodes, { weighted: true }).slotting).toBe(ring.slotting);
    // The empty key has position 0 there.
    expect(twemproxy(nodes, { hash: 'md5' }).slotting).not.toBe(ring.slotting);
    expect(twemproxy(nodes, { hashTag: '{}' }).slotting).not.toBe(twemproxy(nodes).slotting);
  });
});

describe('PointDirectory', () => {
  it('finds the first point at or after a position, however unevenly the points lie', () => {
    const position = fc.oneof(fc.nat(2 ** 32 - 1), fc.nat(50), fc.constantFrom(0, 2 ** 31, 2 ** 32 - 1));
    fc.assert(
      fc.property(fc.array(position, { minLength: 1, maxLength: 200 }), fc.array(position), (drawn, asked) => {
        const positions = Uint32Array.from(drawn).sort();
        const directory = new PointDirectory(positions);
        for (const at of [...asked, ...drawn]) {
          const found = positions.findIndex((point) => point >= at);
          expect(directory.firstAtOrAfter(at)).toBe(found === -1 ? 0 : found);
        }
      }),
    );
  });
});
