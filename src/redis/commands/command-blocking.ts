/**
 * Which commands wait at the server, and how long at most.
 *
 * WAIT and WAITAOF wait for the writes that went over their own connection before them. On a connection that wrote nothing
 * they count every replica, also those that lag: a new connection has to write first, behind the writes that
 * are meant. PUBLISH does this: it goes to the replicas, changes no key, and needs no listener.
 */

import type { CommandArgument } from '../../server/index.ts';
import { exists, hasFlag } from './command-facts.ts';
import { tokenOf } from './command-keys.ts';

type Args = readonly CommandArgument[];

/** @param maxMs  Milliseconds, Infinity for "as long as it takes", 0 for a call that the server will refuse. */
export type Blocking = { readonly blocks: false } | { readonly blocks: true; readonly maxMs: number };

const doesNotBlock: Blocking = { blocks: false };

type Timeout = { readonly at: number; readonly unitMs: number };

/** The position of the timeout: counted from the end if below 0. Seconds unless said otherwise; 0 means for ever. */
const timeouts: ReadonlyMap<string, Timeout> = new Map([
  ['blpop', { at: -1, unitMs: 1000 }],
  ['brpop', { at: -1, unitMs: 1000 }],
  ['bzpopmin', { at: -1, unitMs: 1000 }],
  ['bzpopmax', { at: -1, unitMs: 1000 }],
  ['brpoplpush', { at: 2, unitMs: 1000 }],
  ['blmove', { at: 4, unitMs: 1000 }],
  ['blmovem', { at: 4, unitMs: 1000 }],
  ['blmpop', { at: 0, unitMs: 1000 }],
  ['bzmpop', { at: 0, unitMs: 1000 }],
  ['wait', { at: 1, unitMs: 1 }],
  ['waitaof', { at: 2, unitMs: 1 }],
]);

/** Commands that never wait. Found out once for each. */
const neverBlocking = new Set<string>();

/** @param name  In lower case. */
export function blocking(name: string, args: Args): Blocking {
  if (neverBlocking.has(name)) return doesNotBlock;
  if (name === 'xread') return blockOption(args, 0);
  if (name === 'xreadgroup') return blockOption(args, 3);
  const timeout = timeouts.get(name);
  if (timeout !== undefined) return { blocks: true, maxMs: millisecondsOf(args.at(timeout.at), timeout.unitMs) };
  if (!exists(name)) return doesNotBlock; // Not cached: callers can invent unlimited names.
  // One of a later release: there is no telling where its timeout is.
  if (hasFlag(name, 'blocking')) return { blocks: true, maxMs: Infinity };
  neverBlocking.add(name);
  return doesNotBlock;
}

/** True for WAIT and WAITAOF. */
export function waitsForOwnWrites(name: string): boolean {
  return name === 'wait' || name === 'waitaof';
}

/** Options stand before STREAMS; those other than BLOCK have one value, or none. */
function blockOption(args: Args, start: number): Blocking {
  for (let index = start; index < args.length; index++) {
    const token = tokenOf(args[index]);
    if (token === 'STREAMS') break;
    if (token === 'BLOCK') return { blocks: true, maxMs: millisecondsOf(args[index + 1], 1) };
    if (token === 'COUNT' || token === 'CLAIM') index++;
  }
  return doesNotBlock;
}

function millisecondsOf(argument: CommandArgument | undefined, unitMs: number): number {
  const text = argument === undefined ? '' : String(argument).trim();
  const number = text === '' ? NaN : Number(text);
  if (Number.isNaN(number) || number < 0) return 0;
  return number === 0 ? Infinity : Math.ceil(number * unitMs);
}
