/**
 * Every error this library throws on purpose.
 *
 * One base, a string `code` to branch on, `retryable`, the context as fields and the first failure as `cause`.
 * Messages name nodes and fields. They never hold a key, a value or a password, because messages end up in logs.
 */

/** Testing `code` narrows to the one class. */
export type AnyShardringError =
  | InvalidArgumentError
  | NoNodesError
  | SnapshotError
  | NodeUnavailableError
  | TimeoutError
  | UnknownOutcomeError
  | NodeReplyError
  | NodeProtocolError
  | NotAnIntegerError
  | ValueTooLargeError
  | AllReplicasFailedError
  | WriteConsistencyError
  | PartialFailureError
  | CodecError
  | UnsupportedError
  | CrossNodeError
  | CommandRefusedError
  | MissingDependencyError
  | ClosedError;

export type ShardringErrorCode = AnyShardringError['code'];

/** Shared by every copy of this package in a process, so that two copies know each other's errors. */
const brand = Symbol.for('shardring.ShardringError');

/** Base of {@link AnyShardringError}. Branch on `code`, never on `message`. */
export abstract class ShardringError extends Error {
  abstract readonly code: string;

  /** True if the same call may succeed later, or on another replica, with no change by the caller. */
  abstract readonly retryable: boolean;

  get [brand](): true {
    return true;
  }
}

/** True for errors of this library, from whichever copy of it they come. */
export function isShardringError(value: unknown): value is AnyShardringError {
  return typeof value === 'object' && value !== null && brand in value;
}

/** An argument or an option has a value that it may not have. Nothing was done. */
export class InvalidArgumentError extends ShardringError {
  static {
    // On the prototype, so that `name` is not an own key, which loggers would print a second time.
    this.prototype.name = 'InvalidArgumentError';
  }
  readonly code = 'ERR_INVALID_ARGUMENT';
  readonly retryable = false;

  /**
   * @param field     Where the value stood, as the caller wrote it: `nodes[2].weight`.
   * @param expected  What may stand there, as a noun: 'a finite number above 0'.
   * @param received  What stood there. Shown shortened, and only for kinds that cannot be a key, a value or a password.
   * @param isPublic  A string that came may be shown, as it is a node's id or one of a few words.
   */
  constructor(
    readonly field: string,
    readonly expected: string,
    received: unknown,
    isPublic = false,
  ) {
    const shown =
      isPublic && typeof received === 'string' ? JSON.stringify(received.slice(0, 100)) : describeReceived(received);
    super(`${field}: expected ${expected}, got ${shown}.`);
  }
}

/** Numbers, booleans and the like are shown; of strings and objects only the kind and size, since they may be secret. */
function describeReceived(value: unknown): string {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'number':
      return `${Object.is(value, -0) ? '-0' : value} (number)`;
    case 'boolean':
      return `${value} (boolean)`;
    case 'bigint':
      return `${value} (bigint)`;
    case 'string':
      return `a string of ${value.length} characters`;
    case 'undefined':
      return 'undefined';
    case 'object': {
      if (Array.isArray(value)) return `an array of ${value.length}`;
      const name = Object.getPrototypeOf(value)?.constructor?.name;
      return typeof name === 'string' && name !== '' ? `an object (${name})` : 'an object';
    }
    default:
      return `a ${typeof value}`;
  }
}

/** The ring has no node, so no key can be placed. */
export class NoNodesError extends ShardringError {
  static {
    this.prototype.name = 'NoNodesError';
  }
  readonly code = 'ERR_NO_NODES';
  readonly retryable = false;

  constructor() {
    super('There is no node to place a key on; add one first.');
  }
}

/** A snapshot of a placement was made by something this release does not understand, or was altered. */
export class SnapshotError extends ShardringError {
  static {
    this.prototype.name = 'SnapshotError';
  }
  readonly code = 'ERR_SNAPSHOT';
  readonly retryable = false;

  constructor(problem: string, options?: ErrorOptions) {
    super(`The snapshot cannot be used: ${problem}.`, options);
  }
}

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

