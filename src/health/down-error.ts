/** What a call to a node that is down rejects with: what is wrong with the node, said of this call. */

import { isShardringError, type NodeErrorOptions, NodeUnavailableError, type ShardringError } from '../errors/index.ts';
import { saidOf } from '../errors/node.ts';
import { rootOf } from './faults.ts';
import type { NodeReport } from './health-view.ts';

/** The call was not sent. Pure. */
export function downError(node: string, operation: string, { fault, sinceMs }: NodeReport): ShardringError {
  if (!isShardringError(fault)) return new NodeUnavailableError(node, operation, { cause: fault, sinceMs });
  if (saidOf in fault) return fault[saidOf](node, operation, sinceMs);
  const { address, reason } = fault as Pick<NodeErrorOptions, 'address' | 'reason'>;
  const why = fault.code === 'ERR_NODE_UNAVAILABLE' ? reason : (reason ?? 'its probes went unanswered.');
  return new NodeUnavailableError(node, operation, { cause: rootOf(fault), address, reason: why, sinceMs });
}
