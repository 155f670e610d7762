/** From the option objects of node-redis to the words that Redis takes. */

import { InvalidArgumentError } from '../../errors/index.ts';

/** A key, field, member or value, as node-redis takes them. */
export type RedisArgument = string | Buffer;

/** One, or several. */
export type OneOrMore<Item = RedisArgument> = Item | readonly Item[];

/** An argument for the server: text or bytes. */
export type Words = readonly RedisArgument[];

/** A number as Redis reads it. */
export const word = (value: RedisArgument | number): RedisArgument => {
  if (value === Infinity) return '+inf';
  if (value === -Infinity) return '-inf';
  return typeof value === 'number' ? String(value) : value;
};

export const many = (items: OneOrMore): Words => (isList(items) ? items : [items]);

const isList = <Item>(items: OneOrMore<Item>): items is readonly Item[] => Array.isArray(items);

/**
 * The words of a command, each of them text or bytes.
 *
 * ioredis would send an `undefined` as an empty string, and an object as `[object Object]`; node-redis refuses them.
 * @throws {InvalidArgumentError} Names the command and the place.
 */
export function checkedWords(words: Words): Words {
  words.forEach((item, index) => {
    if (typeof item === 'string' || Buffer.isBuffer(item)) return;
    throw new InvalidArgumentError(`${String(words[0]).toLowerCase()}[${index}]`, 'a string or a Buffer', item);
  });
  return words;
}

export interface SetOptions {
  /** When the value expires. `value` is in seconds for EX and EXAT, in milliseconds for PX and PXAT. */
  readonly expiration?:
    | { readonly type: 'EX' | 'PX' | 'EXAT' | 'PXAT'; readonly value: number }
    | { readonly type: 'KEEPTTL' }
    | 'KEEPTTL'
    | undefined;
  /** Older form of `expiration`; so are the next four. */
  readonly EX?: number | undefined;
  readonly PX?: number | undefined;
  readonly EXAT?: number | undefined;
  readonly PXAT?: number | undefined;
  readonly KEEPTTL?: boolean | undefined;
  readonly condition?: 'NX' | 'XX' | undefined;
  /** Older form of `condition`; so is the next. */
  readonly NX?: boolean | undefined;
  readonly XX?: boolean | undefined;
  /** Reply with the value that was there before. */
  readonly GET?: boolean | undefined;
}

const expiryWords = ['EX', 'PX', 'EXAT', 'PXAT'] as const;

function expirationOf(options: SetOptions): Words {
  const { expiration } = options;
  if (expiration !== undefined) {
    if (expiration === 'KEEPTTL' || expiration.type === 'KEEPTTL') return ['KEEPTTL'];
    return [expiration.type, word(expiration.value)];
  }
  for (const name of expiryWords) {
    const value = options[name];
    if (value !== undefined) return [name, word(value)];
  }
  return options.KEEPTTL ? ['KEEPTTL'] : [];
}

const conditionOf = ({
  condition,
  NX,
  XX,
}: {
  condition?: 'NX' | 'XX' | undefined;
  NX?: boolean | undefined;
  XX?: boolean | undefined;
}): Words => {
  if (condition !== undefined) return [condition];
  if (NX) return ['NX'];
  return XX ? ['XX'] : [];
};

export function setWords(options: SetOptions = {}): Words {
  return [...expirationOf(options), ...conditionOf(options), ...(options.GET ? ['GET'] : [])];
}

/** Points in time are Unix time, or a Date. */
export type GetExOptions =
  | { readonly type: 'EX' | 'PX'; readonly value: number }
  | { readonly type: 'EXAT' | 'PXAT'; readonly value: number | Date }
  | { readonly type: 'PERSIST' }
  | { readonly EX: number }
  | { readonly PX: number }
  | { readonly EXAT: number | Date }
  | { readonly PXAT: number | Date }
  | { readonly PERSIST: true };

