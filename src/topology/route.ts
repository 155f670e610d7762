/**
 * Where one key lives at one epoch. A call finds its route once and keeps it to its end; keys with the same nodes may share
 * one.
 */

import type { NodeId } from '../placement/node.ts';
import type { Placement } from '../placement/placement.ts';
import { copiesOf, type Topology } from './topology.ts';

export interface Route {
  /** In force when the route was found. */
  readonly topology: Topology;
  /** The nodes that hold the key by the placement in force, primary first. */
  readonly holders: readonly NodeId[];
  /** In a joint phase those that held it before the change, primary first; else none. */
  readonly heldBefore: readonly NodeId[];
  /** Those of `heldBefore` that do not hold the key any more. They may still have it. */
  readonly previousOwners: readonly NodeId[];
}

const none: readonly never[] = Object.freeze([]);

/** @throws {NoNodesError} There are no nodes. */
export function routeOf(topology: Topology, key: string): Route {
  const { placement, replicationFactor, phase } = topology;
  const holders = holdersBy(placement, replicationFactor, key);
  if (phase.kind === 'stable') return { topology, holders, heldBefore: none, previousOwners: none };
  const heldBefore = holdersBy(phase.from, replicationFactor, key);
  const previousOwners = heldBefore.filter((node) => !holders.includes(node));
  return { topology, holders, heldBefore, previousOwners };
}

function holdersBy(placement: Placement, replicationFactor: number, key: string): readonly NodeId[] {
  // Asked most: it costs less than a list of one.
  if (replicationFactor === 1) return [placement.nodeFor(key)];
  return placement.preferenceList(key, copiesOf({ placement, replicationFactor }));
}

/** The first of a key's nodes. */
export const primaryOf = ({ holders }: Route): NodeId => holders[0]!;

/** Whether a node may have the key, so that one which is listed there is one of the store. */
export const mayHold = ({ holders, previousOwners }: Route, node: NodeId): boolean =>
  holders.includes(node) || previousOwners.includes(node);

/**
 * Whether a miss can be believed: a holder has said that it does not have the key, and in a joint phase also one of those
 * that held it before.
 *
 * @param hasMissed  Whether the node was asked and missed, or is known to have nothing that counts.
 */
export function isMissEverywhere({ holders, heldBefore }: Route, hasMissed: (node: NodeId) => boolean): boolean {
  return holders.some(hasMissed) && (heldBefore.length === 0 || heldBefore.some(hasMissed));
}
