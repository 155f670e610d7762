/** One node of a ShardedRedis: its server, and the client of its own that applications may ask for. */

import type { Redis, RedisOptions } from 'ioredis';
import type { CompleteBackend } from '../backend/backend.ts';
import { type NodeObserver, unwatched } from '../health/node-observer.ts';
import type { Door } from '../nodes/attempt.ts';
import type { Member } from '../nodes/node.ts';
import type { NodeId } from '../placement/node.ts';
import {
  type CallObserver,
  type Client,
  guardQueue,
  guardSubscriber,
  limitReplies,
  loadedRedisClass,
  type RedisServer,
  type ServerCheck,
  sharedClientOptions,
  type Target,
} from '../server/index.ts';
import { CommandObserver } from './command-observer.ts';

export class RedisNode implements Member {
  readonly id: NodeId;
  readonly server: RedisServer;
  readonly backend: CompleteBackend;
  observer: NodeObserver = unwatched;
  /** Hears how commands end. */
  readonly calls: CallObserver;

  readonly #target: Target;
  readonly #onClientError: (error: Error) => void;
  #client: Redis | undefined;

  /** @param onClientError  Told what the client for the application meets; without a listener ioredis prints it. */
  constructor(
    id: NodeId,
    server: RedisServer,
    backend: CompleteBackend,
    target: Target,
    door: Door,
    onClientError: (error: Error) => void,
  ) {
    this.id = id;
    this.server = server;
    this.backend = backend;
    this.calls = new CommandObserver(door, this);
    this.#target = target;
    this.#onClientError = onClientError;
  }

  /**
   * An ordinary client of ioredis for this node alone, with ioredis' own rules of queueing and resending: the one that the
   * application gave, or one made at the first call and kept.
   * @throws {MissingDependencyError} ioredis is not installed.
   */
  get client(): Redis {
    if (this.#target.kind === 'borrowed') return this.#target.client as unknown as Redis;
    this.#client ??= this.makeClient({}).on('error', this.#onClientError);
    return this.#client;
  }

  /** A new client that leads to this node, with `overrides` over the options of the node. */
  makeClient(overrides: RedisOptions): Redis {
    const options = { ...this.server.clientOptions, ...overrides };
    if (this.#target.kind === 'borrowed') return this.#target.client.duplicate(options) as unknown as Redis;
    const RedisClass = loadedRedisClass();
    return new RedisClass({ ...this.#target.options, ...options });
  }

  /** For subscriptions: it reconnects by itself, for as long as it is not ended, to a server that passes the check. */
  makeSubscriber(connectTimeoutMs: number | undefined): { readonly client: Redis; readonly check: ServerCheck } {
    const check = this.server.newCheck();
    const own = this.#target.kind === 'own' ? this.#target.options : {};
    const client = this.makeClient({ ...sharedClientOptions(own, connectTimeoutMs), ...check.sharedOptions });
    limitReplies(client as unknown as Client, this.server.maxReplyBytes);
    guardQueue(client as unknown as Client);
    guardSubscriber(client as unknown as Client, this.server.maxReplyBytes);
    return { client, check };
  }

  /** Ends the client that this node made for the application, at once. */
  endClient(): void {
    if (this.#target.kind === 'own') this.#client?.disconnect();
  }
}
