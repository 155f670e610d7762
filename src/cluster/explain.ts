/** Why a key is where it is: its placement, with what this process knows of the nodes at this moment. */

import type { NodeHealth } from '../health/health-view.ts';
import { explainPlacement, type KeyPlacement, type PlacedNode } from '../placement/explain.ts';
import type { Fleet } from '../routing/fleet.ts';
import { routeOf } from '../topology/route.ts';
import { copiesOf } from '../topology/topology.ts';

export interface Explanation extends KeyPlacement {
  readonly nodes: readonly (PlacedNode & { readonly health: NodeHealth })[];
  /** In a joint phase: nodes that held the key before the change, and may still have it. */
  readonly previousOwners: readonly string[];
  readonly epoch: number;
}

/** @throws {NoNodesError} There are no nodes. */
export function explain({ topology, health }: Fleet, key: string): Explanation {
  const explained = explainPlacement(topology.placement, key, copiesOf(topology));
  return {
    ...explained,
    nodes: explained.nodes.map((node) => ({ ...node, health: health.healthOf(node.id) })),
    previousOwners: routeOf(topology, key).previousOwners,
    epoch: topology.epoch,
  };
}
