/**
 * Checks of bytes and replies before ioredis reads them, for cases where ioredis has no error of its own.
 *
 * Replies to which there is no command, what was not asked for, and answers to SUBSCRIBE or messages without the parts that they
 * must have, are no error of any call there. Here they end the connection, like every other reply that cannot be right.
 */

import type { Duplex } from 'node:stream';
import { RespDecoder } from '../direct/resp-decoder.ts';
import { ProtocolError } from '../direct/resp-errors.ts';
import { checkInteger, UnexpectedReplyError } from '../sending/reply-shape.ts';
import type { Client } from './client.ts';
import { isReplyError } from './failure.ts';
import { Resp2Scanner } from './resp2-scanner.ts';

/** The part of ioredis' queue of unanswered commands that is used here. */
interface Unanswered {
  shift(): unknown;
  peekFront?(): { readonly command?: { readonly name: string } } | undefined;
}

type Emitter = { emit(event: 'error', error: Error): unknown };

/** Tells a client of ioredis itself of replies to which there is no command. Call it before the client connects. */
export function guardQueue(client: Client): void {
  client.on('connect', () => {
    const queue = client.commandQueue as Unanswered | undefined;
    if (queue === undefined) return;
    const takeFirst = queue.shift.bind(queue);
    let isFlushed = false;
    const tell = () => {
      const error = new ProtocolError('A reply came to which there is no command.');
      (client as unknown as Emitter).emit('error', error);
    };
    // Stands for the command that there should be. At a connection's end ioredis takes all there are, this one among them.
    const nobody = {
      name: '',
      args: [],
      resolve: tell,
      reject: (error: unknown) => {
        if (isReplyError(error)) tell();
        else isFlushed = true;
      },
    };
    queue.shift = () => takeFirst() ?? (isFlushed ? undefined : { command: nobody });
  });
}

/**
 * Lets a client that speaks RESP2 have nothing else. Call it before the client connects.
 * @returns Lifts this, for who changes the version.
 */
export function guardReplies(client: Client): () => void {
  let isLifted = false;
  guard(client, () => {
    const scanner = new Resp2Scanner();
    return { write: (piece) => isLifted || scanner.write(piece) };
  });
  return () => {
    isLifted = true;
  };
}

/** Lets a subscriber have only replies and messages that have all their parts. Call it before the client connects. */
export function guardSubscriber(client: Client, maxReplyBytes: number): void {
  const check = (reply: unknown) => checkForSubscriber(reply, client);
  const listener = { onReply: check, onPush: check, onError: () => undefined };
  guard(client, () => new RespDecoder(listener, maxReplyBytes));
}

/** Reads what comes before the client does, and throws at what it is not to read. */
interface Censor {
  write(piece: Buffer): unknown;
}

function guard(client: Client, makeCensor: () => Censor): void {
  client.on('connect', () => {
    if (client.stream !== undefined) guardStream(client.stream, makeCensor());
  });
}

function guardStream(stream: Duplex, censor: Censor): void {
  // The check of the first bytes, for the reason of a failure, stays before this.
  const readers = stream.rawListeners('data').filter((reader) => !('listener' in reader));
  stream.on('data', (piece: Buffer) => {
    if (stream.destroyed) return;
    try {
      censor.write(piece);
    } catch (error) {
      stream.destroy(error as Error);
      return;
    }
    for (const read of readers) read.call(stream, piece);
  });
  for (const read of readers) stream.removeListener('data', read as (piece: Buffer) => void);
}

const messageSizes: ReadonlyMap<string, number> = new Map([
  ['message', 3],
  ['smessage', 3],
  ['pmessage', 4],
]);

const subscribing = /^[ps]?subscribe$/i;
const unsubscribing = /^[ps]?unsubscribe$/;

/** A reply of whatever kind to a subscriber. @throws {UnexpectedReplyError} */
function checkForSubscriber(reply: unknown, client: Client): void {
  if (Buffer.isBuffer(reply)) {
    if (reply.length < 2) throw new UnexpectedReplyError('a message');
    return;
  }
  if (!Array.isArray(reply) || reply.length < 2 || !Buffer.isBuffer(reply[0])) {
    throw new UnexpectedReplyError('a message');
  }
  const kind = reply[0].toString();
  const size = messageSizes.get(kind);
  if (size !== undefined) {
    if (reply.length < size || !reply.slice(1, size).every(Buffer.isBuffer))
      throw new UnexpectedReplyError('a message');
  } else if (unsubscribing.test(kind) && reply[1] === null) {
    // The last answer to an UNSUBSCRIBE of nothing; to a SUBSCRIBE it is none.
    const front = (client.commandQueue as Unanswered | undefined)?.peekFront?.();
    if (subscribing.test(front?.command?.name ?? '')) throw new UnexpectedReplyError('a subscription');
  } else if (subscribing.test(kind) || unsubscribing.test(kind)) {
    if (!Buffer.isBuffer(reply[1])) throw new UnexpectedReplyError('a subscription');
    checkInteger(reply[2]);
  } else if (reply[1] === null || reply[1] === undefined) {
    throw new UnexpectedReplyError('a message');
  }
}
