/**
 * Streams: ids that the server chooses, and what a group has been given.
 *
 * The others get the id itself, and XCLAIM with the entries that the first holder gave to the consumer, as Redis sends its
 * replicas. Delivery times are those of the client's clock. What differs between copies, and counts only when another
 * holder takes over: `entries-read` and with it the lag of a group, consumers that never got an entry, and entries that
 * XADD or XTRIM with `~` has not trimmed yet.
 */

import type { CommandArgument } from '../../server/index.ts';
import { tokenOf } from '../commands/command-keys.ts';
import type { Args, PlainCommand } from './command.ts';

type Effects = (reply: unknown) => readonly PlainCommand[];

const addOptions: ReadonlyMap<string, number> = new Map([
  ...['NOMKSTREAM', 'KEEPREF', 'DELREF', 'ACKED'].map((token) => [token, 1] as const),
  ...['MAXLEN', 'MINID', 'LIMIT', 'IDMPAUTO'].map((token) => [token, 2] as const),
  ['IDMP', 3],
]);

/** How the id of an XADD comes about: `given` by the caller, `chosen` by the server, `remembered` from an earlier call. */
export type IdOfEntry = 'given' | 'chosen' | 'remembered' | 'unknown' | 'missing';

/** XADD key [NOMKSTREAM] [...] [MAXLEN | MINID [= | ~] threshold [LIMIT count]] id field value ... */
function idOfEntry(args: Args): { readonly kind: IdOfEntry; readonly at: number } {
  let isRemembered = false;
  let at = 1;
  for (;;) {
    const token = tokenOf(args[at]);
    const width = addOptions.get(token);
    if (width === undefined) break;
    isRemembered ||= token.startsWith('IDMP');
    const isApproximate = token.startsWith('M') && ['=', '~'].includes(String(args[at + 1]));
    at += isApproximate ? width + 1 : width;
  }
  if (at >= args.length) return { kind: 'missing', at };
  if (isRemembered) return { kind: 'remembered', at };
  const id = String(args[at]);
  if (/^(?:\*|\d+-\*)$/.test(id)) return { kind: 'chosen', at };
  return { kind: /^\d+(?:-\d+)?$/.test(id) ? 'given' : 'unknown', at };
}

export const idKindOf = (args: Args): IdOfEntry => idOfEntry(args).kind;

/** Undefined for an id that is given in full: it is the same everywhere. */
export function xadd(args: Args): Effects | undefined {
  const { kind, at } = idOfEntry(args);
  if (kind !== 'chosen') return undefined;
  return (reply) => (reply === null ? [] : [{ name: 'xadd', args: args.with(at, reply as CommandArgument) }]);
}

type Entry = readonly [id: CommandArgument, fields: unknown] | null;

/** XREADGROUP GROUP group consumer [COUNT n] [BLOCK ms] [NOACK] STREAMS key ... id ... Only `>` gives new entries. */
export function xreadgroup(args: Args, nowMs: number): Effects | undefined {
  const [, group, consumer] = args;
  const streams = args.findIndex((argument, index) => index >= 3 && tokenOf(argument) === 'STREAMS');
  if (group === undefined || consumer === undefined || streams === -1) return undefined;
  const isAcknowledged = args.slice(3, streams).some((argument) => tokenOf(argument) === 'NOACK');
  const rest = args.slice(streams + 1);
  const isNew = new Map(
    rest.slice(0, rest.length / 2).map((key, at) => [textOf(key), rest[at + rest.length / 2] === '>']),
  );
  return (reply) =>
    !Array.isArray(reply)
      ? []
      : (reply as [CommandArgument, Entry[]][]).flatMap(([key, entries]) => {
          const ids = idsOf(entries);
          const last = ids.at(-1);
          if (last === undefined || isNew.get(textOf(key)) !== true) return [];
          if (isAcknowledged) return [{ name: 'xgroup', args: ['SETID', key, group, last] }];
          const claimed = claim([key, group, consumer], ids, String(Math.trunc(nowMs)), ['RETRYCOUNT', '1']);
          return [{ ...claimed, args: [...claimed.args, 'JUSTID', 'LASTID', last] }];
        });
}

