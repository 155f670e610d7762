/**
 * Opens the socket to a server, for every connection that we make ourselves: TCP, TLS or a socket file.
 *
 * The peer shows itself here first. A server that has no place for us says so before it is asked anything, and then
 * closes; what speaks another protocol shows it by its first bytes, and a port without TLS by its silence.
 */

import { connect as connectPlain, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { Clock } from '../../runtime/clock.ts';
import { limitTime } from '../../runtime/time-limit.ts';
import { diagnose, noTls, noteSilentReset, PeerFailure } from './peer-failure.ts';

export interface SocketOptions {
  readonly path?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** IP version; 0 for either. Default 0. */
  readonly family?: number | undefined;
  /** Speaks TLS, with these options of `tls.connect`. */
  readonly tls?: ConnectionOptions | undefined;
  /** Milliseconds for TCP and TLS together. 0: no limit. */
  readonly connectTimeout?: number | undefined;
}

export interface OpenSocket {
  readonly socket: Socket;
  /** Its event that says that bytes may be sent. */
  readonly readyEvent: 'connect' | 'secureConnect';
}

/** @throws What Node.js says of options that it cannot take. */
export function openSocket(options: SocketOptions, clock: Clock): OpenSocket {
  const { path, host = 'localhost', port = 6379, family = 0, tls, connectTimeout = 0 } = options;
  const place = path ? { path } : { host, port, family };
  const readyEvent = tls ? 'secureConnect' : 'connect';
  const socket = tls ? connectTls({ ...place, ...tls }) : connectPlain(place);
  let stage: 'connecting' | 'TLS' | 'silent' | 'heard' = 'connecting';
  const giveUp = () => socket.destroy(stage === 'TLS' ? new PeerFailure(noTls) : timedOut());
  const cancel = connectTimeout > 0 ? limitTime(clock, connectTimeout, giveUp, true) : () => undefined;
  socket.once('connect', () => {
    stage = 'TLS';
  });
  const look = (bytes: Buffer) => {
    stage = 'heard';
    const failure = diagnose(bytes);
    if (failure === undefined) return;
    // At once, before another reader of these bytes fails on them in its own way.
    socket.emit('error', new PeerFailure(failure));
    socket.destroy();
  };
  socket.once(readyEvent, () => {
    cancel();
    stage = 'silent';
    // A peer that closes at once resets the connection at our first packet, and then a second one would fail before what
    // it has said is read. So the handshake is one packet; ioredis writes each command of it by itself.
    socket.cork();
    process.nextTick(() => {
      // Ahead of the listener that ioredis puts ahead of all others at this event.
      socket.prependOnceListener('data', look);
      socket.uncork();
    });
  });
  socket.once('error', (error) => {
    if (stage === 'silent' && tls === undefined) noteSilentReset(error);
  });
  socket.once('close', cancel);
  return { socket, readyEvent };
}

const timedOut = () => Object.assign(new Error('connect ETIMEDOUT'), { code: 'ETIMEDOUT' });
