/** What a cluster of nodes tells about: names of nodes and calls, never keys or values. */

import type { RebalancePlan } from '../rebalance/plan.ts';
import type { RoutingEvents } from '../routing/events.ts';

export interface ClusterEvents extends RoutingEvents {
  /** A call to the node failed or was late. Reads prefer other nodes until a probe has decided. */
  nodeSuspect: { readonly node: string; readonly error: unknown };
  /** Probes of the node failed. It is not called until one succeeds. */
  nodeDown: { readonly node: string; readonly error: unknown };
  /** A probe of the node succeeded after it was suspect or down. */
  nodeUp: { readonly node: string };
  /** A new topology is in force. The plan of a cache that is sharded by ranges of raw keys names the bounds of its ranges. */
  rebalance: { readonly epoch: number; readonly change: TopologyChange; readonly plan: RebalancePlan };
  /** A lazy change has ended: its previous owners are not asked any more, and the next change may begin. */
  rebalanceDone: { readonly epoch: number };
}

export type EmitClusterEvent = <Name extends keyof ClusterEvents>(name: Name, event: ClusterEvents[Name]) => void;

export type TopologyChange =
  | { readonly kind: 'addNode'; readonly node: string; readonly weight: number }
  | { readonly kind: 'removeNode'; readonly node: string }
  | { readonly kind: 'setWeight'; readonly node: string; readonly weight: number }
  | { readonly kind: 'setPlacement' };

/** For messages: `addNode d`. */
export const nameOfChange = (change: TopologyChange): string =>
  'node' in change ? `${change.kind} ${change.node}` : change.kind;
