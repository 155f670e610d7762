/** The clients that a backend opens itself, and their options: what ioredis decides by default and this backend decides itself. */

import type { RedisOptions } from 'ioredis';
import { type Random, systemRandom } from '../../runtime/random.ts';
import type { Target } from '../target.ts';
import type { Client } from './client.ts';
import { withRedisClass } from './ioredis-module.ts';

/**
 * Pause before the next attempt to connect, in milliseconds: up to 50, 100, 200, ... 1,000, and at least half of that. Short,
 * because a call fails at once while the node is known to be unreachable, and a server that is back should be found soon.
 * Drawn by chance, so that the clients that an outage has cut off do not all come back in the same moments.
 *
 * @param attempt  1 for the first retry.
 */
export function retryDelayMs(attempt: number, random: Random): number {
  const longestMs = Math.min(50 * 2 ** Math.min(attempt - 1, 10), 1_000);
  return Math.round(longestMs * (0.5 + random() / 2));
}

/** The pauses between attempts to connect, counted from the last connection that turned out to be one to use. */
export class RetryPauses {
  /** Undefined: another server is meant than before, and is tried at once. */
  #attempts: number | undefined = 0;

  /** Called by ioredis. Its own count starts again with every connection that a server accepts, whatever happens then. */
  readonly nextMs = (): number => {
    const isAtOnce = this.#attempts === undefined;
    this.#attempts = (this.#attempts ?? 0) + (isAtOnce ? 0 : 1);
    return isAtOnce ? 0 : retryDelayMs(this.#attempts, systemRandom);
  };

  succeeded(): void {
    this.#attempts = 0;
  }

  /** The pauses so far were for a server that is no longer the target. */
  skip(): void {
    this.#attempts = undefined;
  }
}

/** In force over what the application says: each of these would break a promise of the backend. */
const semantics: { readonly [Name in keyof RedisOptions]?: RedisOptions[Name] | undefined } = {
  lazyConnect: true,
  // Calls wait in our hands, with their deadlines, and are never sent twice.
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: null,
  reconnectOnError: null,
  enableAutoPipelining: false,
  autoResubscribe: false,
  // Times of ioredis' own beside `timeoutMs`, which would end calls and connections before it.
  commandTimeout: undefined,
  socketTimeout: undefined,
  blockingTimeout: undefined,
  // A server that is loading answers LOADING, which is a typed error and a reason to read elsewhere.
  enableReadyCheck: false,
  // The replies to its CLIENT SETINFO tell ioredis 5 that AUTH and SELECT are through before it reports 'ready'.
  disableClientInfo: false,
  clientInfoTag: 'shardring',
  showFriendlyErrorStack: false,
  stringNumbers: false,
  // RESP3 has nothing that this backend uses, and costs HELLO.
  protocol: 2,
  replyMapping: 'legacy',
  keyPrefix: '',
  disconnectTimeout: 250,
};

/**
 * Idle for this long, a connection is asked by TCP for a sign of life, in milliseconds: what lies between keeps it in mind, and
 * one that was forgotten ends within some 25 s. Node.js asks ten times, a second apart.
 */
const keepAliveMs = 15_000;

/** For the connection that all calls share: it reconnects for as long as the backend is open. */
export function sharedClientOptions(options: RedisOptions, connectTimeoutMs: number | undefined): RedisOptions {
  const retryStrategy = (attempt: number) => retryDelayMs(attempt, systemRandom);
  const connectTimeout = connectTimeoutOf(options, connectTimeoutMs);
  return { keepAlive: keepAliveMs, ...options, ...(semantics as RedisOptions), connectTimeout, retryStrategy };
}

/** For a connection lent to one user at a time. It does not reconnect: WATCH and MULTI would not survive that. */
function dedicatedClientOptions(
  options: RedisOptions,
  connectTimeoutMs: number | undefined,
  accessOptions: RedisOptions,
): RedisOptions {
  return { ...sharedClientOptions(options, connectTimeoutMs), ...accessOptions, retryStrategy: () => null };
}

export const defaultConnectTimeoutMs = 2_000;

/** For a socket and TLS, in milliseconds. */
export const connectTimeoutOf = ({ connectTimeout }: RedisOptions, connectTimeoutMs: number | undefined): number =>
  connectTimeoutMs ?? connectTimeout ?? defaultConnectTimeoutMs;

/**
 * A client for `withConnection`, not connected yet: to the place the options name, or to where the borrowed client leads.
 * @param accessOptions  What leads there, see `server-access.ts`.
 */
export function makeDedicatedClient(
  target: Target,
  connectTimeoutMs: number | undefined,
  accessOptions: RedisOptions,
): Promise<Client> {
  if (target.kind === 'borrowed') {
    // For a borrowed client, 0 is the default of ioredis, which leaves it to the system: some hours.
    const { keepAlive } = target.client.options;
    const options = dedicatedClientOptions(keepAlive ? { keepAlive } : {}, connectTimeoutMs, accessOptions);
    return Promise.resolve(target.client.duplicate(options));
  }
  const options = dedicatedClientOptions(target.options, connectTimeoutMs, accessOptions);
  return new Promise((resolve, reject) => {
    withRedisClass(
      (RedisClass) => resolve(new RedisClass(options) as unknown as Client),
      (makeError) => reject(makeError()),
    );
  });
}
