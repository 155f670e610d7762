/**
 * A client of the shape of `client.ts` without ioredis: RESP over a socket, for the connection that all calls of a node
 * share. With many calls in flight, one costs about half of the CPU time that it costs with ioredis; alone, a little less.
 *
 * It sends, pairs replies with commands, and reconnects by `retryStrategy`. It keeps no commands for later and sends none
 * twice. Not for subscriptions, MONITOR, transactions over several turns, blocking commands and Sentinel: those stay with
 * ioredis, and commands that are not answered by exactly one reply are refused.
 */

import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { systemClock } from '../../runtime/clock.ts';
import { limitTime } from '../../runtime/time-limit.ts';
import type { Client, ClientCommand, ClientEvent, ClientStatus } from '../link/client.ts';
import { openSocket } from '../link/open-socket.ts';
import type { ServerIdentity } from '../link/server-identity.ts';
import { DirectCommand, type SendableCommand } from './direct-command.ts';
import { type DirectClientOptions, defaultRetryDelayMs } from './direct-options.ts';
import { shakeHands } from './handshake.ts';
import { Session } from './session.ts';

const defaultConnectTimeoutMs = 10_000;

export class DirectClient implements Client {
  readonly isCluster = false;
  readonly options: DirectClientOptions;
  status: ClientStatus = 'wait';
  condition: Client['condition'] = null;
  /** What the server of the present connection says about itself. */
  identity: ServerIdentity | undefined;

  readonly #events = new EventEmitter();
  #session: Session | undefined;
  #protocol: 2 | 3 = 2;
  /** False once `disconnect` was called, until `connect` is. */
  #isWanted = true;
  #attempts = 0;
  /** The attempt to connect that asks for its credentials. */
  #asking: object | undefined;
  #cancelTimer: () => void = () => undefined;

  constructor(options: DirectClientOptions = {}) {
    this.options = options;
  }

  get stream(): Socket | undefined {
    return this.#session?.socket;
  }

  get commandQueue(): { readonly length: number } | undefined {
    return this.#session?.queue;
  }

  /** Resolves when the server has let us in. Rejects if this attempt fails; others follow by themselves. */
  connect(): Promise<void> {
    if (this.status === 'connecting' || this.status === 'connect' || this.status === 'ready') {
      return Promise.reject(new Error('The client is already connecting or connected.'));
    }
    this.#cancelTimer();
    this.#isWanted = true;
    this.status = 'connecting';
    const { credentials } = this.options;
    return new Promise((resolve, reject) => {
      if (credentials === undefined) {
        this.#open(this.options, resolve, reject);
        return;
      }
      const attempt = {};
      this.#asking = attempt;
      const isCurrent = () => this.#asking === attempt && this.status === 'connecting';
      credentials.ask().then(
        (given) => {
          if (isCurrent()) this.#open({ ...this.options, ...given }, resolve, reject);
          else reject(new Error('The connection was closed.'));
        },
        (error: Error) => {
          reject(error);
          if (!isCurrent()) return;
          this.#emitError(error);
          this.#closed();
        },
      );
    });
  }

