/**
 * A client in the manner of node-redis (npm `redis` 5 and 6) over one in the manner of ioredis, such as a ShardedRedis.
 *
 * For libraries that are written for node-redis and know nothing of nodes: connect-redis, rate-limiter-flexible with
 * `useRedisPackage`, and the like. What they call is here under its own name; what is not here is absent rather than
 * half done: `subscribe` and its kin, `watch`, `duplicate`, `withTypeMapping` (replies are strings), modules, commands
 * in capital letters. All else goes by `sendCommand`. Neither `masters` nor `slots` is there, by which libraries would
 * take it for a cluster client and look for the nodes themselves.
 */

import { ClosedError } from '../../errors/index.ts';
import { expectClient } from '../key-value-client.ts';
import { checkedWords, type ScanOptions, type Words } from './arguments.ts';
import { type ArgumentsOf, type NodeRedisCommandName, nodeRedisCommands, type ReplyOf } from './commands.ts';
import { type IoredisChain, makeMulti, type NodeRedisMulti } from './multi.ts';

/** The arguments are the event's; each listener knows its own. */
type Listener = (...args: never[]) => void;
type AnyListener = (...args: unknown[]) => void;

/** The part of an ioredis client that the facade uses: a ShardedRedis, a client of ioredis 5 or 6, of iovalkey. */
export interface IoredisClient {
  readonly status: string;
  call(command: string, args: (string | Buffer | number)[]): Promise<unknown>;
  multi(): IoredisChain;
  pipeline(): IoredisChain;
  /** One page, by cursor and words. */
  scan(cursor: string, ...options: never[]): Promise<unknown>;
  scanStream(options?: { match?: string; count?: number; type?: string }): AsyncIterable<unknown>;
  connect(): Promise<unknown>;
  quit(): Promise<unknown>;
  disconnect(): void;
  on(event: string, listener: AnyListener): unknown;
  once(event: string, listener: AnyListener): unknown;
  removeListener(event: string, listener: AnyListener): unknown;
}

/** The commands, each under node-redis' name, with its arguments and its reply. */
export type NodeRedisCommands = {
  [Name in NodeRedisCommandName]: (...args: ArgumentsOf<Name>) => Promise<ReplyOf<Name>>;
};

export type NodeRedisFacade = NodeRedisCommands & FacadeClient;

class FacadeClient {
  readonly #client: IoredisClient;

  constructor(client: IoredisClient) {
    this.#client = client;
  }

  /** Connecting or connected: true until the client is closed, also while a lost connection is made again. */
  get isOpen(): boolean {
    return !['wait', 'disconnecting', 'end'].includes(this.#client.status);
  }

  /** Commands are sent at once. */
  get isReady(): boolean {
    return this.#client.status === 'ready';
  }

  /** Resolves once the client is ready. A client that connects by itself, or has done so, is no error. */
  async connect(): Promise<this> {
    if (!this.isOpen) await this.#client.connect();
    else if (!this.isReady) await whenReady(this.#client);
    return this;
  }

  /** Closes the client below, after the replies that are in flight. */
  async close(): Promise<void> {
    await this.#client.quit();
  }

  async quit(): Promise<string> {
    return String(await this.#client.quit());
  }

  /** Closes the client below at once. */
  destroy(): void {
    this.#client.disconnect();
  }

  async disconnect(): Promise<void> {
    this.destroy();
  }

  /** Events of the client below: `connect`, `ready`, `error`, `reconnecting`, `end`. */
  on(event: string, listener: Listener): this {
    this.#client.on(event, listener as AnyListener);
    return this;
  }

  once(event: string, listener: Listener): this {
    this.#client.once(event, listener as AnyListener);
    return this;
  }

  off(event: string, listener: Listener): this {
    this.#client.removeListener(event, listener as AnyListener);
    return this;
  }

  addListener(event: string, listener: Listener): this {
    return this.on(event, listener);
  }

  removeListener(event: string, listener: Listener): this {
    return this.off(event, listener);
  }

  /**
   * A command as words, sent to the node of its keys. The reply has the shape that ioredis gives it: the fields of
   * HGETALL come as an object, scores as text.
   */
  async sendCommand<Reply = unknown>(words: Words): Promise<Reply> {
    const [name, ...args] = checkedWords(words);
    const command = String(name).toLowerCase();
    // A ShardedRedis goes through its nodes by more than one command, which `call` refuses.
    if (command === 'scan') return (await this.#client.scan(String(args[0]), ...(args.slice(1) as never[]))) as Reply;
    return (await this.#client.call(command, args)) as Reply;
  }

  /** The keys of all nodes, in arrays. A key may come more than once, and an array may be empty, as with SCAN. */
  async *scanIterator(options: ScanOptions = {}): AsyncGenerator<string[], void, undefined> {
    const { MATCH: match, COUNT: count, TYPE: type } = options;
    const stream = this.#client.scanStream({
      ...(match !== undefined && { match }),
      ...(count !== undefined && { count }),
      ...(type !== undefined && { type }),
    });
    for await (const keys of stream) yield keys as string[];
  }

  multi(): NodeRedisMulti {
    return makeMulti((asPipeline) => (asPipeline ? this.#client.pipeline() : this.#client.multi()));
  }
}

/** Rejects when the client ends before it is ready. */
function whenReady(client: IoredisClient): Promise<void> {
  return new Promise((resolve, reject) => {
    const ready = () => {
      client.removeListener('end', end);
      resolve();
    };
    const end = () => {
      client.removeListener('ready', ready);
      reject(new ClosedError('client'));
    };
    client.once('ready', ready);
    client.once('end', end);
  });
}

for (const [name, { write, read }] of Object.entries(nodeRedisCommands)) {
  Object.defineProperty(FacadeClient.prototype, name, {
    async value(this: FacadeClient, ...args: never[]) {
      return read(await this.sendCommand((write as (...args: never[]) => Words)(...args)));
    },
    writable: true,
    configurable: true,
  });
}

/**
 * The client as one of node-redis. It is the same client: closing the one closes the other.
 *
 * @param client  A ShardedRedis, or a client of ioredis.
 * @throws {InvalidArgumentError} It is something else.
 */
export function asNodeRedis(client: IoredisClient): NodeRedisFacade {
  expectClient('client', client, ['call', 'multi', 'pipeline', 'scanStream', 'connect', 'quit', 'on']);
  return new FacadeClient(client) as NodeRedisFacade;
}
