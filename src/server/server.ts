/**
 * A server as a node uses it: the connection that all calls share, and the connections lent to one user at a time.
 *
 * `RedisBackend` and `ShardedRedis` both stand on this. Nothing is opened before the first call.
 */

import type { Redis, RedisOptions } from 'ioredis';
import type { NodeSeat } from '../backend/seat.ts';
import type { ServerReport } from '../backend/server-report.ts';
import { ClosedError, InvalidArgumentError } from '../errors/index.ts';
import type { Clock } from '../runtime/clock.ts';
import { systemRandom } from '../runtime/random.ts';
import { settledWithin } from '../runtime/time-limit.ts';
import { DirectClient } from './direct/direct-client.ts';
import { type ListedClient, listClients } from './lending/client-list.ts';
import { DedicatedConnections, defaultOperation, type UseOptions } from './lending/dedicated.ts';
import { ReplyWatch } from './lending/reply-watch.ts';
import { type Client, type CommandArgument, mayAskServer } from './link/client.ts';
import { errorOf, isReplyError } from './link/failure.ts';
import { type RedisClass, withRedisClass } from './link/ioredis-module.ts';
import type { LinkListener } from './link/link.ts';
import { defaultConnectTimeoutMs, makeDedicatedClient, sharedClientOptions } from './link/own-client.ts';
import { guardQueue, guardReplies } from './link/parser-guard.ts';
import { isDemotion } from './link/refusals.ts';
import { defaultMaxReplyBytes, limitReplies } from './link/reply-limit.ts';
import { identityOf, reportOf, roleIn, type ServerIdentity } from './link/server-identity.ts';
import type { Transport } from './options.ts';
import { CallLimits, type CallObserver, type CommandSpec } from './sending/call.ts';
import { Connection, type ConnectionOptions } from './sending/connection.ts';
import { ReplicaReads } from './sending/replica-reads.ts';
import { type ClientCheck, ServerAccess } from './server-access.ts';
import type { Target } from './target.ts';

export interface ServerOptions {
  /** In errors. Default: the server's address. */
  readonly nodeName: string | undefined;
  /** To have a lent connection, where the call says nothing. Milliseconds. */
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number | undefined;
  /** Default 128 MiB. See `RedisBackendOptions.maxReplyBytes`. */
  readonly maxReplyBytes?: number | undefined;
  /** For the connections that are lent to one user at a time. */
  readonly pool: { readonly max: number; readonly idleTimeoutMs: number };
  /** Most callers that wait at a time, each with a connection. Default 100. */
  readonly maxBlocking?: number | undefined;
  readonly clock: Clock;
  /** Before every key. Default none. */
  readonly keyPrefix?: string | undefined;
  /** Default true. See `RedisBackendOptions.batching`. */
  readonly batching?: boolean | undefined;
  /** Default 'ioredis'. See `RedisBackendOptions.transport`. */
  readonly transport?: Transport | undefined;
  /** Told when the shared connection is lost, and so whatever else leads to the server in doubt. */
  readonly onDoubt?: (() => void) | undefined;
}

/** How often the server is asked about connections that wait for it in silence, and how soon once more. Milliseconds. */
const watchMs = { periodMs: 15_000, confirmMs: 3_000 };

/** A connection that was heard so lately is lent without a trial; those that wait for ever get less. Milliseconds. */
const trustMs = { dedicated: 1_000, blocking: 50 };

/** Open to every user, and changes nothing. */
const askRole: CommandSpec<ServerIdentity['role']> = {
  operation: 'ping',
  name: 'hello',
  isWrite: false,
  decode: roleIn,
  changes: 'nothing',
};

export class RedisServer {
  /** The node's name in errors, which may change while the node is young. */
  nodeName: string;

  /** False for a borrowed client, which may be of another copy of ioredis. */
  readonly isOwn: boolean;

  /** Most bytes of one reply; see `reply-limit.ts`. */
  readonly maxReplyBytes: number;

