/** The commands of Redis that the backend sends, with what their replies mean. */

import { InvalidArgumentError } from '../../errors/index.ts';
import { arrayOf } from '../../runtime/array-of.ts';
import type { ValueWithExpiry } from '../backend.ts';
import type { Changes, CommandSpec } from './call.ts';
import type { CommandArgument } from './client.ts';

/** Names the kind of the reply that was expected. The reply itself may be a stored value and is not shown. */
const unexpected = (expected: string) => new Error(`The reply is not ${expected}.`);

function decodeValue(reply: unknown): Buffer | undefined {
  if (reply === null) return undefined;
  if (Buffer.isBuffer(reply)) return reply;
  throw unexpected('a string');
}

function decodeValues(reply: unknown): (Buffer | undefined)[] {
  if (!Array.isArray(reply)) throw unexpected('an array');
  return reply.map(decodeValue);
}

/** A lent client may be set to give integers as strings. */
function decodeInteger(reply: unknown): number {
  const number =
    typeof reply === 'number' ? reply : Buffer.isBuffer(reply) || typeof reply === 'string' ? Number(reply) : NaN;
  if (!Number.isFinite(number)) throw unexpected('an integer');
  return number;
}

const decodeFlag = (reply: unknown) => decodeInteger(reply) > 0;

/** The text of a status does not matter; anything that is not one is not the reply to our command. */
function decodeStatus(reply: unknown): void {
  if (!Buffer.isBuffer(reply) && typeof reply !== 'string') throw unexpected('a status');
}

/** SET with NX answers nil where the key is there. */
function decodeStored(reply: unknown): boolean {
  if (reply === null) return false;
  decodeStatus(reply);
  return true;
}

/** A page of SCAN: where to go on, '0' for the end, and keys as bytes. */
export interface ScanPage {
  readonly cursor: string;
  readonly keys: readonly Buffer[];
}

function decodePage(reply: unknown): ScanPage {
  if (!Array.isArray(reply) || !Array.isArray(reply[1])) throw unexpected('a page of keys');
  return { cursor: String(reply[0]), keys: reply[1] as Buffer[] };
}

/** The replies of the commands of a transaction. A refusal of one stands in its place as an error. */
function decodeTransaction(reply: unknown): unknown[] {
  if (!Array.isArray(reply)) throw unexpected('an array');
  return reply;
}

const read = <Reply>(operation: string, name: string, decode: (reply: unknown) => Reply): CommandSpec<Reply> => ({
  operation,
  name,
  isWrite: false,
  decode,
  changes: 'nothing',
});

/** A part of a transaction: nothing is moved past it. */
const inTransaction = <Reply>(operation: string, name: string, decode: (reply: unknown) => Reply) => ({
  ...read(operation, name, decode),
  changes: 'anything' as const,
});

const write = <Reply>(
  operation: string,
  name: string,
  decode: (reply: unknown) => Reply,
  changes: Changes = 'first key',
): CommandSpec<Reply> => ({ operation, name, isWrite: true, decode, changes });

export const commands = {
  get: { ...read('get', 'get', decodeValue), coalesces: true, mayReadReplica: true },
  set: write('set', 'set', decodeStatus),
  delete: write('delete', 'unlink', decodeFlag),
  ping: { ...read('ping', 'ping', decodeStatus), isSignOfLife: true },
  getMany: { ...read('getMany', 'mget', decodeValues), mayReadReplica: true },
  setMany: write('setMany', 'set', decodeStatus),
  deleteMany: write('deleteMany', 'unlink', decodeFlag),
  beginGetWithExpiry: inTransaction('getWithExpiry', 'multi', decodeStatus),
  queueGet: inTransaction('getWithExpiry', 'get', decodeStatus),
  queueExpiryTime: inTransaction('getWithExpiry', 'pexpiretime', decodeStatus),
  queueRemaining: inTransaction('getWithExpiry', 'pttl', decodeStatus),
  endGetWithExpiry: inTransaction('getWithExpiry', 'exec', decodeTransaction),
  expiryTime: { ...read('expiresAt', 'pexpiretime', decodeInteger), mayReadReplica: true },
  remaining: { ...read('expiresAt', 'pttl', decodeInteger), mayReadReplica: true },
  expireAt: write('expire', 'pexpireat', decodeFlag),
  persist: write('expire', 'persist', decodeFlag),
  exists: read('expire', 'exists', decodeFlag),
  setIfAbsent: write('setIfAbsent', 'set', decodeStored),
  increment: write('increment', 'incrby', decodeInteger),
  scan: read('scan', 'scan', decodePage),
  clearScan: read('clear', 'scan', decodePage),
  clearKeys: write('clear', 'unlink', decodeInteger, 'anything'),
  clearAll: write('clear', 'flushdb', decodeStatus, 'anything'),
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
export function valueWithExpiry(value: unknown, expiryReply: unknown, baseMs: number): ValueWithExpiry | undefined {
  const bytes = decodeValue(value);
  const expiry = expiryOf(decodeInteger(expiryReply), baseMs);
  if (bytes === undefined || expiry === undefined) return undefined;
  return { value: bytes, expiresAtMs: expiry === Number.POSITIVE_INFINITY ? undefined : expiry };
}
