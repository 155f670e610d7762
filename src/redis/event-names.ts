/** The events that a ShardedRedis takes listeners for. */

import type { RoutingEvents } from '../routing/events.ts';

type Names = Readonly<Record<string, true>>;

/** A key has its data where it belongs, or nowhere: no stand-ins, and nothing is copied back. */
type OfCachesOnly = 'replicaHit' | 'repaired' | 'spill' | 'backgroundError';

/** The emitted events. The compiler checks that the events of routing are complete. */
const own: Names & Readonly<Record<Exclude<keyof RoutingEvents, OfCachesOnly>, true>> = {
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
