/**
 * The client of the adapters for key-value libraries, and their common code: writing with an expiry, and reading and
 * clearing the keys below a prefix at all nodes.
 *
 * The client is a ShardedRedis or one of ioredis. The types are our own and name only what is used, so that an adapter
 * needs neither ioredis nor the library it is for at hand to be loaded.
 */

import { InvalidArgumentError } from '../errors/index.ts';
import { expectObject } from '../runtime/validate.ts';
import { expiryOf } from './expiry.ts';

/** The commands of ioredis that the adapters use. Each adapter takes a `Pick` of them. */
export interface KeyValueCommands {
  get(key: string): Promise<string | null>;
  getBuffer(key: string): Promise<Buffer | null>;
  getdel(key: string): Promise<string | null>;
  mget(keys: string[]): Promise<(string | null)[]>;
  set(key: string, value: string | Buffer): Promise<unknown>;
  set(key: string, value: string | Buffer, unit: 'PX', ttlMs: number): Promise<unknown>;
  exists(key: string): Promise<number>;
  unlink(keys: string[]): Promise<number>;
  scanStream(options: { match: string; count: number }): AsyncIterable<unknown>;
  quit(): Promise<unknown>;
}

/** A client may have a `keyPrefix`: commands put it before every key, and SCAN does not take it off. */
export interface PrefixedClient {
  readonly options?: { readonly keyPrefix?: string | undefined };
}

/** @throws {InvalidArgumentError} It lacks one of the methods. */
export function expectClient(field: string, input: unknown, methods: readonly string[]): Record<string, unknown> {
  const client = expectObject(field, input);
  const missing = methods.find((method) => typeof client[method] !== 'function');
  if (missing === undefined) return client;
  const ofCluster = client.isCluster === true ? ', not a client of Redis Cluster' : '';
  throw new InvalidArgumentError(
    field,
    `a ShardedRedis or a client of ioredis (with ${missing}())${ofCluster}`,
    client,
  );
}

/** Stores a value. One whose time has passed is removed, as it would be an instant later. */
export async function write(
  client: Pick<KeyValueCommands, 'set' | 'unlink'>,
  key: string,
  value: string | Buffer,
  ttl: { readonly field: string; readonly ttlMs: unknown },
): Promise<void> {
  const expiry = expiryOf(ttl.field, ttl.ttlMs);
  if (expiry === 'never') await client.set(key, value);
  else if (expiry === 'past') await client.unlink([key]);
  else await client.set(key, value, 'PX', expiry);
}

/** Waits for all, then throws the first failure: when the caller hears of it, nothing is in flight any more. */
export async function allSettled<Result>(calls: readonly Promise<Result>[]): Promise<Result[]> {
  await Promise.allSettled(calls);
  return Promise.all(calls);
}

/**
 * The keys that begin with `prefix`, of all nodes, page by page, as commands of the client take them. No page is empty, and
 * each key comes once: SCAN may give one again, so those that came are remembered until the end.
 */
export async function* pagesBelow(
  client: Pick<KeyValueCommands, 'scanStream'> & PrefixedClient,
  prefix: string,
  scanCount: number,
): AsyncGenerator<string[], void, undefined> {
  const clientPrefix = client.options?.keyPrefix ?? '';
  const seen = new Set<string>();
  for await (const page of client.scanStream({
    match: `${literalPattern(clientPrefix + prefix)}*`,
    count: scanCount,
  })) {
    const keys: string[] = [];
    for (const stored of page as readonly string[]) {
      const key = stored.slice(clientPrefix.length);
      if (seen.has(key)) continue;
      seen.add(key);
      keys.push(key);
    }
    if (keys.length > 0) yield keys;
  }
}

/** Removes the keys that begin with `prefix` at all nodes. Those written meanwhile may stay. */
export async function clearBelow(
  client: Pick<KeyValueCommands, 'scanStream' | 'unlink'> & PrefixedClient,
  prefix: string,
  scanCount: number,
): Promise<void> {
  for await (const keys of pagesBelow(client, prefix, scanCount)) await client.unlink(keys);
}

/** A pattern of Redis that matches `text` and nothing else. */
const literalPattern = (text: string) => text.replace(/[\\*?[\]]/g, '\\$&');
