/** Events of routing: names of nodes and calls, never keys or values. */

import type { ServerEvents } from '../backend/seat.ts';

export interface RoutingEvents extends ServerEvents {
  /** A read was answered by `node` after the nodes in `failed` did not answer. */
  failover: {
    readonly operation: string;
    readonly node: string;
    readonly failed: readonly string[];
    readonly keys: number;
  };
  /** A value was found at `node` after the nodes in `missedAt`, which should have it, had missed. */
  replicaHit: {
    readonly operation: string;
    readonly node: string;
    readonly missedAt: readonly string[];
    readonly keys: number;
  };
  /** A value found elsewhere was put back at `node`, which had missed. */
  repaired: { readonly node: string; readonly source: string };
  /** A write reached the consistency level, but not `node`, which now lacks it. */
  writeMissed: { readonly operation: string; readonly node: string; readonly error: unknown; readonly keys: number };
  /** A write went to `nodes`, which stand in for holders that are down. */
  spill: { readonly operation: string; readonly nodes: readonly string[]; readonly down: readonly string[] };
  /**
   * Something failed that no call reports: putting a value back, storing what `getOrSet` loaded, or reading what it then
   * loaded instead.
   */
  backgroundError: { readonly operation: string; readonly node: string | undefined; readonly error: unknown };
}

export type EmitRoutingEvent = <Name extends keyof RoutingEvents>(name: Name, event: RoutingEvents[Name]) => void;
