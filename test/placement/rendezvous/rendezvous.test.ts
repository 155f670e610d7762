import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nodeHashes } from '../../../src/placement/node-hashes.ts';
import { positionBits } from '../../../src/placement/position.ts';
import { Rendezvous } from '../../../src/placement/rendezvous/rendezvous.ts';
import { rendezvousScore } from '../../../src/placement/rendezvous/rendezvous-score.ts';
import { type GoldenVector, goldenKeys, placesOf } from '../../support/golden-places.ts';

const { configurations } = JSON.parse(
  readFileSync(new URL('../../ring/golden/own/rendezvous.json', import.meta.url), 'utf8'),
) as { configurations: (GoldenVector & { slots?: number })[] };
const golden = configurations.filter(({ slots }) => slots === undefined);

describe('Rendezvous', () => {
  it('orders the nodes by their scores for the position of the key', () => {
    const weights = { a: 1, b: 2.5, c: 0.25 };
    const placement = Rendezvous.create(
      Object.entries(weights).map(([id, weight]) => ({ id, weight })),
      { hashSeed: 5 },
    );
    for (const key of goldenKeys.slice(0, 500)) {
      const scores = Object.entries(weights).map(([id, weight]) => {
        const { h1, h2 } = nodeHashes(id, 5);
        return { id, score: rendezvousScore(positionBits(key, 5), h1, h2, weight) };
      });
      const order = scores.sort((a, b) => a.score - b.score).map(({ id }) => id);
      expect(placement.preferenceList(key, 3)).toEqual(order);
    }
  });

  it('has the shares of the weights, and keys that keep to them', () => {
    const nodes = [1, 2, 0.5, 4, 2.5].map((weight, index) => ({ id: `node-${index}`, weight }));
    const placement = Rendezvous.create(nodes);
    const counts = new Map<string, number>();
    for (const key of goldenKeys) counts.set(placement.nodeFor(key), (counts.get(placement.nodeFor(key)) ?? 0) + 1);
    for (const { id, weight } of nodes) {
      expect(placement.shares().get(id)).toBeCloseTo(weight / 10, 15);
      // The tags of one key in ten make 97 tenants of them: their spread is what 3 sd of 1,000 keys allow for.
      const expected = (weight / 10) * goldenKeys.length;
      expect(Math.abs(counts.get(id)! - expected)).toBeLessThan(expected * 0.1);
    }
  });

  it.each(golden.map((vector) => [`${vector.nodes.length} nodes, seed ${vector.hashSeed}`, vector] as const))(
    'maps 10,000 keys as an independent program does, for ever: %s',
    (_, vector) => {
      const placement = Rendezvous.create(vector.nodes, { hashSeed: vector.hashSeed });
      expect(placesOf(placement, vector)).toEqual(vector.places);
      expect(goldenKeys.map((key) => placement.nodeFor(key))).toEqual(
        goldenKeys.map((key) => placement.preferenceList(key, 1)[0]),
      );
    },
  );

  it('has vectors', () => expect(golden.length).toBe(3));
});
