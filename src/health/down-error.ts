/** What a call to a node that is down rejects with: what is wrong with the node, said of this call. */

import {
  CredentialsError,
  isShardringError,
  type NodeErrorOptions,
  NodeProtocolError,
  NodeReplyError,
  NodeUnavailableError,
  type ShardringError,
  WrongServerError,
} from '../errors/index.ts';
import { rootOf } from './faults.ts';
import type { NodeReport } from './health-view.ts';

/** The call was not sent. Pure. */
export function downError(node: string, operation: string, { fault, sinceMs }: NodeReport): ShardringError {
  if (!isShardringError(fault)) return new NodeUnavailableError(node, operation, { cause: fault, sinceMs });
  const { cause } = fault;
  switch (fault.code) {
    case 'ERR_NODE_REPLY':
      return new NodeReplyError(node, operation, fault.kind, { cause, address: fault.address });
    case 'ERR_NODE_PROTOCOL':
      return new NodeProtocolError(node, operation, { cause, address: fault.address, backend: fault.backend });
    case 'ERR_WRONG_SERVER':
      return new WrongServerError(node, operation, fault.problem, {
        cause,
        address: fault.address,
        other: fault.other,
      });
    case 'ERR_CREDENTIALS':
      return new CredentialsError(node, operation, { cause, address: fault.address });
    case 'ERR_NODE_UNAVAILABLE': {
      const { address, reason } = fault;
      return new NodeUnavailableError(node, operation, { cause: rootOf(fault), address, reason, sinceMs });
    }
    default: {
      const { address, reason = 'its probes went unanswered.' } = fault as Pick<NodeErrorOptions, 'address' | 'reason'>;
      return new NodeUnavailableError(node, operation, { cause: rootOf(fault), address, reason, sinceMs });
    }
  }
}
