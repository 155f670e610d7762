/**
 * The nodes of a ShardedRedis and the client's life: connecting, its state and events, health, closing.
 *
 * One node that is down must not keep an application from starting: the client is ready when one node has answered and
 * every other one has answered or failed.
 */

import { type InspectOptions, inspect } from 'node:util';
import { completeBackend } from '../backend/complete-backend.ts';
import type { ServerRoster } from '../backend/server-roster.ts';
import { ClosedError, InvalidArgumentError } from '../errors/index.ts';
import type { NodeHealth, NodeReport } from '../health/health-view.ts';
import { HealthMonitor } from '../health/monitor.ts';
import { unwatched } from '../health/node-observer.ts';
import { type ReadyOptions, untilReady } from '../health/readiness.ts';
import type { NodeId } from '../placement/node.ts';
import { Fleet, type RoutingPolicy } from '../routing/fleet.ts';
import { makeRoster } from '../routing/roster.ts';
import { inspectAs } from '../runtime/inspect-as.ts';
import { KnownEvents } from '../runtime/known-events.ts';
import { rethrowLater } from '../runtime/rethrow-later.ts';
import { settledWithin } from '../runtime/time-limit.ts';
import { commandClassOf, loadedRedisClass, loadingOfIoredis, RedisBackend, RedisServer } from '../server/index.ts';
import { type Callback, tellCallback } from './commander.ts';
import { eventNames, eventNamesOfOtherClients } from './event-names.ts';
import type { CommandParser } from './invocation.ts';
import { RedisNode } from './node.ts';
import type { ParsedNode, ParsedShardedRedisOptions } from './options.ts';

/** What ioredis says of itself, as far as it makes sense for many connections. */
export type ShardedRedisStatus = 'wait' | 'connecting' | 'ready' | 'reconnecting' | 'end';

export class ConnectedNodes extends KnownEvents implements AsyncDisposable {
  status: ShardedRedisStatus = 'wait';

