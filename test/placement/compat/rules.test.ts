import { describe, expect, it } from 'vitest';
import { ketama, libmemcached, npmHashring, twemproxy } from '../../../src/placement/compat/rings.ts';
import type { NodeInput } from '../../../src/placement/node.ts';

const keys = Array.from({ length: 500 }, (_, index) => `user:${index}`);
const owners = (ring: { nodeFor(key: string): string }) => keys.map((key) => ring.nodeFor(key));
const equal = (count: number): NodeInput[] => Array.from({ length: count }, (_, index) => ({ id: `n${index}` }));

/** Points that each node of a list has: distinct arcs of a ring whose positions do not collide. */
const pointsOf = (ring: ReturnType<typeof ketama>) => {
  const points = new Map(ring.nodes.map(({ id }) => [id, 0]));
  const { starts, rows } = ring.arcs(1);
  // The last arc and the first belong to one point.
  for (let arc = 0; arc < starts.length - 1; arc++) {
    const { id } = ring.nodes[rows[arc]!]!;
    points.set(id, points.get(id)! + 1);
  }
  return points;
};

const refusal = (field: string | RegExp) =>
  expect.objectContaining({
    code: 'ERR_INVALID_ARGUMENT',
    field: typeof field === 'string' ? field : expect.stringMatching(field),
  });

describe('the points of a node', () => {
  it('are 160 for libketama and twemproxy, 100 for plain libmemcached, where weights are equal', () => {
    expect([...pointsOf(ketama(equal(3))).values()]).toEqual([160, 160, 160]);
    expect([...pointsOf(twemproxy(equal(3))).values()]).toEqual([160, 160, 160]);
    expect([...pointsOf(libmemcached(equal(3))).values()]).toEqual([100, 100, 100]);
    expect([...pointsOf(npmHashring(equal(3))).values()]).toEqual([160, 160, 160]);
  });

  it('are 156 for hashring with 49 equal nodes, since 1/49 * 40 * 49 is below 40 in doubles', () => {
    expect(new Set(pointsOf(npmHashring(equal(49))).values())).toEqual(new Set([156]));
  });

  it('depend on all the weights: a heavier node takes points from the others', () => {
    const before = ketama([{ id: 'a' }, { id: 'b' }]);
    const after = before.withWeight('b', 3);
    expect(pointsOf(before).get('a')).toBe(160);
    expect(pointsOf(after).get('a')).toBe(80);
    expect(pointsOf(after).get('b')).toBe(240);
  });

  it('are counted by hand where hashring is given a count of its own for a node', () => {
    const points = pointsOf(npmHashring(equal(2), { nodeVnodes: { n1: 7 }, replicas: 3 }));
    expect(points).toEqual(
      new Map([
        ['n0', 120],
        ['n1', 21],
      ]),
    );
  });
});

describe('a label', () => {
  const onPort = [{ id: 'a:11211' }, { id: 'b:11211' }];
  const bare = [{ id: 'a' }, { id: 'b' }];
  const hosts = (ring: { nodeFor(key: string): string }) => owners(ring).map((id) => id.replace(':11211', ''));

  it('leaves port 11211 out for libmemcached and twemproxy', () => {
    expect(hosts(libmemcached(onPort))).toEqual(owners(libmemcached(bare)));
    expect(hosts(twemproxy(onPort))).toEqual(owners(twemproxy(bare)));
  });

  it('keeps every port for libketama, for names in twemproxy, and for hashring unless it is told otherwise', () => {
    expect(hosts(ketama(onPort))).not.toEqual(owners(ketama(bare)));
    expect(hosts(twemproxy(onPort, { label: 'name' }))).not.toEqual(owners(twemproxy(bare)));
    expect(hosts(npmHashring(onPort))).not.toEqual(owners(npmHashring(bare)));
    expect(hosts(npmHashring(onPort, { defaultPort: 11211 }))).toEqual(owners(npmHashring(bare)));
  });
});

