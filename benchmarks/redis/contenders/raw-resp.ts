/**
 * The floor below everything: RESP2 written to and read from bare sockets.
 *
 * No error handling, no deadlines, no reconnecting, no replies but simple strings, bulk strings and flat arrays of them:
 * nothing that an application could use, and what any client must cost at least. It batches as ours does: a lone
 * command on an idle connection goes at once, and what else comes waits for `setImmediate` and goes in one write.
 */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

type Reply = string | null | readonly (string | null)[];

const [dollar, star, carriageReturn] = [0x24, 0x2a, 0x0d];

export class RawConnection {
  readonly #socket: Socket;
  /** Of the commands that are not answered, oldest first from `#next` on. */
  #waiting: ((reply: Reply) => void)[] = [];
  #next = 0;
  #unsent = '';
  #rest: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  /** @param parts  ASCII, as everything here: a length in characters is one in bytes. */
  send(parts: readonly string[]): Promise<Reply> {
    let command = `*${parts.length}\r\n`;
    for (const part of parts) command += `$${part.length}\r\n${part}\r\n`;
    const isIdle = this.#next === this.#waiting.length;
    if (isIdle) this.#socket.write(command, 'latin1');
    else if (this.#unsent === '') setImmediate(this.#flush);
    if (!isIdle) this.#unsent += command;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  close(): void {
    this.#socket.destroy();
  }

  readonly #flush = (): void => {
    this.#socket.write(this.#unsent, 'latin1');
    this.#unsent = '';
  };

  #read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let place = 0;
    for (let end = 0; place < bytes.length; place = end) {
      const reply = readReply(bytes, place);
      if (reply === undefined) break;
      end = reply.end;
      this.#waiting[this.#next++]!(reply.value);
    }
    this.#rest = bytes.subarray(place);
    if (this.#next < 1_024 && this.#next < this.#waiting.length) return;
    this.#waiting = this.#waiting.slice(this.#next);
    this.#next = 0;
  }
}

interface Read {
  readonly value: Reply;
  /** Where the next reply begins. */
  readonly end: number;
}

/** Undefined if the reply is not there in full. */
function readReply(bytes: Buffer, start: number): Read | undefined {
  const line = bytes.indexOf(carriageReturn, start);
  if (line === -1 || line + 2 > bytes.length) return undefined;
  const kind = bytes[start];
  if (kind !== dollar && kind !== star) return { value: bytes.toString('latin1', start + 1, line), end: line + 2 };
  let count = 0;
  if (bytes[start + 1] === 0x2d) return { value: null, end: line + 2 }; // `$-1`
  for (let place = start + 1; place < line; place++) count = count * 10 + bytes[place]! - 0x30;
  if (kind === star) return readArray(bytes, line + 2, count);
  const end = line + 2 + count;
  return end + 2 > bytes.length ? undefined : { value: bytes.toString('latin1', line + 2, end), end: end + 2 };
}

function readArray(bytes: Buffer, start: number, count: number): Read | undefined {
  const items: (string | null)[] = [];
  let end = start;
  for (let index = 0; index < count; index++) {
    const item = readReply(bytes, end);
    if (item === undefined) return undefined;
    items.push(item.value as string | null);
    end = item.end;
  }
  return { value: items, end };
}
