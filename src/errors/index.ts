/**
 * Every error this library throws on purpose.
 *
 * One base, a string `code` to branch on, `retryable`, the context as fields and the first failure as `cause`.
 * Messages name nodes and fields. They never hold a key, a value or a password, because messages end up in logs.
 */

import type { InvalidArgumentError, NoNodesError, SnapshotError } from './argument.ts';
import { isBranded } from './base.ts';
import type { ChangeInProgressError, NodesChangedError } from './change.ts';
import type { ClosedError, DependencyLoadingError, MissingDependencyError } from './client.ts';
import type { CommandRefusedError, CrossNodeError, UnsupportedError } from './command.ts';
import type { LoadCycleError, LoadTimeoutError } from './load.ts';
import type {
  NodeProtocolError,
  NodeReplyError,
  NodeUnavailableError,
  TimeoutError,
  UnknownOutcomeError,
} from './node.ts';
import type { CredentialsError, WrongServerError } from './node-setup.ts';
import type {
  AllReplicasFailedError,
  NotReadyError,
  PartialFailureError,
  WriteConsistencyError,
} from './several-nodes.ts';
import type { CodecError, NotAnIntegerError, ValueTooLargeError } from './value.ts';

export { InvalidArgumentError, NoNodesError, SnapshotError } from './argument.ts';
export { detailOf, ShardringError } from './base.ts';
export { ChangeInProgressError, NodesChangedError } from './change.ts';
export { ClosedError, DependencyLoadingError, MissingDependencyError } from './client.ts';
export { CommandRefusedError, CrossNodeError, UnsupportedError } from './command.ts';
export { LoadCycleError, LoadTimeoutError } from './load.ts';
export {
  type NodeErrorOptions,
  NodeProtocolError,
  NodeReplyError,
  NodeUnavailableError,
  type ReplyErrorKind,
  TimeoutError,
  UnknownOutcomeError,
} from './node.ts';
export { CredentialsError, type ServerProblem, WrongServerError } from './node-setup.ts';
export {
  AllReplicasFailedError,
  type NodeAttempt,
  NotReadyError,
  PartialFailureError,
  WriteConsistencyError,
} from './several-nodes.ts';
export { CodecError, NotAnIntegerError, ValueTooLargeError } from './value.ts';

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
  | WrongServerError
  | CredentialsError
  | NotAnIntegerError
  | ValueTooLargeError
  | AllReplicasFailedError
  | WriteConsistencyError
  | NotReadyError
  | NodesChangedError
  | PartialFailureError
  | CodecError
  | LoadTimeoutError
  | LoadCycleError
  | UnsupportedError
  | CrossNodeError
  | CommandRefusedError
  | DependencyLoadingError
  | MissingDependencyError
  | ChangeInProgressError
  | ClosedError;

export type ShardringErrorCode = AnyShardringError['code'];

/** Undefined for errors of others. */
export function codeOf(error: unknown): ShardringErrorCode | undefined {
  return isShardringError(error) ? error.code : undefined;
}

/** True for errors of this library, from whichever copy of it they come. */
export function isShardringError(value: unknown): value is AnyShardringError {
  return isBranded(value);
}
