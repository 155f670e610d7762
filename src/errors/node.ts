/** The call failed at one node. */

import { type CauseOptions, ShardringError } from './base.ts';

export interface NodeErrorOptions extends CauseOptions {
  /** The address of the node's server, for the message: `10.0.0.1:6379`, or the path of a socket file. */
  readonly address?: string | undefined;
  /** Why, and what to do, in words that end a sentence: `ECONNREFUSED`. */
  readonly reason?: string | undefined;
  /** For a node that was down before the call: since when, as Unix time in milliseconds. */
  readonly sinceMs?: number | undefined;
}

/**
 * The method by which an error about a node makes the same error for a later call: `(node, operation,
 * sinceMs)`. A method, so that the keeper of such an error need not know its class. Shared by the process, like the
 * brand.
 */
export const saidOf = Symbol.for('shardring.saidOf');

/** An error about one node. */
export abstract class NodeError extends ShardringError {
  /** The address of the node's server, if it is known. */
  declare readonly address?: string;
  /** For a node that was down before the call: since when, as Unix time in milliseconds. */
  declare readonly sinceMs?: number;

  /** @param details  Further properties, of which the undefined ones are left out. */
  constructor(
    readonly node: string,
    readonly operation: string,
    text: string,
    options: NodeErrorOptions,
    details: Readonly<Record<string, unknown>> = {},
  ) {
    super(`${operation}: ${text}`, options);
    const { address, sinceMs } = options;
    const given = Object.entries({ address, sinceMs, ...details }).filter(([, detail]) => detail !== undefined);
    Object.assign(this, Object.fromEntries(given));
  }
}

/** `node a (10.0.0.1:6379)`. A node without a name of its own is named by its address. */
export const named = (node: string, address: string | undefined) =>
  address === undefined || address === node ? `node ${node}` : `node ${node} (${address})`;

const ending = (reason: string | undefined) => (reason === undefined ? '.' : `: ${reason}`);

/**
 * The node could not be reached. A write was not executed there; a read may have been, and its answer is lost. Another
 * replica may serve.
 */
export class NodeUnavailableError extends NodeError {
  static {
    this.prototype.name = 'NodeUnavailableError';
  }
  readonly code = 'ERR_NODE_UNAVAILABLE';
  readonly retryable = true;
  /** Why, in words. */
  declare readonly reason?: string;

  constructor(node: string, operation: string, options: NodeErrorOptions = {}) {
    const { address, reason } = options;
    super(node, operation, `${named(node, address)} cannot be reached${ending(reason)}`, options, { reason });
  }
}

/** The deadline passed before an answer came, and the call changed nothing (it was a read, or was never sent). */
export class TimeoutError extends NodeError {
  static {
    this.prototype.name = 'TimeoutError';
  }
  readonly code = 'ERR_TIMEOUT';
  readonly retryable = true;
  /** The reason of the delay if the call did not wait for a reply, or had little time for one. */
  declare readonly reason?: string;
  /** True if no reply was missing: the caller's own function, given to `withConnection`, took too long. */
  declare readonly isOwnTime?: true;
  /** True for a PING that says nothing about the node: calls written before it, with time left, may still be on their way. */
  declare readonly isBehindWrites?: true;

  constructor(
    node: string,
    operation: string,
    readonly timeoutMs: number,
    options: TimeoutErrorOptions = {},
  ) {
    const { address, reason, isOwnTime, isBehindWrites } = options;
    const text = delayOf(named(node, address), timeoutMs, isOwnTime) + ending(reason);
    const marks = { isOwnTime: isOwnTime || undefined, isBehindWrites: isBehindWrites || undefined };
    super(node, operation, text, options, { reason, ...marks });
  }
}

interface TimeoutErrorOptions extends NodeErrorOptions {
  readonly isOwnTime?: boolean | undefined;
  readonly isBehindWrites?: boolean | undefined;
}

function delayOf(name: string, timeoutMs: number, isOwnTime: boolean | undefined): string {
  const limit = `within ${Math.ceil(timeoutMs)} ms`;
  return isOwnTime
    ? `your function did not finish ${limit}; it was not waiting for ${name}`
    : `${name} did not answer ${limit}`;
}

/**
 * The call was sent and its reply never came: it may or may not have been executed.
 *
 * Not retryable by itself: repeating an increment could count twice. A caller that knows its call to be
 * idempotent (a `set`, a `delete`) may repeat it.
 */
export class UnknownOutcomeError extends NodeError {
  static {
    this.prototype.name = 'UnknownOutcomeError';
  }
  readonly code = 'ERR_UNKNOWN_OUTCOME';
  readonly retryable = false;

