/** The nodes change: a change came at the wrong moment, or a call has outlived the nodes that it began with. */

import { type CauseOptions, ShardringError } from './base.ts';

/** Another change of the nodes is under way, and the caller said that this one must not wait (`onBusy: 'reject'`). */
export class ChangeInProgressError extends ShardringError {
  static {
    this.prototype.name = 'ChangeInProgressError';
  }
  readonly code = 'ERR_CHANGE_IN_PROGRESS';
  readonly retryable = true;

  /**
   * @param change      The one that was refused: `addNode d`.
   * @param inProgress  The one that is under way.
   */
  constructor(
    readonly change: string,
    readonly inProgress: string,
  ) {
    super(
      `${change}: ${inProgress} is still in progress. Wait until it ends, cancel it, or let this change wait (onBusy: 'wait').`,
    );
  }
}

/** The nodes have changed since a scan began, since a cursor was given, or since a call chose its node. */
export class NodesChangedError extends ShardringError {
  static {
    this.prototype.name = 'NodesChangedError';
  }
  readonly code = 'ERR_NODES_CHANGED';
  /** False for a cursor, which stays one of other nodes: begin without it. */
  readonly retryable: boolean;
  /** The node that was needed and has been removed. */
  declare readonly node?: string;

  /** @param change  What has changed and what to do: whole sentences. */
  constructor(
    readonly operation: string,
    change: string,
    { node, retryable = true, ...options }: NodesChangedOptions = {},
  ) {
    super(`${operation}: ${change}`, options);
    this.retryable = retryable;
    if (node !== undefined) this.node = node;
  }
}

interface NodesChangedOptions extends CauseOptions {
  readonly node?: string | undefined;
  readonly retryable?: boolean | undefined;
}
