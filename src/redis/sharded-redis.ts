/**
 * The command surface of ioredis over independent servers.
 *
 * This file is the face: it takes commands and hands them to those who know what to do. Commands of one key go to that key's
 * node; what those of several keys do is in `command-table.ts`, and how they get there in `dispatch.ts`.
 */

import { type InspectOptions, inspect } from 'node:util';
import type { Redis } from 'ioredis';
import type { NextPlacement } from '../cluster/changes.ts';
import { Cluster } from '../cluster/cluster.ts';
import type { ClusterEvents } from '../cluster/events.ts';
import { type Explanation, explain } from '../cluster/explain.ts';
import { ringOptionNames } from '../cluster/parse-placement.ts';
import type { Rebalance } from '../cluster/rebalance.ts';
import { InvalidArgumentError } from '../errors/index.ts';
import type { NodeHealth, NodeReport, NodeTraffic } from '../health/health-view.ts';
import type { ReadyOptions } from '../health/readiness.ts';
import { inspectAs } from '../runtime/inspect-as.ts';
import { KnownEvents } from '../runtime/known-events.ts';
import { systemRandom } from '../runtime/random.ts';
import { rethrowLater } from '../runtime/rethrow-later.ts';
import { expectFunction, expectString } from '../runtime/validate.ts';
import { defaultConnectTimeoutMs, parseUseOptions, type WithConnectionOptions } from '../server/index.ts';
import { primaryOf } from '../topology/route.ts';
import type { Topology } from '../topology/topology.ts';
import { ClientLife, type ShardedRedisStatus } from './client-life.ts';
import { CommandRunner } from './command-runner.ts';
import {
  addCommandMethods,
  asCommand,
  type Callback,
  type CommandOwner,
  isTaken,
  type ReplyEncoding,
  takeCallback,
  tellCallback,
} from './commander.ts';
import { Dispatcher } from './dispatch.ts';
import { eventNames, eventNamesOfOtherClients } from './event-names.ts';
import { NodeCaller } from './node-caller.ts';
import { borrowedParser, RedisNodes } from './nodes.ts';
import {
  type ParsedShardedRedisOptions,
  parseOptions,
  parseRedisNode,
  type RedisChangeOptions,
  rereadable,
  type ShardedRedisNode,
  type ShardedRedisOptions,
} from './options.ts';
import { ShardedPipeline } from './pipeline.ts';
import { homesOf } from './pubsub/homes.ts';
import { isSubscription, PubSub } from './pubsub/pubsub.ts';
import { addScanMethods, type ScanMethods } from './scan-methods.ts';
import { Scans } from './scans/scans.ts';
import { parseScript, type ScriptDefinition } from './script.ts';
import { ShardedTransaction } from './transaction.ts';
import type { Pipeline, RedisCommands, Transaction } from './types.ts';

