/** Events of routing: names of nodes and calls, never keys or values. */

export interface RoutingEvents {
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
   * Two nodes have reached the same server. `refused` is the one whose calls end with `ERR_WRONG_SERVER`; undefined where
   * both go on, as their keys are apart and there is one copy of each.
   */
  sharedServer: {
    readonly nodes: readonly [string, string];
    /** Neither the database nor `keyPrefix` keeps their keys apart. */
    readonly sharesKeys: boolean;
    readonly refused: string | undefined;
  };
  /** The server at the node's address answers as a replica: all connections of the node are made anew. Told once for each time. */
  nodeDemoted: { readonly node: string };
  /**
   * Something failed that no call reports: putting a value back, storing what `getOrSet` loaded, or reading what it then
   * loaded instead.
   */
  backgroundError: { readonly operation: string; readonly node: string | undefined; readonly error: unknown };
}

export type EmitRoutingEvent = <Name extends keyof RoutingEvents>(name: Name, event: RoutingEvents[Name]) => void;
