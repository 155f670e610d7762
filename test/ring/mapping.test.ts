/**
 * The promise that no release moves a key. The vectors were made by a Python program that shares no code with this
 * library (golden/own/make_mapping.py). Where a test here fails, it is the change that is wrong and not the vector.
 */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { placementFromSnapshot } from '../../src/placement/compat/restore.ts';
import { HashRing } from '../../src/placement/ring/hash-ring.ts';
import { type GoldenVector, goldenKeys as keys, placesOf } from '../support/golden-places.ts';

interface Vector extends GoldenVector {
  readonly virtualNodes: number;
  readonly slots: number;
}

const { keys: keyCount, configurations } = JSON.parse(
  readFileSync(new URL('./golden/own/mapping.json', import.meta.url), 'utf8'),
) as { keys: number; configurations: readonly Vector[] };

/** Texts of the snapshots of the same rings, as release 0.1 wrote them. */
const snapshots = JSON.parse(
  readFileSync(new URL('./golden/own/snapshots-0.1.json', import.meta.url), 'utf8'),
) as readonly string[];

describe('the mapping of keys', () => {
  it('is recorded for 10,000 keys in several configurations', () => {
    expect([keys.length, keyCount]).toEqual([10_000, 10_000]);
    expect(configurations.length).toBe(6);
    for (const { places } of configurations) for (const list of places) expect(list.length).toBe(20_000);
  });

  it.each(configurations.map((vector) => [`${vector.nodes.length} nodes, seed ${vector.hashSeed}`, vector] as const))(
    'is the same for ever: %s',
    (_, vector) => {
      const { nodes, virtualNodes, slots, hashSeed, places } = vector;
      const options = { virtualNodes, slots, hashSeed };
      const ring = HashRing.create(nodes, { ...options, replicationFactor: places.length });
      expect(placesOf(ring, vector)).toEqual(places);
      expect(keys.map((key) => ring.nodeFor(key))).toEqual(keys.map((key) => ring.preferenceList(key, 1)[0]));
      // Without a table for the replicas, from a snapshot, and grown node by node.
      expect(placesOf(HashRing.create(nodes, options), vector)).toEqual(places);
      expect(placesOf(HashRing.fromSnapshot(JSON.stringify(ring.toSnapshot())), vector)).toEqual(places);
      const last = nodes.at(-1)!;
      const grown = HashRing.create(nodes.slice(0, -1), options).withNode(last);
      expect(placesOf(grown, vector)).toEqual(places);
    },
  );

  it('is that of a snapshot of release 0.1, which this release writes too', () => {
    expect(snapshots.length).toBe(configurations.length);
    for (const [index, vector] of configurations.entries()) {
      const ring = HashRing.fromSnapshot(snapshots[index]!);
      expect(placesOf(ring, vector)).toEqual(vector.places);
      expect(JSON.stringify(ring.toSnapshot())).toBe(snapshots[index]);
    }
  });

  it('is that of the first snapshots of every kind of placement, whose texts never change', () => {
    const kinds = JSON.parse(
      readFileSync(new URL('./golden/own/snapshots-of-kinds.json', import.meta.url), 'utf8'),
    ) as readonly { snapshot: string; owners: string }[];
    expect(new Set(kinds.map(({ snapshot }) => JSON.parse(snapshot).placement)).size).toBe(14);
    for (const { snapshot, owners } of kinds) {
      const placement = placementFromSnapshot(snapshot);
      expect(JSON.stringify(placement.toSnapshot())).toBe(snapshot);
      expect(Array.from({ length: 40 }, (_, index) => placement.nodeFor(`user:${index}`)).join('')).toBe(owners);
    }
  });
});