export interface ShardedRedis extends RedisCommands, ScanMethods {}

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods of commands and scans are put on the prototype.
export class ShardedRedis extends KnownEvents implements CommandOwner, AsyncDisposable {
  static {
    addScanMethods<ShardedRedis>(ShardedRedis.prototype, (redis) => redis.#scans);
  }

  /** Tells libraries that this is not Redis Cluster: there are no slots and no redirections. */
  readonly isCluster = false;
  /** As ioredis says it of a connection: here commands can always be used, also beside subscriptions. */
  readonly mode = 'normal';
  /** As given to the constructor; nodes that can be read only once, as an array. */
  readonly options: ShardedRedisOptions;

  readonly #parsed: ParsedShardedRedisOptions;
  readonly #cluster: Cluster;
  readonly #nodes: RedisNodes;
  readonly #life: ClientLife;
  readonly #caller: NodeCaller;
  readonly #scans: Scans;
  readonly #pubsub: PubSub;
  readonly #runner: CommandRunner;

  /** @throws {InvalidArgumentError} Names the field at fault. */
  constructor(options: ShardedRedisOptions) {
    super(eventNames, eventNamesOfOtherClients);
    this.options = rereadable(options);
    const parsed = parseOptions(this.options);
    this.#parsed = parsed;
    this.#cluster = new Cluster({
      ...parsed,
      ...{ what: 'client', strategies: ['none'], minNodes: 1 },
      follower: {
        prepare: (next) => this.#pubsub.prepare(homesOf(next)),
        follow: (topology) => void this.#pubsub.rehome(homesOf(topology)),
      },
      emit: (name, event) => this.#emitOfCluster(name, event),
    });
    const { fleet } = this.#cluster;
    this.#nodes = new RedisNodes(parsed, fleet.door, {
      onDoubt: (id) => this.#pubsub.doubt(id),
      onClientError: (id, error) => this.#tell('node error', error, id),
    });
    this.#cluster.join(parsed.nodes.map((node) => this.#nodes.entryOf(node)));
    this.#life = this.#makeLife();
    const caller = new NodeCaller(fleet, this.#nodes.inForce, parsed.timeoutMs);
    this.#caller = caller;
    const dispatcher = new Dispatcher(fleet, caller, { ...parsed, random: systemRandom });
    this.#pubsub = this.#makePubSub();
    this.#runner = new CommandRunner(this.#life, dispatcher, this.#pubsub, borrowedParser(parsed));
    this.#scans = new Scans(
      ...([fleet, caller, parsed.keyPrefix] as const),
      async (name, key, ask, preferred) => dispatcher.readKey(await this.#runner.reading(name, key), ask, preferred),
      () => this.#life.begin(),
    );
    if (!parsed.lazyConnect) this.#life.connect().catch(() => undefined); // 'error' has told.
  }

  #makeLife(): ClientLife {
    const { timeoutMs, connectTimeoutMs = 0 } = this.#parsed;
    return new ClientLife(this.#cluster, Math.max(timeoutMs, connectTimeoutMs), {
      onReady: () => {
        this.#tell('connect');
        this.#tell('ready');
      },
      onUnreachable: (reason) => {
        if (this.listenerCount('error') > 0) this.#tell('error', reason);
      },
      onDrained: () => this.#pubsub.close(),
      onEnd: () => {
        this.#tell('close');
        this.#tell('end');
      },
    });
  }

  #makePubSub(): PubSub {
    const { clock, timeoutMs, connectTimeoutMs } = this.#parsed;
    return new PubSub({
      ...{ clock, timeoutMs, handshakeTimeoutMs: connectTimeoutMs ?? defaultConnectTimeoutMs },
      homes: homesOf(this.topology),
      makeClient: (id) => this.#nodes.opened(id).makeSubscriber(connectTimeoutMs),
      target: this,
      onError: (node, error) => this.#tell('node error', error, node),
    });
  }

  #emitOfCluster<Name extends keyof ClusterEvents>(name: Name, event: ClusterEvents[Name]): void {
    this.#tell(name, event);
    if (name !== 'nodeDown') return;
    const { node, error } = event as ClusterEvents['nodeDown'];
    this.#tell('node error', error, node); // As a Cluster tells it.
  }

  /**
   * Emits. A listener that throws must not fail the call that the event reports, nor keep others from being ended: its
   * error surfaces as an uncaught exception.
   */
  #tell(name: string, ...args: unknown[]): void {
    try {
      this.emit(name, ...args);
    } catch (error) {
      rethrowLater(error);
    }
  }

  /** Runs a command by its name: what every command's own method does. */
  runCommand(name: string, args: unknown[], encoding: ReplyEncoding): Promise<unknown> {
    const callback = takeCallback(args);
    const run = isSubscription(name) ? this.#runner.subscribe(name, args) : this.#runner.run(name, args, encoding);
    return tellCallback(run, callback);
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
    this.#runner.scripts.set(name, script);
    const methodOf = (encoding: ReplyEncoding) =>
      asCommand((...args: unknown[]) => {
        const callback = takeCallback(args);
        return tellCallback(this.#runner.runScript(script, args, encoding), callback);
      });
    Object.assign(this, { [name]: methodOf('utf8'), [`${name}Buffer`]: methodOf(null) });
  }

  /**
   * Keeps commands for any nodes and sends them all with `exec()`. Failures stand in the results, each for its own command.
   * @param commands  Some to begin with: `[['set', 'key', 'value'], ['get', 'key']]`.
   */
  pipeline(commands?: readonly (readonly unknown[])[]): Pipeline {
    return new ShardedPipeline(this.#runner, commands) as Pipeline;
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
        'true; to hold a connection, use withConnection(key, use)',
        false,
      );
    }
    return new ShardedTransaction(this.#runner, list) as Transaction;
  }

  /**
   * Gives a connection to the node of `key` that nobody else uses meanwhile: for WATCH with MULTI, and whatever else needs
   * one. It is a client of ioredis; keys are as they stand at the server, the prefix is yours to write.
   */
  async withConnection<Result>(
    key: string,
    use: (client: Redis) => Promise<Result> | Result,
    options: WithConnectionOptions = {},
  ): Promise<Result> {
    const parsed = parseUseOptions(options);
    expectFunction('use', use);
    this.#life.begin();
    const node = this.#caller.inService(this.#primaryOf(key), 'withConnection');
    return this.#caller.whileInForce(node, 'withConnection', node.server.lend(use, parsed));
  }

  /** The ordinary ioredis client of the node that holds `key`, first of them with copies. It knows nothing of the others. */
  nodeFor(key: string): Redis {
    return this.#nodes.named(this.#primaryOf(key)).client;
  }

  #primaryOf(key: string): string {
    return primaryOf(this.#cluster.fleet.routeOf(expectString('key', key)));
  }

  /** The ordinary ioredis clients of all nodes, in the order given. @param role  As in a Cluster; there are no 'slave's. */
  nodes(role: 'all' | 'master' | 'slave' = 'all'): Redis[] {
    return role === 'slave' ? [] : [...this.#nodes.inForce.values()].map(({ client }) => client);
  }

  /** The ioredis client of one node by its id; with a listener, the events of this client. */
  override on(nodeId: string): Redis;
  override on(event: string | symbol, listener: (...args: never[]) => void): this;
  override on(name: string | symbol, listener?: (...args: never[]) => void): Redis | this {
    if (listener !== undefined) return super.on(name, listener as (...args: unknown[]) => void);
    return this.#nodes.named(String(name)).client;
  }

  /** The topology in force: an immutable value, replaced by each change. */
  get topology(): Topology {
    return this.#cluster.topology;
  }

  /** Why `key` is where it is. Touches no node. */
  explain(key: string): Explanation {
    return explain(this.#cluster.fleet, expectString('key', key));
  }

  /**
   * Adds a node, once it has answered a PING. It takes over its share of the keys and channels; subscriptions follow. Keys are
   * not moved in this release: with `strategy: 'none'`, which must be named, those that change their node are missed.
   */
  addNode(node: ShardedRedisNode, options: RedisChangeOptions): Rebalance {
    this.#life.begin();
    return this.#cluster.changes.addNode(() => this.#nodes.entryOf(parseRedisNode('node', node)), options);
  }

  /** Removes a node, and closes its connections when the commands in flight on them have ended. See {@link addNode}. */
  removeNode(id: string, options: RedisChangeOptions): Rebalance {
    this.#life.begin();
    return this.#cluster.changes.removeNode(id, options);
  }

  /** Changes a node's share of the keys. See {@link addNode}. */
  setWeight(id: string, weight: number, options: RedisChangeOptions): Rebalance {
    this.#life.begin();
    return this.#cluster.changes.setWeight(id, weight, options);
  }

  /** Puts another placement of the same nodes in force, given as it is or made of the present one. See {@link addNode}. */
  setPlacement(placement: NextPlacement, options: RedisChangeOptions): Rebalance {
    this.#life.begin();
    return this.#cluster.changes.setPlacement(placement, options);
  }

  get status(): ShardedRedisStatus {
    return this.#life.status;
  }

  /** What this process thinks of each node. The first call of this or any other begins to probe them. */
  health(): ReadonlyMap<string, NodeHealth> {
    return this.#cluster.health();
  }

  /** The same with the reason: since when a node is not up, and what first said what is wrong with it. */
  healthReport(): ReadonlyMap<string, NodeReport & Partial<NodeTraffic>> {
    return this.#cluster.healthReport();
  }

  /**
   * Resolves when the nodes have answered and are up: all of them, or `atLeast` so many. {@link connect} does with one, and
   * waits for the failure of the others.
   * @throws {NotReadyError} They were not within `timeoutMs` (default: the client's): says of each what is wrong.
   */
  async ready(options?: ReadyOptions): Promise<void> {
    this.#life.begin();
    await this.#cluster.ready(options);
  }

  /**
   * Connects to all nodes and resolves when one has answered and every other one has answered or failed: a node that is
   * down must not keep an application from starting. Rejects, and goes on trying, if none can be reached.
   */
  connect(callback?: Callback): Promise<void> {
    return tellCallback(this.#life.connect(), callback);
  }

  /**
   * Refuses new commands, waits for those in flight, for at most `timeoutMs` (blocking ones end at once), and closes all
   * connections. What is left by then gets `ERR_CLOSED`, or `ERR_UNKNOWN_OUTCOME` where it may have changed something. Clients
   * borrowed from the application stay open.
   */
  quit(callback?: (error?: Error | null, reply?: 'OK') => void): Promise<'OK'> {
    const closed = this.close().then((): 'OK' => 'OK');
    return tellCallback(closed, callback as Callback | undefined);
  }

  /** Begins what {@link quit} does, and does not wait for it. */
  disconnect(reconnect = false): void {
    if (reconnect) {
      throw new InvalidArgumentError('reconnect', 'false: connections are renewed by themselves', reconnect);
    }
    this.close().catch(() => undefined);
  }

  /** The same as {@link quit}. Idempotent; `await using` calls it. */
  close(): Promise<void> {
    this.#nodes.endWaits();
    return this.#life.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** For logs: no addresses and no passwords. */
  toJSON(): object {
    return { status: this.status, nodes: this.#nodes.ids };
  }

  /** As {@link toJSON}, with the nodes' states. Contacts no server. */
  [inspect.custom](depth: number, options: InspectOptions): string {
    return inspectAs(this.constructor.name, { status: this.status, ...this.#cluster.state }, depth, options);
  }

  /**
   * A new client with the same options and the nodes in force, and `overrides` over them. Both share the borrowed clients. A
   * later change is made in each of them.
   */
  duplicate(overrides: Partial<ShardedRedisOptions> = {}): ShardedRedis {
    const placed = ['nodes', 'placement', ...ringOptionNames].some((name) => name in overrides);
    const present = placed || this.topology.epoch === 1 ? {} : this.#inForce;
    // By `this.constructor`: for subclasses, and so that the class keeps its name in the build.
    return new (this.constructor as typeof ShardedRedis)({ ...this.options, ...present, ...overrides });
  }

  /** The nodes in force and their placement, as options. */
  get #inForce(): Partial<ShardedRedisOptions> {
    const { placement } = this.topology;
    const ofRing = Object.fromEntries(ringOptionNames.map((name) => [name, undefined]));
    return { ...ofRing, nodes: this.#nodes.given, placement };
  }
}

addCommandMethods(ShardedRedis.prototype);
