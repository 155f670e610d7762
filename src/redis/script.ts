/**
 * Lua scripts by their name, sent as EVAL each time.
 *
 * EVALSHA would send 40 bytes in place of the text. But a server forgets scripts: when it restarts, at SCRIPT FLUSH, and those
 * that came by EVAL when it has seen 500 others since (Redis 7.4, Valkey 8). It then says NOSCRIPT, and by that time has executed
 * what was called after the script. Nothing that can be done with that answer puts the script before it again.
 */

import { InvalidArgumentError } from '../errors/index.ts';
import { expectBoolean, expectInteger, expectObject, expectString } from '../runtime/validate.ts';

/** The same form as in ioredis' `defineCommand`. */
export interface ScriptDefinition {
  readonly lua: string;
  /** How many of the arguments are keys, counted from the first. Absent: the first argument says it at each call. */
  readonly numberOfKeys?: number | undefined;
  /** The script writes nothing. It is then sent by EVAL_RO, for which the server refuses writes (Redis 7). */
  readonly readOnly?: boolean | undefined;
}

export interface Script {
  readonly lua: string;
  readonly numberOfKeys: number | undefined;
  readonly readOnly: boolean;
}

/** @throws {InvalidArgumentError} */
export function parseScript(name: unknown, definition: unknown): Script {
  if (expectString('name', name) === '') throw new InvalidArgumentError('name', 'a string that is not empty', name);
  const { lua, numberOfKeys, readOnly } = expectObject('definition', definition);
  const text = expectString('definition.lua', lua);
  return {
    lua: text,
    numberOfKeys:
      numberOfKeys === undefined || numberOfKeys === null
        ? undefined
        : expectInteger('definition.numberOfKeys', numberOfKeys, 0),
    readOnly: readOnly === undefined ? false : expectBoolean('definition.readOnly', readOnly),
  };
}

export interface ScriptCall {
  readonly name: string;
  readonly args: readonly unknown[];
}

/** The command that runs a script. @param args  Of the caller: keys and then arguments, with their count before them if it varies. */
export function scriptCall({ lua, numberOfKeys, readOnly }: Script, args: readonly unknown[]): ScriptCall {
  const counted = numberOfKeys === undefined ? args : [numberOfKeys, ...args];
  return { name: readOnly ? 'eval_ro' : 'eval', args: [lua, ...counted.flat()] };
}
