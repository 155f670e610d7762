/** The commands of Redis that the backend sends, with what their replies mean. */

import { InvalidArgumentError } from '../../errors/index.ts';
import { arrayOf } from '../../runtime/array-of.ts';
import type { ValueWithExpiry } from '../backend.ts';
import type { Changes, CommandSpec } from './call.ts';
import type { CommandArgument } from './client.ts';
import {
  checkArray,
  checkInteger,
  checkOk,
  checkPage,
  checkStatus,
  checkValue,
  checkValues,
  type ReplyCheck,
} from './reply-shape.ts';

/** What a command's reply is like: the check of it, and what it says. */
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
const flag: Form<boolean> = { check: checkInteger, decode: (reply) => Number(reply) > 0 };

const statusOf = (text: string): Form<void> => ({
  check: checkStatus(text),
  decode: () => undefined,
});
const ok = statusOf('OK');
const queued = statusOf('QUEUED');
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

/** The replies of the two commands of a transaction. A refusal of one stands in its place as an error. */
const pair: Form<readonly unknown[]> = {
  check: (reply) => checkArray(reply, 2),
  decode: (reply) => reply as readonly unknown[],
};

const read = <Reply>(operation: string, name: string, form: Form<Reply>): CommandSpec<Reply> => ({
  operation,
  name,
  isWrite: false,
  ...form,
  changes: 'nothing',
});

/** A part of a transaction: nothing is moved past it. */
const inTransaction = <Reply>(operation: string, name: string, form: Form<Reply>) => ({
  ...read(operation, name, form),
  changes: 'anything' as const,
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
  beginGetWithExpiry: inTransaction('getWithExpiry', 'multi', ok),
  queueGet: inTransaction('getWithExpiry', 'get', queued),
  queueExpiryTime: inTransaction('getWithExpiry', 'pexpiretime', queued),
  queueRemaining: inTransaction('getWithExpiry', 'pttl', queued),
  endGetWithExpiry: inTransaction('getWithExpiry', 'exec', pair),
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
 * Unix time in milliseconds as the server takes it. It refuses 0 and less, which are as much in the past as 1 is, and
 * fractions, which are cut off.
 */
export function expiryArgument(expiresAtMs: number): number {
  if (!Number.isFinite(expiresAtMs)) throw new InvalidArgumentError('expiresAtMs', 'a finite number', expiresAtMs);
  return Math.max(1, Math.min(Math.floor(expiresAtMs), Number.MAX_SAFE_INTEGER));
}

/** The same bytes as the Buffer that ioredis wants, without a copy. */
export const bufferOf = (value: Uint8Array): Buffer =>
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

/** What PEXPIRETIME and PTTL both answer for a key that is not there, and for one that stays. */
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
  return reply === noExpiry ? Number.POSITIVE_INFINITY : baseMs + reply;
}

/** GET's reply with that of PEXPIRETIME or PTTL. */
export function valueWithExpiry(reply: unknown, expiryReply: unknown, baseMs: number): ValueWithExpiry | undefined {
  checkValue(reply);
  checkInteger(expiryReply);
  const bytes = value.decode(reply);
  const expiry = expiryOf(Number(expiryReply), baseMs);
  if (bytes === undefined || expiry === undefined) return undefined;
  return { value: bytes, expiresAtMs: expiry === Number.POSITIVE_INFINITY ? undefined : expiry };
}
