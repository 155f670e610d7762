import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseNodes } from '../../../src/placement/members.ts';
import { type PlacementNode, sortNodes } from '../../../src/placement/node.ts';
import { raceHorizon } from '../../../src/placement/rendezvous/race-horizon.ts';
import { raceRows } from '../../../src/placement/rendezvous/score-race.ts';
import { SlotScores } from '../../../src/placement/rendezvous/slot-scores.ts';
import { spreadOverZones, zonesOf } from '../../../src/placement/zones.ts';
import { anyNodes } from '../../support/arbitraries.ts';

const slots = 2 ** 8;

/** The rows by definition: all scores of a slot, sorted, spread over the zones. */
function rowsByDefinition(scores: SlotScores, nodes: readonly PlacementNode[], width: number): number[] {
  const zones = zonesOf(nodes);
  const nodeScores = new Float64Array(nodes.length);
  return Array.from({ length: scores.slots }, (_, slot) => {
    scores.scoreSlot(slot, nodeScores);
    const order = [...nodes.keys()].sort((a, b) => nodeScores[a]! - nodeScores[b]! || a - b);
    return zones === undefined ? order.slice(0, width) : spreadOverZones(order, zones, width);
  }).flat();
}

describe('raceRows', () => {
  it('makes the table of all scores worked out, whatever the horizon, the weights and the zones', () => {
    const nodeSets = fc
      .record({ zoned: fc.boolean(), weighted: fc.boolean() })
      .chain(({ zoned, weighted }) =>
        anyNodes({ min: 1, max: 9, zoned }).map((nodes) =>
          weighted ? nodes : nodes.map((node) => ({ ...node, weight: 1 })),
        ),
      );
    fc.assert(
      fc.property(nodeSets, fc.nat({ max: 8 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }), (inputs, wanted, seed) => {
        const nodes = sortNodes(parseNodes(inputs));
        const width = Math.min(wanted + 1, nodes.length);
        const scores = new SlotScores(nodes, slots, seed);
        const rules = { width, zones: zonesOf(nodes) };
        const expected = rowsByDefinition(scores, nodes, width);
        expect([...raceRows(scores, rules)]).toEqual(expected);
        for (const horizon of [0, 1e-9, 0.05, 0.3, 2, Number.POSITIVE_INFINITY]) {
          expect([...raceRows(scores, rules, horizon)]).toEqual(expected);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('does so for rows that are too long to be kept sorted while they fill', () => {
    const nodes = sortNodes(
      parseNodes(Array.from({ length: 30 }, (_, index) => ({ id: `${index}`, zone: `z${index % 7}` }))),
    );
    const scores = new SlotScores(nodes, slots, 1);
    const rules = { width: 20, zones: zonesOf(nodes) };
    const expected = rowsByDefinition(scores, nodes, 20);
    for (const horizon of [0, 0.5, 2]) expect([...raceRows(scores, rules, horizon)]).toEqual(expected);
  });

  it('gives equal scores to the node of the lower index', () => {
    // Scores of so light nodes are all too large for a double.
    const nodes = sortNodes(parseNodes(['a', 'b', 'c'].map((id) => ({ id, weight: 5e-324 }))));
    const rows = raceRows(new SlotScores(nodes, slots, 0), { width: 3, zones: undefined });
    expect(new Set(Array.from({ length: slots }, (_, slot) => rows.slice(3 * slot, 3 * slot + 3).join()))).toEqual(
      new Set(['0,1,2']),
    );
  });

  it('works out far fewer scores than all of them', () => {
    // The cost that a horizon is chosen by, at N = 1,000 equal nodes: T * W events and exp(-T * W) of the slots left.
    const weights = new Float64Array(1_000).fill(1);
    const horizon = raceHorizon(weights, { width: 1, zones: undefined });
    const total = 1_000 * horizon;
    expect(total + 1.5 * 1_000 * Math.exp(-total)).toBeLessThan(8.5);
  });
});

describe('raceHorizon', () => {
  it('ends for the most different weights there can be', () => {
    for (const weights of [[5e-324, 1.7e308], [1e-300, 1, 1e300], [1.7e308, 1.7e308], [5e-324]]) {
      for (const width of [1, weights.length]) {
        expect(raceHorizon(Float64Array.from(weights), { width, zones: undefined })).toBeGreaterThanOrEqual(0);
      }
    }
  });
});
