import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FailoverRows } from '../../../src/placement/hash-ranges/failover-rows.ts';
import { type PlacementNode, parseNode, sortNodes } from '../../../src/placement/node.ts';
import { nodeHashes } from '../../../src/placement/node-hashes.ts';
import { rendezvousScore } from '../../../src/placement/rendezvous/rendezvous-score.ts';
import { spreadOverZones, zonesOf } from '../../../src/placement/zones.ts';
import { anyNodes } from '../../support/arbitraries.ts';

const slots = 256;

/** By the definition: all scores, sorted, the owner put first, and then spread over the zones. */
function expectedRow(nodes: readonly PlacementNode[], owner: number, slot: number, hashSeed: number): number[] {
  const scores = nodes.map(({ id, weight }) => {
    const { h1, h2 } = nodeHashes(id, hashSeed);
    return rendezvousScore(slot, h1, h2, weight);
  });
  const others = nodes.flatMap((_, index) => (index === owner ? [] : [index]));
  const order = [owner, ...others.sort((a, b) => scores[a]! - scores[b]! || a - b)];
  const zones = zonesOf(nodes);
  return zones === undefined ? order : spreadOverZones(order, zones, order.length);
}

describe('FailoverRows', () => {
  it('has the owner first and then the others by their rendezvous scores, every zone once before any twice', () => {
    const weight = fc.oneof(fc.double({ min: 0.1, max: 5, noNaN: true }), fc.constantFrom(1e-320, 1e-9, 1, 1e300));
    const anyRowNodes = fc
      .tuple(anyNodes({ min: 1, max: 12, zoned: true }), fc.infiniteStream(weight))
      .map(([nodes, weights]) => nodes.map((node) => ({ ...node, weight: weights.next().value })));
    fc.assert(
      fc.property(anyRowNodes, fc.boolean(), fc.nat(2 ** 32 - 1), (inputs, zoned, hashSeed) => {
        const nodes = sortNodes(inputs.map((node) => parseNode('node', zoned ? node : { ...node, zone: undefined })));
        const owners = Uint16Array.from({ length: slots }, (_, slot) => (slot * 7) % nodes.length);
        const rows = new FailoverRows(nodes, owners, hashSeed);
        for (let count = 1; count <= nodes.length; count++) {
          const table = rows.table(count);
          for (let slot = 0; slot < slots; slot += 5) {
            const row = expectedRow(nodes, owners[slot]!, slot, hashSeed).slice(0, count);
            expect([...table.subarray(slot * count, (slot + 1) * count)]).toEqual(row);
            expect([...rows.row(slot, count)]).toEqual(row);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it('spreads what one node owns over all the others in proportion to their weights', () => {
    const nodes = sortNodes(
      Array.from({ length: 5 }, (_, id) => parseNode('node', { id: `n${id}`, weight: id === 4 ? 2 : 1 })),
    );
    const rows = new FailoverRows(nodes, new Uint16Array(2 ** 16), 0).table(2);
    const next = [0, 0, 0, 0, 0];
    for (let slot = 0; slot < 2 ** 16; slot++) next[rows[2 * slot + 1]!]!++;
    expect(next[0]).toBe(0);
    // Of 65,536 draws with chance 1/5 (or 2/5 for the heavy node) the spread is 102 (125); five of them hold.
    for (const [index, expected] of [0, 13_107, 13_107, 13_107, 26_214].entries()) {
      expect(Math.abs(next[index]! - expected)).toBeLessThan(5 * 125);
    }
  });
});
