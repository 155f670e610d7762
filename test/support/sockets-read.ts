/** What this process has read of its connections to a port, to wait for bytes that are on their way. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

export interface SocketsRead {
  /** Of all connections that were begun since the watch began. */
  bytesFrom(port: number): number;
  stop(): void;
}

export function watchSockets(): SocketsRead {
  const sockets = new Set<Socket>();
  const onSocket = (message: unknown) => void sockets.add((message as { socket: Socket }).socket);
  subscribe('net.client.socket', onSocket);
  return {
    bytesFrom: (port) =>
      [...sockets].filter(({ remotePort }) => remotePort === port).reduce((sum, { bytesRead }) => sum + bytesRead, 0),
    stop: () => unsubscribe('net.client.socket', onSocket),
  };
}
