/**
 * Decides a node's health from what was observed. Pure: (record, observation) -> record.
 *
 *   unknown, up  --a call or a probe failed-->                             suspect
 *   suspect      --{@link strikesUntilDown} probes in a row have failed--> down
 *   any          --a probe passed-->                                       up
 *   any          --a call was answered-->                                  as it was
 *   any          --a probe failed by no fault of the node's-->             as it was
 *
 * A failed call alone never takes a node out of service: it may be the call's fault. Nor does one probe: a server that is busy
 * for a moment misses one. Where probes got no answer at all, the node must besides have been silent for as long as calls may
 * take: before that it may still answer in time, and calling it costs nothing.
 *
 * Only a probe brings a node back: an answer to a call may have been on its way since before the failure.
 *
 * The rule is a fixed one, for all nodes alike: it does not learn how regular a node's answers are.
 */

import { codeOf, type ShardringErrorCode, type TimeoutError } from '../errors/index.ts';
import { tellingFault } from './faults.ts';

/** Probes that fail one after the other until a node is taken for down. */
export const strikesUntilDown = 3;

/** What is kept of a node that is called: one in any state but down. */
interface Serving {
  /** When the first probe that did not pass began, on the monotonic clock: after the last sign of life. Undefined after that. */
  readonly silentSinceMs: number | undefined;
}

interface Ill {
  /** What says best what is wrong with the node; see `faults.ts`. */
  readonly fault: unknown;
  /** Since when it is not up, as Unix time in milliseconds. */
  readonly sinceMs: number;
}

/** `fault` says why no probe could be made, if none could. */
interface Unknown extends Serving {
  readonly state: 'unknown';
  readonly fault: unknown;
}

interface Up extends Serving {
  readonly state: 'up';
}

interface Suspect extends Serving, Ill {
  readonly state: 'suspect';
  /** Probes that have failed since the last one that passed. */
  readonly strikes: number;
}

interface Down extends Ill {
  readonly state: 'down';
}

export type HealthRecord = Unknown | Up | Suspect | Down;

/** On the monotonic clock. */
interface Timed {
  readonly beganMs: number;
  readonly endedMs: number;
}

interface Failed {
  readonly error: unknown;
  /** When that was observed, as Unix time in milliseconds. */
  readonly wallMs: number;
}

export type Observation =
  | ({ readonly kind: 'call answered' } & Timed)
  | ({ readonly kind: 'probe passed' } & Timed)
  | ({ readonly kind: 'call failed' | 'probe failed' } & Timed & Failed)
  /** Otherwise than by a call through the door or by a probe. */
  | ({ readonly kind: 'fault found' } & Failed);

export const newRecord: HealthRecord = Object.freeze({ state: 'unknown', fault: undefined, silentSinceMs: undefined });

const upRecord: HealthRecord = Object.freeze({ state: 'up', silentSinceMs: undefined });

/** @param patienceMs  How long calls to the node may take. */
export function observe(record: HealthRecord, observation: Observation, patienceMs: number): HealthRecord {
  switch (observation.kind) {
    case 'call answered':
      return record;
    case 'probe passed':
      return upRecord;
    case 'call failed':
    case 'fault found':
      return isNodeFault(observation.error) ? withFault(record, observation) : record;
    case 'probe failed':
      return isExcuse(observation.error)
        ? withExcuse(record, observation)
        : withStrike(record, observation, patienceMs);
  }
}

function withFault(record: HealthRecord, { error, wallMs }: Failed): HealthRecord {
  const fault = faultOf(record, error);
  if (isIll(record)) return { ...record, fault };
  return { state: 'suspect', fault, sinceMs: wallMs, strikes: 0, silentSinceMs: record.silentSinceMs };
}

function withExcuse(record: HealthRecord, { error, beganMs }: Failed & Timed): HealthRecord {
  if (record.state === 'down') return { ...record, fault: faultOf(record, error) };
  const silentSinceMs = record.silentSinceMs ?? beganMs;
  return record.state === 'up'
    ? { ...record, silentSinceMs }
    : { ...record, silentSinceMs, fault: faultOf(record, error) };
}

function withStrike(record: HealthRecord, { error, beganMs, endedMs, wallMs }: Failed & Timed, patienceMs: number) {
  const fault = faultOf(record, error);
  if (record.state === 'down') return { ...record, fault };
  const silentSinceMs = record.silentSinceMs ?? beganMs;
  const { strikes: before, sinceMs } = isIll(record) ? record : { strikes: 0, sinceMs: wallMs };
  const strikes = before + 1;
  const isOutOfTime = !isSilence(error) || endedMs - silentSinceMs >= patienceMs;
  if (strikes >= strikesUntilDown && isOutOfTime) return { state: 'down', fault, sinceMs } as const;
  return { state: 'suspect', fault, sinceMs, strikes, silentSinceMs } as const;
}

const isIll = (record: HealthRecord): record is Suspect | Down => record.state === 'suspect' || record.state === 'down';

const faultOf = (record: HealthRecord, error: unknown): unknown =>
  tellingFault(record.state === 'up' ? undefined : record.fault, error);

/** True where so many probes in a row have failed that the node may be down, whatever time calls may still have. */
export const isUnanswered = (record: HealthRecord): boolean =>
  record.state === 'down' || (record.state === 'suspect' && record.strikes >= strikesUntilDown);

const nodeFaults: ReadonlySet<unknown> = new Set<ShardringErrorCode>([
  'ERR_NODE_UNAVAILABLE',
  'ERR_TIMEOUT',
  'ERR_UNKNOWN_OUTCOME',
  'ERR_NODE_PROTOCOL',
  'ERR_WRONG_SERVER',
  'ERR_CREDENTIALS',
]);

/** True for errors that speak of the node's connection or speed, and not of the one call: a WRONGTYPE is no illness. */
export function isNodeFault(error: unknown): boolean {
  return nodeFaults.has(codeOf(error));
}

/** True for a probe that failed by no fault of the node's: its PING lay behind what is still being written, or was never made. */
export const isExcuse = (error: unknown): boolean =>
  codeOf(error) === 'ERR_MISSING_DEPENDENCY' || (isSilence(error) && (error as TimeoutError).isBehindWrites === true);

/** True for a probe that nothing came back of: not that the node cannot be reached, nor that it refuses. */
export const isSilence = (error: unknown): boolean => codeOf(error) === 'ERR_TIMEOUT';
