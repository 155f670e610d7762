/** One node did not do what it was asked. */

import { ShardringError } from './base.ts';

/**
 * The node could not be reached. A write was not executed there; a read may have been, and its answer is lost. Another
 * replica may serve.
 */
export class NodeUnavailableError extends ShardringError {
  static {
    this.prototype.name = 'NodeUnavailableError';
  }
  readonly code = 'ERR_NODE_UNAVAILABLE';
  readonly retryable = true;

  constructor(
    readonly node: string,
    readonly operation: string,
    options?: ErrorOptions,
  ) {
    super(`${operation}: node ${node} cannot be reached.`, options);
  }
}

/** The deadline passed before an answer came, and the call changed nothing (it was a read, or was never sent). */
export class TimeoutError extends ShardringError {
  static {
    this.prototype.name = 'TimeoutError';
  }
  readonly code = 'ERR_TIMEOUT';
  readonly retryable = true;

  constructor(
    readonly node: string,
    readonly operation: string,
    readonly timeoutMs: number,
    options?: ErrorOptions,
  ) {
    super(`${operation}: node ${node} did not answer within ${Math.ceil(timeoutMs)} ms.`, options);
  }
}

/**
 * The call was sent and its reply never came: it may or may not have been executed.
 *
 * Not retryable on its own account: repeating an increment could count twice. A caller that knows its call to be
 * idempotent (a `set`, a `delete`) may repeat it.
 */
export class UnknownOutcomeError extends ShardringError {
  static {
    this.prototype.name = 'UnknownOutcomeError';
  }
  readonly code = 'ERR_UNKNOWN_OUTCOME';
  readonly retryable = false;

  constructor(
    readonly node: string,
    readonly operation: string,
    options?: ErrorOptions,
  ) {
    super(`${operation}: the reply of node ${node} was lost, so the call may or may not have been executed.`, options);
  }
}

/** The first word of a server's error reply, for those that callers tell apart. */
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
]);

/** The node answered with an error. `cause` holds the server's own text. The call was not executed. */
export class NodeReplyError extends ShardringError {
  static {
    this.prototype.name = 'NodeReplyError';
  }
  readonly code = 'ERR_NODE_REPLY';
  readonly retryable: boolean;

  constructor(
    readonly node: string,
    readonly operation: string,
    readonly kind: ReplyErrorKind,
    options?: ErrorOptions,
  ) {
    super(
      `${operation}: node ${node} refused the call${kind === 'OTHER' ? '' : ` (${kind})`}; see \`cause\`.`,
      options,
    );
    this.retryable = retryableReplies.has(kind);
  }
}

/** The node sent bytes that are not the protocol. Its connection is given up. */
export class NodeProtocolError extends ShardringError {
  static {
    this.prototype.name = 'NodeProtocolError';
  }
  readonly code = 'ERR_NODE_PROTOCOL';
  readonly retryable = true;

  constructor(
    readonly node: string,
    readonly operation: string,
    options?: ErrorOptions,
  ) {
    super(`${operation}: node ${node} does not speak the Redis protocol; see \`cause\`.`, options);
  }
}
