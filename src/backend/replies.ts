/**
 * What a call of a backend may resolve with, by the contract in `backend.ts`. Pure.
 *
 * A backend of others may be written in plain JavaScript. An answer of the wrong form must not pass for a miss, nor for a write
 * that was done.
 */

import { types } from 'node:util';
import type { BackendOperation } from './calls.ts';

/** What is wrong with a reply, in words that follow "answered with"; undefined where nothing is. Tells kinds and no values. */
export type Complaint = string | undefined;

type ComplaintOf = (reply: unknown, args: readonly unknown[]) => Complaint;

const isBoolean = (reply: unknown) => typeof reply === 'boolean';
const isValueOrMiss = (reply: unknown) => reply === undefined || types.isUint8Array(reply);
const isTimeOrMiss = (reply: unknown) => reply === undefined || (typeof reply === 'number' && !Number.isNaN(reply));
const isAsyncIterable = (reply: unknown) =>
  typeof (reply as Partial<AsyncIterable<unknown>> | null | undefined)?.[Symbol.asyncIterator] === 'function';

const anything: ComplaintOf = () => undefined;

const wants =
  (wanted: string, isRight: (reply: unknown) => boolean): ComplaintOf =>
  (reply) =>
    isRight(reply) ? undefined : inPlaceOf(wanted, reply);

const yesOrNo = wants('true or false', isBoolean);

const wantsForEachKey =
  (noun: string, isRight: (item: unknown) => boolean): ComplaintOf =>
  (reply, [keys]) => {
    if (!Array.isArray(reply)) return inPlaceOf(`an array of ${noun}s`, reply);
    const { length } = keys as readonly string[];
    if (reply.length !== length) return `${counted(reply.length, noun)} for ${counted(length, 'key')}`;
    const wrong = reply.findIndex((item) => !isRight(item));
    return wrong < 0 ? undefined : `${kindOf(reply[wrong])} among the ${noun}s`;
  };

const failures: ComplaintOf = (reply, [entries]) => {
  if (!types.isMap(reply)) return inPlaceOf('a Map of failures', reply);
  const isIndex = (key: unknown) => Number.isInteger(key) && (entries as object[])[key as number] !== undefined;
  return [...reply.keys()].every(isIndex) ? undefined : 'failures under keys that are no indexes of entries';
};

const valueWithExpiryOrMiss: ComplaintOf = (reply) => {
  if (reply === undefined) return undefined;
  if (typeof reply !== 'object' || reply === null) return inPlaceOf('{ value, expiresAtMs } or undefined', reply);
  const { value, expiresAtMs } = reply as Record<string, unknown>;
  if (!types.isUint8Array(value)) return `a value that is ${inPlaceOf('a Uint8Array', value)}`;
  const isTime = expiresAtMs === undefined || Number.isFinite(expiresAtMs);
  return isTime ? undefined : `an expiresAtMs that is ${inPlaceOf('a finite number or undefined', expiresAtMs)}`;
};

const scanStep: ComplaintOf = (step) => {
  if (typeof step !== 'object' || step === null) return inPlaceOf('a step of an iterator', step);
  const { done, value } = step as IteratorResult<unknown>;
  return done === true || typeof value === 'string' ? undefined : inPlaceOf('a key', value);
};

/** Of each call; of a scan, of each step. */
export const complaints: Readonly<Record<BackendOperation, ComplaintOf>> = {
  get: wants('a Uint8Array or undefined', isValueOrMiss),
  set: anything,
  delete: yesOrNo,
  ping: anything,
  getMany: wantsForEachKey('value', isValueOrMiss),
  setMany: failures,
  deleteMany: wantsForEachKey('answer', isBoolean),
  getWithExpiry: valueWithExpiryOrMiss,
  expiresAt: wants('a time or undefined', isTimeOrMiss),
  expire: yesOrNo,
  setIfAbsent: yesOrNo,
  // Beyond 2^53 it is the nearest number, and so not always a safe integer.
  increment: wants('an integer', Number.isInteger),
  scan: scanStep,
  clear: anything,
};

/** Of what a scan returns. */
export const keyIterable = wants('an async iterable of keys', isAsyncIterable);

const inPlaceOf = (wanted: string, reply: unknown) => `${kindOf(reply)} in place of ${wanted}`;

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;

function kindOf(reply: unknown): string {
  if (reply === undefined || reply === null) return String(reply);
  if (typeof reply !== 'object') return `a ${typeof reply}`;
  return Array.isArray(reply) ? 'an array' : 'an object';
}
