import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GoRedisRing } from '../../../src/placement/compat/go-redis.ts';
import type { NodeInput } from '../../../src/placement/node.ts';
import { isArcPlacement } from '../../../src/placement/placement.ts';
import { anyKey, anyNodes } from '../../support/arbitraries.ts';

const keys = Array.from({ length: 1_000 }, (_, index) => `key:${index}`);

/** Nodes without weights, as go-redis knows them. */
const anyShards = (min: number, max: number, zoned = false) =>
  anyNodes({ min, max, zoned }).map((nodes) => nodes.map(({ id, zone }): NodeInput => ({ id, zone })));

const golden = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../ring/golden/go-redis/${name}.json`, import.meta.url), 'utf8'));

describe('GoRedisRing', () => {
  it('gives every key the shard that go-redis gives it', () => {
    const { keys: goldenKeys, shards } = golden('cases') as { keys: string[]; shards: Record<string, string[]> };
    const vectors = golden('vectors') as Record<string, number[]>;
    expect(goldenKeys.length).toBeGreaterThan(1_000);
    expect(Object.keys(vectors).length).toBeGreaterThan(7);
    for (const [name, ids] of Object.entries(shards)) {
      const ring = GoRedisRing.create(ids.map((id) => ({ id })));
      expect(goldenKeys.map((key) => ids.indexOf(ring.nodeFor(key)), name)).toEqual(vectors[name]);
    }
  });

  it('lists the nodes in the order in which go-redis would take them, were those before them gone', () => {
    fc.assert(
      fc.property(anyShards(1, 8), anyKey, (nodes, key) => {
        let ring = GoRedisRing.create(nodes.map(({ id }) => ({ id })));
        for (const id of ring.preferenceList(key, nodes.length)) {
          expect(ring.nodeFor(key)).toBe(id);
          ring = ring.withoutNode(id);
        }
        expect(ring.nodes).toEqual([]);
      }),
    );
  });

  it('distinguishes scores whose first 32 bits are equal', () => {
    for (const [higher, lower] of [
      ['s37967', 's23999'],
      ['s16760', 's49873'],
    ] as const) {
      const ring = GoRedisRing.create([{ id: higher }, { id: lower }]);
      expect(ring.preferenceList('key:7', 2)).toEqual([higher, lower]);
    }
  });

  it('gives frozen lists of distinct nodes of which a shorter one is a prefix of a longer one', () => {
    fc.assert(
      fc.property(anyShards(1, 8, true), anyKey, (nodes, key) => {
        const ring = GoRedisRing.create(nodes);
        const all = ring.preferenceList(key, nodes.length);
        expect(new Set(all).size).toBe(nodes.length);
        expect(Object.isFrozen(all)).toBe(true);
        for (let count = 1; count <= nodes.length; count++) {
          expect(ring.preferenceList(key, count)).toEqual(all.slice(0, count));
        }
        expect(ring.nodeFor(key)).toBe(all[0]);
      }),
    );
  });

  it('visits every zone once before any zone twice', () => {
    fc.assert(
      fc.property(anyShards(2, 10, true), anyKey, (nodes, key) => {
        const zoneOf = new Map(nodes.map(({ id, zone }) => [id, zone ?? `only ${id}`]));
        const list = GoRedisRing.create(nodes).preferenceList(key, nodes.length);
        const distinct = new Set(zoneOf.values()).size;
        expect(new Set(list.slice(0, distinct).map((id) => zoneOf.get(id))).size).toBe(distinct);
      }),
    );
  });

  it('moves keys only to a node that joins, and gives them back when it leaves', () => {
    fc.assert(
      fc.property(anyShards(2, 8), ([joining, ...others]) => {
        const before = GoRedisRing.create(others);
        const after = before.withNode(joining!);
        for (const key of keys) {
          if (after.nodeFor(key) !== before.nodeFor(key)) expect(after.nodeFor(key)).toBe(joining!.id);
        }
        expect(after.withoutNode(joining!.id).checksum).toBe(before.checksum);
        expect(after.checksum).not.toBe(before.checksum);
        expect(GoRedisRing.create([joining!, ...others.toReversed()]).checksum).toBe(after.checksum);
      }),
      { numRuns: 30 },
    );
  });

  it('has shares of a sample, which sum to 1 and are even within the spread of the sample', () => {
    const ring = GoRedisRing.create(Array.from({ length: 10 }, (_, index) => ({ id: `shard${index}` })));
    const shares = [...ring.shares().values()];
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    // The spread of a share of 0.1 in 65,536 keys is 0.0012.
    for (const share of shares) expect(Math.abs(share - 0.1)).toBeLessThan(5 * 0.0012);
    let owned = 0;
    for (let key = 0; key < 65_536; key++) if (ring.nodeFor(`${key}`) === 'shard3') owned++;
    expect(ring.shares().get('shard3')).toBe(owned / 65_536);
  });

  it('comes back from its snapshot, and refuses one that was changed', () => {
    fc.assert(
      fc.property(anyShards(0, 5, true), (nodes) => {
        const ring = GoRedisRing.create(nodes);
        const restored = GoRedisRing.fromSnapshot(JSON.stringify(ring.toSnapshot()));
        expect(restored.nodes).toEqual(ring.nodes);
        expect(restored.checksum).toBe(ring.checksum);
      }),
    );
    const snapshot = GoRedisRing.create([{ id: 'a' }, { id: 'b' }]).toSnapshot();
    for (const changed of [
      { ...snapshot, placement: 'go-redis/2' },
      { ...snapshot, nodes: [{ id: 'a' }] },
      { ...snapshot, nodes: [{ id: 'a', weight: 2 }, { id: 'b' }] },
      { ...snapshot, hashSeed: 0 },
    ]) {
      expect(() => GoRedisRing.fromSnapshot(changed)).toThrow(expect.objectContaining({ code: 'ERR_SNAPSHOT' }));
    }
  });

  it('takes any string for a key and any id for a name', () => {
    const ring = GoRedisRing.create([{ id: '__proto__' }, { id: 'constructor' }, { id: '\0' }]);
    for (const key of ['__proto__', '', '\0', '😀', '\ud800', 'x'.repeat(1_000_000)]) {
      expect(['__proto__', 'constructor', '\0']).toContain(ring.nodeFor(key));
    }
    expect(ring.nodeFor('{user:1}:name')).toBe(ring.nodeFor('user:1'));
    expect(ring.shares().get('__proto__')).toBeGreaterThan(0);
  });

  it('refuses what it cannot place, and says what was expected', () => {
    const ring = GoRedisRing.create([{ id: 'a' }]);
    const refusals: [() => unknown, string][] = [
      [() => GoRedisRing.create([{ id: 'a' }, { id: 'b', weight: 2 }]), 'nodes[1].weight'],
      [() => GoRedisRing.create([{ id: 'a' }, { id: 'a' }]), 'nodes[1].id'],
      [() => GoRedisRing.create('a' as never), 'nodes'],
      [() => ring.withNode({ id: 'b', weight: 0.5 }), 'node.weight'],
      [() => ring.withNode({ id: 'a' }), 'node.id'],
      [() => ring.withoutNode('b'), 'id'],
      [() => ring.withWeight('b', 1), 'id'],
      [() => ring.withWeight('a', 2), 'weight'],
      [() => ring.preferenceList('k', 0), 'count'],
      [() => ring.preferenceList('k', 2), 'count'],
      [() => ring.nodeFor(5 as never), 'key'],
      [() => ring.preferenceList(undefined as never, 1), 'key'],
    ];
    for (const [refused, field] of refusals) {
      expect(refused).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field }));
    }
    expect(ring.withWeight('a', 1).checksum).toBe(ring.checksum);
    const empty = ring.withoutNode('a');
    expect(empty.shares().size).toBe(0);
    expect(() => empty.nodeFor('k')).toThrow(expect.objectContaining({ code: 'ERR_NO_NODES' }));
    expect(() => empty.preferenceList('k', 1)).toThrow(expect.objectContaining({ code: 'ERR_NO_NODES' }));
  });

  it('has no arcs, so that nothing compares it slot by slot', () => {
    expect(isArcPlacement(GoRedisRing.create([{ id: 'a' }]))).toBe(false);
  });
});
