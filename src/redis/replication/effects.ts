/**
 * How a write reaches all copies of its key so that they stay equal.
 *
 * - `fanOut`: every holder executes the same command; times to live are made points in time first.
 * - `effects`: the first holder in preference order executes it, and the others do what came of it (`effect-rules.ts`).
 * - `changesNothing`: it changes no key.
 * - `refused`: its outcome may differ from copy to copy, and the reply does not show it.
 *
 * Redis replicates the same way, with two differences. Its replicas get all writes in one order; here two clients that
 * write one key at the same moment may leave copies that differ, until the next write of the whole value or its expiry.
 * And INCRBYFLOAT, which Redis replicates as SET of the result, is executed by each holder: sums come out the same in
 * whatever order they arrive, and results that overtake one another do not.
 *
 * A write that is not listed here, such as one of a later Redis, is rejected.
 */

import { tokenOf } from '../commands/command-keys.ts';
import { isReadOnly } from '../commands/command-table.ts';
import { withAbsoluteExpiry } from './absolute-expiry.ts';
import type { Args, PlainCommand } from './command.ts';
import { choices, conditions, type EffectsOf } from './effect-rules.ts';
import { idKindOf } from './stream-effects.ts';

export type { PlainCommand } from './command.ts';

export type Replication =
  /** `name` and `args` are what to send, where that is not what the caller wrote. */
  | { readonly kind: 'fanOut'; readonly name?: string; readonly args?: Args }
  | {
      readonly kind: 'effects';
      /** The command of the first holder: as the caller wrote it, except for times to live. */
      readonly name: string;
      readonly args: Args;
      /** For the others, in this order. */
      readonly effectsOf: EffectsOf;
      /** True: copies that are equal stay equal too if each executes the command itself, as in a transaction. */
      readonly mayFanOut: boolean;
    }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'changesNothing' };

/** Writes whose outcome follows from the key's value and the arguments alone, once times to live are points in time. */
const deterministic = new Set([
  // Strings and any type.
  ...['append', 'bitfield', 'bitop', 'decr', 'decrby', 'del', 'getdel', 'getex', 'getset', 'incr', 'incrby'],
  ...['incrbyfloat', 'increx', 'move', 'mset', 'persist', 'rename', 'set', 'setbit', 'setrange', 'unlink'],
  ...[
    'copy',
    'restore',
    'msetex',
    'expireat',
    'pexpireat',
    'sort',
    'pfadd',
    'pfmerge',
    'setex',
    'psetex',
    'expire',
    'pexpire',
  ],
  // Hashes.
  ...['hdel', 'hexpire', 'hexpireat', 'hgetdel', 'hgetex', 'hincrby', 'hincrbyfloat', 'hmset', 'hpersist', 'hpexpire'],
  ...['hpexpireat', 'hset', 'hsetex'],
  // Lists.
  ...[
    'linsert',
    'lmove',
    'lmovem',
    'lpop',
    'lpush',
    'lpushx',
    'lrem',
    'lset',
    'ltrim',
    'rpop',
    'rpoplpush',
    'rpush',
    'rpushx',
  ],
  // Sets and sorted sets.
  ...['sadd', 'sdiffstore', 'sinterstore', 'smove', 'srem', 'sunionstore', 'geoadd', 'georadius', 'georadiusbymember'],
  ...['geosearchstore', 'zadd', 'zdiffstore', 'zincrby', 'zinterstore', 'zpopmax', 'zpopmin', 'zrangestore', 'zrem'],
  ...['zremrangebylex', 'zremrangebyrank', 'zremrangebyscore', 'zunionstore'],
  // Streams.
  ...['xack', 'xackdel', 'xadd', 'xdel', 'xdelex', 'xgroup', 'xnack', 'xsetid', 'xtrim'],
  // Arrays, vector sets (whose search graph is random and whose elements are not).
  ...['ardel', 'ardelrange', 'arinsert', 'armset', 'arring', 'arseek', 'arset', 'vadd', 'vrem', 'vsetattr'],
]);

const refused = (reason: string): Replication => ({ kind: 'refused', reason });

const scriptReason =
  "a script may write something different on each copy; set `scripts: 'deterministic'` if yours never do, or read with the commands that end in _ro";
const idempotentReason = 'each server remembers on its own which calls it has seen; use XADD without IDMP';

const refusals: ReadonlyMap<string, Replication> = new Map([
  ...['eval', 'evalsha', 'fcall'].map((name) => [name, refused(scriptReason)] as const),
  ...['xcfgset', 'xidmprecord'].map((name) => [name, refused(idempotentReason)] as const),
  ['migrate', refused('each copy would be moved on its own; send it to one node and delete the key afterwards')],
]);

/**
 * How to replicate a write at replication factor 2 and above.
 * @param name   In lower case, of a command that `distributionOf` lets go to the holders of a key.
 * @param nowMs  Unix time in milliseconds.
 */
export function replicationOf(name: string, args: Args, nowMs: number): Replication {
  const refusal = refusals.get(name) ?? refusalOfForm(name, args);
  if (refusal !== undefined) return refusal;
  if (isReadOnly(name, args) || isReadByForm(name, args)) return { kind: 'changesNothing' };
  const command = withAbsoluteExpiry(name, args, nowMs);
  const choice = choices.get(command.name);
  const effectsOf = (choice ?? conditions.get(command.name))?.(command.args, nowMs);
  if (effectsOf !== undefined) return { kind: 'effects', ...command, effectsOf, mayFanOut: choice === undefined };
  if (deterministic.has(name)) return sameEverywhere(name, command);
  // Its form is wrong, since its effects are unknown: the first node rejects it.
  if (choice !== undefined) return { kind: 'changesNothing' };
  return refused('it may write something different on each copy; send it to one node: redis.nodeFor(key).call(...)');
}

function sameEverywhere(name: string, command: PlainCommand): Replication {
  return command.name === name ? { kind: 'fanOut', args: command.args } : { kind: 'fanOut', ...command };
}

function refusalOfForm(name: string, args: Args): Replication | undefined {
  if (name === 'xadd') {
    const id = idKindOf(args);
    if (id === 'remembered') return refused(idempotentReason);
    if (id === 'unknown') return refused('its id cannot be found, because an option or the id has an unknown form');
  }
  if (name === 'xreadgroup' && hasToken(args, 3, 'CLAIM')) {
    return refused('its reply does not say what it has claimed; call XAUTOCLAIM and then XREADGROUP without CLAIM');
  }
  return undefined;
}

/** Commands that Redis counts as writes and that change nothing in this form, or only in the list of what was delivered. */
function isReadByForm(name: string, args: Args): boolean {
  if (name === 'sort') return !hasToken(args, 1, 'STORE');
  if (name === 'georadius') return !hasToken(args, 5, 'STORE') && !hasToken(args, 5, 'STOREDIST');
  if (name === 'georadiusbymember') return !hasToken(args, 4, 'STORE') && !hasToken(args, 4, 'STOREDIST');
  return name === 'getex' && args.length === 1;
}

/** True if one of the options is that token. Options of XREADGROUP end at STREAMS. */
function hasToken(args: Args, start: number, token: string): boolean {
  for (let index = start; index < args.length; index++) {
    const found = tokenOf(args[index]);
    if (found === token) return true;
    if (found === 'STREAMS' && token === 'CLAIM') return false;
  }
  return false;
}