/** `increment` met a value that is not an integer, or the result would not fit into 64 bits. The value is unchanged. */
export class NotAnIntegerError extends ShardringError {
  static {
    this.prototype.name = 'NotAnIntegerError';
  }
  readonly code = 'ERR_NOT_AN_INTEGER';
  readonly retryable = false;

  constructor(
    readonly node: string,
    options?: ErrorOptions,
  ) {
    super(`increment: the value at node ${node} is not an integer, or the result would be out of range.`, options);
  }
}

/** One entry alone is larger than the node may hold. Nothing was stored and nothing was evicted. */
export class ValueTooLargeError extends ShardringError {
  static {
    this.prototype.name = 'ValueTooLargeError';
  }
  readonly code = 'ERR_VALUE_TOO_LARGE';
  readonly retryable = false;

  constructor(
    readonly node: string,
    readonly sizeBytes: number,
    readonly limitBytes: number,
  ) {
    super(`An entry of ${sizeBytes} bytes cannot fit into node ${node}, which holds at most ${limitBytes} bytes.`);
  }
}

/** One try at one node. */
export interface NodeAttempt {
  readonly node: string;
  /** Milliseconds from the start of the try to its end, on the client's monotonic clock. */
  readonly elapsedMs: number;
  readonly error: unknown;
}

const isRetryable = ({ error }: NodeAttempt) => isShardringError(error) && error.retryable;

const isDoubtful = ({ error }: NodeAttempt) => isShardringError(error) && error.code === 'ERR_UNKNOWN_OUTCOME';

const namesOf = (attempts: readonly NodeAttempt[]) => [...new Set(attempts.map(({ node }) => node))].join(', ');

/**
 * Every node that could hold the key was tried and none served the read.
 *
 * `attempts` holds one entry per try, in the order tried. `cause` is the first failure: that is the primary's, and
 * later ones are often only the wake of it.
 */
export class AllReplicasFailedError extends ShardringError {
  static {
    this.prototype.name = 'AllReplicasFailedError';
  }
  readonly code = 'ERR_ALL_REPLICAS_FAILED';
  readonly retryable: boolean;

  constructor(
    readonly operation: string,
    readonly attempts: readonly [NodeAttempt, ...NodeAttempt[]],
  ) {
    super(`${operation}: none of ${attempts.length} nodes served the call (${namesOf(attempts)}); see \`attempts\`.`, {
      cause: attempts[0].error,
    });
    this.retryable = attempts.some(isRetryable);
  }
}

/**
 * Fewer nodes than the write consistency level asks for have confirmed a write.
 *
 * Nodes in `acknowledged` have it; of those in `attempts` an `ERR_UNKNOWN_OUTCOME` may have it. A later write, delete
 * or expiry makes the copies equal again.
 *
 * Retryable only if no node has it or may have it: repeating an increment would count twice where it was done, and what is
 * known of a call here is its name alone. A caller that knows its call to be idempotent (a `set`, a `delete`) may repeat it
 * in any case.
 */
export class WriteConsistencyError extends ShardringError {
  static {
    this.prototype.name = 'WriteConsistencyError';
  }
  readonly code = 'ERR_WRITE_CONSISTENCY';
  readonly retryable: boolean;

  /**
   * @param required      Confirmations the consistency level asks for.
   * @param acknowledged  Ids of the nodes that confirmed.
   * @param attempts      The nodes that did not, with the reason.
   */
  constructor(
    readonly operation: string,
    readonly required: number,
    readonly acknowledged: readonly string[],
    readonly attempts: readonly NodeAttempt[],
  ) {
    super(
      `${operation}: ${acknowledged.length} of the ${required} confirmations needed came` +
        `${attempts.length === 0 ? '' : ` (without ${namesOf(attempts)})`}; see \`attempts\`.`,
      attempts[0] === undefined ? undefined : { cause: attempts[0].error },
    );
    this.retryable = acknowledged.length === 0 && !attempts.some(isDoubtful) && attempts.some(isRetryable);
  }
}

/**
 * A call on many keys succeeded for some and failed for others.
 *
 * `results` is what the call would have returned for the keys that succeeded, so that nothing is lost.
 */
export class PartialFailureError<Results = unknown> extends ShardringError {
  static {
    this.prototype.name = 'PartialFailureError';
  }
  readonly code = 'ERR_PARTIAL_FAILURE';
  readonly retryable: boolean;

