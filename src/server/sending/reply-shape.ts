/**
 * Which forms the reply to a command can have. Pure.
 *
 * RESP has no number by which a reply names its command: the two are paired by their order alone. So a reply of a form that
 * its command cannot have is more than one bad reply. It says that something has come too much or too little, and that every
 * later reply may be another command's. Who finds one gives up the connection.
 */

import type { CommandArgument } from '../link/client.ts';

/** A reply that its command cannot have. It may be a stored value and is not shown. */
export class UnexpectedReplyError extends Error {
  static {
    // On the prototype, so that `name` is not an own key, which loggers would print a second time.
    this.prototype.name = 'UnexpectedReplyError';
  }

  /** @param expected  A noun: 'an integer'. */
  constructor(expected: string) {
    super(`The reply is not ${expected}.`);
  }
}

/** The check of one command's reply, as the server sends it. @throws {UnexpectedReplyError} */
export type ReplyCheck = (reply: unknown, args: readonly CommandArgument[]) => void;

const isValue = (reply: unknown) => reply === null || Buffer.isBuffer(reply);

export function checkValue(reply: unknown): void {
  if (!isValue(reply)) throw new UnexpectedReplyError('a string');
}

export const checkStatus =
  (text: string): ReplyCheck =>
  (reply) => {
    if (!Buffer.isBuffer(reply) || reply.toString() !== text) throw new UnexpectedReplyError(text);
  };

export const checkOk = checkStatus('OK');

/** Text comes of a borrowed client that is set so, and bytes are a string's. */
export function checkInteger(reply: unknown): void {
  const isInteger = typeof reply === 'number' ? Number.isInteger(reply) : isIntegerText(reply);
  if (!isInteger) throw new UnexpectedReplyError('an integer');
}

const isIntegerText = (reply: unknown) => typeof reply === 'string' && /^-?\d{1,19}$/.test(reply);

/** A count of keys, elements, bytes or clients: never negative, and never too large for a number. */
function checkCount(reply: unknown): void {
  checkInteger(reply);
  const count = Number(reply);
  if (!Number.isSafeInteger(count) || count < 0) throw new UnexpectedReplyError('a count');
}

/** Whether something was so, or was done. */
export function checkFlag(reply: unknown): void {
  checkInteger(reply);
  if (Number(reply) !== 0 && Number(reply) !== 1) throw new UnexpectedReplyError('0 or 1');
}

/** At most all of the keys that were named. */
function checkCountOfKeys(reply: unknown, keys: { readonly length: number }): void {
  checkCount(reply);
  if (Number(reply) > keys.length) throw new UnexpectedReplyError(`a count of at most ${keys.length}`);
}

/** @param length  Of the array; any where undefined. */
export function checkArray(reply: unknown, length?: number): asserts reply is unknown[] {
  if (!Array.isArray(reply)) throw new UnexpectedReplyError('an array');
  if (length !== undefined && reply.length !== length) throw new UnexpectedReplyError(`an array of ${length}`);
}

/** MGET: for each key its value, or null. */
export function checkValues(reply: unknown, keys: { readonly length: number }): void {
  checkArray(reply, keys.length);
  if (!reply.every(isValue)) throw new UnexpectedReplyError('an array of strings');
}

/** SCAN and its kin: where to go on, and what was found. */
export function checkPage(reply: unknown): void {
  checkArray(reply, 2);
  const [cursor, items] = reply;
  if (!Buffer.isBuffer(cursor) || !/^\d{1,20}$/.test(cursor.toString()))
    throw new UnexpectedReplyError('a page of a scan');
  checkStrings(items);
}

function checkStrings(reply: unknown): void {
  const strings = reply instanceof Set ? [...reply] : reply;
  checkArray(strings);
  if (!strings.every(Buffer.isBuffer)) throw new UnexpectedReplyError('an array of strings');
}

