/** A call went to several nodes, and fewer of them did their part than it needs. */

import { detailOf, isBranded, ShardringError } from './base.ts';

/** One try at one node. */
export interface NodeAttempt {
  readonly node: string;
  /** Milliseconds from the start of the try to its end, on the client's monotonic clock. */
  readonly elapsedMs: number;
  readonly error: unknown;
}

const isRetryable = ({ error }: NodeAttempt) => isBranded(error) && error.retryable;

const isDoubtful = ({ error }: NodeAttempt) => isBranded(error) && error.code === 'ERR_UNKNOWN_OUTCOME';

const nodesOf = (attempts: readonly NodeAttempt[]) => [...new Set(attempts.map(({ node }) => node))];

const namesOf = (attempts: readonly NodeAttempt[]) => nodesOf(attempts).join(', ');

/** `1 key`, `2 keys`. */
const counted = (count: number, noun: string) => (count === 1 ? `1 ${noun}` : `${count} ${noun}s`);

/** Its `cause` is the first failure: that of a read is the primary's, and later ones are often only the wake of it. */
abstract class SeveralNodesError extends ShardringError {
  constructor(
    message: string,
    readonly attempts: readonly NodeAttempt[],
  ) {
    super(message, attempts[0] && { cause: attempts[0].error });
  }
}

/**
 * Every node that could hold the key was tried and none served the read.
 *
 * `attempts` holds one entry per try, in the order tried.
 */
export class AllReplicasFailedError extends SeveralNodesError {
  static {
    this.prototype.name = 'AllReplicasFailedError';
  }
  readonly code = 'ERR_ALL_REPLICAS_FAILED';
  readonly retryable: boolean;
  declare readonly attempts: readonly [NodeAttempt, ...NodeAttempt[]];

  constructor(
    readonly operation: string,
    attempts: readonly [NodeAttempt, ...NodeAttempt[]],
  ) {
    const { length } = nodesOf(attempts);
    const who = length === 1 ? 'the only node asked did not serve' : `none of ${length} nodes served`;
    super(`${operation}: ${who} the call (${namesOf(attempts)}); see \`attempts\`.`, attempts);
    this.retryable = attempts.some(isRetryable);
  }
}

/**
 * A write got fewer acknowledgements than its consistency level requires.
 *
 * Nodes in `acknowledged` have it; of those in `attempts` an `ERR_UNKNOWN_OUTCOME` may have it. A later write, delete
 * or expiry makes the copies equal again.
 *
 * Retryable only if no node has it or may have it: repeating an increment would count twice where it was done, and only the
 * name of the call is known here. A caller that knows its call to be idempotent (a `set`, a `delete`) may repeat it
 * in any case.
 */
export class WriteConsistencyError extends SeveralNodesError {
  static {
    this.prototype.name = 'WriteConsistencyError';
  }
  readonly code = 'ERR_WRITE_CONSISTENCY';
  readonly retryable: boolean;

  /**
   * @param required      Acknowledgements that the consistency level requires.
   * @param acknowledged  Ids of the nodes that acknowledged the write.
   * @param attempts      The nodes that did not, with the reason.
   */
  constructor(
    readonly operation: string,
    readonly required: number,
    readonly acknowledged: readonly string[],
    attempts: readonly NodeAttempt[],
  ) {
    super(
      `${operation}: ${acknowledged.length} of ${required} required acknowledgements received` +
        `${attempts.length === 0 ? '' : ` (missing: ${namesOf(attempts)})`}; see attempts.`,
      attempts,
    );
    this.retryable = acknowledged.length === 0 && !attempts.some(isDoubtful) && attempts.some(isRetryable);
  }
}

/** Most nodes that a message names one by one; `attempts` has all. */
const mostReasons = 4;

function reasonsOf(attempts: readonly NodeAttempt[]): string {
  const texts = attempts.slice(0, mostReasons).map(({ node, error }) => `${node}: ${messageOf(error)}`);
  const more = attempts.length - texts.length;
  return texts.join('; ') + (more > 0 ? `; and ${more} more` : '');
}

function messageOf(error: unknown): string {
  const message = detailOf(error, 'message');
  return typeof message === 'string' ? message.replace(/\.$/, '') : 'no reason given';
}

/** `ready()` waited for nodes that did not answer in time. Probing goes on, and so may the call: it was for waiting only. */
export class NotReadyError extends SeveralNodesError {
  static {
    this.prototype.name = 'NotReadyError';
  }
  readonly code = 'ERR_NOT_READY';
  readonly retryable = true;

  /**
   * @param required  Nodes that had to be up at the same time.
   * @param ready     Those that were.
   * @param attempts  The others, each with the reason.
   */
  constructor(
    readonly required: number,
    readonly ready: readonly string[],
    attempts: readonly NodeAttempt[],
    readonly timeoutMs: number,
  ) {
    const up = `${counted(ready.length, 'node')} ${ready.length === 1 ? 'is' : 'are'}`;
    const wanted = required === 1 ? '1 is needed' : `${required} are needed`;
    super(`ready: ${up} up after ${timeoutMs} ms, ${wanted} (${reasonsOf(attempts)}).`, attempts);
  }
}

/**
 * A call on many keys succeeded for some and failed for others.
 *
 * `results` is what the call would have returned for the keys that succeeded, so that nothing is lost.
 */
export class PartialFailureError<Results = unknown> extends SeveralNodesError {
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
    attempts: readonly NodeAttempt[],
  ) {
    super(
      `${operation}: ${counted(failedKeys.length, 'key')} failed (at ${namesOf(attempts)}); see \`results\`, \`failedKeys\` and \`attempts\`.`,
      attempts,
    );
    this.retryable = attempts.some(isRetryable);
  }
}
