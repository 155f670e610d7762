/**
 * Entry `shardring/keyv`: a store for Keyv 4, 5 and 6 on a ShardedRedis, or on a client of ioredis; and so for what stands on
 * Keyv, as cacheable and cache-manager do.
 *
 * A key is stored as `namespace::key`, as by @keyv/redis 5, so that either reads what the other wrote. The contract is
 * `KeyvStoreAdapter` of Keyv 5, whose times are relative; Keyv 6 bridges to such a store, if its methods are async functions
 * and it has `namespace` as a property.
 */

import { EventEmitter } from 'node:events';
import { InvalidArgumentError } from '../errors/index.ts';
import { expectBoolean, expectInteger, expectOptions, expectString } from '../runtime/validate.ts';
import {
  allSettled,
  clearBelow,
  expectClient,
  type KeyValueCommands,
  type PrefixedClient,
  pagesBelow,
  write,
} from './key-value-client.ts';

const methods = ['get', 'mget', 'set', 'exists', 'unlink', 'scanStream', 'quit'] as const;

/** The part of an ioredis client that the store uses. */
export type KeyvStoreClient = Pick<KeyValueCommands, (typeof methods)[number]> & PrefixedClient;

export interface KeyvStoreOptions {
  /** A ShardedRedis or an ioredis client. It stays open, unless `ownsClient`. */
  readonly client: KeyvStoreClient;
  /** True: `disconnect()` closes the client too. Default false. */
  readonly ownsClient?: boolean | undefined;
  /**
   * True: without a namespace, `clear()` removes every key of every node, and `iterator()` goes through them all. Default
   * false: they then reject, because the keys of others on the same servers cannot be distinguished from the store's own.
   */
  readonly noNamespaceAffectsAll?: boolean | undefined;
  /** Keys asked for at a time, of each node, by `clear` and `iterator`. Integer of at least 1. Default 1,000. */
  readonly scanCount?: number | undefined;
}

/** An entry of `setMany`. */
export interface KeyvStoreEntry {
  readonly key: string;
  readonly value: unknown;
  /** Milliseconds; see {@link KeyvStore.set}. */
  readonly ttl?: number | undefined;
}

/** Keyv 5 hands the booleans to its caller, though it declares that a store gives nothing. */
// biome-ignore lint/suspicious/noConfusingVoidType: it is what Keyv declares, and an intersection with it fits both.
export type SetManyResult = boolean[] & void;

/**
 * The store of one Keyv. Two Keyvs need a store each, on one client if you like: a store has one namespace, and Keyv sets it.
 *
 * An error of a node reaches Keyv, which emits it as 'error' or throws it by its own rules (`throwOnErrors` of Keyv 5).
 */
export class KeyvStore extends EventEmitter {
  /** Keyv 5 offers `iterator()` only for stores that name one of the engines it knows. */
  readonly opts: Record<string, unknown> = { dialect: 'redis' };
  #namespace: string | undefined = undefined;
  /** How many listened for errors when a Keyv set the namespace: each Keyv begins with listening. 0: none has set it. */
  #listenersOfOwner = 0;
  #isOfKeyv6 = false;
  readonly client: KeyvStoreClient;
  readonly #ownsClient: boolean;
  readonly #noNamespaceAffectsAll: boolean;
  readonly #scanCount: number;

  /** @throws {InvalidArgumentError} Names the option. */
  constructor(options: KeyvStoreOptions) {
    super();
    const { client, ownsClient, noNamespaceAffectsAll, scanCount } = expectOptions('options', options, [
      ...['client', 'ownsClient', 'noNamespaceAffectsAll', 'scanCount'],
    ]);
    expectClient('options.client', client, methods);
    this.client = options.client;
    this.#ownsClient = expectBoolean('options.ownsClient', ownsClient ?? false);
    this.#noNamespaceAffectsAll = expectBoolean('options.noNamespaceAffectsAll', noNamespaceAffectsAll ?? false);
    this.#scanCount = expectInteger('options.scanCount', scanCount ?? 1_000, 1);
  }

  /** Set by Keyv. Without `::` in it, no other namespace's keys can begin as this one's do. */
  get namespace(): string | undefined {
    return this.#namespace;
  }

