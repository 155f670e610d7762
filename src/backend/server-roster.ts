/**
 * Which server each node of a cache has reached, so that two ids on one server are found.
 *
 * Copies on one server are lost together, and where the nodes share their keys too, removing a key at a node that no longer
 * owns it removes it at the owner. So the node that joined first keeps the server, and of those that join together the one
 * with the lower id: it does not depend on who connects first, and every process decides alike.
 *
 * Pure but for what it tells. A claim lasts as long as the connection on which it was made.
 */

/** A server as a node uses it. */
export interface UsedServer {
  /** Equal for one server only. */
  readonly server: string;
  readonly keyspace: UsedKeyspace;
}

export interface UsedKeyspace {
  readonly database: number;
  /** Before every key. */
  readonly prefix: string;
}

/** Some key of the one is a key of the other. */
const overlap = (one: UsedKeyspace, other: UsedKeyspace) =>
  one.database === other.database && (one.prefix.startsWith(other.prefix) || other.prefix.startsWith(one.prefix));

export interface Claim extends UsedServer {
  /** Called when a node that comes before this one has reached the same server. */
  readonly revoke: (owner: string) => void;
}

export interface SharedServer {
  /** The ids, the one that keeps the server first. */
  readonly nodes: readonly [string, string];
  /** Keys of the one node are keys of the other, too: neither the database nor `keyPrefix` keeps them apart. */
  readonly sharesKeys: boolean;
}

export interface RosterOptions {
  /** Whether two nodes that share a server in this way may both use it. */
  readonly allows: (shared: SharedServer) => boolean;
  /** Told of each pair once. */
  readonly onShared: (shared: SharedServer, isAllowed: boolean) => void;
  /** Told each time that a node may not use the server it has reached, as `owner` has it. */
  readonly onRefused: (node: string, owner: string) => void;
  /** Told when the server of a node has turned out to be a replica. */
  readonly onDemoted: (node: string) => void;
}

/** What a backend may ask and tell of the node that it serves. */
export interface NodeSeat {
  /** @returns The id of the node that has the server; undefined: it may be used. */
  claim(claim: Claim): string | undefined;
  /** The connection on which the claim was made has ended. */
  release(claim: Claim): void;
  /** The server answers as a replica, and the node's connections are being made anew. */
  demoted(): void;
}

/** Of one node, for as long as it stays. What comes under its id later has another one. */
interface Place {
  readonly id: string;
  /** What it claims now. */
  claim: Claim | undefined;
}

export class ServerRoster {
  readonly #options: RosterOptions;
  /** By id, in the order in which they keep a server. */
  readonly #places = new Map<string, Place>();
  readonly #told = new Set<string>();

  constructor(options: RosterOptions) {
    this.#options = options;
  }

  /** @param ids  Nodes that join together. */
  enter(ids: Iterable<string>): void {
    for (const id of [...ids].sort(byCodeUnits)) {
      if (!this.#places.has(id)) this.#places.set(id, { id, claim: undefined });
    }
  }

  leave(id: string): void {
    this.#places.delete(id);
  }

  /** What the backend of a node that has entered is given. */
  seatOf(id: string): NodeSeat {
    const place = this.#places.get(id)!;
    return {
      claim: (claim) => this.#claim(place, claim),
      release: (claim) => {
        if (place.claim === claim) place.claim = undefined;
      },
      demoted: () => {
        if (this.#stays(place)) this.#options.onDemoted(id);
      },
    };
  }

  /** Whether the node has not left; its backend may not have heard of that, or have calls to end. */
  #stays(place: Place): boolean {
    return this.#places.get(place.id) === place;
  }

  #claim(place: Place, claim: Claim): string | undefined {
    if (!this.#stays(place)) return undefined;
    const order = [...this.#places.values()];
    const later: { readonly other: Place; readonly made: Claim }[] = [];
    for (const other of order) {
      const made = other.claim;
      if (other === place || made?.server !== claim.server) continue;
      const comesFirst = order.indexOf(other) < order.indexOf(place);
      const nodes = comesFirst ? ([other.id, place.id] as const) : ([place.id, other.id] as const);
      if (this.#judge({ nodes, sharesKeys: overlap(made.keyspace, claim.keyspace) })) continue;
      if (comesFirst) {
        this.#options.onRefused(place.id, other.id);
        return other.id;
      }
      later.push({ other, made });
    }
    place.claim = claim;
    for (const { other, made } of later) {
      other.claim = undefined;
      this.#options.onRefused(other.id, place.id);
      made.revoke(place.id);
    }
    return undefined;
  }

  /** @returns Whether both may use the server. */
  #judge(shared: SharedServer): boolean {
    const isAllowed = this.#options.allows(shared);
    const pair = JSON.stringify([shared, isAllowed]);
    if (!this.#told.has(pair)) {
      this.#told.add(pair);
      this.#options.onShared(shared, isAllowed);
    }
    return isAllowed;
  }
}

const byCodeUnits = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0);
