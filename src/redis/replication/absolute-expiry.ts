/**
 * Times to live made into points in time, so that all copies of a key expire together however late each node gets the
 * command. Redis does the same for its replicas ("How Redis expires keys", https://redis.io/docs/latest/commands/expire/).
 *
 * The reply stays what it was. The client's clock counts here and not the server's: the two must agree to well within the
 * shortest time to live. PXAT asks for Redis 6.2 or Valkey. A call whose form is wrong, or whose time is not one that the
 * server takes, is left as it is, so that the server answers with its own error.
 */

import type { CommandArgument } from '../../server/index.ts';
import { tokenOf } from '../commands/command-keys.ts';
import { type Args, integerIn, type PlainCommand } from './command.ts';

/** @param nowMs  Unix time in milliseconds. */
export function withAbsoluteExpiry(name: string, args: Args, nowMs: number): PlainCommand {
  return rewrites.get(name)?.(args, BigInt(Math.trunc(nowMs))) ?? { name, args };
}

type Rewrite = (args: Args, nowMs: bigint) => PlainCommand | undefined;

const rewrites: ReadonlyMap<string, Rewrite> = new Map([
  ['setex', (args: Args, nowMs: bigint) => setWithTtl(args, 1000n, nowMs)],
  ['psetex', (args: Args, nowMs: bigint) => setWithTtl(args, 1n, nowMs)],
  ['expire', (args: Args, nowMs: bigint) => expireAt('pexpireat', args, 1000n, nowMs)],
  ['pexpire', (args: Args, nowMs: bigint) => expireAt('pexpireat', args, 1n, nowMs)],
  ['hexpire', (args: Args, nowMs: bigint) => expireFieldsAt(args, 1000n, nowMs)],
  ['hpexpire', (args: Args, nowMs: bigint) => expireFieldsAt(args, 1n, nowMs)],
  ['restore', restoreAt],
  ['set', (args: Args, nowMs: bigint) => withOptions('set', args, 2, nowMs)],
  ['getex', (args: Args, nowMs: bigint) => withOptions('getex', args, 1, nowMs)],
  ['increx', (args: Args, nowMs: bigint) => withOptions('increx', args, 1, nowMs)],
  ['hgetex', (args: Args, nowMs: bigint) => withOptions('hgetex', args, 1, nowMs, 1)],
  ['hsetex', (args: Args, nowMs: bigint) => withOptions('hsetex', args, 1, nowMs, 2)],
  ['msetex', (args: Args, nowMs: bigint) => withOptions('msetex', args, 1 + 2 * Number(args[0]), nowMs)],
]);

/** SETEX key seconds value. */
function setWithTtl(args: Args, unitMs: bigint, nowMs: bigint): PlainCommand | undefined {
  const ttl = integerIn(args[1]);
  if (args.length !== 3 || ttl === undefined || ttl <= 0n) return undefined;
  return { name: 'set', args: [args[0]!, args[2]!, 'PXAT', String(nowMs + ttl * unitMs)] };
}

/** EXPIRE key seconds [NX | XX | GT | LT]. A time that is over deletes the key, in both forms. */
function expireAt(name: string, args: Args, unitMs: bigint, nowMs: bigint): PlainCommand | undefined {
  const ttl = integerIn(args[1]);
  if (ttl === undefined) return undefined;
  const [key, , ...rest] = args;
  return { name, args: [key!, String(nowMs + ttl * unitMs), ...rest] };
}

/** HEXPIRE key seconds [NX | XX | GT | LT] FIELDS count field ... It refuses a time below 0, which a point in time is not. */
function expireFieldsAt(args: Args, unitMs: bigint, nowMs: bigint): PlainCommand | undefined {
  const ttl = integerIn(args[1]);
  return ttl === undefined || ttl < 0n ? undefined : expireAt('hpexpireat', args, unitMs, nowMs);
}

/** RESTORE key ttlMs payload [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]. A ttl of 0 is none. */
function restoreAt(args: Args, nowMs: bigint): PlainCommand | undefined {
  const ttlMs = integerIn(args[1]);
  if (args.length < 3 || ttlMs === undefined || ttlMs <= 0n) return undefined;
  for (let index = 3; index < args.length; index++) {
    const token = tokenOf(args[index]);
    if (token === 'ABSTTL') return undefined;
    if (token === 'IDLETIME' || token === 'FREQ') index++;
  }
  const [key, , ...rest] = args;
  return { name: 'restore', args: [key!, String(nowMs + ttlMs), ...rest, 'ABSTTL'] };
}

/** Options that have a value, of all commands above: none of them is without one in another. */
const withValue = new Set([
  ...['EXAT', 'PXAT', 'IFEQ', 'IFNE', 'IFDEQ', 'IFDNE'],
  ...['BYINT', 'BYFLOAT', 'LBOUND', 'UBOUND'],
]);

const withoutValue = new Set(['NX', 'XX', 'FNX', 'FXX', 'GET', 'KEEPTTL', 'PERSIST', 'ENX', 'SATURATE']);

/**
 * EX and PX among the options that begin at `start`.
 * @param fieldWidth  Arguments of one field after `FIELDS count`.
 */
function withOptions(name: string, args: Args, start: number, nowMs: bigint, fieldWidth = 0): PlainCommand | undefined {
  if (!(start <= args.length)) return undefined;
  const rewritten: CommandArgument[] = args.slice(0, start);
  for (let index = start; index < args.length; ) {
    const token = tokenOf(args[index]);
    if (token === 'EX' || token === 'PX') {
      const ttl = integerIn(args[index + 1]);
      if (ttl === undefined || ttl <= 0n) return undefined;
      rewritten.push('PXAT', String(nowMs + ttl * (token === 'EX' ? 1000n : 1n)));
      index += 2;
      continue;
    }
    const fields = integerIn(args[index + 1]);
    const isFields = fieldWidth > 0 && token === 'FIELDS' && fields !== undefined && fields >= 0n;
    if (!isFields && !withValue.has(token) && !withoutValue.has(token)) return undefined;
    const length = isFields ? 2 + Number(fields) * fieldWidth : withValue.has(token) ? 2 : 1;
    rewritten.push(...args.slice(index, index + length));
    index += length;
  }
  return { name, args: rewritten };
}
