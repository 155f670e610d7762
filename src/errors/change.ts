/** A change of the nodes came at the wrong moment. */

import { ShardringError } from './base.ts';

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
