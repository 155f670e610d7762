/** Writes with a condition: what the first holder's reply says of it, and the same write without the condition. */

import type { CommandArgument } from '../../server/index.ts';
import { tokenOf } from '../commands/command-keys.ts';
import type { Args, PlainCommand } from './command.ts';

type Effects = (reply: unknown) => readonly PlainCommand[];

/** Integers above 0 and OK say that it was done; 0 and nil that it was not. */
export function ifDone(command: PlainCommand): Effects {
  return (reply) => (reply === null || String(reply) === '0' ? [] : [command]);
}

/** COPY and RESTORE without REPLACE. */
export function replacing(name: string, args: Args, start: number): Effects | undefined {
  if (args.length < start || args.slice(start).some((argument) => tokenOf(argument) === 'REPLACE')) return undefined;
  return ifDone({ name, args: [...args, 'REPLACE'] });
}

const conditionTokens = new Set(['NX', 'XX', 'GT', 'LT', 'FNX', 'FXX']);

/** The options from `start` to FIELDS or the end, without conditions. Undefined if there is none. */
export function withoutConditions(name: string, args: Args, start: number): Effects | undefined {
  if (!(start <= args.length)) return undefined;
  const end = args.findIndex((argument, index) => index >= start && tokenOf(argument) === 'FIELDS');
  const isCondition = (argument: CommandArgument, index: number) =>
    index >= start && (end === -1 || index < end) && conditionTokens.has(tokenOf(argument));
  const rest = args.filter((argument, index) => !isCondition(argument, index));
  return rest.length === args.length ? undefined : ifDone({ name, args: rest });
}

const setOptions: ReadonlyMap<string, number> = new Map([
  ...['NX', 'XX', 'GET', 'KEEPTTL'].map((token) => [token, 1] as const),
  ...['PXAT', 'EXAT', 'PX', 'EX', 'IFEQ', 'IFNE', 'IFDEQ', 'IFDNE'].map((token) => [token, 2] as const),
]);

/** SET key value [NX | XX | IFEQ value ...] [GET] [PXAT time | KEEPTTL ...]. */
export function conditionalSet(args: Args): Effects | undefined {
  const options = new Set<string>();
  const kept: CommandArgument[] = args.slice(0, 2);
  for (let index = 2; index < args.length; ) {
    const token = tokenOf(args[index]);
    const width = setOptions.get(token);
    if (width === undefined) return undefined;
    options.add(token);
    const isKept = token.startsWith('PX') || token.startsWith('EX') || token === 'KEEPTTL';
    if (isKept) kept.push(...args.slice(index, index + width));
    index += width;
  }
  const isCompared = [...options].some((token) => token.startsWith('IF'));
  if (!isCompared && !options.has('NX') && !options.has('XX')) return undefined;
  const set: PlainCommand = { name: 'set', args: kept };
  if (!options.has('GET')) return ifDone(set);
  // The reply is the old value, whether or not the new one was set: only of NX and XX does it say which.
  if (isCompared) return undefined;
  return (reply) => ((reply === null) === options.has('NX') ? [set] : []);
}
