/**
 * The command surface of ioredis over independent servers.
 *
 * This file is the face: it takes commands and hands them to those who know what to do. Commands of one key go to that key's
 * node; what those of several keys do is in `command-table.ts`, and how they get there in `dispatch.ts`.
 */

import type { Redis, RedisKey } from 'ioredis';
import { InvalidArgumentError } from '../errors/index.ts';
import { type Explanation, explain } from '../routing/explain.ts';
import { systemRandom } from '../runtime/random.ts';
import { expectFunction, expectString } from '../runtime/validate.ts';
import { defaultConnectTimeoutMs, parseUseOptions, type WithConnectionOptions } from '../server/index.ts';
import { primaryOf, type Topology } from '../topology/topology.ts';
import {
  addCommandMethods,
  asCommand,
  type CommandOwner,
  isTaken,
  type ReplyEncoding,
  takeCallback,
  tellCallback,
} from './commander.ts';
import { ConnectedNodes } from './connected-nodes.ts';
import { Dispatcher } from './dispatch.ts';
import { invocationOf } from './invocation.ts';
import { NodeCaller } from './node-caller.ts';
import { parseOptions, rereadable, type ShardedRedisOptions } from './options.ts';
import { type OnQueued, type PipelineResults, type QueuedCommand, ShardedPipeline } from './pipeline.ts';
import type { ChannelInput } from './pubsub/channel.ts';
import { isSubscription, PubSub, type SubscriptionCommand } from './pubsub/pubsub.ts';
import type { ElementCommand, ElementScan, ScannedElement } from './scans/element-scan.ts';
import type { KeyScan } from './scans/scan.ts';
import type { ElementScanOptions, ScanOptions } from './scans/scan-options.ts';
import type { ScanStream, ScanStreamOptions } from './scans/scan-stream.ts';
import { Scans } from './scans/scans.ts';
import { parseScript, type Script, type ScriptDefinition, scriptCall } from './script.ts';
import { ShardedTransaction } from './transaction.ts';
import type { Pipeline, RedisCommands, Transaction } from './types.ts';

/** What options of HSCAN, SSCAN and ZSCAN say of the elements: text, or bytes. */
type ScanOfText = ElementScanOptions & { readonly buffers?: false | undefined };
type ScanOfBytes = ElementScanOptions & { readonly buffers: true };

export interface ShardedRedis extends RedisCommands {}

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods of commands are put on the prototype below.
export class ShardedRedis extends ConnectedNodes implements CommandOwner {
  /** A library that asks is told that it need not reckon with Redis Cluster: there are no slots and no redirections. */
  readonly isCluster = false;
  /** As ioredis says it of a connection: here commands can always be used, also beside subscriptions. */
  readonly mode = 'normal';
  /** As given to the constructor; nodes that can be read only once, as an array. */
  readonly options: ShardedRedisOptions;

  readonly #caller: NodeCaller;
  readonly #dispatcher: Dispatcher;
  readonly #scans: Scans;
  readonly #pubsub: PubSub;
  readonly #scripts = new Map<string, Script>();

