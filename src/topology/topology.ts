/**
 * The topology: an immutable value from which every call finds its nodes. A change makes a new one, so that a call that
 * is under way keeps the one it began with.
 */

import type { NodeId } from '../placement/node.ts';
import type { Placement } from '../placement/placement.ts';

/** A placement that was in force before, whose nodes may still hold what has not been asked for since. */
export interface FormerPlacement {
  readonly placement: Placement;
  /** The epoch of the change that replaced it. */
  readonly change: number;
}

export interface Topology {
  /** Grows by 1 with every change of the members or their weights. */
  readonly epoch: number;
  readonly placement: Placement;
  /** Copies of each key that are wanted. */
  readonly replicationFactor: number;
  /** Open lazy changes, the latest first; empty most of the time. */
  readonly formerPlacements: readonly FormerPlacement[];
}

/** Copies of each key that there can be: all nodes where there are fewer than the replication factor. */
export function copiesOf({ placement, replicationFactor }: Topology): number {
  return Math.min(replicationFactor, placement.nodes.length);
}

/** The nodes that hold `key` by the placement in force, primary first. */
export function holdersOf(topology: Topology, key: string): readonly NodeId[] {
  return topology.placement.preferenceList(key, copiesOf(topology));
}

/** The first of them, which is all there is where no copies are kept. @throws {NoNodesError} There are no nodes. */
export function primaryOf({ placement }: Topology, key: string): NodeId {
  return placement.nodeFor(key);
}

/** The nodes that held `key` by a former placement, primary first. */
function holdersBy({ placement }: FormerPlacement, replicationFactor: number, key: string): readonly NodeId[] {
  return placement.preferenceList(key, Math.min(replicationFactor, placement.nodes.length));
}

/** The nodes that held `key` by a former placement and do not hold it now, each once, the latest one's first. */
export function formerHoldersOf(topology: Topology, key: string): readonly NodeId[] {
  const current = holdersOf(topology, key);
  const formers = topology.formerPlacements.flatMap((former) => holdersBy(former, topology.replicationFactor, key));
  return [...new Set(formers)].filter((node) => !current.includes(node));
}

/**
 * Whether a miss can be believed: by each former placement that is still open, one of the key's holders has said that it does
 * not have it. The present placement is the caller's concern.
 *
 * @param hasMissed  Whether the node was asked and missed, or is known to have nothing that counts.
 */
export function isMissEverywhere(topology: Topology, key: string, hasMissed: (node: NodeId) => boolean): boolean {
  return topology.formerPlacements.every((former) =>
    holdersBy(former, topology.replicationFactor, key).some(hasMissed),
  );
}
