/**
 * Entry `shardring/session`: a store for express-session on a ShardedRedis, or on a client of ioredis.
 *
 * Sessions are spread over the nodes by their ids. Names, options and the stored form are those of connect-redis 9, so
 * that either reads what the other wrote. Unlike it, the store takes a prefix literally (`*` included), awaits a
 * serializer everywhere, reads and deletes many sessions page by page, and never calls a callback twice.
 *
 * The contract is https://github.com/expressjs/session#session-store-implementation.
 */

import { EventEmitter } from 'node:events';
import type { SessionData, Store } from 'express-session';
import { CodecError, InvalidArgumentError } from '../errors/index.ts';
import { OptionalPackage } from '../runtime/optional-package.ts';
import {
  expectBoolean,
  expectFunction,
  expectInteger,
  expectObject,
  expectOptions,
  expectString,
} from '../runtime/validate.ts';
import { expectClient, pagesBelow } from './key-value-client.ts';
import { SessionTtl } from './session-ttl.ts';

/** The part of an ioredis client that the store uses. */
export interface SessionClient {
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<unknown>;
  set(key: string, value: string, unit: 'EX', seconds: number): Promise<unknown>;
  expire(key: string, seconds: number): Promise<unknown>;
  mget(keys: string[]): Promise<(string | null)[]>;
  unlink(keys: string[]): Promise<number>;
  scanStream(options: { match: string; count: number }): AsyncIterable<unknown>;
}

/** From a session to text and back. `JSON` is one. */
export interface SessionSerializer {
  parse(stored: string): SessionData | Promise<SessionData>;
  stringify(session: SessionData): string | Promise<string>;
}

export interface SessionStoreOptions {
  /** A ShardedRedis or an ioredis client, without a `keyPrefix` of its own. The store never closes it. */
  readonly client: SessionClient;
  /** Put before each session's id. Default `sess:`. Two stores on the same servers need different ones. */
  readonly prefix?: string | undefined;
  /**
   * Seconds that a session without a cookie expiry is kept, counted from its last use: a finite number above 0, default
   * 86,400 (a day). Or a function that says it for each session, cookie expiry or not; 0 or less ends the session.
   * Fractions are rounded up.
   */
  readonly ttl?: number | ((session: SessionData) => number) | undefined;
  /** True: sessions are stored without expiry, and stay until destroyed. Default false. */
  readonly disableTTL?: boolean | undefined;
  /** True: a request that changes nothing does not prolong the session. Default false. */
  readonly disableTouch?: boolean | undefined;
  /** Keys per SCAN of a node, by `all`, `ids`, `length` and `clear`. Integer of at least 1, default 100. */
  readonly scanCount?: number | undefined;
  /** Default `JSON`. Its methods may be async. */
  readonly serializer?: SessionSerializer | undefined;
}

/** A session as `all()` gives it: with its id. */
export type StoredSession = SessionData & { readonly id: string };

type Callback<Result> = (error: unknown, result?: Result) => void;

const optionNames = ['client', 'prefix', 'ttl', 'disableTTL', 'disableTouch', 'scanCount', 'serializer'];

/** The part of express-session's `Store` that this class needs before there are requests. */
const StoreBase = EventEmitter as unknown as typeof Store;

/**
 * Every method takes a callback, as express-session calls it, or gives a promise when there is none. A callback is
 * called once, on a later tick; what it throws is an uncaught exception and not an error of the store.
 */
export class SessionStore extends StoreBase {
  readonly client: SessionClient;
  readonly prefix: string;
  readonly scanCount: number;
  readonly serializer: SessionSerializer;
  readonly disableTTL: boolean;
  readonly disableTouch: boolean;
  readonly #ttl: SessionTtl;

  /**
   * @throws {InvalidArgumentError} Names the option.
   * @throws {MissingDependencyError} express-session is not installed.
   */
  constructor(options: SessionStoreOptions) {
    super();
    if (expressSession.look() === undefined && expressSession.makeError !== undefined) throw expressSession.makeError();
    expectOptions('options', options, optionNames);
    this.client = parseClient(options.client);
    this.prefix = expectString('options.prefix', options.prefix ?? 'sess:');
    this.scanCount = expectInteger('options.scanCount', options.scanCount ?? 100, 1);
    this.serializer = parseSerializer(options.serializer ?? JSON);
    this.disableTTL = expectBoolean('options.disableTTL', options.disableTTL ?? false);
    this.disableTouch = expectBoolean('options.disableTouch', options.disableTouch ?? false);
    this.#ttl = new SessionTtl(options.ttl ?? 86_400);
  }

