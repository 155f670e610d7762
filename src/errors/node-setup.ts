/** A node whose setup keeps it from serving: something has to be changed, at the server or here. */

import { NodeError, type NodeErrorOptions, named, saidOf } from './node.ts';

/**
 * - `cluster mode`: a server of Redis Cluster, which serves a part of the keys and answers MOVED to the rest.
 * - `sentinel`: a Sentinel, which holds no data.
 * - `replica`: a read-only replica, as after a failover behind one name. Attempts go on until a primary is there.
 * - `shared`: the server of another node of the same client, {@link WrongServerError.other}.
 */
export type ServerProblem = 'cluster mode' | 'sentinel' | 'replica' | 'shared';

const remedies: Readonly<Record<ServerProblem, (other: string | undefined) => string>> = {
  'cluster mode': () =>
    'is a server of Redis Cluster, which shards keys itself. Use servers without `cluster-enabled`, or a client for Redis Cluster.',
  sentinel: () =>
    'is a Sentinel and holds no data. Make its group the node: set `sentinels` and `name` instead of the address.',
  replica: () =>
    "is a read-only replica. Point the node at the primary; `reads: 'replica'` accepts a replica for reading old data.",
  shared: (other) =>
    `has the same server as node ${other}. Give each node a server of its own, or set \`allowSharedServers\`.`,
};

/** The node cannot use the server at its address. The call was not executed. */
export class WrongServerError extends NodeError {
  static {
    this.prototype.name = 'WrongServerError';
  }
  readonly code = 'ERR_WRONG_SERVER';
  /** A replica may become the primary, or the name may lead to one soon. The other problems need a person. */
  readonly retryable: boolean;
  /** For a shared server: the node that keeps it. */
  readonly other: string | undefined;

  constructor(
    node: string,
    operation: string,
    readonly problem: ServerProblem,
    options: NodeErrorOptions & { readonly other?: string | undefined } = {},
  ) {
    super(node, operation, `${named(node, options.address)} ${remedies[problem](options.other)}`, options);
    this.retryable = problem === 'replica';
    this.other = options.other;
  }

  [saidOf](node: string, operation: string, sinceMs: number | undefined): WrongServerError {
    const { cause, address, other } = this;
    return new WrongServerError(node, operation, this.problem, { cause, address, other, sinceMs });
  }
}

/** The function that gives the node's credentials failed, gave none, or was late. `cause` is what it threw. */
export class CredentialsError extends NodeError {
  static {
    this.prototype.name = 'CredentialsError';
  }
  readonly code = 'ERR_CREDENTIALS';
  readonly retryable = true;

  constructor(node: string, operation: string, options: NodeErrorOptions = {}) {
    const text = `${named(node, options.address)}: the function for its credentials failed; see \`cause\`.`;
    super(node, operation, text, options);
  }

  [saidOf](node: string, operation: string, sinceMs: number | undefined): CredentialsError {
    const { cause, address } = this;
    return new CredentialsError(node, operation, { cause, address, sinceMs });
  }
}
