/**
 * Decides a node's health from what was observed. Pure: (record, observation) -> record.
 *
 *   up       --a call or a probe failed-->                             suspect
 *   suspect  --{@link strikesUntilDown} probes in a row have failed--> down
 *   any      --a probe passed-->                                       up
 *   any      --a probe says nothing of the node-->                     as it was
 *
 * A failed call alone never takes a node out of service: it may be the call's fault. Nor does one probe: a server that is busy
 * for a moment misses one. Where probes got no answer at all, the node must besides have been silent for as long as calls may
 * take: before that it may still answer in time, and calling it costs nothing.
 *
 * The rule is a fixed one, for all nodes alike: it does not learn how regular a node's answers are.
 */

import { isShardringError, type ShardringErrorCode, type TimeoutError } from '../errors/index.ts';
import type { ServingHealth } from './health-view.ts';

/** Probes that fail one after the other until a node is taken for down. */
export const strikesUntilDown = 3;

export interface HealthRecord {
  readonly state: ServingHealth;
  /** Probes that have failed since the last one that passed. */
  readonly strikes: number;
  /** When the first that did not pass began, on the monotonic clock: after the last sign of life. Undefined after that. */
  readonly silentSinceMs: number | undefined;
}

export type Observation =
  | { readonly kind: 'call failed' }
  | { readonly kind: 'probe passed' }
  | {
      readonly kind: 'probe failed' | 'probe excused';
      readonly beganMs: number;
      readonly endedMs: number;
      readonly gotNoAnswer: boolean;
    };

export const newRecord: HealthRecord = Object.freeze({ state: 'up', strikes: 0, silentSinceMs: undefined });

/** @param patienceMs  How long calls to the node may take. */
export function nextHealth(record: HealthRecord, observation: Observation, patienceMs: number): HealthRecord {
  const { state } = record;
  if (observation.kind === 'probe passed') return newRecord;
  const suspect = state === 'up' ? 'suspect' : state;
  if (observation.kind === 'call failed') return { ...record, state: suspect };
  const silentSinceMs = record.silentSinceMs ?? observation.beganMs;
  const { kind, endedMs, gotNoAnswer } = observation;
  if (kind === 'probe excused') return { ...record, silentSinceMs };
  const strikes = record.strikes + 1;
  const isOutOfTime = !gotNoAnswer || endedMs - silentSinceMs >= patienceMs;
  return { state: strikes >= strikesUntilDown && isOutOfTime ? 'down' : suspect, strikes, silentSinceMs };
}

const nodeFaults: ReadonlySet<ShardringErrorCode> = new Set<ShardringErrorCode>([
  'ERR_NODE_UNAVAILABLE',
  'ERR_TIMEOUT',
  'ERR_UNKNOWN_OUTCOME',
  'ERR_NODE_PROTOCOL',
  'ERR_WRONG_SERVER',
  'ERR_CREDENTIALS',
]);

/** True for errors that speak of the node's connection or speed, and not of the one call: a WRONGTYPE is no illness. */
export function isNodeFault(error: unknown): boolean {
  return isShardringError(error) && nodeFaults.has(error.code);
}

/** True for a probe that failed by no fault of the node's: its PING lay behind what is still being written, or was never made. */
export const isExcuse = (error: unknown): boolean =>
  isShardringError(error) &&
  (error.code === 'ERR_MISSING_DEPENDENCY' || (error as TimeoutError).isBehindWrites === true);

/** True for a probe that nothing came back of: not that the node cannot be reached, nor that it refuses. */
export const isSilence = (error: unknown): boolean => isShardringError(error) && error.code === 'ERR_TIMEOUT';
