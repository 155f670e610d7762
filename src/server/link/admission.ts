/** Whether the server that a connection has reached is one that the node can use. */

import type { Duplex } from 'node:stream';
import type { NodeSeat } from '../../backend/seat.ts';
import type { ServerProblem } from '../../errors/index.ts';
import type { Failure } from './failure.ts';
import type { ServerIdentity } from './server-identity.ts';
import { type Claim, type Place, placeOf, type UsedKeyspace } from './server-roster.ts';

const wrongServer = (problem: ServerProblem, other?: string): Failure => ({
  kind: 'wrong server',
  cause: new Error(`wrong server: ${problem}`),
  problem,
  other,
});

/** Pure. @param role  What the server must be; undefined: either. */
export function misfitOf(identity: ServerIdentity, role: 'master' | undefined): Failure | undefined {
  if (identity.mode === 'cluster') return wrongServer('cluster mode');
  if (identity.mode === 'sentinel') return wrongServer('sentinel');
  return role === 'master' && identity.role === 'slave' ? wrongServer('replica') : undefined;
}

/** The present connection of a node, as others of the cache must know of it. */
interface Admitted {
  readonly claim: Claim;
  readonly revoke: (failure: Failure) => void;
}

/** A node's side of the roster, see `server-roster.ts`. There may be no roster, or not yet. */
export class Admission {
  readonly #keyspace: UsedKeyspace;
  #place: Place | undefined;
  #present: Admitted | undefined;
  #refusal: Failure | undefined;

  constructor(keyspace: UsedKeyspace) {
    this.#keyspace = keyspace;
  }

  get place(): Place | undefined {
    return this.#place;
  }

  /** Another node keeps the server to which the node was connected last; undefined: none does, as far as is known. */
  get refusal(): Failure | undefined {
    return this.#refusal;
  }

  /** From now on the node is one of a cache; a connection that it has already is looked at once more. */
  takeSeat(seat: NodeSeat): void {
    if (this.#present !== undefined) this.#place?.release(this.#present.claim);
    this.#place = placeOf(seat);
    if (this.#present === undefined) return;
    const owner = this.#place.claim(this.#present.claim);
    if (owner !== undefined) this.#present.revoke(this.#refuse(owner));
  }

  /**
   * Takes note of the server for as long as the connection lasts.
   * @param revoke  Called when another node turns out to have the server.
   * @returns Undefined if the node may use it.
   */
  admit({ runId }: ServerIdentity, stream: Duplex, revoke: (failure: Failure) => void): Failure | undefined {
    this.#refusal = undefined;
    if (runId === undefined) return undefined;
    const claim: Claim = {
      server: runId,
      keyspace: this.#keyspace,
      revoke: (owner) => revoke(this.#refuse(owner)),
    };
    const owner = this.#place?.claim(claim);
    if (owner !== undefined) return this.#refuse(owner);
    const admitted = { claim, revoke };
    this.#present = admitted;
    stream.once('close', () => {
      this.#place?.release(claim);
      if (this.#present === admitted) this.#present = undefined;
    });
    return undefined;
  }

  #refuse(owner: string): Failure {
    this.#refusal = wrongServer('shared', owner);
    return this.#refusal;
  }
}
