/** Why a key is where it is: its placement, with what this process knows of the nodes at this moment. */

import type { NodeHealth } from '../health/health-view.ts';
import { explainPlacement, type KeyPlacement, type PlacedNode } from '../placement/explain.ts';
import { copiesOf, formerHoldersOf } from '../topology/topology.ts';
import type { Fleet } from './fleet.ts';

export interface Explanation extends KeyPlacement {
  readonly nodes: readonly (PlacedNode & { readonly health: NodeHealth })[];
  /** Nodes that are still asked for the key because of a lazy change. */
  readonly formerNodes: readonly string[];
  readonly epoch: number;
}

/** @throws {NoNodesError} There are no nodes. */
export function explain({ topology, health }: Fleet, key: string): Explanation {
  const explained = explainPlacement(topology.placement, key, copiesOf(topology));
  return {
    ...explained,
    nodes: explained.nodes.map((node) => ({ ...node, health: health.healthOf(node.id) })),
    formerNodes: formerHoldersOf(topology, key),
    epoch: topology.epoch,
  };
}
