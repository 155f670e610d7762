/**
 * Writes whose outcome one server decides: done by the first holder, and then what came of it is done by the others.
 *
 * If the server picks (SPOP, a blocking pop), the others remove exactly what was picked. If a condition decides
 * (SET NX, SETNX, RENAMENX), the others do the write without the condition, or nothing: two clients that race for a lock
 * thus get one winner, and the same one on every copy that was reached.
 *
 * An element that a blocking pop took from a list is removed by its value (LREM) and not by its place (LPOP). A replica of Redis gets
 * all writes in one order; our copies may get a push and a pop of two clients in either. LPOP could then take an element
 * that no client has received, and LREM never does: at worst an element stays that was served already.
 */

import type { CommandArgument } from '../../server/index.ts';
import { tokenOf } from '../commands/command-keys.ts';
import type { Args, PlainCommand } from './command.ts';
import { conditionalSet, ifDone, replacing, withoutConditions } from './conditional.ts';
import { xadd, xautoclaim, xclaim, xreadgroup } from './stream-effects.ts';

/** The commands for the others, in this order, given the first one's reply as the server sent it. */
export type EffectsOf = (reply: unknown) => readonly PlainCommand[];

/** Undefined: this form of the command has the same outcome on every copy. */
export type EffectRule = (args: Args, nowMs: number) => EffectsOf | undefined;

/** The outcome is a choice of the server, or depends on its time: on other copies it would be another. */
export const choices: ReadonlyMap<string, EffectRule> = new Map<string, EffectRule>([
  ['spop', (args) => (reply) => removal('srem', args[0], membersOf(reply))],
  ['bzmpop', () => removeMembers],
  ['bzpopmin', () => removeMember],
  ['bzpopmax', () => removeMember],
  ['blmpop', (args) => (reply) => removeElements(reply, args[2 + Number(args[1])])],
  ['blpop', () => (reply) => removeElement(reply, 'LEFT')],
  ['brpop', () => (reply) => removeElement(reply, 'RIGHT')],
  [
    'blmove',
    ([source, target, from, to]) =>
      (reply) =>
        move(source, target, from, to, reply),
  ],
  [
    'blmovem',
    ([source, target, from, to]) =>
      (reply) =>
        move(source, target, from, to, reply),
  ],
  [
    'brpoplpush',
    ([source, target]) =>
      (reply) =>
        move(source, target, 'RIGHT', 'LEFT', reply),
  ],
  ['xadd', xadd],
  ['xreadgroup', xreadgroup],
  ['xclaim', xclaim],
  ['xautoclaim', xautoclaim],
]);

/** The outcome depends on what is there: the same on copies that are equal, and the first one's word where they are not. */
export const conditions: ReadonlyMap<string, EffectRule> = new Map<string, EffectRule>([
  ['lmpop', (args) => (reply) => popSame(reply, args[1 + Number(args[0])])],
  ['zmpop', () => removeMembers],
  ['setnx', (args) => ifDone({ name: 'set', args })],
  ['hsetnx', (args) => ifDone({ name: 'hset', args })],
  ['msetnx', (args) => ifDone({ name: 'mset', args })],
  ['renamenx', (args) => ifDone({ name: 'rename', args })],
  ['delifeq', (args) => ifDone({ name: 'del', args: args.slice(0, 1) })],
  ['delex', (args) => ifDone({ name: 'del', args: args.slice(0, 1) })],
  ['copy', (args) => replacing('copy', args, 2)],
  ['restore', (args) => replacing('restore', args, 3)],
  ['set', conditionalSet],
  ['msetex', (args) => withoutConditions('msetex', args, 1 + 2 * Number(args[0]))],
  ['hsetex', (args) => withoutConditions('hsetex', args, 1)],
  ['expireat', (args) => withoutConditions('expireat', args, 2)],
  ['pexpireat', (args) => withoutConditions('pexpireat', args, 2)],
]);

type Argument = CommandArgument | undefined;

function removal(name: string, key: Argument, members: readonly CommandArgument[]): PlainCommand[] {
  return key === undefined || members.length === 0 ? [] : [{ name, args: [key, ...members] }];
}

/** SPOP replies with one member, or with all that it took if it was given a count. */
function membersOf(reply: unknown): CommandArgument[] {
  if (reply === null) return [];
  if (reply instanceof Set) return [...reply];
  return Array.isArray(reply) ? reply : [reply as CommandArgument];
}

/** A reply of several parts; none if nothing was there, or nothing came in time. */
function partsOf(reply: unknown): readonly unknown[] | undefined {
  return Array.isArray(reply) && reply.length > 0 ? reply : undefined;
}

/** LMPOP: [key, [element, ...]]. From one end, as Redis has its replicas do it. */
function popSame(reply: unknown, end: Argument): PlainCommand[] {
  const [key, elements] = (partsOf(reply) ?? []) as [CommandArgument?, unknown[]?];
  if (key === undefined || elements === undefined) return [];
  return [{ name: tokenOf(end) === 'RIGHT' ? 'rpop' : 'lpop', args: [key, elements.length] }];
}

/** BZPOPMIN: [key, member, score]. */
function removeMember(reply: unknown): PlainCommand[] {
  const [key, member] = (partsOf(reply) ?? []) as CommandArgument[];
  return member === undefined ? [] : removal('zrem', key, [member]);
}

/** ZMPOP: [key, [[member, score], ...]]. */
function removeMembers(reply: unknown): PlainCommand[] {
  const [key, members] = (partsOf(reply) ?? []) as [CommandArgument?, (readonly [CommandArgument, unknown])[]?];
  return removal(
    'zrem',
    key,
    (members ?? []).map(([member]) => member),
  );
}

/** The first element of that value, seen from the end it was taken from. */
function takeOut(key: CommandArgument, element: CommandArgument, end: Argument): PlainCommand {
  return { name: 'lrem', args: [key, tokenOf(end) === 'RIGHT' ? -1 : 1, element] };
}

/** BLPOP: [key, element]. */
function removeElement(reply: unknown, end: 'LEFT' | 'RIGHT'): PlainCommand[] {
  const [key, element] = (partsOf(reply) ?? []) as CommandArgument[];
  return key === undefined || element === undefined ? [] : [takeOut(key, element, end)];
}

/** BLMPOP: [key, [element, ...]]. */
function removeElements(reply: unknown, end: Argument): PlainCommand[] {
  const [key, elements] = (partsOf(reply) ?? []) as [CommandArgument?, CommandArgument[]?];
  return key === undefined ? [] : (elements ?? []).map((element) => takeOut(key, element, end));
}

/** BLMOVE replies with the element, BLMOVEM with all that it moved, in the order they have at the target. */
function move(source: Argument, target: Argument, from: Argument, to: Argument, reply: unknown): PlainCommand[] {
  const elements = membersOf(reply);
  if (source === undefined || target === undefined || elements.length === 0) return [];
  const isLeft = tokenOf(to) === 'LEFT';
  const pushed = isLeft ? elements.toReversed() : elements;
  return [
    ...elements.map((element) => takeOut(source, element, from)),
    { name: isLeft ? 'lpush' : 'rpush', args: [target, ...pushed] },
  ];
}
