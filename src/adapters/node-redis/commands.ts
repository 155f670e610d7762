/**
 * The commands of the node-redis facade: how each writes its arguments, and how it reads its reply.
 *
 * Names, arguments and replies are those of node-redis 6 (npm `redis`), checked call by call against it in
 * `test/redis/node-redis-facade.redis.test.ts`. The table serves single calls and `multi()` alike.
 */

import {
  type EvalOptions,
  type ExpireMode,
  evalWords,
  type GetExOptions,
  getExWords,
  type LimitOptions,
  limitWords,
  many,
  type OneOrMore,
  pairWords,
  type RedisArgument,
  type ScanOptions,
  type ScoredInput,
  type SetOptions,
  scanWords,
  setWords,
  unixMs,
  unixSeconds,
  type Words,
  word,
  type ZAddOptions,
  type ZRangeOptions,
  zAddWords,
  zRangeWords,
} from './arguments.ts';
import {
  double,
  fields,
  firstScoredMember,
  integer,
  listOf,
  orNull,
  page,
  type Read,
  raw,
  scoredMembers,
  text,
} from './replies.ts';

interface Definition<Args extends readonly unknown[], Reply> {
  /** The command's name and its arguments. */
  write(...args: Args): Words;
  read: Read<Reply>;
}

const define = <Args extends readonly unknown[], Reply>(
  read: Read<Reply>,
  write: (...args: Args) => Words,
): Definition<Args, Reply> => ({ write, read });

type Key = RedisArgument;
type Bound = RedisArgument | number;

// Commands that take the same arguments.
const keyOnly = <Reply>(name: string, read: Read<Reply>) => define(read, (key: Key) => [name, key]);
const keysOnly = (name: string) => define(integer, (keys: OneOrMore) => [name, ...many(keys)]);
const keyAndNumber = <Reply>(name: string, read: Read<Reply>) =>
  define(read, (key: Key, value: number) => [name, key, word(value)]);
const keyAndItem = <Reply>(name: string, read: Read<Reply>) =>
  define(read, (key: Key, item: RedisArgument) => [name, key, item]);
const keyAndItems = <Reply>(name: string, read: Read<Reply>) =>
  define(read, (key: Key, items: OneOrMore) => [name, key, ...many(items)]);
const keyAndRange = <Reply>(name: string, read: Read<Reply>) =>
  define(read, (key: Key, from: Bound, to: Bound) => [name, key, word(from), word(to)]);
const expiry = <Time>(name: string, written: (time: Time) => RedisArgument) =>
  define(integer, (key: Key, time: Time, mode?: ExpireMode) => [
    name,
    key,
    written(time),
    ...(mode === undefined ? [] : [mode]),
  ]);

const texts = listOf(text);
const textOrNull = orNull(text);
const textsOrNull = orNull(texts);

const keys = {
  del: keysOnly('del'),
  unlink: keysOnly('unlink'),
  exists: keysOnly('exists'),
  touch: keysOnly('touch'),
  expire: expiry<number>('expire', word),
  pExpire: expiry<number>('pexpire', word),
  expireAt: expiry('expireat', unixSeconds),
  pExpireAt: expiry('pexpireat', unixMs),
  ttl: keyOnly('ttl', integer),
  pTTL: keyOnly('pttl', integer),
  expireTime: keyOnly('expiretime', integer),
  pExpireTime: keyOnly('pexpiretime', integer),
  persist: keyOnly('persist', integer),
  type: keyOnly('type', text),
  rename: define(text, (key: Key, newKey: Key) => ['rename', key, newKey]),
  renameNX: define(integer, (key: Key, newKey: Key) => ['renamenx', key, newKey]),
  keys: define(texts, (pattern: RedisArgument) => ['keys', pattern]),
  scan: define(page, (cursor: RedisArgument, options?: ScanOptions) => ['scan', cursor, ...scanWords(options)]),
  dbSize: define(integer, () => ['dbsize']),
  flushAll: define(text, () => ['flushall']),
  flushDb: define(text, () => ['flushdb']),
  ping: define(text, (message?: RedisArgument) => (message === undefined ? ['ping'] : ['ping', message])),
};

