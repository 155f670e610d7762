/**
 * The data of every picture of a ring, so that no two can differ. Shares and ratios are those of
 * `placement/balance.ts`.
 */

import { balanceOf, type NodeBalance } from '../../placement/balance.ts';
import { indexesOf } from '../../placement/node.ts';
import type { HashRing } from '../../placement/ring/hash-ring.ts';
import { pointCount } from '../../placement/ring/virtual-nodes.ts';
import type { RebalancePlan } from '../../rebalance/plan.ts';

export interface ModelNode extends NodeBalance {
  readonly zone: string | undefined;
  /** Points on the ring. */
  readonly virtualNodes: number;
}

/** The slots [firstSlot, endSlot) and a node, as an index into `nodes`. */
export interface ModelArc {
  readonly node: number;
  readonly firstSlot: number;
  readonly endSlot: number;
}

export interface RingModel {
  readonly slots: number;
  readonly hashSeed: number;
  readonly checksum: string;
  /** Points of all nodes together. */
  readonly virtualNodes: number;
  /** Ascending by id. */
  readonly nodes: readonly ModelNode[];
  /** The node of each slot, as an index into `nodes`. Do not change it. */
  readonly owners: Uint16Array;
  /** All slots, ascending; neighbours differ in their node. */
  readonly arcs: readonly ModelArc[];
  readonly balance: { readonly fullest: number; readonly emptiest: number; readonly variation: number };
  /** Only with a plan: the slots that move, with the node they move to. */
  readonly moved?: readonly ModelArc[];
}

/**
 * @param ring  With at least one node.
 * @param plan  A plan that ends at this ring; what it moves is then part of the picture.
 */
export function ringModel(ring: HashRing, plan?: RebalancePlan): RingModel {
  const owners = ring.slotTable(1);
  const { nodes: shares, fullest, emptiest, coefficientOfVariation } = balanceOf(ring);
  const nodes = ring.nodes.map((node, index) => ({
    ...shares[index]!,
    zone: node.zone,
    virtualNodes: pointCount(node, ring.virtualNodes),
  }));
  return {
    slots: ring.slots,
    hashSeed: ring.hashSeed,
    checksum: ring.checksum,
    virtualNodes: nodes.reduce((sum, { virtualNodes }) => sum + virtualNodes, 0),
    nodes,
    owners,
    arcs: arcsOf(owners),
    balance: { fullest, emptiest, variation: coefficientOfVariation },
    ...(plan === undefined ? {} : { moved: movedArcs(ring, plan) }),
  };
}

function arcsOf(owners: Uint16Array): ModelArc[] {
  const arcs: ModelArc[] = [];
  let firstSlot = 0;
  for (let slot = 1; slot <= owners.length; slot++) {
    if (slot < owners.length && owners[slot] === owners[firstSlot]) continue;
    arcs.push({ node: owners[firstSlot]!, firstSlot, endSlot: slot });
    firstSlot = slot;
  }
  return arcs;
}

function movedArcs(ring: HashRing, plan: RebalancePlan): ModelArc[] {
  const indexOf = indexesOf(ring.nodes);
  return plan.moves
    .flatMap(({ to, slots }) => slots.map(([firstSlot, endSlot]) => ({ node: indexOf.get(to)!, firstSlot, endSlot })))
    .sort((a, b) => a.firstSlot - b.firstSlot || a.node - b.node);
}

/** The node in whose part of a plain pie of the shares, laid out in the order of `nodes`, `turn` falls. */
export function shareAt({ nodes }: RingModel, turn: number): number {
  let end = 0;
  for (const [index, { share }] of nodes.entries()) {
    end += share;
    if (turn < end) return index;
  }
  // The shares may add up to a little less than 1; the last node takes the rest.
  return nodes.length - 1;
}
