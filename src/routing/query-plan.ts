/**
 * Which of a key's nodes to ask and to write, given their health. Pure.
 *
 * Nodes that are down are not called. What takes their place is the caller's choice: nothing ('fail', so that a key
 * never lives where no other client would look) or the next live nodes of the preference list ('spill').
 */

import type { HealthView } from '../health/health-view.ts';
import type { NodeId } from '../placement/node.ts';

export type WhenDown = 'fail' | 'spill';
export type ConsistencyLevel = 'one' | 'quorum' | 'all';

export interface ServingNodes {
  /** Nodes to call, in preference order. */
  readonly serving: readonly NodeId[];
  /** Holders of the key that are down. */
  readonly down: readonly NodeId[];
  /** Members of `serving` that take the place of a holder that is down. */
  readonly fallbacks: readonly NodeId[];
}

/**
 * @param preference  The key's preference list: its `copies` holders, and for 'spill' all nodes after them.
 * @param copies      Nodes that hold the key. At most the length of `preference`.
 */
export function servingNodes(
  preference: readonly NodeId[],
  copies: number,
  health: Pick<HealthView, 'stateOf'>,
  whenDown: WhenDown,
): ServingNodes {
  const isDown = (node: NodeId) => health.stateOf(node) === 'down';
  const holders = preference.slice(0, copies);
  const down = holders.filter(isDown);
  const live = holders.filter((node) => !isDown(node));
  const fallbacks =
    whenDown === 'fail' || down.length === 0
      ? []
      : preference
          .slice(copies)
          .filter((node) => !isDown(node))
          .slice(0, down.length);
  return { serving: [...live, ...fallbacks], down, fallbacks };
}

/** The order in which to read: nodes that are up before those that are suspect, else as they came. */
export function readOrder(serving: readonly NodeId[], health: Pick<HealthView, 'stateOf'>): readonly NodeId[] {
  const isUp = (node: NodeId) => health.stateOf(node) === 'up';
  return [...serving.filter(isUp), ...serving.filter((node) => !isUp(node))];
}

/** Acknowledgements that a write needs. */
export function requiredAcknowledgements(level: ConsistencyLevel, copies: number): number {
  switch (level) {
    case 'one':
      return 1;
    case 'quorum':
      return Math.floor(copies / 2) + 1;
    case 'all':
      return copies;
  }
}

/**
 * Time for one of the tries that a read has left, so that a node that hangs cannot use up what its replicas need.
 *
 * @param remainingMs  Until the deadline of the whole call.
 * @param triesLeft    This one included; at least 1.
 */
export function attemptTimeoutMs(remainingMs: number, triesLeft: number): number {
  return Math.max(1, Math.ceil(remainingMs / triesLeft));
}