export function getExWords(options: GetExOptions): Words {
  if ('type' in options) return options.type === 'PERSIST' ? ['PERSIST'] : getExWord(options.type, options.value);
  for (const name of expiryWords) {
    const value = (options as Partial<Record<string, number | Date>>)[name];
    if (value !== undefined) return getExWord(name, value);
  }
  return ['PERSIST'];
}

const getExWord = (name: (typeof expiryWords)[number], value: number | Date): Words => [
  name,
  name === 'EXAT' ? unixSeconds(value) : unixMs(value),
];

export const unixSeconds = (at: number | Date): string =>
  String(at instanceof Date ? Math.floor(at.getTime() / 1_000) : at);

export const unixMs = (at: number | Date): string => String(at instanceof Date ? at.getTime() : at);

export type ExpireMode = 'NX' | 'XX' | 'GT' | 'LT';

export interface ScoredInput {
  readonly value: RedisArgument;
  readonly score: number;
}

export interface ZAddOptions {
  readonly condition?: 'NX' | 'XX' | undefined;
  /** Older form of `condition`; so is the next. */
  readonly NX?: boolean | undefined;
  readonly XX?: boolean | undefined;
  readonly comparison?: 'LT' | 'GT' | undefined;
  /** Older form of `comparison`; so is the next. */
  readonly LT?: boolean | undefined;
  readonly GT?: boolean | undefined;
  /** Count members whose score changed too, and not only new ones. */
  readonly CH?: boolean | undefined;
}

export function zAddWords(members: OneOrMore<ScoredInput>, options: ZAddOptions = {}): Words {
  const { comparison, LT, GT, CH } = options;
  const compare = comparison ?? (LT ? 'LT' : GT ? 'GT' : undefined);
  return [
    ...conditionOf(options),
    ...(compare === undefined ? [] : [compare]),
    ...(CH ? ['CH'] : []),
    ...(isList(members) ? members : [members]).flatMap(({ value, score }) => [word(score), value]),
  ];
}

export interface LimitOptions {
  readonly LIMIT?: { readonly offset: number; readonly count: number } | undefined;
}

export const limitWords = ({ LIMIT }: LimitOptions = {}): Words =>
  LIMIT === undefined ? [] : ['LIMIT', word(LIMIT.offset), word(LIMIT.count)];

export interface ZRangeOptions extends LimitOptions {
  readonly BY?: 'SCORE' | 'LEX' | undefined;
  readonly REV?: boolean | undefined;
}

export const zRangeWords = (options: ZRangeOptions = {}): Words => [
  ...(options.BY === undefined ? [] : [`BY${options.BY}`]),
  ...(options.REV ? ['REV'] : []),
  ...limitWords(options),
];

type Pairs = ReadonlyMap<RedisArgument | number, RedisArgument | number> | readonly unknown[] | object;

/** Fields and values of `hSet`: a Map, an object, pairs, or a flat list. */
export function pairWords(pairs: Pairs): Words {
  if (pairs instanceof Map) return [...pairs].flat().map(word);
  return (Array.isArray(pairs) ? pairs.flat() : Object.entries(pairs).flat()).map(word);
}

export interface ScanOptions {
  readonly MATCH?: string | undefined;
  readonly COUNT?: number | undefined;
  readonly TYPE?: string | undefined;
}

export const scanWords = ({ MATCH, COUNT, TYPE }: ScanOptions = {}): Words => [
  ...(MATCH === undefined ? [] : ['MATCH', MATCH]),
  ...(COUNT === undefined ? [] : ['COUNT', word(COUNT)]),
  ...(TYPE === undefined ? [] : ['TYPE', TYPE]),
];

export interface EvalOptions {
  readonly keys?: readonly RedisArgument[] | undefined;
  readonly arguments?: readonly RedisArgument[] | undefined;
}

export const evalWords = ({ keys = [], arguments: args = [] }: EvalOptions = {}): Words => [
  word(keys.length),
  ...keys,
  ...args,
];
