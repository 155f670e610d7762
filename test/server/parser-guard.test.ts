import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ReplyError } from '../../src/server/direct/resp-errors.ts';
import type { Client } from '../../src/server/link/client.ts';
import { guardQueue, guardReplies, guardSubscriber } from '../../src/server/link/parser-guard.ts';

interface Item {
  readonly command: { resolve(reply: unknown): void; reject(error: Error): void };
}

/** A client of ioredis, as far as the guards touch it. */
function connected(guard: (client: Client) => void) {
  const items: Item[] = [];
  const commandQueue = {
    get length() {
      return items.length;
    },
    shift: () => items.shift(),
  };
  const errors: Error[] = [];
  const read: string[] = [];
  const stream = new PassThrough();
  const client = Object.assign(new EventEmitter(), { commandQueue, stream });
  client.on('error', (error: Error) => errors.push(error));
  stream.on('error', (error: Error) => errors.push(error));
  stream.on('data', (piece: Buffer) => read.push(piece.toString()));
  guard(client as unknown as Client);
  client.emit('connect');
  return { items, queue: commandQueue, stream, errors, read };
}

describe('guardQueue', () => {
  it.each([
    ['a reply', (item: Item) => item.command.resolve(1)],
    ['an error', (item: Item) => item.command.reject(new ReplyError('ERR'))],
  ])('reports %s without a command to the client at once', (_, answer) => {
    const { queue, errors } = connected(guardQueue);
    answer(queue.shift()!);
    expect(errors).toMatchObject([{ name: 'ParserError', message: expect.stringContaining('no command') }]);
  });

  it('gives commands in the order of the queue, and ends when the client takes all of them at the end of a connection', () => {
    const { items, queue, errors } = connected(guardQueue);
    const seen: string[] = [];
    const itemOf = (name: string): Item => ({
      command: { resolve: () => seen.push(name), reject: () => seen.push(name) },
    });
    items.push(itemOf('a'), itemOf('b'));
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) item.command.reject(new Error('closed'));
    expect(seen).toEqual(['a', 'b']);
    expect(errors).toEqual([]);
  });
});

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('guardReplies', () => {
  it('passes on what RESP2 has, and ends the connection at a push without passing on anything of its piece', async () => {
    const { stream, errors, read } = connected(guardReplies);
    stream.write('*2\r\n$1\r\na\r\n:1\r\n');
    await settled();
    stream.write('+OK\r\n>2\r\n$7\r\nmessage\r\n$1\r\nc\r\n');
    stream.write('+OK\r\n');
    await settled();
    expect(read).toEqual(['*2\r\n$1\r\na\r\n:1\r\n']);
    expect(errors).toMatchObject([{ name: 'ParserError' }]);
    expect(stream.destroyed).toBe(true);
  });
});

describe('guardSubscriber', () => {
  const guard = (client: Client) => guardSubscriber(client, 1024);

  it('passes on what a subscriber can get', async () => {
    const { stream, errors, read } = connected(guard);
    const pieces = [
      '+OK\r\n',
      '*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n',
      '*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$0\r\n\r\n',
      '*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n',
      '*2\r\n$4\r\npong\r\n$0\r\n\r\n',
      '-ERR no\r\n',
    ];
    for (const piece of pieces) {
      stream.write(piece);
      await settled();
    }
    expect(errors).toEqual([]);
    expect(read).toEqual(pieces);
  });

  it('ends the connection at a message that lacks a part, and passes nothing of it on', async () => {
    const { stream, errors, read } = connected(guard);
    stream.write('*2\r\n$7\r\nmessage\r\n$1\r\nc\r\n');
    await settled();
    expect(errors).toMatchObject([{ name: 'UnexpectedReplyError' }]);
    expect(read).toEqual([]);
    expect(stream.destroyed).toBe(true);
  });
});