const claimOptions: ReadonlyMap<string, number> = new Map([
  ...['FORCE', 'JUSTID'].map((token) => [token, 1] as const),
  ...['IDLE', 'TIME', 'RETRYCOUNT', 'LASTID'].map((token) => [token, 2] as const),
]);

/** XCLAIM key group consumer minIdleMs id ... [IDLE ms | TIME ms] [RETRYCOUNT n] [FORCE] [JUSTID] [LASTID id]. */
export function xclaim(args: Args, nowMs: number): Effects | undefined {
  const start = args.findIndex((argument, index) => index > 4 && claimOptions.has(tokenOf(argument)));
  const options = start === -1 ? [] : args.slice(start);
  const kept: CommandArgument[] = [];
  let timeMs = String(Math.trunc(nowMs));
  for (let index = 0; index < options.length; ) {
    const token = tokenOf(options[index]);
    const width = claimOptions.get(token);
    if (width === undefined || index + width > options.length) return undefined;
    if (token === 'IDLE') timeMs = String(Math.trunc(nowMs) - Number(options[index + 1]));
    else if (token === 'TIME') timeMs = String(options[index + 1]);
    else if (token !== 'FORCE') kept.push(...options.slice(index, index + width));
    index += width;
  }
  const lastIdAt = kept.findIndex((argument) => tokenOf(argument) === 'LASTID');
  const lastId = lastIdAt === -1 ? [] : kept.slice(lastIdAt, lastIdAt + 2);
  const asked = args.slice(4, start === -1 ? undefined : start);
  return (reply) => {
    const ids = idsOf(reply);
    const claimed = new Set(ids.map(textOf));
    const left = asked.filter((id) => !claimed.has(textOf(id)));
    return [
      ...(ids.length === 0 ? [] : [claim(args.slice(0, 3), ids, timeMs, kept)]),
      ...(left.length === 0 ? [] : [dropDeleted(args.slice(0, 3), left, lastId)]),
    ];
  };
}

/**
 * XCLAIM also forgets entries that are pending and no longer in the stream, and its reply does not tell. So the others are
 * asked for those that it did not give, with an idle time that no entry has: nothing is claimed, and these are forgotten.
 */
function dropDeleted(of: Args, ids: Args, lastId: Args): PlainCommand {
  return { name: 'xclaim', args: [...of, Number.MAX_SAFE_INTEGER, ...ids, 'JUSTID', ...lastId] };
}

/** XAUTOCLAIM key group consumer minIdleMs start [COUNT n] [JUSTID]: [next, entries, ids of entries that are gone]. */
export function xautoclaim(args: Args, nowMs: number): Effects {
  const isJustId = args.slice(5).some((argument) => tokenOf(argument) === 'JUSTID');
  return (reply) => {
    const [, entries, gone] = (Array.isArray(reply) ? reply : []) as [unknown?, unknown?, CommandArgument[]?];
    const ids = idsOf(entries);
    const claimed = claim(args.slice(0, 3), ids, String(Math.trunc(nowMs)), isJustId ? ['JUSTID'] : []);
    const dropped = { name: 'xack', args: [...args.slice(0, 2), ...(gone ?? [])] };
    return [...(ids.length === 0 ? [] : [claimed]), ...(gone === undefined || gone.length === 0 ? [] : [dropped])];
  };
}

/** Whether or not a consumer has them: the first holder has decided. */
function claim(of: Args, ids: Args, timeMs: string, options: Args): PlainCommand {
  return { name: 'xclaim', args: [...of, '0', ...ids, 'TIME', timeMs, ...options, 'FORCE'] };
}

/** Ids of a reply of entries, or of ids alone as with JUSTID; entries that were deleted are nil in Redis 6. */
function idsOf(entries: unknown): CommandArgument[] {
  if (!Array.isArray(entries)) return [];
  return (entries as (Entry | CommandArgument)[]).flatMap((entry) => {
    if (entry === null) return [];
    return [Array.isArray(entry) ? (entry[0] as CommandArgument) : (entry as CommandArgument)];
  });
}

/** Equal for equal bytes, whether a key was given as a string or comes back as bytes. */
const textOf = (key: CommandArgument) => (Buffer.isBuffer(key) ? key : Buffer.from(String(key))).toString('latin1');
