/**
 * Entry `shardring/unstorage`: a driver for unstorage on a ShardedRedis, or on a client of ioredis.
 *
 * unstorage's own Redis driver makes its client itself. This one takes yours, and stores keys and values as that one does;
 * only raw values are stored as the bytes they are, and not as text in base64.
 *
 * The contract is `Driver` of unstorage 1.
 */

import { InvalidArgumentError } from '../errors/index.ts';
import { expectBoolean, expectInteger, expectOptions, expectString } from '../runtime/validate.ts';
import { expiryOf } from './expiry.ts';
import {
  allSettled,
  clearBelow,
  expectClient,
  type KeyValueCommands,
  type PrefixedClient,
  pagesBelow,
  write,
} from './key-value-client.ts';

const methods = ['get', 'getBuffer', 'mget', 'set', 'exists', 'unlink', 'scanStream', 'quit'] as const;

/** The part of an ioredis client that the driver uses. */
export type UnstorageClient = Pick<KeyValueCommands, (typeof methods)[number]> & PrefixedClient;

export interface UnstorageDriverOptions<Client extends UnstorageClient = UnstorageClient> {
  /** A ShardedRedis or an ioredis client. It stays open, unless `ownsClient`. */
  readonly client: Client;
  /**
   * Put before each key, with a colon between. Default: none; the storage is then everything that the servers hold, and
   * `clear()` removes all of it.
   */
  readonly base?: string | undefined;
  /** Seconds that an item is kept, unless its own `ttl` says otherwise. Fractions are good to the millisecond. 0: for ever, the default. */
  readonly ttl?: number | undefined;
  /** True: `dispose()` closes the client too. Default false. */
  readonly ownsClient?: boolean | undefined;
  /** Keys asked for at a time, of each node, by `getKeys` and `clear`. Integer of at least 1. Default 1,000. */
  readonly scanCount?: number | undefined;
}

/** Options of a call, beside its key. */
export interface UnstorageItemOptions {
  /** Seconds; see {@link UnstorageDriverOptions.ttl}. */
  readonly ttl?: number | undefined;
}

/** The driver: what `createStorage({ driver })` and `storage.mount(base, driver)` take. */
export interface UnstorageDriver<Client extends UnstorageClient = UnstorageClient> {
  readonly name: 'shardring';
  readonly options: UnstorageDriverOptions<Client>;
  getInstance(): Client;
  hasItem(key: string): Promise<boolean>;
  getItem(key: string): Promise<string | null>;
  getItems(items: { key: string }[]): Promise<{ key: string; value: string | null }[]>;
  getItemRaw(key: string): Promise<Buffer | null>;
  setItem(key: string, value: string, options?: UnstorageItemOptions): Promise<void>;
  setItems(
    items: { key: string; value: string; options?: UnstorageItemOptions }[],
    common?: UnstorageItemOptions,
  ): Promise<void>;
  /** @param value  Text, or bytes: a Buffer, any other view, or an ArrayBuffer. */
  setItemRaw(key: string, value: unknown, options?: UnstorageItemOptions): Promise<void>;
  removeItem(key: string): Promise<void>;
  /** The keys of all nodes that begin with `base`, each once. */
  getKeys(base?: string): Promise<string[]>;
  clear(base?: string): Promise<void>;
  dispose(): Promise<void>;
}

/** @throws {InvalidArgumentError} Names the option. */
export function shardringDriver<Client extends UnstorageClient>(
  options: UnstorageDriverOptions<Client>,
): UnstorageDriver<Client> {
  expectOptions('options', options, ['client', 'base', 'ttl', 'ownsClient', 'scanCount']);
  const { client } = options;
  expectClient('options.client', client, methods);
  const base = joined(expectString('options.base', options.base ?? ''));
  const ownsClient = expectBoolean('options.ownsClient', options.ownsClient ?? false);
  const scanCount = expectInteger('options.scanCount', options.scanCount ?? 1_000, 1);
  expiryOf('options.ttl', options.ttl);

  const keyOf = (key: string) => base + key;
  const store = (key: string, value: string | Buffer, ...from: (UnstorageItemOptions | undefined)[]) => {
    const seconds = from.find((item) => item?.ttl !== undefined)?.ttl ?? options.ttl;
    return write(client, keyOf(key), value, { field: 'ttl', ttlMs: millisecondsOf(seconds) });
  };

  return {
    name: 'shardring',
    options,
    getInstance: () => client,
    hasItem: async (key) => (await client.exists(keyOf(key))) > 0,
    getItem: (key) => client.get(keyOf(key)),
    async getItems(items) {
      if (items.length === 0) return [];
      const values = await client.mget(items.map(({ key }) => keyOf(key)));
      return items.map(({ key }, index) => ({ key, value: values[index] ?? null }));
    },
    getItemRaw: (key) => client.getBuffer(keyOf(key)),
    setItem: (key, value, item) => store(key, value, item),
    async setItems(items, common) {
      await allSettled(items.map((item) => store(item.key, item.value, item.options, common)));
    },
    setItemRaw: async (key, value, item) => store(key, bytesOf(value), item),
    async removeItem(key) {
      await client.unlink([keyOf(key)]);
    },
    async getKeys(below = '') {
      const keys: string[] = [];
      for await (const page of pagesBelow(client, base + joined(below), scanCount)) {
        for (const key of page) keys.push(key.slice(base.length));
      }
      return keys;
    },
    clear: (below = '') => clearBelow(client, base + joined(below), scanCount),
    async dispose() {
      if (ownsClient) await client.quit();
    },
  };
}

/** A base as what its keys begin with. unstorage has `/`, `\` and `:` mean the same, and drops those at either end. */
function joined(base: string): string {
  const words = base.split(/[/\\:]+/).filter((word) => word !== '');
  return words.length === 0 ? '' : `${words.join(':')}:`;
}

/** Without floating-point noise: 0.07 s are 70 ms and not 71. The reader rejects a value that is not a number. */
const millisecondsOf = (seconds: unknown) =>
  typeof seconds === 'number' ? Number((seconds * 1_000).toFixed(6)) : seconds;

/** @throws {InvalidArgumentError} */
function bytesOf(value: unknown): string | Buffer {
  if (typeof value === 'string') return value;
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return Buffer.from(value);
  throw new InvalidArgumentError('value', 'text or bytes', value);
}
