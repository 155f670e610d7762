/** Options of a RedisBackend: what they mean, and their check. */

import type { RedisOptions } from 'ioredis';
import { InvalidArgumentError } from '../errors/index.ts';
import { type Clock, parseClock } from '../runtime/clock.ts';
import {
  expectBoolean,
  expectInteger,
  expectOneOf,
  expectOptions,
  expectPositive,
  expectString,
  maxDelayMs,
} from '../runtime/validate.ts';
import type { CredentialsFunction } from './link/credentials.ts';
import { defaultMaxReplyBytes } from './link/reply-limit.ts';
import { isWellFormed } from './sending/key-bytes.ts';

/**
 * Where the server is: a URL (`redis://[user[:password]@]host[:port][/db]`, `rediss://...` for TLS, `unix:///path?db=0`
 * for a socket file), options of ioredis, or a client of ioredis 5 or 6 or of iovalkey, connected or not.
 *
 * A client is only borrowed: `close()` leaves it open. Options of ioredis about reconnecting, queueing and
 * resending are overridden by the backend.
 */
export type RedisTarget = string | RedisNodeOptions | RedisClient;

/** Options of ioredis; `sentinels` and `name` are those of a group that Redis Sentinel manages. */
export interface RedisNodeOptions extends Omit<RedisOptions, 'password'> {
  /**
   * The server as a URL. Other options add to it (`tls` with the authority of a `rediss://` URL) and must not contradict it.
   */
  readonly url?: string | undefined;

  /**
   * A function is called for each connection, for passwords and tokens that do not live long. It has as long to answer as a
   * connection may take to be made.
   */
  readonly password?: string | (() => string | Promise<string>) | undefined;

  /** As `password` given as a function, for user and password together. */
  readonly credentials?: CredentialsFunction | undefined;

  /**
   * For a node that is one server: `'replica'` accepts one that is a read-only replica, whose data may be old and which rejects
   * writes. Otherwise calls end with `ERR_WRONG_SERVER` until there is a primary.
   *
   * For a group: where calls that only read go. `'replica'`: to one of its replicas, where they may see what was there a
   * moment ago, and to the master while no replica can be reached. Default `'master'`.
   */
  readonly reads?: 'master' | 'replica' | undefined;
}

/** A client of ioredis or iovalkey, from any copy of them. The arguments of its methods differ by release. */
export interface RedisClient {
  readonly status: string;
  sendCommand(...args: never[]): unknown;
  duplicate(...args: never[]): unknown;
}

export interface RedisBackendOptions {
  /**
   * Put before every key. Any well-formed string; characters such as `*` are literal. Default none, and then
   * `clear()` empties the whole database.
   */
  readonly keyPrefix?: string | undefined;
  /** Deadline in milliseconds of a call without one of its own. Above 0. Default 1,000. */
  readonly timeoutMs?: number | undefined;
  /** The node's name in errors. Default: host and port, or the socket's path. */
  readonly nodeName?: string | undefined;
  /** Milliseconds for a connection to be made, and as much again for AUTH and SELECT. Above 0. Default 2,000. */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Most bytes of one reply: a server that sends more loses its connection, and the calls on it fail with `ERR_NODE_PROTOCOL`.
   * Each element of an array counts 64 bytes more than it has. Above 0. Default 134,217,728 (128 MiB); servers keep up to
   * 512 MB in one value.
   */
  readonly maxReplyBytes?: number | undefined;
  /** The pool of connections that `withConnection` gives out. */
  readonly pool?: RedisPoolOptions | undefined;
  /**
   * Whether calls that come while others are in flight wait for the end of the event loop's turn, go out in one write, and
   * of their GETs up to 512 (64 kB of keys, about 1 MB of values) as one MGET. Outcomes are the same either way; a value
   * that is missing, or is not a string, then takes a second round trip. Default true.
   */
  readonly batching?: boolean | undefined;
  /**
   * The client on the connection that all calls share: `'ioredis'` (default), or `'direct'`, a client of our
   * own that costs about half of the CPU time where many calls are in flight. Not for a borrowed client, nor for a group that
   * Sentinel manages. Connections of `withConnection` use ioredis in both cases.
   */
  readonly transport?: Transport | undefined;
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
}

export type Transport = 'ioredis' | 'direct';

export interface RedisPoolOptions {
  /** Most connections open at a time; further callers wait. An integer of at least 1. Default 4. */
  readonly max?: number | undefined;
  /** A connection unused for this long is closed. Milliseconds, above 0. Default 30,000. */
  readonly idleTimeoutMs?: number | undefined;
}

/** Options of a node's connections, which both faces have. */
export interface ParsedConnectionOptions {
  readonly keyPrefix: string;
  readonly connectTimeoutMs: number | undefined;
  readonly maxReplyBytes: number;
  readonly pool: { readonly max: number; readonly idleTimeoutMs: number };
  readonly batching: boolean;
  readonly transport: Transport;
}

export interface ParsedOptions extends ParsedConnectionOptions {
  readonly timeoutMs: number;
  readonly nodeName: string | undefined;
  readonly clock: Clock;
}

export const backendOptionNames = [
  'keyPrefix',
  'timeoutMs',
  'nodeName',
  'connectTimeoutMs',
  'maxReplyBytes',
  'pool',
  'batching',
  'transport',
  'clock',
] as const;

/** @throws {InvalidArgumentError} Names the option. */
export function parseOptions(options: RedisBackendOptions): ParsedOptions {
  const {
    timeoutMs = 1_000,
    nodeName,
    clock,
    ...ofConnections
  } = expectOptions('options', options, backendOptionNames);
  return {
    ...parseConnectionOptions('options.', ofConnections),
    timeoutMs: expectPositive('options.timeoutMs', timeoutMs, maxDelayMs),
    nodeName: nodeName === undefined ? undefined : expectString('options.nodeName', nodeName),
    clock: parseClock('options.clock', clock),
  };
}

/**
 * @param prefix  Of the fields' names in errors.
 * @throws {InvalidArgumentError}
 */
export function parseConnectionOptions(prefix: string, given: Record<string, unknown>): ParsedConnectionOptions {
  const { connectTimeoutMs, maxReplyBytes = defaultMaxReplyBytes, batching = true, transport = 'ioredis' } = given;
  const keyPrefix = expectString(`${prefix}keyPrefix`, given.keyPrefix === undefined ? '' : given.keyPrefix);
  if (!isWellFormed(keyPrefix)) {
    // It could end with half of a character whose other half begins the key.
    throw new InvalidArgumentError(`${prefix}keyPrefix`, 'a string without lone surrogates', keyPrefix);
  }
  const pool = expectOptions(`${prefix}pool`, given.pool === undefined ? {} : given.pool, ['max', 'idleTimeoutMs']);
  return {
    keyPrefix,
    connectTimeoutMs:
      connectTimeoutMs === undefined
        ? undefined
        : expectPositive(`${prefix}connectTimeoutMs`, connectTimeoutMs, maxDelayMs),
    maxReplyBytes: expectPositive(`${prefix}maxReplyBytes`, maxReplyBytes),
    pool: {
      max: expectInteger(`${prefix}pool.max`, pool.max ?? 4, 1),
      idleTimeoutMs: expectPositive(`${prefix}pool.idleTimeoutMs`, pool.idleTimeoutMs ?? 30_000, maxDelayMs),
    },
    batching: expectBoolean(`${prefix}batching`, batching),
    transport: expectOneOf(`${prefix}transport`, transport, ['ioredis', 'direct']),
  };
}
