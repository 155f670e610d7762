/** Real sockets, as what they count is what matters. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { hasMoved, signsOf } from '../../src/server/link/signs-of-life.ts';
import { eventually } from '../support/eventually.ts';

describe.each([
  ['a text of one byte a character', 'e'.repeat(100_000)],
  ['a text of two bytes a character', 'é'.repeat(100_000)],
  ['bytes', Buffer.alloc(100_000, 120)],
])('a connection on which %s is written', (_what, piece) => {
  it('shows no sign of life by what is only queued, and one when the peer reads again', async () => {
    let peer: Socket | undefined;
    await using server = createServer((socket) => {
      peer = socket.pause();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    await eventually(() => peer !== undefined);
    // Until the system takes no more.
    let last = signsOf(socket);
    await eventually(() => {
      socket.write(piece);
      const now = signsOf(socket);
      const isStuck = last.queuedBytes > 0 && now.queuedBytes === last.queuedBytes && now.sentBytes === last.sentBytes;
      last = now;
      return isStuck;
    });
    for (let count = 0; count < 20; count++) {
      socket.write(piece);
      expect(hasMoved(last, signsOf(socket))).toBe(false);
    }
    peer!.resume();
    await eventually(() => hasMoved(last, signsOf(socket)));
    socket.destroy();
    peer!.destroy();
  });
});
