/** Asking a server, over a bare socket, whether it answers yet. */

import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface Address {
  readonly port: number;
  readonly tls: boolean;
}

const pollEveryMs = 5;

/**
 * Resolves once the server answers PING, be it with an error such as NOAUTH or LOADING.
 *
 * @param isWorthAsking  Called before each PING. False: not yet. It throws to give up.
 */
export async function waitForPong(address: Address, timeoutMs: number, isWorthAsking: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!isWorthAsking() || !(await answers(address))) {
    if (performance.now() > deadlineMs) throw new Error(`no answer within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, pollEveryMs));
  }
}

function answers({ port, tls }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const host = '127.0.0.1';
    const socket: Socket = tls ? connectTls({ port, host, rejectUnauthorized: false }) : connect(port, host);
    socket.once(tls ? 'secureConnect' : 'connect', () => socket.write('PING\r\n'));
    socket.once('data', (reply: Buffer) => {
      socket.destroy();
      resolve(/^[+-]/.test(reply.toString()));
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}
