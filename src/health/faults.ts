/**
 * Which of several failures says why a node is not up.
 *
 * The first one does, mostly: those after it only tell that the node is still away. But a call that ran out of time, or whose
 * connection broke, says less than the attempt to connect that follows. And what is wrong can change: a server that was down
 * may come back with another password.
 */

import { connectionClosed } from '../errors/connection-closed.ts';
import { codeOf, detailOf } from '../errors/index.ts';

/** Pure. @param first  Kept so far; undefined if there is none. */
export function tellingFault(first: unknown, next: unknown): unknown {
  if (first === undefined) return next;
  // Of the same reason, as it may be their cause.
  if (isLostReply(first) && !isLostReply(next) && !isVague(next)) return next;
  return isVague(next) || reasonOf(first) === reasonOf(next) ? first : next;
}

const isLostReply = (fault: unknown) => codeOf(fault) === 'ERR_UNKNOWN_OUTCOME';

/** What lies under a failure of the node: the system's or the server's own error. */
export function rootOf(fault: unknown): unknown {
  const isOfConnection = codeOf(fault) === 'ERR_NODE_UNAVAILABLE' || isLostReply(fault);
  return (isOfConnection ? (fault as Error).cause : undefined) ?? fault;
}

function isVague(fault: unknown): boolean {
  const root = rootOf(fault);
  return root === connectionClosed || isTimeout(root);
}

/** True for a call that ran out of time, whatever may have become of it. */
export function isTimeout(fault: unknown): boolean {
  return codeOf(rootOf(fault)) === 'ERR_TIMEOUT';
}

function reasonOf(fault: unknown): unknown {
  const root = rootOf(fault);
  return detailOf(root, 'problem') ?? detailOf(root, 'kind') ?? detailOf(root, 'code') ?? detailOf(root, 'message');
}
