/** A command or call that cannot be carried out here. Nothing was sent. */

import { ShardringError } from './base.ts';

/** The node's backend does not have the port that the call needs. */
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
    super(`${operation}: the backend '${backend}' does not support it.`);
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
          : 'Use keys that the placement puts on the same node; it ignores {tags}.'),
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