  /** The server's address, for messages. */
  readonly address: string;

  /** Whether the server may be asked who it is. */
  readonly #mayAsk: boolean;
  readonly #access: ServerAccess;
  readonly #replica: ReplicaReads | undefined;
  readonly #connection: Connection;
  readonly #check: ClientCheck;
  readonly #dedicated: DedicatedConnections;
  /** For those who wait: in a pool of their own, as they would hold up transactions in the other one. */
  readonly #blocking: DedicatedConnections;
  readonly #watch: ReplyWatch;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #onDoubt: () => void;
  readonly #closed = new AbortController();
  #closing: Promise<void> | undefined;
  #run: { readonly connection: number; readonly id: string } | undefined;
  #heardRole: { readonly connection: number; readonly role: ServerIdentity['role'] } | undefined;

  constructor(place: Target, options: ServerOptions) {
    const {
      nodeName,
      timeoutMs,
      connectTimeoutMs,
      pool,
      maxBlocking = 100,
      clock,
      batching = true,
      transport = 'ioredis',
      keyPrefix = '',
      maxReplyBytes = defaultMaxReplyBytes,
      onDoubt = () => undefined,
    } = options;
    expectTransport(transport, place);
    const handshakeTimeoutMs = connectTimeoutMs ?? defaultConnectTimeoutMs;
    this.nodeName = nodeName ?? place.address;
    this.isOwn = place.kind === 'own';
    this.#mayAsk = place.kind === 'own' || mayAskServer(place.client);
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#onDoubt = onDoubt;
    this.address = place.address;
    const node = () => this.nodeName;
    const access = new ServerAccess(place, { clock, connectTimeoutMs, keyPrefix, maxReplyBytes });
    this.maxReplyBytes = maxReplyBytes;
    this.#access = access;
    const { address } = place;
    const common = { node, address, clock, isOwn: this.isOwn, handshakeTimeoutMs, batching };
    const check = access.sharedCheck();
    this.#check = check;
    this.#watch = new ReplyWatch({ clock, ...watchMs, listClients: (ids) => this.#listClients(ids) });
    this.#connection = new Connection({ ...common, serverCheck: check, observer: this.#observer });
    const dedicated = {
      ...{ node, address, clock, timeoutMs, maxReplyBytes, ...pool },
      connectTimeoutMs: 2 * handshakeTimeoutMs,
      makeClient: () => makeDedicatedClient(place, connectTimeoutMs, access.clientOptions),
      waitsFor: () => check.waitsFor,
      verify: (client: Client) => access.newCheck().verify(client, () => undefined),
      onDemotion: () => access.doubt(),
      watch: this.#watch,
    };
    this.#dedicated = new DedicatedConnections({ ...dedicated, maxOption: 'pool.max', trustMs: trustMs.dedicated });
    this.#blocking = new DedicatedConnections({
      ...{ ...dedicated, trustMs: trustMs.blocking },
      ...{ max: maxBlocking, maxOption: 'maxBlocking' },
    });
    this.#replica = this.#openShared(place, options, check, common);
  }

  /** Opens the shared connection at the first call. @returns  What reads from replicas, where the node is to do so. */
  #openShared(
    place: Target,
    { transport, connectTimeoutMs }: ServerOptions,
    check: ClientCheck,
    common: Omit<ConnectionOptions, 'serverCheck' | 'observer'>,
  ): ReplicaReads | undefined {
    if (place.kind === 'borrowed') {
      this.#connection.attach(place.client);
      return undefined;
    }
    if (transport === 'direct') {
      this.#connection.attach(new DirectClient(this.#access.directOptions(place.options, check)));
      return undefined;
    }
    const options = sharedClientOptions(place.options, connectTimeoutMs);
    this.#attachOwnClient(this.#connection, { ...options, ...check.sharedOptions });
    if (!this.#access.readsReplicas) return undefined;
    const replicaCheck = this.#access.replicaCheck();
    const connection = new Connection({ ...common, serverCheck: replicaCheck });
    this.#attachOwnClient(connection, { ...options, ...replicaCheck.sharedOptions });
    return new ReplicaReads(connection, this.#connection);
  }

  /** Sends a command on the shared connection, or to a replica where that is asked for. */
  call<Reply>(
    spec: CommandSpec<Reply>,
    args: readonly CommandArgument[],
    limits: CallLimits,
    observer?: CallObserver,
  ): Promise<Reply> {
    if (this.#closing !== undefined) {
      const closed = new ClosedError('backend');
      observer?.failed(spec, limits, closed);
      return Promise.reject(closed);
    }
    const replica = this.#replica;
    if (replica !== undefined && spec.mayReadReplica === true) return replica.call(spec, args, limits, observer);
    return this.#connection.call(spec, args, limits, observer);
  }

  /** Grows whenever the shared connection is another one. */
  get connectionCount(): number {
    return this.#connection.count;
  }

  /**
   * Which run of which server the shared connection leads to: the server's own `run_id`. A server that does not tell, or
   * tells not us, counts as another one with each connection. Asked once for each connection.
   */
  async runId(operation: string, limits: CallLimits): Promise<string> {
    const asked = this.connectionCount;
    if (this.#run?.connection === asked) return this.#run.id;
    const info = await this.call({ ...infoOfServer, operation }, ['server'], limits).catch(unlessRefused);
    // The reply is from the connection there is now, which may not be the one there was.
    this.#run = { connection: this.connectionCount, id: identityOf(undefined, info).runId ?? untoldRun() };
    return this.#run.id;
  }

  /** Options that lead any client of ioredis to the node. */
  get clientOptions(): RedisOptions {
    return this.#access.clientOptions;
  }

  /** For a further connection of the node that reconnects by itself. */
  newCheck(): ClientCheck {
    return this.#access.newCheck();
  }

  /** From now on the node belongs to a cache, which learns about its server. */
  takeSeat(seat: NodeSeat): void {
    const { admission } = this.#access;
    const wasRefused = admission.refusal !== undefined;
    admission.takeSeat(seat);
    if (wasRefused) this.#connection.reconsider(); // By another cache, or beside a node that may have left.
  }

  /**
   * Asks whether the server of the shared connection is still a primary, if it may be asked. Nothing else tells, where nobody
   * writes. Beside other calls, and only where there is a connection; never rejects.
   */
  async checkRole(limits: CallLimits): Promise<void> {
    if (!this.#mayAsk || this.#closing !== undefined || !this.#connection.isUp) return;
    const role = await this.#connection.call(askRole, [], limits).catch(() => undefined);
    this.#heardRole = { connection: this.connectionCount, role };
    if (role === 'slave') this.#access.doubt();
  }

  /** What the server of the shared connection has said about itself so far. Undefined: nothing, because it may not be asked. */
  get report(): ServerReport | undefined {
    const { identity } = this.#check;
    const isOfPresent = this.#heardRole?.connection === this.connectionCount;
    return identity && reportOf(identity, isOfPresent ? this.#heardRole?.role : undefined);
  }

  /** True if no call is in flight on the shared connection. */
  get isIdle(): boolean {
    return this.#connection.isIdle;
  }

  /** Lends `use` a connection of its own; see {@link DedicatedConnections}. */
  lend<Result>(use: (client: Redis) => Promise<Result> | Result, options: UseOptions): Promise<Result> {
    return this.#refuseUse(options) ?? this.#dedicated.use(use, options);
  }

  /** As {@link lend}, for a command that waits for data. Closing the server ends it with {@link ClosedError}. */
  lendForBlocking<Result>(
    use: (client: Redis) => Promise<Result>,
    options: Omit<UseOptions, 'signal'>,
  ): Promise<Result> {
    return this.#refuseUse(options) ?? this.#blocking.use(use, { ...options, signal: this.#closed.signal });
  }

  /** If another node keeps the server, so that calls fail, its connections are not lent either. */
  #refuseUse({ operation = defaultOperation, isWrite = true }: UseOptions): Promise<never> | undefined {
    const { refusal } = this.#access.admission;
    if (refusal === undefined || this.#closing !== undefined) return undefined;
    const call = { node: this.nodeName, address: this.address, operation, isWrite, wasSent: false };
    return Promise.reject(errorOf(refusal, call));
  }

  /** Ends what waits for data, as {@link close} does. */
  endWaits(): void {
    this.#closed.abort(new ClosedError('client'));
  }

  /** Takes note of a server's refusal on a connection that was lent: it may say that the server is a replica now. */
  noteRefusal(refusal: Error & { readonly previousErrors?: readonly Error[] | undefined }): void {
    if ([refusal, ...(refusal.previousErrors ?? [])].some(isDemotion)) this.#access.doubt();
  }

  /**
   * Waits for the calls in flight, for at most `limitMs`, and ends those that are left. Who waits for data or for a connection is
   * told at once. A borrowed client stays open. Idempotent.
   *
   * @param limitMs  Default: the default time of a call.
   */
  close(limitMs: number = this.#timeoutMs): Promise<void> {
    this.#closing ??= this.#close(limitMs);
    return this.#closing;
  }

  async #close(limitMs: number): Promise<void> {
    this.endWaits();
    await Promise.all([
      this.#dedicated.close(limitMs),
      this.#blocking.close(limitMs),
      settledWithin(this.#clock, limitMs, this.#idle()),
    ]);
    const closed = new ClosedError('client');
    this.#replica?.end(closed);
    this.#connection.end(closed);
    this.#access.close();
  }

  async #idle(): Promise<void> {
    // A call that a replica does not answer goes to the shared connection.
    await this.#replica?.idle();
    await this.#connection.idle();
  }

  /** A failure of the shared connection may have hit the others too. */
  readonly #observer: LinkListener = {
    onUp: () => this.#watch.lookNow(),
    onLost: () => {
      this.#dedicated.doubt();
      this.#blocking.doubt();
      this.#watch.doubt();
      this.#onDoubt();
    },
    onUnreachable: (failure) => {
      if (failure.kind === 'connection') this.#watch.loseSilent(failure);
    },
  };

  async #listClients(ids: readonly string[]): Promise<ListedClient[] | undefined> {
    const limits = new CallLimits(this.#timeoutMs, this.#clock.nowMs() + this.#timeoutMs, undefined);
    try {
      return await this.call(listClients, ['LIST', 'ID', ...ids], limits);
    } catch {
      return undefined;
    }
  }

  #attachOwnClient(connection: Connection, options: RedisOptions): void {
    const use = (RedisClass: RedisClass) => {
      if (this.#closing !== undefined) return;
      const client = new RedisClass(options) as unknown as Client;
      limitReplies(client, this.maxReplyBytes);
      guardQueue(client);
      guardReplies(client);
      connection.attach(client);
    };
    const ask = () => withRedisClass(use, (makeError) => connection.attachNone(makeError, ask));
    ask();
  }
}

const infoOfServer = {
  name: 'info',
  isWrite: false,
  decode: (reply: unknown) => reply,
  changes: 'nothing',
  refusal: (error: Error) => error,
} as const;

/** Which no other run has. */
const untoldRun = () => `untold-${systemRandom().toString(36).slice(2)}`;

/** A user without the right to INFO may well have that to SCAN. */
function unlessRefused(error: unknown): undefined {
  if (!isReplyError(error)) throw error;
}

/** @throws {InvalidArgumentError} Our own transport cannot speak with this place. */
function expectTransport(transport: Transport, place: Target): void {
  if (transport === 'ioredis') return;
  const field = 'options.transport';
  const refuse = (where: string) => new InvalidArgumentError(field, `'ioredis' with ${where}`, transport, true);
  if (place.kind === 'borrowed') throw refuse('a borrowed client');
  if (place.group) throw refuse('a group of Sentinel');
}
