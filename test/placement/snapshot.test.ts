import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HashRing } from '../../src/placement/ring/hash-ring.ts';
import { anyKey, anyNodes } from '../support/arbitraries.ts';

const options = { virtualNodes: 16, slots: 2 ** 10 } as const;
const ring = HashRing.create([{ id: 'a' }, { id: 'b', weight: 2, zone: 'eu' }], options);
const snapshot = ring.toSnapshot();

describe('a snapshot', () => {
  it('gives back the same mapping through JSON, for any nodes and seed', () => {
    const seed = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    fc.assert(
      fc.property(anyNodes({ min: 1, max: 6, zoned: true }), seed, anyKey, (nodes, hashSeed, key) => {
        const before = HashRing.create(nodes, { ...options, hashSeed });
        const after = HashRing.fromSnapshot(JSON.stringify(before.toSnapshot()));
        expect(after.checksum).toBe(before.checksum);
        expect(after.preferenceList(key, nodes.length)).toEqual(before.preferenceList(key, nodes.length));
      }),
      { numRuns: 50 },
    );
  });

  it('keeps the text of this first release for ever', () => {
    expect(JSON.stringify(snapshot)).toBe(
      '{"format":"shardring/ring","version":1,"placement":"xxh32/1","slots":1024,"virtualNodes":16,"hashSeed":0,' +
        '"nodes":[{"id":"a","weight":1},{"id":"b","weight":2,"zone":"eu"}],"checksum":"d2945684b6ae49b3"}',
    );
  });

  it.each([
    ['of another format', { ...snapshot, format: 'ketama' }],
    ['of a later version', { ...snapshot, version: 2 }],
    ['of another placement', { ...snapshot, placement: 'xxh32/2' }],
    ['with a field that is not known', { ...snapshot, bounded: true }],
    ['without its nodes', { ...snapshot, nodes: undefined }],
    ['with a node that has a field that is not known', { ...snapshot, nodes: [{ id: 'a', rack: 1 }] }],
    ['whose weight was changed by hand', { ...snapshot, nodes: [{ id: 'a', weight: 3 }, snapshot.nodes[1]] }],
    ['with slots that are no power of two', { ...snapshot, slots: 1000 }],
    ['that is not an object', 7],
    ['that is null', null],
    ['that is not JSON', '{'],
  ])('%s is refused', (_, altered) => {
    expect(() => HashRing.fromSnapshot(altered)).toThrow(expect.objectContaining({ code: 'ERR_SNAPSHOT' }));
  });

  it('has a checksum that differs where the mapping differs', () => {
    const nodes = [{ id: 'a' }, { id: 'b' }];
    const rings = [
      HashRing.create(nodes, options),
      HashRing.create(nodes, { ...options, hashSeed: 1 }),
      HashRing.create(nodes, { ...options, virtualNodes: 17 }),
      HashRing.create(nodes, { ...options, slots: 2 ** 11 }),
      HashRing.create([{ id: 'a' }, { id: 'b', weight: 2 }], options),
      HashRing.create([{ id: 'a' }, { id: 'b', zone: 'z' }], options),
      HashRing.create([{ id: 'a' }], options),
    ];
    expect(new Set(rings.map(({ checksum }) => checksum)).size).toBe(rings.length);
  });
});
