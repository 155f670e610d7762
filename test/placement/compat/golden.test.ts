import { describe, expect, it } from 'vitest';
import type { PointRing } from '../../../src/placement/compat/point-ring.ts';
import { ketama, libmemcached, npmHashring, twemproxy } from '../../../src/placement/compat/rings.ts';
import type { NodeInput } from '../../../src/placement/node.ts';
import { decodeOwners, goldenKeys, readVectors } from '../../ring/golden/point-ring-vectors.ts';

// Each folder of test/ring/golden holds what the other program itself answered, and says in its README how it was asked.
const systems: readonly [string, (nodes: readonly NodeInput[], options?: never) => PointRing, number][] = [
  ['libketama', ketama, 22],
  ['libmemcached', libmemcached, 38],
  ['hashring', npmHashring, 29],
  ['twemproxy', twemproxy, 41],
];

const keys = goldenKeys();

describe.each(systems)('the ring of %s', (folder, make, expectedCount) => {
  const { vectors } = readVectors(folder);

  it('is compared with every vector', () => {
    expect(vectors.length).toBe(expectedCount);
  });

  it.each(vectors.map((vector) => [vector.name, vector] as const))(
    'gives the same nodes as the original: %s',
    (_, vector) => {
      const ring = make(vector.nodes, vector.options as never);
      const expected = decodeOwners(vector.owners).map((index) => vector.nodes[index]?.id);
      expect(expected.length).toBe(1200);
      expect(keys.map((key) => ring.nodeFor(key))).toEqual(expected);
    },
  );

  it('is the same ring when it grew node by node', () => {
    const vector = vectors.find(({ nodes }) => nodes.length === 10)!;
    const whole = make(vector.nodes, vector.options as never);
    const grown = vector.nodes
      .slice(1)
      .reduce((ring, node) => ring.withNode(node), make(vector.nodes.slice(0, 1), vector.options as never));
    expect(grown.checksum).toBe(whole.checksum);
    expect(keys.map((key) => grown.nodeFor(key))).toEqual(keys.map((key) => whole.nodeFor(key)));
  });
});

describe('the ring of hashring', () => {
  const vectors = readVectors('hashring').vectors.filter(({ firstThree }) => firstThree !== undefined);

  it.each(vectors.map((vector) => [vector.name, vector] as const))(
    'lists the nodes that range() lists: %s',
    (_, vector) => {
      const ring = npmHashring(vector.nodes, vector.options);
      const indexes = decodeOwners(vector.firstThree!);
      for (const [at, key] of keys.entries()) {
        const expected = indexes.slice(3 * at, 3 * at + 3).map((index) => vector.nodes[index]!.id);
        expect(ring.preferenceList(key, 3)).toEqual(expected);
      }
      expect(vectors.length).toBe(2);
    },
  );
});
