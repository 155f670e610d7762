/**
 * Several commands given to an ioredis client, in one write to its socket.
 *
 * By itself ioredis makes bytes of each command on its own and writes them one after the other. Here a command is encoded
 * behind those that go out with it, and all are written as one text: a third of the work where the arguments are text,
 * and a tenth where they are bytes.
 *
 * Only for clients that nobody else uses. A command is queued for its reply as soon as ioredis gets it, and its bytes
 * follow with the write: a command of somebody else that was written in between would take its reply.
 */

import type { Writable } from 'node:stream';
import type { CommandArgument, CommandClass } from '../link/client.ts';
import { RespEncoder } from './resp-encoder.ts';

/** The part of an ioredis command that makes its bytes. */
interface WritableCommand {
  readonly name: string;
  readonly args: readonly CommandArgument[];
  toWritable(target: unknown): string | Buffer;
}

/** Given to `sendCommand` in place of a stream. */
export class CoalescedWrite {
  readonly #encoder = new RespEncoder();

  /** Called by ioredis with what `toWritable` gave it. The command has been taken in by then. */
  write(_nothing: string): void {}

  /** @throws {TypeError} The command cannot be sent this way, and was not taken in. */
  add(name: string, args: readonly CommandArgument[]): void {
    this.#encoder.add(name, args);
  }

  /** Writes what has been added. */
  writeTo(stream: Writable | undefined): void {
    this.#encoder.writeTo(stream);
  }
}

/**
 * The same class of commands, able to be encoded by a {@link CoalescedWrite}.
 * @returns Undefined if its commands make no bytes, as those of our own client.
 */
export function coalescable(Command: CommandClass): CommandClass | undefined {
  if (typeof (Command.prototype as Partial<WritableCommand>).toWritable !== 'function') return undefined;
  const Base = Command as new (
    ...args: ConstructorParameters<CommandClass>
  ) => InstanceType<CommandClass> & WritableCommand;
  return class extends Base {
    override toWritable(target: unknown): string | Buffer {
      if (!(target instanceof CoalescedWrite)) return super.toWritable(target);
      target.add(this.name, this.args);
      return '';
    }
  };
}
