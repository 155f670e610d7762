/**
 * What routing may know of health.
 *
 * Health is this process's own opinion of each node. It reorders reads and diverts writes, and it never moves keys:
 * only membership does that.
 */

/**
 * up       answers
 * suspect  a call to it failed or was late, and no probe has decided yet; asked last
 * down     a probe failed; not called until a probe succeeds
 */
export type NodeHealth = 'up' | 'suspect' | 'down';

export interface HealthView {
  /** True while every node is up: the common case, in which nobody needs to be asked about. */
  readonly allUp: boolean;

  /** A node that is not watched counts as up. */
  stateOf(node: string): NodeHealth;

  /** What made the node suspect or down; undefined while it is up. */
  faultOf(node: string): unknown;

  /** Tells that a call to the node failed in a way that says something about the node. */
  reportFailure(node: string, error: unknown): void;
}
