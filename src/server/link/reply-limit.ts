/**
 * A limit for one reply, so that a broken server cannot fill this process' memory.
 *
 * Our own parser counts a reply as it comes, and refuses a length when it is announced. Those of ioredis have no limit; there
 * the bytes are counted that arrive while the same reply is due, after they have been parsed. In either case an element of an
 * array counts for more than its bytes, as it is an object in memory: here, where elements are not seen, each line does.
 */

import { lineFeed } from '../direct/resp-bytes.ts';
import { ProtocolError } from '../direct/resp-errors.ts';
import type { Client } from './client.ts';

/** 128 MiB: more than a line of 1 Gbit/s brings within the default deadline. */
export const defaultMaxReplyBytes = 128 * 1024 * 1024;

/** Bytes that an element of an array counts in addition to its own. */
export const elementBytes = 64;

/** A line end is half of an element where that is a string. */
const lineBytes = elementBytes / 2;

/** Up to this size lines are not counted: most replies are much shorter. */
const uncountedBytes = 1024 * 1024;

export const tooLong = (maxReplyBytes: number): Error =>
  new ProtocolError(`A reply is longer than the ${maxReplyBytes} bytes that maxReplyBytes allows.`);

/** The part of ioredis' queue that shows which reply is due. */
interface DueReplies {
  peekFront?(): unknown;
}

/** Ends connections of a client of ioredis on which a reply is longer. Call it before the client connects. */
export function limitReplies(client: Client, maxReplyBytes: number): void {
  client.on('connect', () => {
    const { stream } = client;
    if (stream === undefined) return;
    let bytes = 0;
    let due: unknown;
    const begin = () => {
      bytes = 0;
    };
    // A message to a subscriber is no reply to a command.
    for (const event of messages) client.on(event as 'connect', begin);
    stream.once('close', () => {
      for (const event of messages) client.removeListener(event as 'connect', begin);
    });
    // ioredis puts its parser before all other listeners.
    stream.on('data', (piece: Buffer) => {
      const front = (client.commandQueue as DueReplies | undefined)?.peekFront?.();
      if (front !== due) bytes = 0;
      due = front;
      bytes += piece.length;
      if (bytes > uncountedBytes) bytes += lineBytes * linesIn(piece);
      if (bytes > maxReplyBytes) stream.destroy(tooLong(maxReplyBytes));
    });
  });
}

const messages = ['messageBuffer', 'smessageBuffer', 'pmessageBuffer'] as const;

function linesIn(piece: Buffer): number {
  let count = 0;
  for (let at = piece.indexOf(lineFeed); at !== -1; at = piece.indexOf(lineFeed, at + 1)) count++;
  return count;
}
