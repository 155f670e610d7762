/**
 * The topology: an immutable value from which every call finds its nodes. A change makes a new one, so that a call that
 * is under way keeps the one it began with.
 */

import type { NodeId } from '../placement/node.ts';
import type { HashRing } from '../placement/ring/hash-ring.ts';

/** A ring that was in force before, whose nodes may still hold what has not been asked for since. */
export interface FormerRing {
  readonly ring: HashRing;
  /** The epoch of the change that replaced it. */
  readonly change: number;
}

export interface Topology {
  /** Grows by 1 with every change of the members or their weights. */
  readonly epoch: number;
  readonly ring: HashRing;
  /** Copies of each key that are wanted. */
  readonly replicationFactor: number;
  /** Open lazy changes, the latest first; empty most of the time. */
  readonly formerRings: readonly FormerRing[];
}

/** Copies of each key that there can be: all nodes where there are fewer than the replication factor. */
export function copiesOf({ ring, replicationFactor }: Topology): number {
  return Math.min(replicationFactor, ring.nodes.length);
}

/** The nodes that hold `key` by the ring in force, primary first. */
export function holdersOf(topology: Topology, key: string): readonly NodeId[] {
  return topology.ring.preferenceList(key, copiesOf(topology));
}

/** The nodes that held `key` by a former ring, primary first. */
function holdersBy({ ring }: FormerRing, replicationFactor: number, key: string): readonly NodeId[] {
  return ring.preferenceList(key, Math.min(replicationFactor, ring.nodes.length));
}

/** The nodes that held `key` by a former ring and do not hold it now, each once, the latest ring's first. */
export function formerHoldersOf(topology: Topology, key: string): readonly NodeId[] {
  const current = holdersOf(topology, key);
  const formers = topology.formerRings.flatMap((former) => holdersBy(former, topology.replicationFactor, key));
  return [...new Set(formers)].filter((node) => !current.includes(node));
}

/**
 * Whether a miss can be believed: by each former ring that is still open, one of the key's holders has said that it does
 * not have it. The present ring is the caller's concern.
 *
 * @param hasMissed  Whether the node was asked and missed, or is known to have nothing that counts.
 */
export function isMissEverywhere(topology: Topology, key: string, hasMissed: (node: NodeId) => boolean): boolean {
  return topology.formerRings.every((former) => holdersBy(former, topology.replicationFactor, key).some(hasMissed));
}