  /** @throws {InvalidArgumentError} Another Keyv has this store, with another namespace: `clear()` of one would empty the other. */
  set namespace(namespace: string | undefined) {
    const listeners = this.listenerCount('error');
    const isOfAnother = this.#listenersOfOwner > 0 && listeners > this.#listenersOfOwner;
    if (isOfAnother && namespace !== this.#namespace) {
      throw InvalidArgumentError.saying(
        'namespace',
        'this store belongs to a Keyv with another namespace. Make a KeyvStore for each Keyv; they may share the client.',
      );
    }
    this.#namespace = namespace;
    if (this.#listenersOfOwner === 0) this.#listenersOfOwner = listeners;
  }

  /** Only Keyv 6 asks for it. There is nothing to tell: times stay relative, as Keyv 6 then gives them by its bridge. */
  get capabilities(): undefined {
    this.#isOfKeyv6 = true;
    return undefined;
  }

  /** The stored text, which Keyv turns into a value; undefined if there is none. */
  async get<Value = string>(key: string): Promise<Value | undefined> {
    try {
      return ((await this.client.get(this.#stored(key))) ?? undefined) as Value | undefined;
    } catch (error) {
      // Keyv 5 silently treats an error of `get`, and of `get` alone, as a miss. Keyv 6 reports it itself.
      if (!this.#isOfKeyv6 && this.listenerCount('error') > 0) this.emit('error', error);
      throw error;
    }
  }

  async getMany<Value = string>(keys: string[]): Promise<(Value | undefined)[]> {
    if (keys.length === 0) return [];
    const values = await this.client.mget(keys.map((key) => this.#stored(key)));
    return values.map((value) => (value ?? undefined) as Value | undefined);
  }

  /**
   * @param value  Text, which is what Keyv's serializers give.
   * @param ttl    Milliseconds, fractions rounded up. 0 or undefined: for ever. Less than 0: the key is removed; Keyv 6
   *               gives undefined for it.
   */
  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    await write(this.client, this.#stored(key), expectString('value', value), { field: 'ttl', ttlMs: ttl });
    return true;
  }

  /**
   * Rejects if any entry could not be stored; the others are.
   * @returns True for each.
   */
  async setMany(entries: readonly KeyvStoreEntry[]): Promise<SetManyResult> {
    const stored = await allSettled(entries.map(({ key, value, ttl }) => this.set(key, value, ttl)));
    return stored as SetManyResult;
  }

  /** True if there was something to delete. */
  async delete(key: string): Promise<boolean> {
    return (await this.client.unlink([this.#stored(key)])) > 0;
  }

  /** True if there was something to delete under any of the keys. */
  async deleteMany(keys: string[]): Promise<boolean> {
    if (keys.length === 0) return false;
    return (await this.client.unlink(keys.map((key) => this.#stored(key)))) > 0;
  }

  async has(key: string): Promise<boolean> {
    return (await this.client.exists(this.#stored(key))) > 0;
  }

  async hasMany(keys: string[]): Promise<boolean[]> {
    return allSettled(keys.map((key) => this.has(key)));
  }

  /** Removes the namespace's keys at all nodes; all others stay. */
  async clear(): Promise<void> {
    await clearBelow(this.client, this.#prefixOf(this.namespace), this.#scanCount);
  }

  /** The namespace's keys and texts at all nodes, each key once. What is written meanwhile may be there or not. */
  async *iterator<Value = string>(namespace = this.namespace): AsyncGenerator<[string, Awaited<Value>], void> {
    const prefix = this.#prefixOf(namespace);
    for await (const keys of pagesBelow(this.client, prefix, this.#scanCount)) {
      const values = await this.client.mget(keys);
      for (const [index, key] of keys.entries()) {
        const value = values[index] ?? null;
        // Null: it has gone since its key came, or it is no string and so not ours.
        if (value !== null) yield [key.slice(prefix.length), value as Awaited<Value>];
      }
    }
  }

  /** Closes the client if the store owns it. */
  async disconnect(): Promise<void> {
    if (this.#ownsClient) await this.client.quit();
  }

  #stored(key: string): string {
    return namespacePrefix(this.namespace) + key;
  }

  /** @throws {InvalidArgumentError} It would be the keys of everybody. */
  #prefixOf(namespace: string | undefined): string {
    const prefix = namespacePrefix(namespace);
    if (prefix !== '' || this.#noNamespaceAffectsAll) return prefix;
    throw new InvalidArgumentError('namespace', 'a namespace, or the option noNamespaceAffectsAll', namespace);
  }
}

const namespacePrefix = (namespace: string | undefined) => (namespace ? `${namespace}::` : '');
