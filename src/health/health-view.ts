/**
 * What routing may know of health.
 *
 * Health is this process's own opinion of each node. It reorders reads and diverts writes, and it never moves keys:
 * only membership does that.
 */

import type { ServerReport } from '../backend/server-report.ts';

/**
 * unknown  nothing has been heard of it yet; called as if it were up
 * up       answers
 * suspect  a call or a probe failed or was late, and it is not decided yet what that means; asked last
 * down     several probes failed, see `detector.ts`; not called until one succeeds
 */
export type NodeHealth = 'unknown' | 'up' | 'suspect' | 'down';

/** As far as it decides whether and in which order nodes are called. */
export type ServingHealth = Exclude<NodeHealth, 'unknown'>;

/** Of a node of which nothing has been heard yet. */
interface UnknownState {
  readonly state: 'unknown';
  readonly sinceMs?: undefined;
  /** Why it could not be asked, where it could not: ioredis is not installed. */
  readonly fault?: unknown;
}

interface UpState {
  readonly state: 'up';
  readonly sinceMs?: undefined;
  readonly fault?: undefined;
}

interface IllState {
  readonly state: 'suspect' | 'down';
  /** Since when it is not up, as Unix time in milliseconds. */
  readonly sinceMs: number;
  /** What first said what is wrong with it. */
  readonly fault: unknown;
}

/** A node's state, with what is wrong with one that is not up. */
export type NodeState = UnknownState | UpState | IllState;

/** What the last probe that passed has found. */
export interface ProbeReport {
  /** From sending the PING to its answer, in milliseconds. Undefined: none has passed. */
  readonly roundTripMs?: number | undefined;
  /** What the server says of itself. Undefined: its backend does not tell. */
  readonly server?: ServerReport | undefined;
}

/** What is known of one node's health. */
export type NodeReport = NodeState & ProbeReport;

/** How the calls to a node are going. */
export interface NodeTraffic {
  /** Calls that have begun and not ended. */
  readonly inFlight: number;
  /** How long answered calls took, smoothed: the last one counts 1/8, as in RFC 6298. Undefined: none was answered. */
  readonly latencyMs: number | undefined;
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