  protected readonly parsed: ParsedShardedRedisOptions;
  protected readonly fleet: Fleet;
  protected readonly redisNodes = new Map<NodeId, RedisNode>();
  readonly #monitor: HealthMonitor;
  #parser: CommandParser | undefined;
  #connecting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(parsed: ParsedShardedRedisOptions) {
    super(eventNames, eventNamesOfOtherClients);
    this.parsed = parsed;
    const { nodes, placement, replicationFactor, clock, probeIntervalMs, probeTimeoutMs } = parsed;
    this.#monitor = new HealthMonitor({
      ...{ clock, probeIntervalMs, probeTimeoutMs, patienceMs: parsed.timeoutMs },
      onChange: (node, state, error) => this.#onHealth(node, state, error),
    });
    const topology = { epoch: 1, placement, replicationFactor, formerPlacements: [] };
    const emit = (name: string, event: unknown) => this.tell(name, event);
    this.fleet = new Fleet(topology, policyOf(parsed), this.#monitor, clock, emit);
    const roster = makeRoster(parsed, emit, this.#monitor);
    roster.enter(nodes.map(({ node }) => node.id));
    for (const node of nodes) this.#join(node, roster);
    if (!parsed.lazyConnect) this.connect().catch(() => undefined); // 'error' has told.
  }

  #join({ node: { id }, target }: ParsedNode, roster: ServerRoster): void {
    const onFailure = (error: Error) => this.#monitor.reportFailure(id, error);
    const onDoubt = () => this.doubtOwn(id);
    const server = new RedisServer(target, { ...this.parsed, nodeName: id, onDoubt });
    const { clock, timeoutMs } = this.parsed;
    server.takeSeat(roster.seatOf(id));
    const backend = completeBackend(new RedisBackend(server, { timeoutMs, clock }), { clock, nodeName: id });
    const onClientError = (error: Error) => this.tell('node error', error, id);
    this.redisNodes.set(id, new RedisNode(id, server, target, onFailure, onClientError));
    // Commands reach a node by the door and past it. So it is `NodeCaller` that tells health of failures, and not the door.
    this.fleet.add({ id, backend, observer: unwatched });
    this.#monitor.watch(id, async (limitMs) => {
      const report = await backend.ping({ timeoutMs: limitMs });
      // Once health has taken note of it: whoever waits for 'ready' calls at once.
      setImmediate(() => this.#onAnswer());
      return report;
    });
  }

  /** What parses commands: ioredis, or where it is not installed the library that a lent client is of. */
  protected readonly commandParser = (): CommandParser => {
    this.#parser ??= lentParser(this.parsed) ?? loadedRedisClass().Command;
    return this.#parser;
  };

  /** Resolves when commands can be parsed. Undefined if they can be now, or never will: then parsing says why. */
  protected loading(): Promise<void> | undefined {
    return this.#parser === undefined ? loadingOfIoredis() : undefined;
  }

  /** Every call passes here. @throws {ClosedError} */
  protected begin(): void {
    if (this.#closing !== undefined) throw new ClosedError('client');
    if (this.status === 'wait') this.connect().catch(() => undefined);
  }

  /** What this process thinks of each node. The first call of this or any other begins to probe them. */
  health(): ReadonlyMap<string, NodeHealth> {
    this.#monitor.start();
    return this.#healthOfAll();
  }

  #healthOfAll(): Map<string, NodeHealth> {
    return new Map([...this.redisNodes.keys()].map((id) => [id, this.#monitor.healthOf(id)]));
  }

  /**
   * Resolves when the nodes have answered and are up: all of them, or `atLeast` so many. {@link connect} does with one, and
   * waits for the failure of the others.
   * @throws {NotReadyError} They were not within `timeoutMs` (default: the client's): says of each what is wrong.
   */
  async ready(options?: ReadyOptions): Promise<void> {
    this.begin();
    const { clock, timeoutMs } = this.parsed;
    const nodes = () => [...this.redisNodes.keys()];
    await untilReady({ monitor: this.#monitor, clock, timeoutMs, what: 'client', nodes }, options);
  }

  /** The same with the reason: since when a node is not up, and what first said what is wrong with it. */
  healthReport(): ReadonlyMap<string, NodeReport> {
    this.#monitor.start();
    return new Map([...this.redisNodes.keys()].map((id) => [id, this.#monitor.reportOf(id)]));
  }

  /**
   * Connects to all nodes and resolves when one has answered and every other one has answered or failed: a node that is
   * down must not keep an application from starting. Rejects, and goes on trying, if none can be reached.
   */
  connect(callback?: Callback): Promise<void> {
    return tellCallback(this.#connect(), callback);
  }

  async #connect(): Promise<void> {
    if (this.#closing !== undefined) throw new ClosedError('client');
    if (this.status === 'ready') return;
    this.#connecting ??= this.#reachNodes().finally(() => {
      this.#connecting = undefined;
    });
    await this.#connecting;
  }

  async #reachNodes(): Promise<void> {
    this.status = 'connecting';
    this.#monitor.start();
    // Each is noted as it comes: what is known of a node may have changed when all have come.
    const pings = this.fleet.allMembers().map(({ id }) => this.#monitor.ask(id, this.#connectLimitMs));
    const outcomes = await Promise.allSettled(pings);
    if (this.#closing !== undefined) throw new ClosedError('client');
    if (outcomes.some(({ status }) => status === 'fulfilled')) {
      this.#becomeReady();
      return;
    }
    this.status = 'reconnecting';
    const { reason } = outcomes[0] as PromiseRejectedResult;
    if (this.listenerCount('error') > 0) this.tell('error', reason);
    throw reason;
  }

  get #connectLimitMs(): number {
    return Math.max(this.parsed.timeoutMs, this.parsed.connectTimeoutMs ?? 0);
  }

  #becomeReady(): void {
    this.status = 'ready';
    this.tell('connect');
    this.tell('ready');
  }

  #onHealth(node: string, state: NodeHealth, error: unknown): void {
    if (state === 'up') {
      this.tell('nodeUp', { node });
    } else {
      this.tell(state === 'down' ? 'nodeDown' : 'nodeSuspect', { node, error });
      if (state === 'down') this.tell('node error', error, node); // As a Cluster tells it.
    }
  }

  /** A probe has passed. Not every node whose PING failed when we connected was thought ill for it. */
  #onAnswer(): void {
    if (this.status === 'reconnecting') this.#becomeReady();
  }

  /**
   * Emits. A listener that throws must not fail the call that the event tells of, nor keep others from being ended: its
   * error surfaces as an uncaught exception.
   */
  protected tell(name: string, ...args: unknown[]): void {
    try {
      this.emit(name, ...args);
    } catch (error) {
      rethrowLater(error);
    }
  }

  /**
   * Refuses new commands, waits for those under way, for at most `timeoutMs` (blocking ones end at once), and closes all
   * connections. What is left by then gets `ERR_CLOSED`, or `ERR_UNKNOWN_OUTCOME` where it may have changed something. Clients
   * that the application lent stay open.
   */
  quit(callback?: (error?: Error | null, reply?: 'OK') => void): Promise<'OK'> {
    const closed = this.close().then((): 'OK' => 'OK');
    return tellCallback(closed, callback as Callback | undefined);
  }

  /** Begins what {@link quit} does, and does not wait for it. */
  disconnect(reconnect = false): void {
    if (reconnect)
      throw new InvalidArgumentError('reconnect', 'false: connections are renewed by themselves', reconnect);
    this.close().catch(() => undefined);
  }

  /** The same as {@link quit}. Idempotent; `await using` calls it. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** For logs: no addresses and no passwords. */
  toJSON(): object {
    return { status: this.status, nodes: [...this.redisNodes.keys()] };
  }

  /** As {@link toJSON}, with the nodes' states. Asks nobody. */
  [inspect.custom](depth: number, options: InspectOptions): string {
    const { epoch, placement, replicationFactor } = this.fleet.topology;
    const { status } = this;
    const state = { status, epoch, placement: placement.checksum, replicationFactor, nodes: this.#healthOfAll() };
    return inspectAs(this.constructor.name, state, depth, options);
  }

  /** Ends at once what a subclass has opened itself. */
  protected endOwn(): void {}

  /** The node's shared connection is lost: what a subclass has opened itself may be too. */
  protected doubtOwn(_nodeId: NodeId): void {}

  async #close(): Promise<void> {
    this.#monitor.stop();
    this.status = 'end';
    const { clock, timeoutMs } = this.parsed;
    const closeByMs = clock.nowMs() + timeoutMs;
    const leftMs = () => Math.max(0, closeByMs - clock.nowMs());
    const servers = [...this.redisNodes.values()].map(({ server }) => server);
    for (const server of servers) server.endWaits();
    await settledWithin(clock, leftMs(), this.fleet.drained());
    this.endOwn();
    for (const node of this.redisNodes.values()) node.endClient();
    await Promise.all(servers.map((server) => server.close(leftMs())));
    // As in ioredis, after those who called `quit` were told; and what a listener throws is not theirs.
    setImmediate(() => {
      this.tell('close');
      this.tell('end');
    });
  }
}

function policyOf({ timeoutMs, writeConsistency }: ParsedShardedRedisOptions): RoutingPolicy {
  // A key has its type and its data where it belongs, or nowhere: no stand-ins, and nothing is copied back.
  return {
    timeoutMs,
    writeConsistency,
    whenDown: 'fail',
    spillTtlMs: Number.POSITIVE_INFINITY,
    confirmMisses: false,
    readRepair: false,
  };
}

function lentParser({ nodes }: ParsedShardedRedisOptions): CommandParser | undefined {
  for (const { target } of nodes) {
    if (target.kind === 'lent') return commandClassOf(target.client) as unknown as CommandParser;
  }
  return undefined;
}