  /**
   * @param results     For `getMany` the Map of the hits, for `setMany` the keys stored, for `deleteMany` the number deleted.
   * @param failedKeys  The keys whose nodes failed, each once, in the order they were given.
   * @param attempts    The failures, one per node and try.
   */
  constructor(
    readonly operation: string,
    readonly results: Results,
    readonly failedKeys: readonly string[],
    readonly attempts: readonly NodeAttempt[],
  ) {
    super(
      `${operation}: ${failedKeys.length} keys failed (nodes ${namesOf(attempts)}); see \`results\`, \`failedKeys\` and \`attempts\`.`,
      { cause: attempts[0]?.error },
    );
    this.retryable = attempts.some(isRetryable);
  }
}

/** A value could not be turned into bytes, or bytes not back into a value. The store is unchanged. */
export class CodecError extends ShardringError {
  static {
    this.prototype.name = 'CodecError';
  }
  readonly code = 'ERR_CODEC';
  readonly retryable = false;

  constructor(
    readonly codec: string,
    readonly direction: 'encode' | 'decode',
    options?: ErrorOptions,
  ) {
    super(
      direction === 'encode'
        ? `The value cannot be encoded by the codec '${codec}'.`
        : `The stored bytes are not what the codec '${codec}' writes.`,
      options,
    );
  }
}

/** The node's backend does not offer what the call needs; its `capabilities` say so. */
export class UnsupportedError extends ShardringError {
  static {
    this.prototype.name = 'UnsupportedError';
  }
  readonly code = 'ERR_UNSUPPORTED';
  readonly retryable = false;

  constructor(
    readonly operation: string,
    readonly backend: string,
  ) {
    super(`${operation}: a backend of kind '${backend}' does not offer this.`);
  }
}

/** The keys of one command live on several nodes, and it cannot be made of one command a node. Nothing was sent. */
export class CrossNodeError extends ShardringError {
  static {
    this.prototype.name = 'CrossNodeError';
  }
  readonly code = 'ERR_CROSS_NODE';
  readonly retryable = false;

  /**
   * @param command     The command of Redis, or 'multi' for a transaction.
   * @param nodes       The nodes of its keys, each once, in the order of the keys.
   * @param hashesTags  Whether keys of the same `{tag}` live together, so that the message may advise one.
   */
  constructor(
    readonly command: string,
    readonly nodes: readonly string[],
    hashesTags = true,
  ) {
    super(
      `${command}: its keys live on the nodes ${nodes.join(', ')}, and it can only be sent to one. ` +
        (hashesTags
          ? `Keys that contain the same {tag}, as in 'cart:{tag}' and 'user:{tag}', live on the same node.`
          : 'Use keys that the placement puts on the same node; a {tag} has no meaning to it.'),
    );
  }
}

/** A command of Redis that would not do what it says on several servers. Nothing was sent. */
export class CommandRefusedError extends ShardringError {
  static {
    this.prototype.name = 'CommandRefusedError';
  }
  readonly code = 'ERR_COMMAND_REFUSED';
  readonly retryable = false;

  /** @param reason  Why, and what to do instead: a clause that ends without a full stop. */
  constructor(
    readonly command: string,
    readonly reason: string,
  ) {
    super(`${command}: ${reason}.`);
  }
}

/** An optional peer dependency is needed for what was asked and is not installed. */
export class MissingDependencyError extends ShardringError {
  static {
    this.prototype.name = 'MissingDependencyError';
  }
  readonly code = 'ERR_MISSING_DEPENDENCY';
  readonly retryable = false;

  constructor(
    readonly dependency: string,
    readonly neededFor: string,
    readonly versions: string,
    options?: ErrorOptions,
  ) {
    super(
      `${neededFor} needs ${dependency} (${versions}), which is not installed. Run: npm install ${dependency}`,
      options,
    );
  }
}

/** The cache or backend was closed before the call. */
export class ClosedError extends ShardringError {
  static {
    this.prototype.name = 'ClosedError';
  }
  readonly code = 'ERR_CLOSED';
  readonly retryable = false;

  constructor(readonly what: string) {
    super(`This ${what} is closed.`);
  }
}
