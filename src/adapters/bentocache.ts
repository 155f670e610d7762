/**
 * Entry `shardring/bentocache`: an L2 driver for BentoCache on a ShardedRedis, or on a client of ioredis.
 *
 * BentoCache's own Redis driver takes a client only if it is an instance of ioredis' classes. This one stores keys and
 * values as that one does, so that either reads what the other wrote. Unlike it, the driver tells errors of every key,
 * takes prefixes literally (`*` included), and closes only a client that it owns.
 *
 * The contracts are `L2CacheDriver` and `CreateDriverResult` of bentocache 1.
 */

import { InvalidArgumentError } from '../errors/index.ts';
import { expectBoolean, expectInteger, expectOptions, expectString } from '../runtime/validate.ts';
import { clearBelow, expectClient, type KeyValueCommands, type PrefixedClient, write } from './key-value-client.ts';

const methods = ['get', 'getdel', 'set', 'unlink', 'scanStream', 'quit'] as const;

/** The part of an ioredis client that the driver uses. */
export type BentocacheClient = Pick<KeyValueCommands, (typeof methods)[number]> & PrefixedClient;

export interface BentocacheDriverOptions {
  /** A ShardedRedis or an ioredis client. It stays open, unless `ownsClient`. Redis 6.2 or later, for GETDEL. */
  readonly client: BentocacheClient;
  /** Put before each key, with a colon between. Default: the prefix that BentoCache has, which is `bentocache`. */
  readonly prefix?: string | undefined;
  /** True: `disconnect()` closes the client too. Default false. */
  readonly ownsClient?: boolean | undefined;
  /** Keys asked for at a time, of each node, by `clear`. Integer of at least 1. Default 1,000. */
  readonly scanCount?: number | undefined;
}

/** The argument of `bentostore().useL2Layer()`. */
export interface BentocacheDriverFactory {
  readonly options: BentocacheDriverOptions;
  /** BentoCache calls it with its own settings beside ours. */
  readonly factory: (config: BentocacheDriverOptions) => BentocacheDriver;
}

/** @throws {InvalidArgumentError} Names the option. */
export function shardringDriver(options: BentocacheDriverOptions): BentocacheDriverFactory {
  expectOptions('options', options, optionNames);
  // Made once here, so that a wrong option throws where it was written.
  new BentocacheDriver(options);
  const { prefix, ...others } = options;
  // BentoCache lays the options over its own prefix, and an undefined one would take its place.
  const given = prefix === undefined ? others : options;
  return { options: given, factory: (config) => new BentocacheDriver(config) };
}

const optionNames = ['client', 'prefix', 'ownsClient', 'scanCount'];

export class BentocacheDriver {
  readonly type = 'l2';
  readonly client: BentocacheClient;
  readonly #prefix: string;
  readonly #ownsClient: boolean;
  readonly #scanCount: number;

  /** @throws {InvalidArgumentError} Names the option. Others than ours are BentoCache's, and are left alone. */
  constructor(options: BentocacheDriverOptions) {
    expectClient('options.client', options.client, methods);
    this.client = options.client;
    this.#prefix = expectString('options.prefix', options.prefix ?? '').replace(/:+$/, '');
    this.#ownsClient = expectBoolean('options.ownsClient', options.ownsClient ?? false);
    this.#scanCount = expectInteger('options.scanCount', options.scanCount ?? 1_000, 1);
  }

  /** A driver for the keys below `namespace`, on the same client, which stays this driver's to close. */
  namespace(namespace: string): BentocacheDriver {
    const { client } = this;
    return new BentocacheDriver({ client, prefix: this.#below + namespace, scanCount: this.#scanCount });
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.client.get(this.#below + key)) ?? undefined;
  }

  /** Takes the value away, in one step. */
  async pull(key: string): Promise<string | undefined> {
    return (await this.client.getdel(this.#below + key)) ?? undefined;
  }

  /** @param ttl  Milliseconds, fractions rounded up. 0 or undefined: for ever. Less than 0: the key is removed. */
  async set(key: string, value: string, ttl?: number): Promise<boolean> {
    await write(this.client, this.#below + key, value, { field: 'ttl', ttlMs: ttl });
    return true;
  }

  /**
   * Removes the keys below the prefix, those of namespaces among them, at all nodes. All others stay.
   * @throws {InvalidArgumentError} There is no prefix. Within BentoCache there always is one.
   */
  async clear(): Promise<void> {
    if (this.#below === '') {
      throw new InvalidArgumentError(
        'options.prefix',
        'a prefix; without one, clear() would remove every key',
        undefined,
      );
    }
    await clearBelow(this.client, this.#below, this.#scanCount);
  }

  /** True if there was something to delete. */
  async delete(key: string): Promise<boolean> {
    return (await this.client.unlink([this.#below + key])) > 0;
  }

  /** True, as BentoCache wants it: none of the keys is there any more. */
  async deleteMany(keys: string[]): Promise<boolean> {
    if (keys.length > 0) await this.client.unlink(keys.map((key) => this.#below + key));
    return true;
  }

  /** Closes the client if the driver owns it. */
  async disconnect(): Promise<void> {
    if (this.#ownsClient) await this.client.quit();
  }

  /** The beginning of all its keys. */
  get #below(): string {
    return this.#prefix === '' ? '' : `${this.#prefix}:`;
  }
}
