/**
 * From the messages of many connections to the events of one emitter, under ioredis' names and with its arguments:
 *
 *   message, messageBuffer       (channel, message)
 *   smessage, smessageBuffer     (channel, message)             of shard channels
 *   pmessage, pmessageBuffer     (pattern, channel, message)    the pattern is text in both
 */

import type { Redis } from 'ioredis';
import { ownBytes } from '../../runtime/own-bytes.ts';
import { rethrowLater } from '../../runtime/rethrow-later.ts';
import { shownTextOf } from '../key-text.ts';
import { type Channel, idOf } from './channel.ts';

/** As much of an EventEmitter as messages need. */
export interface MessageTarget {
  emit(event: string, ...args: readonly unknown[]): boolean;
  listenerCount(event: string): number;
}

export class MessageRelay {
  readonly #target: MessageTarget;

  constructor(target: MessageTarget) {
    this.#target = target;
  }

  /** @param patterns  Those of the connection, as they are at any time. */
  listen(client: Redis, patterns: ReadonlyMap<string, Channel>): void {
    const emitAs = (event: string) => (channel: Buffer, message: Buffer) => {
      this.#emit(event, () => [shownTextOf(channel), message.toString()]);
      this.#emit(`${event}Buffer`, () => [ownBytes(channel), ownBytes(message)]);
    };
    client.on('messageBuffer', emitAs('message'));
    client.on('smessageBuffer', emitAs('smessage'));
    client.on('pmessageBuffer', (given: string | Buffer, channel: Buffer, message: Buffer) => {
      const pattern = patternOf(patterns, given.toString());
      this.#emit('pmessage', () => [pattern, shownTextOf(channel), message.toString()]);
      this.#emit('pmessageBuffer', () => [pattern, ownBytes(channel), ownBytes(message)]);
    });
  }

  /** For a connection that ends: nothing of it is told any more, not even what has been read already. */
  unlisten(client: Redis): void {
    for (const event of ['messageBuffer', 'smessageBuffer', 'pmessageBuffer']) client.removeAllListeners(event);
  }

  /** What a listener throws surfaces as an uncaught exception. Here it would take the parser's place in the stream with it. */
  #emit(event: string, argumentsOf: () => readonly unknown[]): void {
    if (this.#target.listenerCount(event) === 0) return;
    try {
      this.#target.emit(event, ...argumentsOf());
    } catch (error) {
      rethrowLater(error);
    }
  }
}

/** The pattern as it was subscribed to. ioredis gives it as text, in which bytes that are no text are U+FFFD. */
function patternOf(patterns: ReadonlyMap<string, Channel>, text: string): string {
  if (!text.includes('\ufffd') || patterns.has(idOf(Buffer.from(text)))) return text;
  return [...patterns.values()].find(({ id }) => Buffer.from(id, 'latin1').toString() === text)?.shownText ?? text;
}
