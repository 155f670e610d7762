/**
 * A node that is one address, behind which the server may change: a managed service promotes a replica and lets the name
 * lead there. The server of before lives on as a replica: it answers reads with old data and writes with READONLY, and
 * whoever is connected to it stays there.
 *
 * So a server that answers as a replica is left by all connections of the node, and the name is looked up again. Nothing is
 * sent to a replica meanwhile: calls fail, and attempts follow each other more and more slowly until a primary is there.
 */

import type { Duplex } from 'node:stream';
import type { RedisOptions } from 'ioredis';
import type { Clock } from '../../runtime/clock.ts';
import { type Admission, misfitOf } from './admission.ts';
import { type Client, mayAskServer } from './client.ts';
import { connectorOptions } from './connector.ts';
import type { CredentialsSource } from './credentials.ts';
import { type Failure, failureOf } from './failure.ts';
import { farewell } from './farewell.ts';
import { identify } from './identify.ts';
import type { ServerCheck } from './link.ts';
import { type OpenSocket, openSocket, type SocketOptions } from './open-socket.ts';
import { RetryPauses } from './own-client.ts';
import type { ServerIdentity } from './server-identity.ts';

/**
 * At most so often are all connections made anew, in milliseconds: where a server says that it is a primary and yet
 * answers READONLY, they would otherwise be made as fast as calls come.
 */
const renewalPauseMs = 1_000;

export interface SingleServerOptions {
  /** Undefined for a borrowed client, whose own connector leads to the server. */
  readonly socket: SocketOptions | undefined;
  readonly credentials: CredentialsSource | undefined;
  readonly connectTimeoutMs: number;
  /** False: only a primary is accepted. */
  readonly allowsReplica: boolean;
  readonly clock: Clock;
  /** The server has turned out to be a replica; reported once until a primary is found. */
  readonly onDemoted: () => void;
}

export class SingleServer {
  /** Over the options of any client of ioredis for this node. */
  readonly clientOptions: RedisOptions;

  readonly #options: SingleServerOptions;
  readonly #streams = new Set<Duplex>();
  readonly #listeners = new Set<() => void>();
  #renewedMs = Number.NEGATIVE_INFINITY;
  #isDemoted = false;

  constructor(options: SingleServerOptions) {
    const { credentials, clock, socket } = options;
    this.#options = options;
    const source = { open: () => this.open().socket, credentials };
    this.clientOptions = socket === undefined ? {} : connectorOptions(source, clock);
  }

  /** A borrowed client may be connected to a replica, as its owner likes. */
  get requiresPrimary(): boolean {
    return this.#options.socket !== undefined && !this.#options.allowsReplica;
  }

  get waitsFor(): string | undefined {
    return this.#options.credentials?.waitsFor;
  }

  /** @throws What Node.js says of options that it cannot take. */
  open(): OpenSocket {
    const { socket, connectTimeoutMs, clock } = this.#options;
    const opened = openSocket({ ...socket, connectTimeout: connectTimeoutMs }, clock);
    this.hold(opened.socket);
    return opened;
  }

  /** The stream ends when all connections are made again. */
  hold(stream: Duplex): void {
    if (this.#streams.has(stream)) return;
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
  }

  /** Calls `listener` when connections are made again. */
  onSwitch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** A server has said that it is a replica. @returns Whether the connections are being made again. */
  doubt(): boolean {
    if (this.#options.allowsReplica) return false;
    const nowMs = this.#options.clock.nowMs();
    if (nowMs - this.#renewedMs < renewalPauseMs) return false;
    this.#renewedMs = nowMs;
    this.noteRole('slave');
    for (const listener of [...this.#listeners]) listener();
    for (const stream of [...this.#streams]) farewell(stream, this.#options.clock);
    return true;
  }

  /** What a server has said about itself. */
  noteRole(role: ServerIdentity['role']): void {
    if (role === 'master') this.#isDemoted = false;
    if (role !== 'slave' || this.#isDemoted || this.#options.allowsReplica) return;
    this.#isDemoted = true;
    this.#options.onDemoted();
  }
}

/** One connection's part: the check that it got to a server for the node, and its pauses between attempts. */
export class SingleServerCheck implements ServerCheck {
  /** Over the options of a client that reconnects by itself. */
  readonly sharedOptions: RedisOptions;
  identity: ServerIdentity | undefined;

  readonly #server: SingleServer;
  readonly #admission: Admission | undefined;
  readonly #isOwn: boolean;
  readonly #pauses = new RetryPauses();

  /**
   * @param admission  Of the connection that stands for the node in its cache.
   * @param isOwn      False for a borrowed client: which of several servers it leads to is its owner's business.
   */
  constructor(server: SingleServer, isOwn: boolean, admission?: Admission) {
    this.#server = server;
    this.#isOwn = isOwn;
    this.#admission = admission;
    this.sharedOptions = { ...server.clientOptions, retryStrategy: this.#pauses.nextMs };
  }

  async verify(client: Client, revoke: (failure: Failure) => void): Promise<Failure | undefined> {
    const { stream } = client;
    if (this.#isOwn && stream !== undefined) this.#server.hold(stream);
    const failure = await this.#failureOf(client, revoke);
    if (failure === undefined) this.#pauses.succeeded();
    return failure;
  }

  async #failureOf(client: Client, revoke: (failure: Failure) => void): Promise<Failure | undefined> {
    const { stream } = client;
    this.identity = undefined;
    if (!this.#isOwn && !mayAskServer(client)) return undefined;
    let identity: ServerIdentity;
    try {
      identity = await identify(client);
    } catch (error) {
      // A borrowed client emits this in its own events.
      return this.#isOwn ? failureOf(error) : undefined;
    }
    this.identity = identity;
    this.#server.noteRole(identity.role);
    const misfit = misfitOf(identity, this.#server.requiresPrimary ? 'master' : undefined);
    return misfit ?? (stream && this.#admission?.admit(identity, stream, revoke));
  }

  onSwitch(listener: () => void): () => void {
    return this.#server.onSwitch(() => {
      this.#pauses.skip();
      listener();
    });
  }

  get waitsFor(): string | undefined {
    return this.#server.waitsFor;
  }

  doubt(): boolean {
    return this.#server.doubt();
  }
}
