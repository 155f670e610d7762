/**
 * The topology: an immutable value from which every call finds its nodes. A change makes a new one, so that a call in
 * flight keeps the one it began with.
 *
 *   stable  --a change of the placement, to be filled on demand--> joint
 *   joint   --the change has ended-->                              stable
 *   stable  --a change of the placement, not to be filled-->       stable
 *
 * There is one change at a time: no change begins in a joint phase.
 */

import type { NodeId } from '../placement/node.ts';
import type { Placement } from '../placement/placement.ts';

/**
 * stable  each key is where the placement says, or nowhere
 * joint   keys go from one placement to the next: one that has not been asked for since may still be where it was before.
 *         'on demand': the first read of a key brings it over
 */
export type Phase =
  | { readonly kind: 'stable' }
  | { readonly kind: 'joint'; readonly from: Placement; readonly fill: 'on demand' };

export interface Topology {
  /** Grows by 1 with every change of the placement. */
  readonly epoch: number;
  readonly placement: Placement;
  /** Copies of each key that are wanted. */
  readonly replicationFactor: number;
  readonly phase: Phase;
}

const stable: Phase = Object.freeze({ kind: 'stable' });

/** The topology that a client begins with. */
export function firstTopology(placement: Placement, replicationFactor: number): Topology {
  return { epoch: 1, placement, replicationFactor, phase: stable };
}

/** What a change of the placement puts in force. @param fill  'none': keys that change their nodes are missed from then on. */
export function changed(before: Topology, placement: Placement, fill: 'on demand' | 'none'): Topology {
  const { placement: from } = before;
  const phase: Phase = fill === 'none' || from.nodes.length === 0 ? stable : { kind: 'joint', from, fill };
  return { ...before, epoch: before.epoch + 1, placement, phase };
}

/** The same when the change has ended: what the nodes of before still have does not count any more. */
export function settled(topology: Topology): Topology {
  return { ...topology, phase: stable };
}

/** Copies of each key that there can be: all nodes where there are fewer than the replication factor. */
export function copiesOf({ placement, replicationFactor }: Pick<Topology, 'placement' | 'replicationFactor'>): number {
  return Math.min(replicationFactor, placement.nodes.length);
}

/** The ids of all nodes that may hold a key. */
export function memberIdsOf({ placement, phase }: Topology): ReadonlySet<NodeId> {
  const placements = phase.kind === 'joint' ? [placement, phase.from] : [placement];
  return new Set(placements.flatMap(({ nodes }) => nodes.map(({ id }) => id)));
}
