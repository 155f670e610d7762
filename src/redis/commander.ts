/**
 * A method for every command of Redis, under the name and with the argument forms of ioredis.
 *
 * The names are those of `@ioredis/commands`, so that a new release of it brings new commands. What a method does with
 * its arguments is its owner's: a `ShardedRedis` sends, a pipeline keeps.
 */

import { rethrowLater } from '../runtime/rethrow-later.ts';
import { commandNames } from './commands/command-facts.ts';

/** How replies reach the caller: strings, or bytes for the `*Buffer` methods. */
export type ReplyEncoding = 'utf8' | null;

export type Callback = (error?: Error | null, reply?: unknown) => void;

/** The object that gets the methods. */
export interface CommandOwner {
  /** @param name  As in `@ioredis/commands`, or as the caller of `call` wrote it. */
  runCommand(name: string, args: unknown[], encoding: ReplyEncoding): unknown;
}

type Method = (this: CommandOwner, ...args: unknown[]) => unknown;

/** Methods that only run a command or a script, so that a script may take their place. */
const commandMethods = new WeakSet<object>();

/** Marks a method as one that only runs a command or a script. */
export function asCommand<Method extends object>(method: Method): Method {
  commandMethods.add(method);
  return method;
}

/** Whether `owner` has something by that name, or inherits it, that a script must not take the place of. */
export function isTaken(owner: object, name: string): boolean {
  // An object with a `then` would be taken for a promise.
  if (name === 'then') return true;
  if (!(name in owner)) return false;
  const present = (owner as Record<string, unknown>)[name];
  return typeof present !== 'function' || !commandMethods.has(present);
}

/** Puts methods on a prototype as a class has its own: not enumerable. */
export function addMethods(prototype: object, methods: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
  }
}

/** Puts the methods on a prototype, except those that it has or inherits: they do more than to send a command. */
export function addCommandMethods(prototype: CommandOwner): void {
  const add = (name: string, method: Method) => {
    if (!(name in prototype)) addMethods(prototype, { [name]: asCommand(method) });
  };
  for (const name of commandNames) {
    add(name, methodOf(name, 'utf8'));
    add(`${name}Buffer`, methodOf(name, null));
  }
  add('call', callOf('utf8'));
  add('callBuffer', callOf(null));
  add('send_command', callOf('utf8'));
}

function methodOf(name: string, encoding: ReplyEncoding): Method {
  return function (...args) {
    return this.runCommand(name, args, encoding);
  };
}

function callOf(encoding: ReplyEncoding): Method {
  return function (name, ...args) {
    return this.runCommand(String(name), args, encoding);
  };
}

/** Takes the callback off the end of a method's arguments, if there is one. */
export function takeCallback(args: unknown[]): Callback | undefined {
  if (typeof args.at(-1) !== 'function') return undefined;
  return args.pop() as Callback;
}

/** Tells a callback of the old kind too, if there is one. What it throws surfaces as an uncaught exception. */
export function tellCallback<Reply>(promise: Promise<Reply>, callback: Callback | undefined): Promise<Reply> {
  // As in ioredis, only a function is a callback: libraries written for old clients call `exec(true)`.
  if (typeof callback !== 'function') return promise;
  const tell = (error: Error | null, reply?: unknown) => {
    try {
      callback(error, reply);
    } catch (thrown) {
      rethrowLater(thrown);
    }
  };
  promise.then(
    (reply) => tell(null, reply),
    (error: Error) => tell(error),
  );
  return promise;
}
