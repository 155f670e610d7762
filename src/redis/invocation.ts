/**
 * One command as the application wrote it: parsed by ioredis' own `Command`, with its keys found.
 *
 * Arguments are flattened and made text or bytes, objects of `mset` and `hset` are spread out, and replies are decoded, all
 * by the code that does it in ioredis, so that nothing of it can differ here.
 */

import type { Command } from 'ioredis';
import { CommandRefusedError } from '../errors/index.ts';
import { ownBytes, ownBytesWithin } from '../runtime/own-bytes.ts';
import { type CommandArgument, encodeKey } from '../server/index.ts';
import type { ReplyEncoding } from './commander.ts';
import { hasOneKey, keysOf } from './commands/command-keys.ts';
import { routingTextOf } from './key-text.ts';

export class Invocation {
  /**
   * @param name        In lower case.
   * @param keyIndexes  Where in `args` the keys are.
   * @param keys        The keys as they are routed: text.
   * @param decode      From the server's reply, strings as bytes, to what the caller sees.
   */
  constructor(
    readonly name: string,
    readonly args: readonly CommandArgument[],
    readonly keyIndexes: readonly number[],
    readonly keys: readonly string[],
    readonly encoding: ReplyEncoding,
    readonly decode: (reply: unknown) => unknown,
  ) {}

  /** The first argument as it is routed, of a command whose first argument is a channel. */
  get channel(): string {
    return routingTextOfArgument(this.args[0] ?? '');
  }
}

/** The class of ioredis, or of the library of a borrowed client. */
export type CommandParser = typeof Command;

/** Names that tables of ioredis and of `@ioredis/commands` seem to have, as these are plain objects: `constructor` and the like. */
const namesOfEveryObject: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));

/**
 * @param parser  Gives what parses commands.
 * @throws {MissingDependencyError} ioredis is not installed.
 * @throws {CommandRefusedError} There can be no such command.
 */
export function invocationOf(
  name: string,
  given: readonly unknown[],
  encoding: ReplyEncoding,
  parser: () => CommandParser,
): Invocation {
  const Parser = parser();
  const lowerName = name.toLowerCase();
  if (namesOfEveryObject.has(lowerName)) throw new CommandRefusedError(lowerName, 'Redis has no such command');
  if (isPlainCall(lowerName, given, Parser as unknown as ParserInside))
    return plainInvocation(lowerName, given, encoding, Parser);
  const command = new Parser(lowerName, given as CommandArgument[], { replyEncoding: encoding as BufferEncoding });
  const args = command.args as CommandArgument[];
  const keyIndexes = keysOf(lowerName, args);
  const keys = takeKeys(args, keyIndexes);
  const decode = (reply: unknown) => ownedIfBytes(command.transformReply(reply as Buffer), encoding);
  return new Invocation(lowerName, args, keyIndexes, keys, encoding, decode);
}

/**
 * True for the most frequent calls, which ioredis' parser would leave as they are: one key and nothing to spread out.
 * Applications can give ioredis transformers of their own for any command, and these count here too.
 */
function isPlainCall(name: string, given: readonly unknown[], { _transformer }: ParserInside): boolean {
  if (_transformer === undefined || !hasOneKey(name)) return false;
  if (name in _transformer.argument || name in _transformer.reply) return false;
  for (const argument of given) {
    // Other numbers than these, ioredis writes in ways of its own.
    const isSimple = typeof argument === 'string' || Number.isSafeInteger(argument) || Buffer.isBuffer(argument);
    if (!isSimple) return false;
  }
  return given.length > 0;
}

/** The part of ioredis' `Command` that its types do not show. */
interface ParserInside {
  readonly _transformer?: { readonly argument: object; readonly reply: object };
}

function plainInvocation(
  name: string,
  given: readonly unknown[],
  encoding: ReplyEncoding,
  Parser: CommandParser,
): Invocation {
  const [key] = given as CommandArgument[];
  // A copy only where something is to be written otherwise.
  const needsCopy = given.some(isNumber) || (typeof key === 'string' && !key.isWellFormed());
  const args = (needsCopy ? given.map(textOfNumber) : given) as CommandArgument[];
  const keys = needsCopy ? takeKeys(args, firstArgument) : [routingTextOfArgument(key!)];
  return new Invocation(name, args, firstArgument, keys, encoding, plainDecoder(name, encoding, Parser));
}

const isNumber = (argument: unknown) => typeof argument === 'number';
const textOfNumber = (argument: unknown) => (typeof argument === 'number' ? String(argument) : argument);

type Decode = (reply: unknown) => unknown;

/** By parser and encoding: one function for each command, as making one for each call costs more than most replies do. */
const plainDecoders = new WeakMap<CommandParser, Record<'utf8' | 'bytes', Map<string, Decode>>>();

function plainDecoder(name: string, encoding: ReplyEncoding, Parser: CommandParser): Decode {
  let decoders = plainDecoders.get(Parser);
  if (decoders === undefined) {
    decoders = { utf8: new Map(), bytes: new Map() };
    plainDecoders.set(Parser, decoders);
  }
  const known = decoders[encoding ?? 'bytes'];
  let decode = known.get(name);
  if (decode === undefined) {
    decode = (reply) => decodePlain(reply, encoding, name, Parser);
    known.set(name, decode);
  }
  return decode;
}

/** Text and numbers at once; what has parts, by ioredis. */
function decodePlain(reply: unknown, encoding: ReplyEncoding, name: string, Parser: CommandParser): unknown {
  if (Buffer.isBuffer(reply)) return encoding === null ? ownBytes(reply) : reply.toString(encoding);
  if (typeof reply !== 'object' || reply === null) return reply;
  const command = new Parser(name, [], { replyEncoding: encoding as BufferEncoding });
  return ownedIfBytes(command.transformReply(reply as Buffer), encoding);
}

/** A caller may keep the bytes it gets. */
const ownedIfBytes = (reply: unknown, encoding: ReplyEncoding) => (encoding === null ? ownBytesWithin(reply) : reply);

/** The keys as text; in `args` those that ioredis would write otherwise (a lone surrogate as U+FFFD) become bytes. */
function takeKeys(args: CommandArgument[], keyIndexes: readonly number[]): string[] {
  const keys: string[] = [];
  for (const index of keyIndexes) {
    const key = args[index]!;
    keys.push(routingTextOfArgument(key));
    if (typeof key === 'string' && !key.isWellFormed()) args[index] = encodeKey(key);
  }
  return keys;
}

const firstArgument: readonly number[] = [0];
const routingTextOfArgument = (argument: CommandArgument) =>
  Buffer.isBuffer(argument) ? routingTextOf(argument) : String(argument);

/** The arguments with `prefix` before each key; the same array if there is none. */
export function withKeyPrefix(
  prefix: string,
  { args, keyIndexes }: Pick<Invocation, 'args' | 'keyIndexes'>,
): readonly CommandArgument[] {
  if (prefix === '' || keyIndexes.length === 0) return args;
  const prefixed = [...args];
  for (const index of keyIndexes) {
    const key = prefixed[index]!;
    prefixed[index] = Buffer.isBuffer(key) ? Buffer.concat([Buffer.from(prefix), key]) : `${prefix}${key}`;
  }
  return prefixed;
}
