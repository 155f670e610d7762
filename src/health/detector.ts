/**
 * Decides a node's health from what was observed. Pure: (state, observation) -> state.
 *
 *   up       --call failed-->  suspect
 *   any      --probe failed--> down
 *   any      --probe passed--> up
 *
 * A failed call alone never takes a node out of service: it may be the call's fault. A probe decides.
 */

import { isShardringError, type ShardringErrorCode } from '../errors/index.ts';
import type { NodeHealth } from './health-view.ts';

export type Observation = 'call failed' | 'probe failed' | 'probe passed';

export function nextHealth(state: NodeHealth, observation: Observation): NodeHealth {
  switch (observation) {
    case 'probe passed':
      return 'up';
    case 'probe failed':
      return 'down';
    case 'call failed':
      return state === 'up' ? 'suspect' : state;
  }
}

const nodeFaults: ReadonlySet<ShardringErrorCode> = new Set<ShardringErrorCode>([
  'ERR_NODE_UNAVAILABLE',
  'ERR_TIMEOUT',
  'ERR_UNKNOWN_OUTCOME',
  'ERR_NODE_PROTOCOL',
]);

/** True for errors that speak of the node's connection or speed, and not of the one call: a WRONGTYPE is no illness. */
export function isNodeFault(error: unknown): boolean {
  return isShardringError(error) && nodeFaults.has(error.code);
}
