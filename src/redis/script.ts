/**
 * Lua scripts by their name: sent to each node as EVAL the first time and as EVALSHA from then on, and once more as EVAL to a
 * server that does not have them any more. The first time as text, as commands that follow must not overtake the script.
 *
 * A server forgets scripts when it restarts and at SCRIPT FLUSH; NOSCRIPT says that nothing was executed, so repeating is safe.
 */

import { createHash } from 'node:crypto';
import { InvalidArgumentError } from '../errors/index.ts';
import { expectBoolean, expectInteger, expectObject, expectString } from '../runtime/validate.ts';

/** As ioredis' `defineCommand` takes it. */
export interface ScriptDefinition {
  readonly lua: string;
  /** How many of the arguments are keys, counted from the first. Absent: the first argument says it at each call. */
  readonly numberOfKeys?: number | undefined;
  /** The script writes nothing. It is then sent by EVALSHA_RO, for which the server refuses writes (Redis 7). */
  readonly readOnly?: boolean | undefined;
}

export interface Script {
  readonly lua: string;
  readonly sha: string;
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
    sha: createHash('sha1').update(text).digest('hex'),
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

const commandNames = {
  bySha: ['evalsha', 'evalsha_ro'],
  byText: ['eval', 'eval_ro'],
} as const;

/** The command that runs a script. @param args  Of the caller: keys and then arguments, with their count before them if it varies. */
export function scriptCall(
  { lua, sha, numberOfKeys, readOnly }: Script,
  form: 'bySha' | 'byText',
  args: readonly unknown[],
): ScriptCall {
  const counted = numberOfKeys === undefined ? args : [numberOfKeys, ...args];
  const flat = counted.flat();
  return { name: commandNames[form][readOnly ? 1 : 0], args: [form === 'bySha' ? sha : lua, ...flat] };
}

/** Which scripts have gone to which nodes as text. What is sent behind that finds them there. */
export class SentScripts {
  readonly #nodes = new Map<string, Set<string>>();

  has({ sha }: Script, node: string): boolean {
    return this.#nodes.get(sha)?.has(node) === true;
  }

  add({ sha }: Script, node: string): void {
    const nodes = this.#nodes.get(sha);
    if (nodes === undefined) this.#nodes.set(sha, new Set([node]));
    else nodes.add(node);
  }
}

/** True for the refusal of a script that the server does not have. */
export function isNoScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}