  /** @throws {InvalidArgumentError} Names the field at fault. */
  constructor(options: ShardedRedisOptions) {
    const kept = rereadable(options);
    super(parseOptions(kept));
    this.options = kept;
    const { timeoutMs, keyPrefix } = this.parsed;
    const caller = new NodeCaller(this.fleet, this.redisNodes, timeoutMs);
    this.#caller = caller;
    this.#dispatcher = new Dispatcher(this.fleet, caller, { ...this.parsed, random: systemRandom });
    this.#scans = new Scans(
      this.fleet,
      caller,
      keyPrefix,
      async (name, key, ask, preferred) => {
        this.begin();
        await this.loading();
        return this.#dispatcher.readKey(invocationOf(name, [key, '0'], null, this.commandParser), ask, preferred);
      },
      () => this.begin(),
    );
    this.#pubsub = this.#makePubSub();
  }

  #makePubSub(): PubSub {
    const { clock, timeoutMs, connectTimeoutMs } = this.parsed;
    const { topology } = this;
    return new PubSub({
      ...{ clock, timeoutMs, handshakeTimeoutMs: connectTimeoutMs ?? defaultConnectTimeoutMs },
      homes: { nodes: [...this.redisNodes.keys()], nodeOf: (channel) => primaryOf(topology, channel) },
      makeClient: (id) => this.redisNodes.get(id)!.makeSubscriber(connectTimeoutMs),
      target: this,
      onError: (node, error) => this.tell('node error', error, node),
    });
  }

  /** Runs a command by its name: what every command's own method does. */
  runCommand(name: string, args: unknown[], encoding: ReplyEncoding): Promise<unknown> {
    const callback = takeCallback(args);
    const run = isSubscription(name) ? this.#subscribe(name, args) : this.#execute(name, args, encoding);
    return tellCallback(run, callback);
  }

  /**
   * Messages come as ioredis' events: `message`, `pmessage`, `smessage` and their `*Buffer` forms. Every other command can be
   * used meanwhile, as subscriptions have connections of their own.
   */
  async #subscribe(name: SubscriptionCommand, channels: unknown[]): Promise<number> {
    this.begin();
    await this.loading();
    return this.#pubsub[name](...(channels as ChannelInput[]));
  }

  #execute(name: string, args: readonly unknown[], encoding: ReplyEncoding, isRead?: boolean): Promise<unknown> {
    try {
      this.begin();
      const loading = this.loading();
      if (loading === undefined) return this.#run(name, args, encoding, isRead);
      return loading.then(() => {
        this.begin();
        return this.#run(name, args, encoding, isRead);
      });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #run(name: string, args: readonly unknown[], encoding: ReplyEncoding, isRead?: boolean): Promise<unknown> {
    return this.#dispatcher.run(invocationOf(name, args, encoding, this.commandParser), isRead);
  }

  /**
   * Adds a method that runs a Lua script at the node of its keys; and one with `Buffer` after its name, which gives bytes.
   * Its text goes with each call, so that no server can have forgotten it.
   * @throws {InvalidArgumentError}  Also for a name that is already that of something else than a command.
   */
  defineCommand(name: string, definition: ScriptDefinition): void {
    const script = parseScript(name, definition);
    const owners = [this, this.pipeline(), this.multi()];
    if (owners.some((owner) => isTaken(owner, name) || isTaken(owner, `${name}Buffer`))) {
      throw InvalidArgumentError.saying('name', 'already a property or a method that is not a command.');
    }
    this.#scripts.set(name, script);
    const methodOf = (encoding: ReplyEncoding) =>
      asCommand((...args: unknown[]) => {
        const callback = takeCallback(args);
        return tellCallback(this.#runScript(script, args, encoding), callback);
      });
    Object.assign(this, { [name]: methodOf('utf8'), [`${name}Buffer`]: methodOf(null) });
  }

  #runScript(script: Script, args: readonly unknown[], encoding: ReplyEncoding): Promise<unknown> {
    const call = scriptCall(script, args);
    return this.#execute(call.name, call.args, encoding, script.readOnly);
  }

  /**
   * Keeps commands for any nodes and sends them all with `exec()`. Failures stand in the results, each for its own command.
   * @param commands  Some to begin with: `[['set', 'key', 'value'], ['get', 'key']]`.
   */
  pipeline(commands?: readonly (readonly unknown[])[]): Pipeline {
    return new ShardedPipeline(this.#executor, commands) as Pipeline;
  }

  /**
   * A transaction on one node: `exec()` rejects with `ERR_CROSS_NODE`, and nothing is sent, where its keys live on several.
   * @throws {InvalidArgumentError} `{ pipeline: false }`, which would begin it on a connection that all callers share.
   */
  multi(
    commands?: readonly (readonly unknown[])[] | { readonly pipeline: boolean },
    options?: { readonly pipeline: boolean },
  ): Transaction {
    const list = Array.isArray(commands) ? (commands as readonly (readonly unknown[])[]) : undefined;
    const { pipeline } = options ?? (list === undefined ? (commands as { pipeline?: boolean } | undefined) : {}) ?? {};
    if (pipeline === false) {
      throw new InvalidArgumentError(
        'options.pipeline',
        'true, or withConnection(key, use) to hold a connection',
        false,
      );
    }
    return new ShardedTransaction(this.#executor, list) as Transaction;
  }

  get #executor() {
    return {
      scripts: this.#scripts,
      execute: ({ script, name, args, encoding }: QueuedCommand) =>
        script === undefined ? this.#execute(name, args, encoding) : this.#runScript(script, args, encoding),
      executeTransaction: async (
        commands: readonly QueuedCommand[],
        onQueued: OnQueued,
      ): Promise<PipelineResults | null> => {
        this.begin();
        const loading = this.loading();
        if (loading !== undefined) await loading; // Else it begins now: closing later waits for it.
        const invocations = commands.map(({ script, name, args, encoding }) => {
          const call = script === undefined ? { name, args } : scriptCall(script, args);
          return invocationOf(call.name, call.args, encoding, this.commandParser);
        });
        return this.#dispatcher.transact(invocations, onQueued);
      },
    };
  }

  /**
   * Lends a connection to the node of `key` that nobody else uses meanwhile: for WATCH with MULTI, and whatever else needs
   * one. It is a client of ioredis; keys are as they stand at the server, the prefix is yours to write.
   */
  async withConnection<Result>(
    key: string,
    use: (client: Redis) => Promise<Result> | Result,
    options: WithConnectionOptions = {},
  ): Promise<Result> {
    const parsed = parseUseOptions(options);
    expectFunction('use', use);
    this.begin();
    const node = primaryOf(this.topology, expectString('key', key));
    return this.#caller.inService(node, 'withConnection').server.lend(use, parsed);
  }

  /**
   * Keys of all nodes. With options or nothing, an async iterable over all nodes at once, whose `cursor` leads a later scan
   * on; with a cursor, as in ioredis, one page and the next cursor.
   */
  scan(options?: ScanOptions & { readonly buffers?: false }): KeyScan<string>;
  scan(options: ScanOptions & { readonly buffers: true }): KeyScan<Buffer>;
  scan(cursor: string | number, ...args: unknown[]): Promise<[cursor: string, keys: string[]]>;
  scan(first?: unknown, ...rest: unknown[]): unknown {
    return isOptions(first) ? this.#scans.keys(first ?? {}) : this.#scanPage([first, ...rest], 'utf8');
  }

  scanBuffer(cursor: string | number, ...args: unknown[]): Promise<[cursor: Buffer, keys: Buffer[]]> {
    return this.#scanPage([cursor, ...args], null) as Promise<[Buffer, Buffer[]]>;
  }

  #scanPage(args: unknown[], encoding: ReplyEncoding): Promise<unknown> {
    const callback = takeCallback(args);
    const [cursor, ...rest] = args;
    return tellCallback(this.#scans.page(cursor, rest, encoding), callback);
  }

  /** What is in one key: with options or nothing an async iterable, with a cursor as in ioredis. */
  hscan(key: RedisKey, options?: ScanOfText): ElementScan<ScannedElement<string>['hscan']>;
  hscan(key: RedisKey, options: ScanOfBytes): ElementScan<ScannedElement<Buffer>['hscan']>;
  hscan(key: RedisKey, cursor: string | number, ...args: unknown[]): Promise<[cursor: string, elements: string[]]>;
  hscan(key: RedisKey, ...rest: unknown[]): unknown {
    return this.#scanElements('hscan', key, rest);
  }

  sscan(key: RedisKey, options?: ScanOfText): ElementScan<ScannedElement<string>['sscan']>;
  sscan(key: RedisKey, options: ScanOfBytes): ElementScan<ScannedElement<Buffer>['sscan']>;
  sscan(key: RedisKey, cursor: string | number, ...args: unknown[]): Promise<[cursor: string, elements: string[]]>;
  sscan(key: RedisKey, ...rest: unknown[]): unknown {
    return this.#scanElements('sscan', key, rest);
  }

  zscan(key: RedisKey, options?: ScanOfText): ElementScan<ScannedElement<string>['zscan']>;
  zscan(key: RedisKey, options: ScanOfBytes): ElementScan<ScannedElement<Buffer>['zscan']>;
  zscan(key: RedisKey, cursor: string | number, ...args: unknown[]): Promise<[cursor: string, elements: string[]]>;
  zscan(key: RedisKey, ...rest: unknown[]): unknown {
    return this.#scanElements('zscan', key, rest);
  }

  #scanElements(command: ElementCommand, key: RedisKey, rest: unknown[]): unknown {
    const [first] = rest;
    if (isOptions(first)) return this.#scans.elements(command, key, first ?? {});
    return this.runCommand(command, [key, ...rest], 'utf8');
  }

  /** A stream of pages of keys, of all nodes at once. */
  scanStream(options: ScanStreamOptions = {}): ScanStream<string> {
    return this.#scans.keyStream(options, 'utf8') as ScanStream<string>;
  }

  scanBufferStream(options: ScanStreamOptions = {}): ScanStream<Buffer> {
    return this.#scans.keyStream(options, null) as ScanStream<Buffer>;
  }

  hscanStream(key: RedisKey, options: ScanStreamOptions = {}): ScanStream<string> {
    return this.#scans.elementStream('hscan', key, options, 'utf8') as ScanStream<string>;
  }

  hscanBufferStream(key: RedisKey, options: ScanStreamOptions = {}): ScanStream<Buffer> {
    return this.#scans.elementStream('hscan', key, options, null) as ScanStream<Buffer>;
  }

  sscanStream(key: RedisKey, options: ScanStreamOptions = {}): ScanStream<string> {
    return this.#scans.elementStream('sscan', key, options, 'utf8') as ScanStream<string>;
  }

  sscanBufferStream(key: RedisKey, options: ScanStreamOptions = {}): ScanStream<Buffer> {
    return this.#scans.elementStream('sscan', key, options, null) as ScanStream<Buffer>;
  }

  zscanStream(key: RedisKey, options: ScanStreamOptions = {}): ScanStream<string> {
    return this.#scans.elementStream('zscan', key, options, 'utf8') as ScanStream<string>;
  }

  zscanBufferStream(key: RedisKey, options: ScanStreamOptions = {}): ScanStream<Buffer> {
    return this.#scans.elementStream('zscan', key, options, null) as ScanStream<Buffer>;
  }

  /** The ordinary ioredis client of the node that holds `key`, first of them with copies. It knows nothing of the others. */
  nodeFor(key: string): Redis {
    return this.redisNodes.get(primaryOf(this.topology, expectString('key', key)))!.client;
  }

  /** The ordinary ioredis clients of all nodes, in the order given. @param role  As in a Cluster; there are no 'slave's. */
  nodes(role: 'all' | 'master' | 'slave' = 'all'): Redis[] {
    return role === 'slave' ? [] : [...this.redisNodes.values()].map(({ client }) => client);
  }

  /** The ioredis client of one node by its id; with a listener, the events of this client. */
  override on(nodeId: string): Redis;
  override on(event: string | symbol, listener: (...args: never[]) => void): this;
  override on(name: string | symbol, listener?: (...args: never[]) => void): Redis | this {
    if (listener !== undefined) return super.on(name, listener as (...args: unknown[]) => void);
    const node = this.redisNodes.get(String(name));
    if (node !== undefined) return node.client;
    throw new InvalidArgumentError('nodeId', `one of ${[...this.redisNodes.keys()].join(', ')}`, String(name), true);
  }

  /** The topology in force. */
  get topology(): Topology {
    return this.fleet.topology;
  }

  /** Why `key` is where it is. Touches no node. */
  explain(key: string): Explanation {
    return explain(this.fleet, expectString('key', key));
  }

  protected override endOwn(): void {
    this.#pubsub.close();
  }

  protected override doubtOwn(nodeId: string): void {
    this.#pubsub.doubt(nodeId);
  }

  /** A new client with the same options, and `overrides` over them. Lent clients are lent to both. */
  duplicate(overrides: Partial<ShardedRedisOptions> = {}): ShardedRedis {
    // By `this.constructor`: for subclasses, and so that the class keeps its name in the build.
    return new (this.constructor as typeof ShardedRedis)({ ...this.options, ...overrides });
  }
}

addCommandMethods(ShardedRedis.prototype);

/** Nothing or a plain object, as opposed to a cursor. */
function isOptions(value: unknown): value is object | undefined {
  return value === undefined || (typeof value === 'object' && value !== null && !Buffer.isBuffer(value));
}
