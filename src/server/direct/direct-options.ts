/** Options of a direct connection: those of ioredis that it heeds, by the same names; all others are ignored. */

import type { Clock } from '../../runtime/clock.ts';
import type { ClientOptions } from '../link/client.ts';
import type { CredentialsSource } from '../link/credentials.ts';
import type { OpenSocket, SocketOptions } from '../link/open-socket.ts';

export interface DirectClientOptions extends ClientOptions, SocketOptions {
  /** See `RedisBackendOptions.maxReplyBytes`. */
  readonly maxReplyBytes?: number | undefined;
  readonly username?: string | null | undefined;
  readonly password?: string | null | undefined;
  /** Asked at each connection, in place of `username` and `password`. */
  readonly credentials?: CredentialsSource | undefined;
  /** Default: opens a socket by `host`, `port`, `path`, `family`, `tls` and `connectTimeout`. May throw. */
  readonly open?: (() => OpenSocket) | undefined;
  /** Version of RESP. A server that does not know 3 is spoken to in 2. Replies look the same. Default 2. */
  readonly protocol?: 2 | 3 | undefined;
  /** Tells the server by CLIENT SETNAME. */
  readonly connectionName?: string | null | undefined;
  /** The server is asked who it is, in the same round trip; see `Client.identity`. */
  readonly asksIdentity?: boolean | undefined;
  /** True: CLIENT SETINFO does not tell the server who we are. */
  readonly disableClientInfo?: boolean | undefined;
  /** Milliseconds for the socket and TLS, and as much again for AUTH and the like. 0: no limit. Default 10,000. */
  readonly connectTimeout?: number | undefined;
  /** Milliseconds of silence after which the kernel looks whether the peer is still there. Default 30,000. */
  readonly keepAlive?: number | undefined;
  /** Default true. */
  readonly noDelay?: boolean | undefined;
  /**
   * Milliseconds until attempt number `times`, from 1, to connect again; what is no number ends the client. Default: 50,
   * 100, 200, ... up to 1,000.
   */
  readonly retryStrategy?: ((times: number) => unknown) | null | undefined;
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
}

export const defaultRetryDelayMs = (times: number): number => Math.min(50 * 2 ** Math.min(times - 1, 10), 1_000);
