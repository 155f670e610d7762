/** A server on loopback that answers each command with whatever bytes a test gives it: what broken servers and proxies send. */

import { createServer, type Socket } from 'node:net';

/** A command as it was read, its name in lower case. */
export interface FakeCommand {
  readonly name: string;
  readonly args: readonly string[];
}

/** The bytes to send for a command; undefined for none. */
export type FakeAnswer = (command: FakeCommand, socket: Socket) => string | undefined;

export interface FakeRedis extends AsyncDisposable {
  readonly port: number;
  /** Clients that ever connected. */
  readonly acceptedCount: number;
  /** Open connections, oldest first. */
  readonly sockets: readonly Socket[];
  /** Commands as they came, those of handshakes among them. */
  readonly heard: readonly FakeCommand[];
  answer: FakeAnswer;
}

export const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
export const arrayOfBulks = (texts: readonly string[]): string => `*${texts.length}\r\n${texts.map(bulk).join('')}`;

/** What a healthy server says to what clients send by themselves when they connect, and to a PING. */
export function welcome({ name, args }: FakeCommand): string | undefined {
  if (name === 'ping') return '+PONG\r\n';
  if (name === 'client' || name === 'select' || name === 'auth') return '+OK\r\n';
  if (name === 'hello') return '-ERR unknown command\r\n';
  if (name === 'info') return bulk(args.length === 0 ? 'loading:0\r\n' : 'redis_mode:standalone\r\nrun_id:fake\r\n');
  return undefined;
}

/** All replies to the commands of one piece are sent in one write, as servers do. */
export async function startFakeRedis(answer: FakeAnswer): Promise<FakeRedis> {
  const sockets: Socket[] = [];
  const heard: FakeCommand[] = [];
  let acceptedCount = 0;
  const server = createServer((socket) => {
    acceptedCount++;
    sockets.push(socket);
    let unread = '';
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.splice(sockets.indexOf(socket), 1));
    socket.on('data', (piece) => {
      const { commands, rest } = commandsIn(unread + piece.toString('latin1'));
      unread = rest;
      let replies = '';
      for (const command of commands) {
        heard.push(command);
        replies += fake.answer(command, socket) ?? '';
      }
      if (replies !== '' && socket.writable) socket.write(replies, 'latin1');
    });
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const fake: FakeRedis = {
    port,
    heard,
    sockets,
    answer,
    get acceptedCount() {
      return acceptedCount;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return fake;
}

/** Text of one character a byte. Clients send arrays of bulk strings, and nothing else. */
function commandsIn(text: string): { commands: FakeCommand[]; rest: string } {
  const commands: FakeCommand[] = [];
  let at = 0;
  for (;;) {
    const found = commandAt(text, at);
    if (found === undefined) return { commands, rest: text.slice(at) };
    at = found.end;
    const [name = '', ...args] = found.words;
    commands.push({ name: name.toLowerCase(), args });
  }
}

function commandAt(text: string, start: number): { words: string[]; end: number } | undefined {
  const header = numberAt(text, start);
  if (header === undefined) return undefined;
  const words: string[] = [];
  let { end } = header;
  for (let count = 0; count < header.number; count++) {
    const length = numberAt(text, end);
    if (length === undefined || length.end + length.number + 2 > text.length) return undefined;
    words.push(Buffer.from(text.slice(length.end, length.end + length.number), 'latin1').toString());
    end = length.end + length.number + 2;
  }
  return { words, end };
}

function numberAt(text: string, at: number): { number: number; end: number } | undefined {
  const end = text.indexOf('\r\n', at);
  return end === -1 ? undefined : { number: Number(text.slice(at + 1, end)), end: end + 2 };
}
