/**
 * Which server each node of a client has reached, so that two ids on one server are found.
 *
 * Copies on one server are lost together, and where the nodes share their keys too, removing a key at a node that no longer
 * owns it removes it at the owner. So the node that joined first keeps the server, and of those that join together the one
 * with the lower id: it does not depend on who connects first, and every process decides alike.
 *
 * Where databases or prefixes keep the keys of one copy apart, an event tells, and no more.
 *
 * Pure but for what it tells. A claim lasts as long as the connection on which it was made.
 */

import type { NodeGroup, NodeSeat } from '../../backend/seat.ts';
import { WrongServerError } from '../../errors/index.ts';

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

/** What the backend of a node may ask and tell. */
export interface Place {
  /** @returns The id of the node that has the server; undefined: it may be used. */
  claim(claim: Claim): string | undefined;
  /** The connection on which the claim was made has ended. */
  release(claim: Claim): void;
  /** The server answers as a replica, and the node's connections are being made anew. */
  demoted(): void;
}

interface Entry {
  readonly seat: NodeSeat;
  /** What the node claims now. */
  claim: Claim | undefined;
}

/** In the roster of the seat's group, behind the nodes that have sat down before. */
export function placeOf(seat: NodeSeat): Place {
  const { group } = seat;
  group.roster ??= new ServerRoster(group);
  return (group.roster as ServerRoster).enter(seat);
}

class ServerRoster {
  readonly #group: NodeGroup;
  /** In the order in which they keep a server. */
  #entries: Entry[] = [];
  readonly #told = new Set<string>();

  constructor(group: NodeGroup) {
    this.#group = group;
  }

  enter(seat: NodeSeat): Place {
    const entry: Entry = { seat, claim: undefined };
    this.#entries = [...this.#entries.filter((other) => !other.seat.hasLeft), entry];
    return {
      claim: (claim) => (seat.hasLeft ? undefined : this.#claim(entry, claim)),
      release: (claim) => {
        if (entry.claim === claim) entry.claim = undefined;
      },
      demoted: () => {
        if (!seat.hasLeft) this.#group.emit('nodeDemoted', { node: seat.node });
      },
    };
  }

  #claim(entry: Entry, claim: Claim): string | undefined {
    const { node } = entry.seat;
    const later: { readonly other: Entry; readonly made: Claim }[] = [];
    let comesFirst = true;
    for (const other of this.#entries) {
      if (other === entry) comesFirst = false;
      const made = other.claim;
      if (other === entry || other.seat.hasLeft || made?.server !== claim.server) continue;
      const nodes = comesFirst ? ([other.seat.node, node] as const) : ([node, other.seat.node] as const);
      if (this.#mayShare(nodes, overlap(made.keyspace, claim.keyspace))) continue;
      if (comesFirst) {
        this.#refuse(node, other.seat.node);
        return other.seat.node;
      }
      later.push({ other, made });
    }
    entry.claim = claim;
    for (const { other, made } of later) {
      other.claim = undefined;
      this.#refuse(other.seat.node, node);
      made.revoke(node);
    }
    return undefined;
  }

  /** @param nodes  The one that keeps the server first. */
  #mayShare(nodes: readonly [string, string], sharesKeys: boolean): boolean {
    const { allowSharedServers, replicationFactor } = this.#group;
    if (allowSharedServers) return true;
    // With copies, one server would hold all copies of some keys.
    const isAllowed = replicationFactor === 1 && !sharesKeys;
    const event = { nodes, sharesKeys, refused: isAllowed ? undefined : nodes[1] };
    const text = JSON.stringify(event);
    if (!this.#told.has(text)) {
      this.#told.add(text);
      this.#group.emit('sharedServer', event);
    }
    return isAllowed;
  }

  /** The node may have answered before, and counts as up then. */
  #refuse(node: string, other: string): void {
    this.#group.reportFailure(node, new WrongServerError(node, 'connect', 'shared', { other }));
  }
}
