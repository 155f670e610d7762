/** Cases about how many keys each node has. */

import assert from 'node:assert/strict';
import type { NodeId } from '../../placement/node.ts';
import type { Placement } from '../../placement/placement.ts';
import { idsOf, type PlacementCase } from './case.ts';

const sampleSize = 20_000;

/** Part of the keys that each node owns. */
function sampledShares(placement: Placement, keys: readonly string[]): ReadonlyMap<NodeId, number> {
  const counts = new Map(idsOf(placement).map((id) => [id, 0]));
  for (const key of keys) {
    const owner = placement.nodeFor(key);
    counts.set(owner, counts.get(owner)! + 1);
  }
  return new Map([...counts].map(([id, count]) => [id, count / keys.length]));
}

export const shareCases: readonly PlacementCase[] = [
  {
    title: 'has one share for each node, in the order of the nodes, that sum to 1',
    run({ placement }) {
      const shares = placement.shares();
      assert.deepEqual([...shares.keys()], idsOf(placement));
      for (const share of shares.values()) assert.ok(share >= 0 && share <= 1, `a share of ${share}`);
      const sum = [...shares.values()].reduce((total, share) => total + share, 0);
      // 0 where this kind cannot tell; then it must not claim to know any of them.
      assert.ok(Math.abs(sum - 1) < 1e-9 || sum === 0, `the shares sum to ${sum}`);
    },
  },
  {
    title: `has the shares that a sample of ${sampleSize} keys has, within six standard errors`,
    needs: ['keyShares'],
    run({ placement, keys }) {
      const shares = placement.shares();
      for (const [id, sampled] of sampledShares(placement, keys(sampleSize))) {
        const share = shares.get(id)!;
        // The number of keys in a sample that fall to a node is binomial. Beyond six standard errors in one of 10^8.
        const bound = 6 * Math.sqrt((share * (1 - share)) / sampleSize) + 1 / sampleSize;
        assert.ok(Math.abs(sampled - share) <= bound, `${id}: ${sampled} of the sample, and ${share} by shares()`);
      }
    },
  },
  {
    title: 'gives each node keys in proportion to its weight, within a factor of two',
    needs: ['balance'],
    run({ placement, keys }) {
      const sampled = sampledShares(placement, keys(sampleSize));
      const weightSum = placement.nodes.reduce((sum, { weight }) => sum + weight, 0);
      for (const { id, weight } of placement.nodes) {
        const ratio = (sampled.get(id)! * weightSum) / weight;
        assert.ok(ratio > 0.5 && ratio < 2, `${id} has ${ratio.toFixed(2)} times its fair share`);
      }
    },
  },
  {
    title: 'is not changed by what is done to the shares that it gave',
    run({ placement }) {
      const before = [...placement.shares()];
      const given = placement.shares() as Map<NodeId, number>;
      try {
        given.clear();
      } catch {
        // Refusing is as good.
      }
      assert.deepEqual([...placement.shares()], before);
    },
  },
];
