/**
 * Says what a connection that is being made still waits for, in words that end a sentence: a call may run out of time long before
 * the attempt does, and its caller wants to know where to look.
 */

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Client } from './client.ts';
import { noTls, silentHandshake } from './peer-failure.ts';

const unconnected = 'nothing has answered at its address yet. Check the address and firewalls.';

/**
 * Undefined where it is not known, and where the server has said something.
 * @param beforeSocket  What an attempt waits for that has no socket yet.
 */
export function connectStageOf({ stream, status }: Client, beforeSocket: string | undefined): string | undefined {
  if (stream === undefined || stream.destroyed) return status === 'connecting' ? beforeSocket : undefined;
  const socket = stream as Partial<Socket & TLSSocket>;
  if (socket.connecting === true) return unconnected;
  // Undefined until our part of the handshake of TLS is done.
  if (socket.encrypted === true && socket.getFinished?.() === undefined) return noTls.reason;
  return socket.bytesRead === 0 ? silentHandshake.reason : undefined;
}