  #open(options: DirectClientOptions, resolve: () => void, reject: (error: unknown) => void): void {
    const { connectTimeout = defaultConnectTimeoutMs, clock = systemClock } = options;
    const open = options.open ?? (() => openSocket({ ...options, connectTimeout }, clock));
    let lastError: Error | undefined;
    try {
      const { socket, readyEvent } = open();
      const listener = {
        onError: (error: Error) => {
          lastError = error;
          this.#emitError(error);
        },
        onClose: () => {
          reject(lastError ?? new Error('The connection was closed.'));
          if (this.#session === session) this.#closed();
        },
      };
      const session: Session = new Session(socket, listener, options);
      this.#session = session;
      socket.once(readyEvent, () => this.#onConnect(session, options, resolve));
    } catch (error) {
      reject(error);
      this.status = 'end';
      this.#emitError(error as Error);
      this.#events.emit('end');
    }
  }

  /** Ends the connection now, with whatever is in flight, and makes no other until `connect` is called. */
  disconnect(): void {
    this.#isWanted = false;
    this.#cancelTimer();
    const isConnected = this.#session !== undefined && !this.#session.socket.destroyed;
    if (isConnected && (this.status === 'connecting' || this.status === 'connect' || this.status === 'ready')) {
      this.status = 'disconnecting';
      this.#session?.socket.destroy();
    } else if (this.status === 'wait' || this.status === 'reconnecting' || this.status === 'connecting') {
      this.status = 'end';
      this.#events.emit('end');
    }
  }

  /** A client with the same options but for these, not connected. */
  duplicate(overrides: object = {}): DirectClient {
    return new DirectClient({ ...this.options, ...overrides });
  }

  ping(): Promise<unknown> {
    const command = new DirectCommand('ping');
    const { promise } = command;
    this.sendCommand(command);
    return promise;
  }

  /** Sends a command and gives its reply as bytes. */
  callBuffer(name: string, ...args: (string | Buffer | number)[]): unknown {
    const command = new DirectCommand(name, args);
    const { promise } = command;
    // The placeholder for a client in `commandClassOf` gives the command itself.
    return this.sendCommand(command) ?? promise;
  }

  on(event: ClientEvent, listener: (argument: never) => void): this {
    this.#events.on(event, listener as (argument: unknown) => void);
    return this;
  }

  removeListener(event: ClientEvent, listener: (argument: never) => void): this {
    this.#events.removeListener(event, listener as (argument: unknown) => void);
    return this;
  }

  /** Settles the command by its `resolve` or `reject`; at once if it cannot be sent now. Returns nothing. */
  sendCommand(command: ClientCommand): unknown {
    const session = this.#session;
    if (this.status !== 'ready' || !session?.socket.writable) {
      command.reject(new Error('There is no connection.'));
      return undefined;
    }
    const sendable = command as SendableCommand;
    sendable.setReplyContext?.({ protocol: this.#protocol, replyMapping: 'legacy' });
    try {
      session.send(sendable);
    } catch (error) {
      command.reject(error as Error);
    }
    return undefined;
  }

  #onConnect(session: Session, options: DirectClientOptions, whenReady: () => void): void {
    if (this.#session !== session || this.status !== 'connecting') return;
    const { noDelay = true, keepAlive = 30_000, db = 0 } = options;
    session.socket.setNoDelay(noDelay);
    if (keepAlive > 0) session.socket.setKeepAlive(true, keepAlive);
    this.status = 'connect';
    this.condition = { select: db, subscriber: false };
    this.#limitHandshake(session);
    this.#events.emit('connect');
    shakeHands(options, (command) => session.send(command)).then(
      ({ protocol, identity }) => {
        if (this.#session !== session || this.status !== 'connect') return;
        this.#cancelTimer();
        this.#protocol = protocol;
        this.identity = this.options.asksIdentity ? identity : undefined;
        this.#attempts = 0;
        this.status = 'ready';
        whenReady();
        this.#events.emit('ready');
      },
      (error: Error) => session.fail(error),
    );
  }

  #closed(): void {
    this.#cancelTimer();
    this.identity = undefined;
    this.status = 'close';
    this.#events.emit('close');
    if (this.status !== 'close') return; // A listener has decided otherwise.
    const { retryStrategy = defaultRetryDelayMs, clock = systemClock } = this.options;
    const delayMs = this.#isWanted ? retryStrategy?.(++this.#attempts) : undefined;
    if (typeof delayMs !== 'number') {
      this.status = 'end';
      this.#events.emit('end');
      return;
    }
    this.status = 'reconnecting';
    this.#cancelTimer = clock.schedule(delayMs, () => void this.connect().catch(() => undefined), true);
  }

  #limitHandshake(session: Session): void {
    const { connectTimeout = defaultConnectTimeoutMs, clock = systemClock } = this.options;
    this.#cancelTimer();
    if (connectTimeout <= 0) return;
    const giveUp = () => session.fail(Object.assign(new Error('connect ETIMEDOUT'), { code: 'ETIMEDOUT' }));
    this.#cancelTimer = limitTime(clock, connectTimeout, giveUp, true);
  }

  /** Without a listener an 'error' event would end the process. */
  #emitError(error: Error): void {
    if (this.#events.listenerCount('error') > 0) this.#events.emit('error', error);
  }
}
