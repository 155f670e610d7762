/** The events that a ShardedRedis takes listeners for. */

import type { ClusterEvents } from '../cluster/events.ts';

type Names = Readonly<Record<string, true>>;

/** A key has its data where it belongs, or nowhere: no fallback nodes, and nothing is copied back. */
type OfCachesOnly = 'replicaHit' | 'repaired' | 'spill' | 'backgroundError' | 'rebalanceDone';

/** What is emitted. The compiler holds the events of the cluster complete. */
const own: Names & Readonly<Record<Exclude<keyof ClusterEvents, OfCachesOnly>, true>> = {
  connect: true,
  ready: true,
  error: true,
  close: true,
  end: true,
  nodeUp: true,
  nodeSuspect: true,
  nodeDown: true,
  'node error': true,
  failover: true,
  writeMissed: true,
  sharedServer: true,
  nodeDemoted: true,
  rebalance: true,
  message: true,
  messageBuffer: true,
  pmessage: true,
  pmessageBuffer: true,
  smessage: true,
  smessageBuffer: true,
};

/** Events that only a client of one server or of a Redis Cluster emits; libraries written for those listen to them. */
export const eventNamesOfOtherClients: readonly string[] = [
  ...['wait', 'connecting', 'reconnecting', 'disconnecting', 'select', 'drain', 'monitor', 'monitoring'],
  ...['+node', '-node', 'nodeError', '+subscriber', '-subscriber', 'refresh', 'moved', 'disconnect', 'invalidate'],
  ...['subscribe', 'unsubscribe', 'psubscribe', 'punsubscribe', 'sharded-channel-moved'],
];

export const eventNames: readonly string[] = Object.keys(own);