/** The list's key and what was taken from it, or nothing. */
function checkTaken(reply: unknown): void {
  if (reply === null) return;
  checkArray(reply, 2);
  checkStrings(reply);
}

/** SET says OK or nothing; with GET, the value of before. */
const checkSet: ReplyCheck = (reply, args) => {
  const mayGive = args.length > 3 || (args.length === 3 && /^get$/i.test(String(args[2])));
  if (mayGive) checkValue(reply);
  else if (reply !== null) checkOk(reply, args);
};

function checkEachCount(reply: unknown, { length }: { readonly length: number }): void {
  checkArray(reply, length);
  reply.forEach(checkCount);
}

/** Names and values in turn; of a borrowed client that speaks RESP3, a map. */
function checkPairs(reply: unknown): void {
  if (Array.isArray(reply) ? reply.length % 2 === 0 && reply.every(Buffer.isBuffer) : isMap(reply)) return;
  throw new UnexpectedReplyError('a list of names and values');
}

const isMap = (reply: unknown) => typeof reply === 'object' && reply !== null && !Buffer.isBuffer(reply);

/** Channels and numbers in turn. @param args  NUMSUB and the channels. */
const checkCounts: ReplyCheck = (reply, args) => {
  checkArray(reply, 2 * (args.length - 1));
  for (const [index, item] of reply.entries()) {
    if (index % 2 === 1) checkCount(item);
    else checkValue(item);
  }
};

/** By subcommand, in upper case. */
const bySubcommand =
  (checks: Readonly<Record<string, ReplyCheck>>): ReplyCheck =>
  (reply, args) =>
    checks[String(args[0]).toUpperCase()]?.(reply, args);

const words = (text: string) => text.trim().split(/\s+/);
const each = (names: string, check: ReplyCheck) => words(names).map((name) => [name, check] as const);

/** Those whose replies have one form in every release and in RESP2 and RESP3, and all that are put together of several nodes'. */
const checks: ReadonlyMap<string, ReplyCheck> = new Map<string, ReplyCheck>([
  ...each('get getdel getex getset getrange hget lindex rpoplpush lmove brpoplpush blmove dump', checkValue),
  ...each('setex psetex mset ltrim lset rename flushdb flushall', checkOk),
  ...each('decr decrby incr incrby hincrby ttl pttl linsert', checkInteger),
  ...each(
    'setnx msetnx getbit setbit persist expire pexpire expireat pexpireat sismember smove hsetnx hexists',
    checkFlag,
  ),
  ...each(
    `append strlen setrange bitcount llen lpush rpush lpushx rpushx lrem sadd srem scard
    hset hdel hlen hstrlen zcard zcount zrem xlen xdel xack dbsize publish spublish wait`,
    checkCount,
  ),
  ...each('del unlink exists touch', checkCountOfKeys),
  ...each('keys smembers sinter sunion sdiff lrange hkeys hvals', checkStrings),
  ...each('blpop brpop', checkTaken),
  ['hgetall', checkPairs],
  ...each('scan hscan sscan zscan', checkPage),
  ['set', checkSet],
  ['mget', checkValues],
  ['hmget', (reply, args) => checkValues(reply, args.slice(1))],
  ['ping', (reply, args) => args.length === 0 && checkStatus('PONG')(reply, args)],
  ['waitaof', (reply) => checkEachCount(reply, { length: 2 })],
  [
    'script',
    bySubcommand({ EXISTS: (reply, args) => checkEachCount(reply, args.slice(1)), FLUSH: checkOk, LOAD: checkValue }),
  ],
  [
    'pubsub',
    bySubcommand({
      ...{ CHANNELS: checkStrings, SHARDCHANNELS: checkStrings },
      ...{ NUMPAT: checkCount, NUMSUB: checkCounts, SHARDNUMSUB: checkCounts },
    }),
  ],
]);

/** Undefined where any form may be right. @param name  In lower case. */
export const replyCheckOf = (name: string): ReplyCheck | undefined => checks.get(name);
