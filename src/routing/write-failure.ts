/** The error of a write that too few nodes acknowledged. Pure. */

import { isShardringError, type NodeAttempt, type ShardringErrorCode, WriteConsistencyError } from '../errors/index.ts';
import type { Places } from './fleet.ts';

/** The node's own error where only one was asked, and the call's own fault where it is one. */
export function writeFailure(
  required: number,
  operation: string,
  acknowledged: readonly string[],
  attempts: readonly NodeAttempt[],
  { serving, down }: Pick<Places, 'serving' | 'down'>,
): unknown {
  const only = attempts[0];
  if (serving.length + down.length === 1 && only !== undefined) return only.error;
  const fault = attempts.find(({ error }) => isCallFault(error));
  if (fault !== undefined && acknowledged.length === 0) return fault.error;
  return new WriteConsistencyError(operation, required, acknowledged, attempts);
}

const callFaults: ReadonlySet<unknown> = new Set<ShardringErrorCode>([
  'ERR_NOT_AN_INTEGER',
  'ERR_VALUE_TOO_LARGE',
  'ERR_UNSUPPORTED',
]);

/** What is wrong with the call, at whichever node: that the others say the same, or cannot be asked, adds nothing. */
function isCallFault(error: unknown): boolean {
  if (!isShardringError(error)) return false;
  return callFaults.has(error.code) || (error.code === 'ERR_NODE_REPLY' && error.kind === 'WRONGTYPE');
}

/** True for an attempt that may have been executed. */
export const isOfUnknownOutcome = ({ error }: Pick<NodeAttempt, 'error'>): boolean =>
  !isShardringError(error) || error.code === 'ERR_UNKNOWN_OUTCOME';