  /** The session, or null if there is none. */
  override get(sid: string): Promise<SessionData | null>;
  override get(sid: string, callback: Callback<SessionData | null>): void;
  override get(sid: string, callback?: Callback<SessionData | null>): unknown {
    return answer(this.#get(sid), callback);
  }

  /** Stores the session until it expires. A session that has expired is destroyed instead. */
  override set(sid: string, session: SessionData): Promise<void>;
  override set(sid: string, session: SessionData, callback?: Callback<void>): void;
  override set(sid: string, session: SessionData, callback?: Callback<void>): unknown {
    return answer(this.#set(sid, session), callback);
  }

  /** Prolongs the session without storing it. One that has expired is destroyed; one that is not there stays away. */
  override touch(sid: string, session: SessionData): Promise<void>;
  override touch(sid: string, session: SessionData, callback?: Callback<void>): void;
  override touch(sid: string, session: SessionData, callback?: Callback<void>): unknown {
    return answer(this.#touch(sid, session), callback);
  }

  override destroy(sid: string): Promise<void>;
  override destroy(sid: string, callback?: Callback<void>): void;
  override destroy(sid: string, callback?: Callback<void>): unknown {
    return answer(this.#unlink([this.prefix + sid]), callback);
  }

  /** All sessions of all nodes. Those stored or destroyed meanwhile may be there or not. */
  override all(): Promise<StoredSession[]>;
  override all(callback: Callback<StoredSession[]>): void;
  override all(callback?: Callback<StoredSession[]>): unknown {
    return answer(this.#all(), callback);
  }

  /** How many sessions there are. It goes through all keys of all nodes. */
  override length(): Promise<number>;
  override length(callback: Callback<number>): void;
  override length(callback?: Callback<number>): unknown {
    return answer(
      this.#ids().then((ids) => ids.length),
      callback,
    );
  }

  /** The ids of all sessions. */
  ids(): Promise<string[]>;
  ids(callback: Callback<string[]>): void;
  ids(callback?: Callback<string[]>): unknown {
    return answer(this.#ids(), callback);
  }

  /** Destroys all sessions that are there now. Other keys stay. */
  override clear(): Promise<void>;
  override clear(callback?: Callback<void>): void;
  override clear(callback?: Callback<void>): unknown {
    return answer(this.#clear(), callback);
  }

  async #get(sid: string): Promise<SessionData | null> {
    const stored = await this.client.get(this.prefix + sid);
    return stored ? this.#parse(stored) : null;
  }

  async #set(sid: string, session: SessionData): Promise<void> {
    const key = this.prefix + sid;
    const seconds = this.#ttl.secondsOf(session);
    if (seconds <= 0) return this.#unlink([key]);
    const written = this.#stringify(session);
    // Without a turn of the loop if none is needed: calls that are not awaited leave in the order made.
    const text = typeof written === 'string' ? written : await written;
    await (this.disableTTL ? this.client.set(key, text) : this.client.set(key, text, 'EX', seconds));
  }

  async #touch(sid: string, session: SessionData): Promise<void> {
    if (this.disableTouch || this.disableTTL) return;
    // With 0 or less, Redis deletes the key.
    await this.client.expire(this.prefix + sid, this.#ttl.secondsOf(session));
  }

  async #all(): Promise<StoredSession[]> {
    const sessions: StoredSession[] = [];
    for await (const keys of this.#pages()) {
      const stored = await this.client.mget(keys);
      for (const [index, key] of keys.entries()) {
        const text = stored[index];
        if (!text) continue; // Expired or destroyed since its key came.
        sessions.push({ ...(await this.#parse(text)), id: key.slice(this.prefix.length) });
      }
    }
    return sessions;
  }

  async #ids(): Promise<string[]> {
    const ids: string[] = [];
    for await (const keys of this.#pages()) for (const key of keys) ids.push(key.slice(this.prefix.length));
    return ids;
  }

  async #clear(): Promise<void> {
    for await (const keys of this.#pages()) await this.#unlink(keys);
  }

  async #unlink(keys: string[]): Promise<void> {
    await this.client.unlink(keys);
  }

  #pages(): AsyncGenerator<string[]> {
    return pagesBelow(this.client, this.prefix, this.scanCount);
  }

  #stringify(session: SessionData): string | Promise<string> {
    const fail = (cause: unknown): never => {
      throw new CodecError('session', 'encode', { cause });
    };
    try {
      const written = this.serializer.stringify(session);
      return typeof written === 'string' ? written : written.catch(fail);
    } catch (cause) {
      return fail(cause);
    }
  }

  async #parse(stored: string): Promise<SessionData> {
    try {
      return await this.serializer.parse(stored);
    } catch (cause) {
      throw new CodecError('session', 'decode', { cause });
    }
  }
}

const expressSession = new OptionalPackage({
  name: 'express-session',
  neededFor: 'shardring/session',
  versions: '>=1',
  accepts: (version) => Number.parseInt(version, 10) >= 1,
  load: () => import('express-session'),
  // The base of sessions at requests: `createSession` and similar. In a bundle it comes a moment after the class.
  onLoaded: (exports) => {
    Object.setPrototypeOf(SessionStore.prototype, (exports as { Store: typeof Store }).Store.prototype);
  },
});

function answer<Result>(promise: Promise<Result>, callback: Callback<Result> | undefined): Promise<Result> | undefined {
  if (callback === undefined) return promise;
  // On a tick of its own, so that what the callback throws is neither lost nor taken for a failure of the store.
  promise.then(
    (result) => process.nextTick(callback, null, result),
    (error: unknown) => process.nextTick(callback, error),
  );
  return undefined;
}

function parseClient(input: unknown): SessionClient {
  const client = expectClient('options.client', input, ['get', 'set', 'expire', 'mget', 'unlink', 'scanStream']);
  const { keyPrefix } = (client.options ?? {}) as { keyPrefix?: unknown };
  if (keyPrefix !== undefined && keyPrefix !== '') {
    // SCAN gives the keys with that prefix before them, and they would get it once more when read or deleted.
    throw new InvalidArgumentError('options.client', 'a client without keyPrefix; use `prefix` instead', client);
  }
  return input as SessionClient;
}

function parseSerializer(input: unknown): SessionSerializer {
  const { parse, stringify } = expectObject('options.serializer', input);
  expectFunction('options.serializer.parse', parse);
  expectFunction('options.serializer.stringify', stringify);
  return input as SessionSerializer;
}
