/** One node of a ShardedRedis: its server, and the client of its own that applications may ask for. */

import type { Redis, RedisOptions } from 'ioredis';
import { loadedRedisClass } from '../backend/connections/ioredis-module.ts';
import type { RedisServer } from '../backend/connections/server.ts';
import type { Target } from '../backend/connections/target.ts';
import type { NodeId } from '../placement/node.ts';

export class RedisNode {
  readonly id: NodeId;
  readonly server: RedisServer;

  readonly #target: Target;
  readonly #onClientError: (error: Error) => void;
  #client: Redis | undefined;

  /** @param onClientError  Told what the client for the application meets; without a listener ioredis prints it. */
  constructor(id: NodeId, server: RedisServer, target: Target, onClientError: (error: Error) => void) {
    this.id = id;
    this.server = server;
    this.#target = target;
    this.#onClientError = onClientError;
  }

  /**
   * An ordinary client of ioredis for this node alone, with ioredis' own rules of queueing and resending: the one that the
   * application lent, or one made at the first call and kept.
   * @throws {MissingDependencyError} ioredis is not installed.
   */
  get client(): Redis {
    if (this.#target.kind === 'lent') return this.#target.client as unknown as Redis;
    this.#client ??= this.makeClient({}).on('error', this.#onClientError);
    return this.#client;
  }

  /** Options of the node's own client, none for a lent one. */
  get options(): RedisOptions {
    return this.#target.kind === 'own' ? this.#target.options : {};
  }

  /** A new client that leads to this node, with `overrides` over the options of the node. */
  makeClient(overrides: RedisOptions): Redis {
    const options = { ...overrides, ...this.server.groupOptions };
    if (this.#target.kind === 'lent') return this.#target.client.duplicate(options) as unknown as Redis;
    const RedisClass = loadedRedisClass();
    return new RedisClass({ ...this.#target.options, ...options });
  }

  /** Ends the client that this node made for the application, at once. */
  endClient(): void {
    if (this.#target.kind === 'own') this.#client?.disconnect();
  }
}