describe('the hash tag of twemproxy', () => {
  const nodes = equal(10);
  const plain = twemproxy(nodes);
  const tagged = twemproxy(nodes, { hashTag: '{}' });

  it('hashes what stands between the first opening character and the first closing one after it', () => {
    for (const key of ['{tag}', 'a{tag}b', '{tag}{other}', '}{tag}', '{tag}}']) {
      expect(tagged.positionOf(key)).toBe(plain.positionOf('tag'));
    }
    expect(tagged.positionOf('{{tag}}')).toBe(plain.positionOf('{tag'));
  });

  it('hashes the whole key where that is empty or not there', () => {
    for (const key of ['{}tag', 'a{tag', 'a}tag', 'tag', '}a{', '{', '']) {
      expect(tagged.positionOf(key)).toBe(plain.positionOf(key));
    }
  });

  it('may have one character for both ends', () => {
    expect(twemproxy(nodes, { hashTag: '$$' }).positionOf('$tag$x')).toBe(plain.positionOf('tag'));
  });

  it('is ignored without the option: libketama, libmemcached and hashring hash braces like any character', () => {
    for (const ring of [plain, ketama(nodes), libmemcached(nodes), npmHashring(nodes)]) {
      expect(ring.positionOf('{tag}a')).not.toBe(ring.positionOf('{tag}b'));
    }
  });
});

describe('a setting that the other program does not have', () => {
  it('is refused: weights that are no integers, or too large', () => {
    for (const make of [ketama, twemproxy, (nodes: NodeInput[]) => libmemcached(nodes, { weighted: true })]) {
      for (const weight of [0.5, 1.5, 2 ** 32]) {
        expect(() => make([{ id: 'a', weight }, { id: 'b' }])).toThrow(refusal('weight of node a'));
      }
      expect(() => make([{ id: 'a' }]).withWeight('a', 1.5)).toThrow(refusal('weight of node a'));
    }
    const heavy = [
      { id: 'a', weight: 2 ** 32 - 1 },
      { id: 'b', weight: 1 },
    ];
    expect(() => twemproxy(heavy)).toThrow(refusal('weights'));
    expect(ketama(heavy).nodes.length).toBe(2);
  });

  it('is refused: a weight on a plain ring of libmemcached', () => {
    expect(() => libmemcached([{ id: 'a', weight: 2 }])).toThrow(refusal('weight of node a'));
    expect(() => libmemcached([{ id: 'a' }]).withWeight('a', 2)).toThrow(refusal('weight of node a'));
  });

  it('is refused: weights so uneven or a count so low that no node has a point', () => {
    // 1/49 * 1 * 49 is below 1 in doubles; the package itself would answer undefined for every key.
    expect(() => npmHashring(equal(49), { vnodes: 1 })).toThrow(refusal('nodes'));
  });

  it('is refused: more points than memory is meant for', () => {
    expect(() => npmHashring(equal(20), { vnodes: 65_536 })).toThrow(refusal('nodes'));
  });

  it.each([
    [() => libmemcached(equal(1), { hash: 'crc32a' as never }), 'hash'],
    [() => libmemcached(equal(1), { weighted: 'yes' as never }), 'weighted'],
    [() => libmemcached(equal(1), { hashTag: '{}' } as never), /hashTag/],
    [() => twemproxy(equal(1), { hash: 'sha1' as never }), 'hash'],
    [() => twemproxy(equal(1), { hashTag: '{' }), 'hashTag'],
    [() => twemproxy(equal(1), { hashTag: '{é' }), 'hashTag'],
    [() => twemproxy(equal(1), { label: 'host' as never }), 'label'],
    [() => npmHashring(equal(1), { vnodes: 0 }), 'vnodes'],
    [() => npmHashring(equal(1), { replicas: 5 }), 'replicas'],
    [() => npmHashring(equal(1), { algorithm: 'crc32' as never }), 'algorithm'],
    [() => npmHashring(equal(1), { defaultPort: 0 }), 'defaultPort'],
    [() => npmHashring(equal(1), { nodeVnodes: { n0: 0 } }), 'nodeVnodes of n0'],
    [() => npmHashring(equal(1), { nodeVnodes: JSON.parse('{"__proto__":5}') }), 'nodeVnodes'],
    [() => ketama('ab' as never), 'nodes'],
  ] as const)('is refused by name: %#', (make, field) => {
    expect(make).toThrow(refusal(field));
  });
});

describe('the empty key of twemproxy', () => {
  it('has position 0 whatever the hash', () => {
    expect(twemproxy(equal(3), { hash: 'jenkins' }).positionOf('')).toBe(0);
    expect(libmemcached(equal(3), { hash: 'jenkins' }).positionOf('')).not.toBe(0);
  });
});
