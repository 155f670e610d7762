/**
 * Commands as RESP, gathered until they are written together.
 *
 * The gathered bytes are text in which each character stands for one byte: joining short texts and writing them as 'latin1'
 * costs about half of what a buffer for each command does. Long arguments are written apart.
 */

import type { Writable } from 'node:stream';
import type { CommandArgument } from '../link/client.ts';

/** Bytes as they are, or text of one character for each byte. */
export type Output = string | Buffer;

/** Arguments above this many bytes are written on their own. */
const longArgumentBytes = 4 * 1024;

/** Text is written in stretches of at most about this many bytes. */
const stretchBytes = 256 * 1024;

/** Without a reply, or with several, or with some that come unasked later: the replies to all others would be mistaken. */
const unpaired: ReadonlySet<string> = new Set([
  ...['subscribe', 'psubscribe', 'ssubscribe', 'unsubscribe', 'punsubscribe', 'sunsubscribe'],
  ...['monitor', 'sync', 'psync'],
]);

/** Names are few. If a caller makes up new ones all the time, those beyond the limit are encoded each time. */
const maxKnownNames = 1_000;

export class RespEncoder {
  #text = '';
  #output: Output[] = [];
  readonly #names = new Map<string, string>();

  /** @throws {TypeError} The command is not answered by exactly one reply, or an argument is not valid. Then nothing is added. */
  add(name: string, args: readonly CommandArgument[]): void {
    if (name.length === 6 && isClientReply(name, args)) throw unpairedError();
    let text = `${this.#text}*${args.length + 1}\r\n${this.#nameOf(name)}`;
    let output: Output[] | undefined;
    for (let index = 0; index < args.length; index++) {
      const arg = args[index]!;
      const length = byteLengthOf(arg);
      if (length > longArgumentBytes) {
        output ??= [];
        output.push(`${text}$${length}\r\n`, bytesOf(arg));
        text = '\r\n';
      } else {
        text += encodeShort(arg, length);
      }
    }
    if (text.length > stretchBytes) {
      output ??= [];
      output.push(text);
      text = '';
    }
    if (output !== undefined) for (const part of output) this.#output.push(part);
    this.#text = text;
  }

  /** All that has been added since the last time. */
  take(): Output[] {
    const output = this.#output;
    if (this.#text !== '') output.push(this.#text);
    this.#text = '';
    this.#output = [];
    return output;
  }

  /** Writes all that has been added, in one go. Without a stream, or one that is being closed, it is dropped. */
  writeTo(stream: Writable | undefined): void {
    const output = this.take();
    if (output.length === 0 || !stream?.writable) return;
    if (output.length > 1) stream.cork();
    for (const part of output) {
      if (typeof part === 'string') stream.write(part, 'latin1');
      else stream.write(part);
    }
    if (output.length > 1) stream.uncork();
  }

  #nameOf(name: string): string {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    if (unpaired.has(name.toLowerCase())) throw unpairedError();
    const encoded = encodeShort(name, Buffer.byteLength(name));
    if (this.#names.size < maxKnownNames) this.#names.set(name, encoded);
    return encoded;
  }
}

function byteLengthOf(arg: CommandArgument): number {
  if (typeof arg === 'string') return Buffer.byteLength(arg);
  if (Buffer.isBuffer(arg)) return arg.length;
  if (typeof arg === 'number') return String(arg).length;
  throw new TypeError('An argument of a command is a string, a Buffer or a number.');
}

/** A copy: a call may end before its bytes have left, and then its caller may write into them. */
const bytesOf = (arg: CommandArgument) => (Buffer.isBuffer(arg) ? Buffer.from(arg) : Buffer.from(String(arg)));

/** @param length  In bytes. */
function encodeShort(arg: CommandArgument, length: number): string {
  if (typeof arg === 'number') return `$${length}\r\n${arg}\r\n`;
  // A string of as many bytes as characters is ASCII, and its characters are its bytes.
  if (typeof arg === 'string' && length === arg.length) return `$${length}\r\n${arg}\r\n`;
  return `$${length}\r\n${(typeof arg === 'string' ? Buffer.from(arg) : arg).toString('latin1')}\r\n`;
}

const isClientReply = (name: string, [first]: readonly CommandArgument[]) =>
  name.toLowerCase() === 'client' && first !== undefined && first.toString().toLowerCase() === 'reply';

const unpairedError = () => new TypeError('A command that is not answered by exactly one reply cannot be sent here.');
