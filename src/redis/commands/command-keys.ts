/**
 * The positions of the keys among a command's arguments.
 *
 * The positions are those of `@ioredis/commands`. What is added here is only what it gets wrong or does not know:
 * - an invalid count of keys, or one beyond the arguments, would give positions that do not exist, or billions of them;
 * - the channel of SPUBLISH and its like is no key: it has no prefix and no copies;
 * - SORT names patterns of keys, which are keys only where they contain a `*`, and tokens that may come as bytes;
 * - MIGRATE may have a password that reads KEYS;
 * - the commands of the well-known modules, nearly all of which have one key, their first argument.
 *
 * A call that the server will refuse for its form has the keys that could be found, or none.
 */

import type { CommandArgument } from '../../server/index.ts';
import { exists, getKeyIndexes, hasFlag } from './command-facts.ts';

type Args = readonly CommandArgument[];

/** @param name  In lower case. */
export function keysOf(name: string, args: Args): readonly number[] {
  if (hasOneKey(name)) return args.length > 0 ? firstArgument : none;
  const rule = ownRules.get(name);
  if (rule !== undefined) return rule(args).filter((index) => index < args.length);
  if (!exists(name)) return moduleKeys(name, args);
  const countIndex = countIndexOf(name);
  if (countIndex !== undefined && !isCount(args[countIndex], args.length - countIndex - 1)) return [];
  return getKeyIndexes(name, args as CommandArgument[]).filter((index) => index < args.length);
}

const none: readonly number[] = [];
const firstArgument: readonly number[] = [0];

const oneKeyNames = new Map<string, boolean>();

/** True if the first argument is the one key, whatever the others are. Such commands are most calls: they get a short way. */
export function hasOneKey(name: string): boolean {
  let hasOne = oneKeyNames.get(name);
  if (hasOne === undefined && exists(name)) {
    hasOne =
      !ownRules.has(name) && !hasFlag(name, 'movablekeys') && [1, 2, 3, 6].every((count) => isFirstOf(name, count));
    oneKeyNames.set(name, hasOne);
  }
  return hasOne === true;
}

function isFirstOf(name: string, argumentCount: number): boolean {
  const indexes = getKeyIndexes(name, new Array<string>(argumentCount).fill('x'));
  return indexes.length === 1 && indexes[0] === 0;
}

const noKeys = (): number[] => [];

const ownRules: ReadonlyMap<string, (args: Args) => number[]> = new Map([
  ['spublish', noKeys],
  ['ssubscribe', noKeys],
  ['sunsubscribe', noKeys],
  ['sort', sortKeys],
  ['sort_ro', sortKeys],
  ['migrate', migrateKeys],
]);

/** An argument as an option's name. */
export function tokenOf(argument: CommandArgument | undefined): string {
  return argument === undefined ? '' : String(argument).toUpperCase();
}

/** A count as Redis reads it, of at most `limit` keys. */
function isCount(argument: CommandArgument | undefined, limit: number): boolean {
  const text = String(argument);
  return /^\d{1,10}$/.test(text) && Number(text) <= limit;
}

const countIndexes = new Map<string, number | undefined>();

/**
 * Which argument counts the keys: 1 for EVAL, 0 for ZUNION. Found by trying, so that there is no list of such commands:
 * it is the argument by which the number of keys changes.
 */
export function countIndexOf(name: string): number | undefined {
  if (!hasFlag(name, 'movablekeys')) return undefined;
  if (!countIndexes.has(name)) {
    const keyCount = (args: string[]) => getKeyIndexes(name, args).length;
    const without = keyCount(['0', '0', '0', '0']);
    const index = [0, 1].find((at) => keyCount(['0', '0', '0', '0'].fill('1', at, at + 1)) > without);
    countIndexes.set(name, index);
  }
  return countIndexes.get(name);
}

/** The key, the patterns that make further keys, and the destination. */
function sortKeys(args: Args): number[] {
  const keys = [0];
  for (let index = 1; index < args.length; index++) {
    const token = tokenOf(args[index]);
    if (token === 'LIMIT') index += 2;
    if (token === 'STORE') keys.push(++index);
    if (token === 'BY' || token === 'GET') {
      index++;
      // Without a star no key is looked up: `BY nosort`, `GET #`.
      if (String(args[index]).includes('*')) keys.push(index);
    }
  }
  return keys;
}

/**
 * True if SORT would look up keys that can live anywhere: by a pattern whose tag is missing, or depends on the elements.
 * @param hashesTags  Whether keys of the same `{tag}` live together. Else those of any pattern can.
 */
export function sortsByKeysAnywhere(args: Args, hashesTags: boolean): boolean {
  return sortKeys(args).some((index) => {
    const pattern = String(args[index]);
    const isPattern = index > 0 && ['BY', 'GET'].includes(tokenOf(args[index - 1]));
    return isPattern && !(hashesTags && /^[^{*]*\{[^}*]+\}/.test(pattern));
  });
}

/** MIGRATE host port key|"" db timeout [COPY] [REPLACE] [AUTH password | AUTH2 user password] [KEYS key ...]. */
function migrateKeys(args: Args): number[] {
  if (String(args[2] ?? '') !== '') return [2];
  for (let index = 5; index < args.length; index++) {
    const token = tokenOf(args[index]);
    if (token === 'AUTH') index += 1;
    if (token === 'AUTH2') index += 2;
    if (token === 'KEYS') return range(index + 1, args.length);
  }
  return [];
}

const range = (start: number, end: number) => Array.from({ length: Math.max(0, end - start) }, (_, at) => start + at);

const oneKeyModules = /^(?:json|bf|cf|cms|topk|tdigest|ts)\./;

/** Commands of those modules with more keys than one, or none. `undefined`: unknown, so they are rejected. */
const otherModuleKeys: ReadonlyMap<string, ((args: Args) => number[]) | undefined> = new Map([
  ['json.mget', (args: Args) => range(0, args.length - 1)],
  ['json.mset', (args: Args) => range(0, args.length).filter((index) => index % 3 === 0)],
  ['ts.madd', (args: Args) => range(0, args.length).filter((index) => index % 3 === 0)],
  ['ts.createrule', () => [0, 1]],
  ['ts.deleterule', () => [0, 1]],
  ...[
    ...['json.debug', 'cms.merge', 'tdigest.merge'],
    ...['ts.mget', 'ts.mrange', 'ts.mrevrange', 'ts.queryindex', 'ts.querylabels'],
  ].map((name) => [name, undefined] as const),
]);

/** True if the keys of a command that is not of Redis itself are known. */
export function isKnownModuleCommand(name: string): boolean {
  return otherModuleKeys.has(name) ? otherModuleKeys.get(name) !== undefined : oneKeyModules.test(name);
}

function moduleKeys(name: string, args: Args): number[] {
  if (!isKnownModuleCommand(name)) return [];
  const rule = otherModuleKeys.get(name) ?? (() => [0]);
  return rule(args).filter((index) => index < args.length);
}