const strings = {
  get: keyOnly('get', textOrNull),
  set: define(textOrNull, (key: Key, value: RedisArgument | number, options?: SetOptions) => [
    'set',
    key,
    word(value),
    ...setWords(options),
  ]),
  setEx: define(text, (key: Key, seconds: number, value: RedisArgument) => ['setex', key, word(seconds), value]),
  pSetEx: define(text, (key: Key, ms: number, value: RedisArgument) => ['psetex', key, word(ms), value]),
  setNX: keyAndItem('setnx', integer),
  getSet: keyAndItem('getset', textOrNull),
  getDel: keyOnly('getdel', textOrNull),
  getEx: define(textOrNull, (key: Key, options: GetExOptions) => ['getex', key, ...getExWords(options)]),
  getRange: keyAndRange('getrange', text),
  setRange: define(integer, (key: Key, offset: number, value: RedisArgument) => ['setrange', key, word(offset), value]),
  strLen: keyOnly('strlen', integer),
  append: keyAndItem('append', integer),
  mGet: define(listOf(textOrNull), (all: readonly Key[]) => ['mget', ...all]),
  mSet: define(text, (pairs: KeyValues) => ['mset', ...pairWords(pairs)]),
  mSetNX: define(integer, (pairs: KeyValues) => ['msetnx', ...pairWords(pairs)]),
  incr: keyOnly('incr', integer),
  incrBy: keyAndNumber('incrby', integer),
  incrByFloat: keyAndNumber('incrbyfloat', text),
  decr: keyOnly('decr', integer),
  decrBy: keyAndNumber('decrby', integer),
  getBit: keyAndNumber('getbit', integer),
  setBit: define(integer, (key: Key, offset: number, value: 0 | 1) => ['setbit', key, word(offset), word(value)]),
};

/** Arguments of `mSet`: pairs, a flat list, or an object. */
export type KeyValues =
  | readonly (readonly [RedisArgument, RedisArgument])[]
  | readonly RedisArgument[]
  | Readonly<Record<string, RedisArgument>>;

/** Arguments of `hSet`: a Map, pairs, a flat list, or an object. */
export type FieldValues =
  | ReadonlyMap<RedisArgument | number, RedisArgument | number>
  | readonly (readonly [RedisArgument | number, RedisArgument | number])[]
  | readonly (RedisArgument | number)[]
  | Readonly<Record<string, RedisArgument | number>>;

type HSetArguments =
  | [key: Key, field: RedisArgument | number, value: RedisArgument | number]
  | [key: Key, pairs: FieldValues];

const hashes = {
  hSet: define(integer, (...args: HSetArguments) => [
    'hset',
    args[0],
    ...(args.length === 3 ? [word(args[1]), word(args[2])] : pairWords(args[1])),
  ]),
  hSetNX: define(integer, (key: Key, field: RedisArgument, value: RedisArgument) => ['hsetnx', key, field, value]),
  hGet: keyAndItem('hget', textOrNull),
  hmGet: keyAndItems('hmget', listOf(textOrNull)),
  hGetAll: keyOnly('hgetall', fields),
  hDel: keyAndItems('hdel', integer),
  hExists: keyAndItem('hexists', integer),
  hIncrBy: define(integer, (key: Key, field: RedisArgument, by: number) => ['hincrby', key, field, word(by)]),
  hIncrByFloat: define(text, (key: Key, field: RedisArgument, by: number) => ['hincrbyfloat', key, field, word(by)]),
  hKeys: keyOnly('hkeys', texts),
  hVals: keyOnly('hvals', texts),
  hLen: keyOnly('hlen', integer),
  hStrLen: keyAndItem('hstrlen', integer),
};

const sets = {
  sAdd: keyAndItems('sadd', integer),
  sRem: keyAndItems('srem', integer),
  sMembers: keyOnly('smembers', texts),
  sIsMember: keyAndItem('sismember', integer),
  smIsMember: define(listOf(integer), (key: Key, members: readonly RedisArgument[]) => ['smismember', key, ...members]),
  sCard: keyOnly('scard', integer),
  sPop: keyOnly('spop', textOrNull),
  sPopCount: keyAndNumber('spop', texts),
  sRandMember: keyOnly('srandmember', textOrNull),
  sRandMemberCount: keyAndNumber('srandmember', texts),
  sMove: define(integer, (from: Key, to: Key, member: RedisArgument) => ['smove', from, to, member]),
  sInter: define(texts, (all: OneOrMore) => ['sinter', ...many(all)]),
  sUnion: define(texts, (all: OneOrMore) => ['sunion', ...many(all)]),
  sDiff: define(texts, (all: OneOrMore) => ['sdiff', ...many(all)]),
};

const zRange = (key: Key, from: Bound, to: Bound, options?: ZRangeOptions): Words => [
  'zrange',
  key,
  word(from),
  word(to),
  ...zRangeWords(options),
];
const zRangeByScore = (key: Key, from: Bound, to: Bound, options?: LimitOptions): Words => [
  'zrangebyscore',
  key,
  word(from),
  word(to),
  ...limitWords(options),
];

