/** The commands of Redis that the backend sends, with what their replies mean. */

import type { ValueWithExpiry } from '../../backend/backend.ts';
import { arrayOf } from '../../runtime/array-of.ts';
import { expectFinite } from '../../runtime/validate.ts';
import type { CommandArgument } from '../link/client.ts';
import type { Changes, CommandSpec } from '../sending/call.ts';
import {
  checkFlag,
  checkInteger,
  checkOk,
  checkPage,
  checkStatus,
  checkValue,
  checkValues,
  type ReplyCheck,
} from '../sending/reply-shape.ts';

/** The expected form of a command's reply: how to check and read it. */
interface Form<Reply> {
  readonly check: ReplyCheck;
  readonly decode: (reply: unknown) => Reply;
}

const value: Form<Buffer | undefined> = {
  check: checkValue,
  decode: (reply) => (reply === null ? undefined : (reply as Buffer)),
};

const values: Form<(Buffer | undefined)[]> = {
  check: checkValues,
  decode: (reply) => (reply as unknown[]).map(value.decode),
};

const integer: Form<number> = { check: checkInteger, decode: Number };
const flag: Form<boolean> = { check: checkFlag, decode: (reply) => Number(reply) > 0 };

const statusOf = (text: string): Form<void> => ({
  check: checkStatus(text),
  decode: () => undefined,
});
const ok = statusOf('OK');
const pong = statusOf('PONG');

/** SET with NX answers nil where the key is there. */
const stored: Form<boolean> = {
  check: (reply, args) => reply !== null && checkOk(reply, args),
  decode: (reply) => reply !== null,
};

/** A page of SCAN: where to go on, '0' for the end, and keys as bytes. */
export interface ScanPage {
  readonly cursor: string;
  readonly keys: readonly Buffer[];
}

const page: Form<ScanPage> = {
  check: checkPage,
  decode: (reply) => {
    const [cursor, keys] = reply as [Buffer, Buffer[]];
    return { cursor: cursor.toString(), keys };
  },
};

const read = <Reply>(operation: string, name: string, form: Form<Reply>): CommandSpec<Reply> => ({
  operation,
  name,
  isWrite: false,
  ...form,
  changes: 'nothing',
});

const write = <Reply>(
  operation: string,
  name: string,
  form: Form<Reply>,
  changes: Changes = 'first key',
): CommandSpec<Reply> => ({ operation, name, isWrite: true, ...form, changes });

export const commands = {
  get: { ...read('get', 'get', value), coalesces: true, mayReadReplica: true },
  set: write('set', 'set', ok),
  delete: write('delete', 'unlink', flag),
  ping: { ...read('ping', 'ping', pong), isSignOfLife: true },
  getMany: { ...read('getMany', 'mget', values), mayReadReplica: true },
  setMany: write('setMany', 'set', ok),
  deleteMany: write('deleteMany', 'unlink', flag),
  // All three of one server, and in this order: so no batching and no replicas.
  getBetween: read('getWithExpiry', 'get', value),
  expiryTimeAround: read('getWithExpiry', 'pexpiretime', integer),
  remainingAround: read('getWithExpiry', 'pttl', integer),
  expiryTime: { ...read('expiresAt', 'pexpiretime', integer), mayReadReplica: true },
  remaining: { ...read('expiresAt', 'pttl', integer), mayReadReplica: true },
  expireAt: write('expire', 'pexpireat', flag),
  persist: write('expire', 'persist', flag),
  exists: read('expire', 'exists', flag),
  setIfAbsent: write('setIfAbsent', 'set', stored),
  increment: write('increment', 'incrby', integer),
  scan: read('scan', 'scan', page),
  clearScan: read('clear', 'scan', page),
  clearKeys: write('clear', 'unlink', integer, 'anything'),
  clearAll: write('clear', 'flushdb', ok, 'anything'),
} as const;

/** Keys per page of SCAN; the server may return more or fewer. */
const scanCount = 1_000;

/** @param pattern  A glob, or undefined for every key. */
export function scanArguments(cursor: string, pattern: string | undefined): CommandArgument[] {
  const count = ['COUNT', scanCount];
  return pattern === undefined ? [cursor, ...count] : [cursor, 'MATCH', pattern, ...count];
}

/** A glob for all keys that start with `prefix`, whose own `*`, `?`, `[`, `]` and `\` stand for themselves. */
export const prefixPattern = (prefix: string): string => `${prefix.replace(/[*?[\]\\]/g, '\\$&')}*`;

/**
 * `expiresAtMs` is the first millisecond in which a value does not exist, at every backend. A server keeps a value through
 * the millisecond of its own expiry ("how Redis expires keys": when the clock is *past* it), so that one is told the
 * millisecond before, the last one in which the value exists; {@link expiryOf} is the way back.
 *
 * The server takes whole numbers, and refuses 0 and less, which are as much in the past as 1 is.
 */
export function expiryArgument(expiresAtMs: number): number {
  expectFinite('expiresAtMs', expiresAtMs);
  return Math.max(1, Math.min(Math.ceil(expiresAtMs) - 1, Number.MAX_SAFE_INTEGER - 1));
}

/** The same bytes as the Buffer that ioredis wants, without a copy. */
const bufferOf = (value: Uint8Array): Buffer =>
  Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);

export function setArguments(
  key: string | Buffer,
  value: Uint8Array,
  expiresAtMs: number | undefined,
  condition?: 'NX',
): CommandArgument[] {
  const args = arrayOf<CommandArgument>(key, bufferOf(value));
  if (expiresAtMs !== undefined) args.push('PXAT', expiryArgument(expiresAtMs));
  if (condition !== undefined) args.push(condition);
  return args;
}

/** The answers of both PEXPIRETIME and PTTL for a missing key, and for a key that stays. */
const noKey = -2;
const noExpiry = -1;

/**
 * When a value stops existing as Unix time in milliseconds: Infinity for never, undefined if there is no value.
 *
 * @param reply   PEXPIRETIME's, or PTTL's.
 * @param baseMs  What the reply counts from: 0 for PEXPIRETIME, Unix time now for PTTL.
 */
export function expiryOf(reply: number, baseMs: number): number | undefined {
  if (reply === noKey) return undefined;
  return reply === noExpiry ? Number.POSITIVE_INFINITY : baseMs + reply + 1;
}

/**
 * A value with its expiry, out of the replies to PEXPIRETIME, GET and PEXPIRETIME, or with PTTL in place of PEXPIRETIME.
 *
 * @param driftMs  By how much two replies about the same expiry may differ: 0 for PEXPIRETIME; for PTTL, which counts down,
 *                 the time that the call took.
 * @returns 'crossed' where the key was written between the two looks at its expiry, so that the value may be of another one.
 */
export function valueWithExpiry(
  before: number,
  value: Buffer | undefined,
  after: number,
  { baseMs, driftMs }: { readonly baseMs: number; readonly driftMs: number },
): ValueWithExpiry | undefined | 'crossed' {
  if (after === noKey) return undefined; // The last look counts, whatever there was before.
  const isSame = before === after || (Math.min(before, after) >= 0 && before > after && before - after <= driftMs);
  if (!isSame || value === undefined) return 'crossed';
  const expiry = expiryOf(after, baseMs);
  return { value, expiresAtMs: expiry === Number.POSITIVE_INFINITY ? undefined : expiry };
}
