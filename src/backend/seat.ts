/**
 * A node's place among the others of its client, as its backend knows it. A backend that can tell which server it has reached
 * says so there, and two ids on one server are found. The roster of servers belongs to such backends:
 * `server/link/server-roster.ts`.
 */

/** Of one node, for as long as it stays. What comes under its id later has another one. */
export interface NodeSeat {
  readonly node: string;
  readonly group: NodeGroup;
  /** The node's backend may not have heard of that, or have calls to end. */
  readonly hasLeft: boolean;
}

/** One object for all nodes of a client. */
export interface NodeGroup {
  readonly replicationFactor: number;
  readonly allowSharedServers: boolean;
  /** Who has reached which server. Made by the first backend that can tell. */
  roster?: unknown;
  /** What is wrong with a node at present. */
  reportFailure(node: string, error: unknown): void;
  /** Emits behind the present work: a backend may be connected before the client is made, and so before anybody can listen. */
  emit<Name extends keyof ServerEvents>(name: Name, event: ServerEvents[Name]): void;
}

export interface ServerEvents {
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
}
