/** Finds out from the first bytes, or from their absence, what is at the other end of a socket. */

import type { ServerProblem } from '../../errors/index.ts';

/**
 * - `reply`: the server answered with an error and did nothing.
 * - `protocol`: it answered with something else than the protocol.
 * - `connection`: no connection could be made, or it was lost.
 * - `credentials`: the function that gives them did not.
 * - `wrong server`: a connection was made, to a server that the node cannot use.
 */
export type Failure =
  | {
      readonly kind: 'reply' | 'protocol' | 'connection' | 'credentials';
      /** A fresh error: the server's text, or the system's. Of credentials: what the application's function threw. */
      readonly cause: Error;
      /** Why, in words that end a sentence, where the cause alone does not say it. */
      readonly reason?: string | undefined;
    }
  | {
      readonly kind: 'wrong server';
      readonly cause: Error;
      readonly problem: ServerProblem;
      /** For a shared server: the node that has it. */
      readonly other?: string | undefined;
    };

/** An error that a socket, or who opens one, fails with: it carries what it means for calls. */
export class PeerFailure extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.cause.message);
    this.failure = failure;
  }
}

const failureFor = (kind: 'connection' | 'protocol', text: string): Exclude<Failure, { kind: 'wrong server' }> => ({
  kind,
  cause: new Error(text),
  reason: text,
});

/** The handshake of TLS was begun and not answered: a server without TLS waits for the end of a line. */
export const noTls = failureFor(
  'connection',
  'it does not answer the TLS handshake. If its port does not use TLS, use redis:// or remove `tls`.',
);

/** There is a connection, and what is at the other end does not say whether it lets us in. */
export const silentHandshake = failureFor(
  'connection',
  'the connection was accepted, but the handshake was not answered. Check that it is a Redis server, and not stopped or busy.',
);

const speaksTls = failureFor('connection', 'it speaks TLS. Use rediss:// or the option `tls`.');

const otherProtocol = (protocol: string) => failureFor('protocol', `it speaks ${protocol}. Check host and port.`);

/**
 * @param bytes  The first that the peer has sent.
 * @returns Undefined if a server of Redis may have sent them.
 */
export function diagnose(bytes: Uint8Array): Failure | undefined {
  // An alert of TLS 1.0 to 1.3, in the clear.
  if (bytes[0] === 0x15 && bytes[1] === 0x03) return speaksTls;
  const text = Buffer.from(bytes.subarray(0, 200)).toString('latin1');
  if (text.startsWith('-ERR max number of clients')) {
    return failureFor(
      'connection',
      'ERR max number of clients reached. Raise `maxclients` there, or use fewer clients.',
    );
  }
  if (text.startsWith('-DENIED')) {
    return failureFor('connection', 'DENIED: it is in protected mode and serves its own machine only.');
  }
  if (/^HTTP\/\d/.test(text)) return otherProtocol('HTTP');
  if (text.startsWith('SSH-')) return otherProtocol('SSH');
  if (/^ERROR\r?\n/.test(text)) return otherProtocol('that of memcached');
  return undefined;
}

const silentResets = new WeakSet<Error>();

/** Notes that a plain connection was reset before the peer had said anything. */
export function noteSilentReset(error: Error): void {
  silentResets.add(error);
}

export const isSilentReset = (error: Error): boolean => silentResets.has(error);
