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

const noForm: ComplaintOf = () => undefined;

const valueOrMiss: ComplaintOf = (reply) =>
  isValueOrMiss(reply) ? undefined : inPlaceOf('a Uint8Array or undefined', reply);

const yesOrNo: ComplaintOf = (reply) => unless(typeof reply === 'boolean', 'true or false', reply);

/** Beyond 2^53 it is the nearest number, and so not always a safe integer. */
const sum: ComplaintOf = (reply) => unless(Number.isInteger(reply), 'an integer', reply);

const timeOrMiss: ComplaintOf = (reply) => unless(reply === undefined || isNumber(reply), 'a time or undefined', reply);

const valueWithExpiryOrMiss: ComplaintOf = (reply) => {
  if (reply === undefined) return undefined;
  if (typeof reply !== 'object' || reply === null) return inPlaceOf('{ value, expiresAtMs } or undefined', reply);
  const { value, expiresAtMs } = reply as Record<string, unknown>;
  if (!types.isUint8Array(value)) return `a value that is ${inPlaceOf('a Uint8Array', value)}`;
  const isTime = expiresAtMs === undefined || Number.isFinite(expiresAtMs);
  return isTime ? undefined : `an expiresAtMs that is ${inPlaceOf('a finite number or undefined', expiresAtMs)}`;
};

const failuresOf: ComplaintOf = (reply, [entries]) => {
  if (!types.isMap(reply)) return inPlaceOf('a Map of failures', reply);
  const count = (entries as readonly unknown[]).length;
  const isIndex = (key: unknown) => Number.isInteger(key) && (key as number) >= 0 && (key as number) < count;
  return [...reply.keys()].every(isIndex) ? undefined : 'failures under keys that are no indexes of entries';
};

/** Of each call but `scan`. */
export const complaints: Readonly<Record<Exclude<BackendOperation, 'scan'>, ComplaintOf>> = {
  get: valueOrMiss,
  set: noForm,
  delete: yesOrNo,
  ping: noForm,
  getMany: (reply, [keys]) => listOf(keys, 'value', isValueOrMiss, reply),
  setMany: failuresOf,
  deleteMany: (reply, [keys]) => listOf(keys, 'answer', isBoolean, reply),
  getWithExpiry: valueWithExpiryOrMiss,
  expiresAt: timeOrMiss,
  expire: yesOrNo,
  setIfAbsent: yesOrNo,
  increment: sum,
  clear: noForm,
};

export const keyIterable = (reply: unknown): Complaint =>
  unless(isAsyncIterable(reply), 'an async iterable of keys', reply);

export function scanStep(step: unknown): Complaint {
  if (typeof step !== 'object' || step === null) return inPlaceOf('a step of an iterator', step);
  const { done, value } = step as IteratorResult<unknown>;
  return unless(done === true || typeof value === 'string', 'a key', value);
}

function listOf(keys: unknown, noun: string, isItem: (item: unknown) => boolean, reply: unknown): Complaint {
  if (!Array.isArray(reply)) return inPlaceOf(`an array of ${noun}s`, reply);
  const { length } = keys as readonly unknown[];
  if (reply.length !== length) return `${counted(reply.length, noun)} for ${counted(length, 'key')}`;
  const wrong = reply.findIndex((item) => !isItem(item));
  return wrong < 0 ? undefined : `${kindOf(reply[wrong])} among the ${noun}s`;
}

const isValueOrMiss = (reply: unknown) => reply === undefined || types.isUint8Array(reply);
const isBoolean = (reply: unknown) => typeof reply === 'boolean';
const isNumber = (reply: unknown) => typeof reply === 'number' && !Number.isNaN(reply);
const isAsyncIterable = (reply: unknown) =>
  typeof (reply as Partial<AsyncIterable<unknown>> | null | undefined)?.[Symbol.asyncIterator] === 'function';

const unless = (isRight: boolean, wanted: string, reply: unknown): Complaint =>
  isRight ? undefined : inPlaceOf(wanted, reply);

const inPlaceOf = (wanted: string, reply: unknown) => `${kindOf(reply)} in place of ${wanted}`;

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;

function kindOf(reply: unknown): string {
  if (reply === undefined || reply === null) return String(reply);
  if (typeof reply !== 'object') return `a ${typeof reply}`;
  return Array.isArray(reply) ? 'an array' : 'an object';
}
