/**
 * Which commands leave a connection as they found it. Pure.
 *
 * A list of what is allowed, so that a command of a later release, or one of a module, counts as one that may change the
 * connection: as another user, in another database, with a name, tracking keys, without replies, and so on.
 */

import { exists, hasFlag } from '@ioredis/commands';
import type { CommandArgument } from '../link/client.ts';

/** Beside all commands that read or write data. Where a command has subcommands, those that are meant. */
const harmless: ReadonlyMap<string, true | readonly string[]> = new Map<string, true | readonly string[]>([
  ['ping', true],
  ['echo', true],
  ['time', true],
  ['info', true],
  ['role', true],
  ['command', true],
  ['publish', true],
  ['spublish', true],
  ['pubsub', true],
  ['object', true],
  ['xinfo', true],
  ['xgroup', true],
  ['wait', true],
  ['waitaof', true],
  // A script has a client of its own, whose database and protocol end with it.
  ['eval', true],
  ['evalsha', true],
  ['fcall', true],
  ['script', ['load', 'exists']],
  ['memory', ['usage']],
  ['client', ['id', 'info', 'list', 'getname']],
  ['acl', ['whoami']],
  // The state that these leave behind is cleaned up, see `dedicated-client.ts`.
  ['multi', true],
  ['exec', true],
  ['discard', true],
  ['watch', true],
  ['unwatch', true],
]);

/** True if the next command finds the connection as this one found it, and also if it is not executed. */
export function leavesConnectionAlone(name: string, args: readonly CommandArgument[]): boolean {
  const command = name.toLowerCase();
  const rule = harmless.get(command);
  if (rule === undefined) return exists(command) && (hasFlag(command, 'readonly') || hasFlag(command, 'write'));
  return rule === true || rule.includes(String(args[0]).toLowerCase());
}

/** True if a transaction or a WATCH may be open after it. */
export function opensTransaction(name: string): boolean {
  return name === 'multi' || name === 'watch';
}

/** True if no transaction and no WATCH is open after it has succeeded. */
export function endsTransaction(name: string): boolean {
  return name === 'exec' || name === 'discard';
}
