/**
 * Whether a connection is alive, by the bytes that move on it.
 *
 * A reply of many megabytes takes long, and until it is complete no other reply comes: counting replies would take a slow line
 * for a dead peer. Bytes distinguish the two. Those that come are a sign of life. Those that leave are one only where some had
 * waited to leave: the first megabytes go into the buffers of this machine, whether or not the peer takes them.
 */

import type { Duplex } from 'node:stream';
import type { Clock } from '../../runtime/clock.ts';
import type { Client } from './client.ts';

/** The bytes that have moved on a stream up to one moment. On another stream, everything is new. */
export interface Signs {
  readonly stream: Duplex | undefined;
  readonly readBytes: number;
  /** Given to the system up to now: more of them only once it has taken all that came before. */
  readonly sentBytes: number;
  /** The part of the leaving piece that the system has not taken yet. */
  readonly queuedBytes: number;
}

/** The part of a Node.js socket that is used; other streams have none of it. */
interface Counters {
  readonly bytesRead?: number;
  /**
   * Node.js itself tells by its queue whether a socket with a timeout is idle. What the stream says of itself will not do: a text
   * that waits is counted in characters there, and in bytes here.
   */
  readonly _handle?: { readonly writeQueueSize?: number; readonly bytesWritten?: number } | null;
}

export function signsOf(stream: Duplex | undefined): Signs {
  const { bytesRead = 0, _handle } = (stream ?? {}) as Counters;
  const { bytesWritten = 0, writeQueueSize = 0 } = _handle ?? {};
  return { stream, readBytes: bytesRead, sentBytes: bytesWritten, queuedBytes: writeQueueSize };
}

/** Pure. */
export function hasMoved(before: Signs, now: Signs): boolean {
  if (before.stream !== now.stream || now.readBytes > before.readBytes) return true;
  const hadToWait = before.queuedBytes > 0;
  return hadToWait && (now.sentBytes > before.sentBytes || now.queuedBytes < before.queuedBytes);
}

/** Changes as long as something comes in, and as the connection comes into being. */
export function progressOf({ status, stream }: Client): string {
  const isConnecting = (stream as { readonly connecting?: boolean } | undefined)?.connecting === true;
  return `${status} ${isConnecting} ${signsOf(stream).readBytes}`;
}

/** When something last came in on connections, or one came into being, or their owner noted that they came on. */
export class LastMove {
  /** On the monotonic clock. */
  atMs: number;

  readonly #clock: Clock;
  readonly #whole: LastMove | undefined;

  /** @param whole  Of which these connections are a part. */
  constructor(clock: Clock, whole?: LastMove) {
    this.#clock = clock;
    this.#whole = whole;
    this.atMs = clock.nowMs();
  }

  /** @param client  Not yet connected. */
  follow(client: Client): void {
    client.on('connect', () => {
      this.note();
      client.stream?.on('data', () => this.note());
    });
  }

  note(): void {
    this.atMs = this.#clock.nowMs();
    if (this.#whole !== undefined) this.#whole.atMs = this.atMs;
  }
}
