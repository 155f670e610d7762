/**
 * How a client of ioredis that is ours comes by its socket and its credentials, in place of ioredis' own connectors.
 *
 * Those cannot ask a function for credentials, and do not say what is at the other end (`open-socket.ts`).
 */

import { Socket } from 'node:net';
import type { RedisOptions } from 'ioredis';
import type { Clock } from '../../runtime/clock.ts';
import { Deferred } from '../../runtime/deferred.ts';
import type { CredentialsSource } from './credentials.ts';
import { farewell } from './farewell.ts';

export interface SocketSource {
  /** Rejects with the reason why there is none. */
  open(): Promise<Socket> | Socket;
  /** Undefined: user and password are the client's own options. */
  readonly credentials?: CredentialsSource | undefined;
  /** The required role of the server, for clients with a ready check. */
  readonly role?: string | undefined;
}

/** Options for any client of ioredis, which then gets its sockets from the source. */
export function connectorOptions(source: SocketSource, clock: Clock): RedisOptions {
  // ioredis calls it with `new` and takes what that gives.
  function OwnConnector(options: RedisOptions) {
    return new Connector(source, clock, options);
  }
  return {
    Connector: OwnConnector as unknown as NonNullable<RedisOptions['Connector']>,
    connectTimeout: 0, // The source sees to it.
    ...(source.credentials === undefined ? {} : { username: undefined }),
  };
}

/** The shape that ioredis 5 and 6 ask of a connector. */
class Connector {
  /** The error that ioredis reports for a stream that is given to it destroyed. */
  firstError: Error | undefined;

  readonly #source: SocketSource;
  readonly #clock: Clock;
  /** The arguments of AUTH. */
  readonly #auth: string[] = [];
  #stream: Socket | undefined;
  /** Ends the attempt in progress, which may wait for long for others: `close` does not. */
  #closed: Deferred<never> | undefined;

  constructor(source: SocketSource, clock: Clock, options: RedisOptions) {
    this.#source = source;
    this.#clock = clock;
    // ioredis takes the password of a connection before it asks for the socket, and sends an array as the arguments of
    // AUTH. So this client gets one of its own, which is filled before it is sent.
    if (source.credentials !== undefined) Object.assign(options, { password: this.#auth });
  }

  /** Asked by a client with a ready check, about INFO. */
  check(info: { readonly role?: string | undefined }): boolean {
    return info.role === undefined || this.#source.role === undefined || info.role === this.#source.role;
  }

  /** Rejects never: then ioredis would give up. A failure is a stream that is destroyed, and ioredis tries again. */
  async connect(): Promise<Socket> {
    const closed = new Deferred<never>();
    this.#closed = closed;
    const opening = this.#open(closed);
    let stream: Socket;
    try {
      stream = await Promise.race([opening, closed.promise]);
      stream.once('error', (error) => {
        this.firstError = error;
      });
      if (this.#closed !== closed) stream.destroy();
    } catch (error) {
      opening.then(
        (late) => late.destroy(),
        () => undefined,
      );
      this.firstError = error as Error;
      stream = new Socket().destroy();
    }
    this.#stream = stream;
    return stream;
  }

  async #open(attempt: Deferred<never>): Promise<Socket> {
    const credentials = await this.#source.credentials?.ask();
    if (this.#closed !== attempt) throw connectionClosed();
    if (credentials !== undefined) {
      this.#auth.splice(0, 2, credentials.username ?? 'default', credentials.password);
    }
    return this.#source.open();
  }

  disconnect(): void {
    this.#closed?.reject(connectionClosed());
    this.#closed = undefined;
    const stream = this.#stream;
    if (stream !== undefined && !stream.destroyed) farewell(stream, this.#clock);
  }
}

const connectionClosed = () => new Error('The connection was closed.');
