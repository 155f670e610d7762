/**
 * What routing may know of health.
 *
 * Health is this process's own opinion of each node. It reorders reads and diverts writes, and it never moves keys:
 * only membership does that.
 */

/**
 * unknown  nothing has been heard of it yet; called as if it were up
 * up       answers
 * suspect  a call or a probe failed or was late, and it is not decided yet what that means; asked last
 * down     several probes failed, see `detector.ts`; not called until one succeeds
 */
export type NodeHealth = 'unknown' | 'up' | 'suspect' | 'down';

/** As far as it decides whether and in which order nodes are called. */
export type ServingHealth = Exclude<NodeHealth, 'unknown'>;

/** What is known of one node's health. */
export interface NodeReport {
  readonly state: NodeHealth;
  /** Since when the node is not up, as Unix time in milliseconds; undefined while it is. */
  readonly sinceMs: number | undefined;
  /** What first said what is wrong with it; undefined while it is up. */
  readonly fault: unknown;
}

export interface HealthView {
  /** Grows whenever what is known of a node's state changes, and when a node comes or goes. Begins at 0. */
  readonly version: number;

  /** The nodes that are suspect or down. */
  illNodes(): ReadonlyMap<string, ServingHealth>;

  /** A node that is not watched counts as up, and so does one of which nothing has been heard. */
  stateOf(node: string): ServingHealth;

  /** What to say of the node to those who ask. */
  healthOf(node: string): NodeHealth;

  reportOf(node: string): NodeReport;

  /**
   * Calls `listener` when so many probes in a row have failed that what waits at the node had better ask another one. That
   * may be before the node is down. Returns how to stop that.
   */
  onUnanswered(node: string, listener: () => void): () => void;
}
