/**
 * How evenly a placement spreads the keys.
 *
 *   share(n)   part of the keys that node n owns as primary      in [0, 1], sums to 1
 *   ideal(n)   weight(n) / sum of the weights                    in [0, 1], sums to 1
 *   ratio(n)   share(n) / ideal(n)                               1 is perfect
 *   fullest, emptiest          the largest and the smallest ratio; emptiest <= 1 <= fullest
 *   coefficient of variation   standard deviation of the ratios over the nodes / their mean
 */

import type { NodeId, PlacementNode } from './node.ts';
import type { Placement } from './placement.ts';

export interface NodeBalance {
  readonly id: NodeId;
  readonly weight: number;
  readonly share: number;
  readonly ideal: number;
  readonly ratio: number;
}

export interface Spread {
  readonly coefficientOfVariation: number;
  /** The fullest node against its ideal share, which is max/mean where all weigh the same. */
  readonly fullest: number;
  readonly emptiest: number;
}

export interface Balance extends Spread {
  /** As in the placement's `nodes`. */
  readonly nodes: readonly NodeBalance[];
}

/** For a placement without nodes: no nodes, and a spread of 0 around 1. */
export function balanceOf(placement: Placement): Balance {
  const shares = placement.shares();
  const weights = placement.nodes.reduce((sum, { weight }) => sum + weight, 0);
  const nodes = placement.nodes.map(({ id, weight }) => {
    const share = shares.get(id)!;
    const ideal = weight / weights;
    return { id, weight, share, ideal, ratio: share / ideal };
  });
  return { nodes, ...spreadOf(nodes.map(({ ratio }) => ratio)) };
}

function spreadOf(ratios: readonly number[]): Spread {
  if (ratios.length === 0) return { coefficientOfVariation: 0, fullest: 1, emptiest: 1 };
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
  const variance = ratios.reduce((sum, ratio) => sum + (ratio - mean) ** 2, 0) / ratios.length;
  const [emptiest, fullest] = ratios.reduce(
    ([low, high], ratio) => [Math.min(low, ratio), Math.max(high, ratio)],
    [Number.POSITIVE_INFINITY, 0],
  );
  return { coefficientOfVariation: Math.sqrt(variance) / mean, fullest, emptiest };
}

/** Settings of a ring, and the spread to be expected of them. */
export interface RingOutlook {
  readonly virtualNodes: number;
  readonly slots: number;
  readonly coefficientOfVariation: number;
  readonly fullest: number;
}

/**
 * The spread to be expected of a ring, over all the names that its nodes could have.
 *
 * With p(n) points at node n, P of them in all, S slots and L = P / S points a slot, the ratio of node n varies by
 *
 *   (1 + L^2 g(L)) / p(n),  where  L^2 g(L) = L - 2 + 2 L / (e^L - 1)
 *
 * The 1 is what random points bring (a sum of p(n) exponential arcs). The rest is what slots add: an arc counts as the
 * number of slot starts in it, which is its length rounded up or down at random, and g(L) is the variance of that for an
 * exponential arc of mean 1 / L slots. L^2 g(L) is L^2 / 6 for few points a slot, and about L for many. The coefficient
 * of variation is the root of the mean over the nodes, times 1 - 3 / (4 N) for what N shares that sum to 1 vary less than
 * N that are free. The fullest of N is expected where the largest of N normal values is:
 * at the quantile (N - 0.375) / (N + 0.25) (G. Blom, "Statistical Estimates and Transformed Beta-Variables", 1958).
 */
export function expectedSpread(
  nodes: readonly PlacementNode[],
  virtualNodes: number,
  slots: number,
): Pick<RingOutlook, 'coefficientOfVariation' | 'fullest'> {
  if (nodes.length < 2) return { coefficientOfVariation: 0, fullest: 1 };
  const points = nodes.map(({ weight }) => Math.max(1, Math.round(weight * virtualNodes)));
  const pointsPerSlot = points.reduce((sum, count) => sum + count, 0) / slots;
  const bySlots = pointsPerSlot - 2 + (2 * pointsPerSlot) / Math.expm1(pointsPerSlot);
  const variance = (1 + bySlots) * (points.reduce((sum, count) => sum + 1 / count, 0) / points.length);
  const deviation = Math.sqrt(variance);
  const count = nodes.length;
  return {
    coefficientOfVariation: deviation * (1 - 3 / (4 * count)),
    fullest: 1 + deviation * normalQuantile((count - 0.375) / (count + 0.25)),
  };
}

/** For a part of at least one half. M. Abramowitz, I. Stegun, "Handbook of Mathematical Functions", 26.2.23: within 0.00045. */
function normalQuantile(part: number): number {
  const t = Math.sqrt(-2 * Math.log(1 - part));
  const above = 2.515517 + t * (0.802853 + t * 0.010328);
  const below = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  return t - above / below;
}