const sortedSets = {
  zAdd: define(integer, (key: Key, members: OneOrMore<ScoredInput>, options?: ZAddOptions) => [
    'zadd',
    key,
    ...zAddWords(members, options),
  ]),
  zIncrBy: define(double, (key: Key, by: number, member: RedisArgument) => ['zincrby', key, word(by), member]),
  zRem: keyAndItems('zrem', integer),
  zCard: keyOnly('zcard', integer),
  zCount: keyAndRange('zcount', integer),
  zScore: keyAndItem('zscore', orNull(double)),
  zmScore: keyAndItems('zmscore', listOf(orNull(double))),
  zRank: keyAndItem('zrank', orNull(integer)),
  zRevRank: keyAndItem('zrevrank', orNull(integer)),
  zRange: define(texts, zRange),
  zRangeWithScores: define(scoredMembers, (...args: Parameters<typeof zRange>) => [...zRange(...args), 'WITHSCORES']),
  zRangeByScore: define(texts, zRangeByScore),
  zRangeByScoreWithScores: define(scoredMembers, (...args: Parameters<typeof zRangeByScore>) => [
    ...zRangeByScore(...args),
    'WITHSCORES',
  ]),
  zRemRangeByRank: keyAndRange('zremrangebyrank', integer),
  zRemRangeByScore: keyAndRange('zremrangebyscore', integer),
  zPopMin: keyOnly('zpopmin', firstScoredMember),
  zPopMax: keyOnly('zpopmax', firstScoredMember),
};

const lists = {
  lPush: keyAndItems('lpush', integer),
  lPushX: keyAndItems('lpushx', integer),
  rPush: keyAndItems('rpush', integer),
  rPushX: keyAndItems('rpushx', integer),
  lPop: keyOnly('lpop', textOrNull),
  lPopCount: keyAndNumber('lpop', textsOrNull),
  rPop: keyOnly('rpop', textOrNull),
  rPopCount: keyAndNumber('rpop', textsOrNull),
  lRange: keyAndRange('lrange', texts),
  lLen: keyOnly('llen', integer),
  lIndex: keyAndNumber('lindex', textOrNull),
  lSet: define(text, (key: Key, index: number, item: RedisArgument) => ['lset', key, word(index), item]),
  lRem: define(integer, (key: Key, count: number, item: RedisArgument) => ['lrem', key, word(count), item]),
  lTrim: keyAndRange('ltrim', text),
  lInsert: define(integer, (key: Key, where: 'BEFORE' | 'AFTER', pivot: RedisArgument, item: RedisArgument) => [
    'linsert',
    key,
    where,
    pivot,
    item,
  ]),
  lMove: define(textOrNull, (from: Key, to: Key, fromSide: 'LEFT' | 'RIGHT', toSide: 'LEFT' | 'RIGHT') => [
    'lmove',
    from,
    to,
    fromSide,
    toSide,
  ]),
};

const scriptsAndMessages = {
  eval: define(raw, (script: RedisArgument, options?: EvalOptions) => ['eval', script, ...evalWords(options)]),
  evalSha: define(raw, (sha: RedisArgument, options?: EvalOptions) => ['evalsha', sha, ...evalWords(options)]),
  fCall: define(raw, (name: RedisArgument, options?: EvalOptions) => ['fcall', name, ...evalWords(options)]),
  scriptLoad: define(text, (script: RedisArgument) => ['script', 'LOAD', script]),
  scriptExists: define(listOf(integer), (shas: OneOrMore) => ['script', 'EXISTS', ...many(shas)]),
  publish: define(integer, (channel: RedisArgument, message: RedisArgument) => ['publish', channel, message]),
  pfAdd: define(integer, (key: Key, items?: OneOrMore) => ['pfadd', key, ...(items === undefined ? [] : many(items))]),
  pfCount: define(integer, (all: OneOrMore) => ['pfcount', ...many(all)]),
};

export const nodeRedisCommands = {
  ...keys,
  ...strings,
  ...hashes,
  ...sets,
  ...sortedSets,
  ...lists,
  ...scriptsAndMessages,
};

type Commands = typeof nodeRedisCommands;
export type NodeRedisCommandName = keyof Commands;
export type ArgumentsOf<Name extends NodeRedisCommandName> = Parameters<Commands[Name]['write']>;
export type ReplyOf<Name extends NodeRedisCommandName> = ReturnType<Commands[Name]['read']>;