  constructor(node: string, operation: string, options: NodeErrorOptions = {}) {
    super(node, operation, `${loss(node, options)}, so the call may or may not have been executed.`, options);
  }
}

const aside = (reason: string | undefined) => (reason === undefined ? '' : ` (${reason.replace(/\.$/, '')})`);

function loss(node: string, { address, reason, cause }: NodeErrorOptions): string {
  const name = named(node, address);
  if (cause instanceof TimeoutError) {
    return delayOf(name, cause.timeoutMs, cause.isOwnTime) + aside(cause.reason);
  }
  return `the reply of ${name} was lost${aside(reason)}`;
}

/** The first word of a server's error reply, if it is one that callers distinguish. */
export type ReplyErrorKind =
  | 'LOADING'
  | 'OOM'
  | 'READONLY'
  | 'NOAUTH'
  | 'WRONGPASS'
  | 'NOPERM'
  | 'WRONGTYPE'
  | 'BUSY'
  | 'MISCONF'
  | 'MASTERDOWN'
  | 'CLUSTERDOWN'
  | 'TRYAGAIN'
  | 'NOREPLICAS'
  | 'OTHER';

/** Kinds that say "not now" or "not here" rather than "never". */
const retryableReplies: ReadonlySet<ReplyErrorKind> = new Set([
  'LOADING',
  'OOM',
  'READONLY',
  'BUSY',
  'MISCONF',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'NOREPLICAS',
]);

/** Advice for errors about the setup of the node rather than the one call. */
const adviceOn: Partial<Readonly<Record<ReplyErrorKind, string>>> = {
  READONLY: 'its server is a read-only replica. Point the node at the primary',
  NOAUTH: 'it requires a password. Set `password`, and `username` for a user other than the default',
  WRONGPASS: 'it does not accept the user name and password. Check `username` and `password`',
  NOPERM: 'the ACL of its user does not allow this',
  LOADING: 'it is loading its data',
  OOM: 'its memory is full (`maxmemory`)',
  MASTERDOWN: 'it is a replica that has lost its primary',
  MISCONF: 'it cannot save its data, so it accepts no writes',
  NOREPLICAS: 'too few of its replicas are connected (`min-replicas-to-write`)',
};

function refusal(kind: ReplyErrorKind): string {
  const advice = adviceOn[kind];
  if (advice !== undefined) return ` (${kind}): ${advice}; see \`cause\`.`;
  return `${kind === 'OTHER' ? '' : ` (${kind})`}; see \`cause\`.`;
}

/** The node answered with an error. `cause` holds the server's own text. The call was not executed. */
export class NodeReplyError extends NodeError {
  static {
    this.prototype.name = 'NodeReplyError';
  }
  readonly code = 'ERR_NODE_REPLY';
  readonly retryable: boolean;

  constructor(
    node: string,
    operation: string,
    readonly kind: ReplyErrorKind,
    options: NodeErrorOptions = {},
  ) {
    super(node, operation, `${named(node, options.address)} refused the call${refusal(kind)}`, options);
    this.retryable = retryableReplies.has(kind);
  }

  [saidOf](node: string, operation: string, sinceMs: number | undefined): NodeReplyError {
    const { cause, address } = this;
    return new NodeReplyError(node, operation, this.kind, { cause, address, sinceMs });
  }
}

/**
 * The node's answer cannot be a reply. Either the bytes are not the protocol, and its connection is dropped; or its backend is
 * a third-party backend that answered with something its contract does not allow.
 */
export class NodeProtocolError extends NodeError {
  static {
    this.prototype.name = 'NodeProtocolError';
  }
  readonly code = 'ERR_NODE_PROTOCOL';
  readonly retryable = true;
  /** The name of the backend that violates the contract. */
  declare readonly backend?: string;
  /** Why, in words. */
  declare readonly reason?: string;

  constructor(
    node: string,
    operation: string,
    options: NodeErrorOptions & { readonly backend?: string | undefined } = {},
  ) {
    const { address, reason, backend } = options;
    const breach = backend === undefined ? 'does not speak the Redis protocol' : 'violates the contract of backends';
    const why = reason === undefined ? '; see `cause`.' : `: ${reason}`;
    super(node, operation, `${named(node, address)} ${breach}${why}`, options, { backend, reason });
  }

  [saidOf](node: string, operation: string, sinceMs: number | undefined): NodeProtocolError {
    const { cause, address, backend, reason } = this;
    return new NodeProtocolError(node, operation, { cause, address, backend, reason, sinceMs });
  }
}
