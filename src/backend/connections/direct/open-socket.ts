/** The socket of a direct connection: TCP, TLS or a socket file. */

import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { DirectClientOptions } from './direct-options.ts';

export interface OpenSocket {
  readonly socket: Socket;
  /** Its event that says that bytes may be sent. */
  readonly readyEvent: 'connect' | 'secureConnect';
}

/** @throws What Node.js says of options that it cannot take. */
export function openSocket(options: DirectClientOptions): OpenSocket {
  const { path, host = 'localhost', port = 6379, family = 0, tls, noDelay = true, keepAlive = 30_000 } = options;
  const place = path ? { path } : { host, port, family };
  const readyEvent = tls ? 'secureConnect' : 'connect';
  const socket = tls ? connectTls({ ...place, ...tls }) : connectPlain(place);
  socket.once('connect', () => {
    socket.setNoDelay(noDelay);
    if (keepAlive > 0) socket.setKeepAlive(true, keepAlive);
  });
  return { socket, readyEvent };
}
