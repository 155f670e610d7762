/**
 * A client's way up and down: what its events mean for calls that wait, and for those under way.
 *
 * A client of our own is also kept going: a handshake that hangs is cut off, and one that ioredis has given up is begun
 * again. A lent client is only watched.
 */

import type { Clock } from '../../runtime/clock.ts';
import { type Client, type ClientEvent, canSend } from './client.ts';
import { closedByPeer, type Failure, failureOf } from './failure.ts';

export interface LinkListener {
  /** The node can be talked to. */
  onUp(): void;
  /** What was sent and is unanswered stays so. */
  onLost(failure: Failure): void;
  /** An attempt to connect has failed; the next one comes by itself, later. */
  onUnreachable(failure: Failure): void;
}

export interface LinkOptions {
  readonly isOwn: boolean;
  readonly clock: Clock;
  /** Time from the connection of the socket to the end of AUTH, SELECT and the like. Milliseconds, of own clients. */
  readonly handshakeTimeoutMs: number;
}

/** Pause before a client that ioredis has given up (its connector itself threw) is begun again, in milliseconds. */
const reviveDelayMs = 1_000;

const silentHandshake: Failure = {
  kind: 'connection',
  cause: new Error('The connection was accepted, and then the handshake was not answered.'),
};

export class Link {
  readonly client: Client;
  readonly #listener: LinkListener;
  readonly #options: LinkOptions;

  /** True between 'ready' and 'close'. */
  #isUp: boolean;
  /** What the last failed attempt to connect met, until an attempt succeeds. */
  #outage: Failure | undefined;
  /** The newest 'error' event of the present connection. */
  #lastError: Failure | undefined;
  #cancelTimer: () => void = () => undefined;

  readonly #handlers: readonly (readonly [ClientEvent, (argument: never) => void])[] = [
    ['connect', () => this.#onConnect()],
    ['ready', () => this.#onReady()],
    ['error', (error: unknown) => this.#onError(error)],
    ['close', () => this.#onClose()],
    ['end', () => this.#onEnd()],
  ];

  constructor(client: Client, listener: LinkListener, options: LinkOptions) {
    this.client = client;
    this.#listener = listener;
    this.#options = options;
    this.#isUp = canSend(client);
    for (const [event, handler] of this.#handlers) client.on(event, handler);
  }

  /** Why a call that cannot be sent now need not wait either; undefined if it may. */
  get outage(): Failure | undefined {
    return this.#outage ?? (this.client.status === 'end' ? closedByPeer : undefined);
  }

  /** True if a command given to the client now goes out at once, to a node that has let us in. */
  get isUp(): boolean {
    return this.#isUp && canSend(this.client);
  }

  /** Starts to connect, if nobody has asked for it yet. */
  connect(): void {
    // The outcome comes as events; the promise says the same once more.
    if (this.client.status === 'wait') this.client.connect().catch(() => undefined);
  }

  /** Gives up the present connection; a client of our own then makes a new one. */
  drop(failure: Failure): void {
    this.#lastError = failure;
    this.client.stream?.destroy();
  }

  /** Listens no more. A client of our own is closed for good. */
  end(): void {
    this.#cancelTimer();
    for (const [event, handler] of this.#handlers) this.client.removeListener(event, handler);
    if (!this.#options.isOwn) return;
    this.client.on('error', () => undefined); // Without a listener ioredis prints what comes late.
    this.client.disconnect();
    this.client.stream?.destroy(); // disconnect() alone waits for a peer that may be gone.
  }

  #onConnect(): void {
    const { isOwn, clock, handshakeTimeoutMs } = this.#options;
    if (!isOwn) return;
    this.#cancelTimer();
    this.#cancelTimer = clock.schedule(handshakeTimeoutMs, () => this.drop(silentHandshake), false);
  }

  #onReady(): void {
    // ioredis 5 reports 'ready' for a connection on which the password has just been refused.
    if (!canSend(this.client)) return;
    if (!this.#options.isOwn) {
      this.#up();
      return;
    }
    // Before 5.8 it does not even wait for the replies to AUTH and SELECT. They come before this one's, and where they
    // are refusals, #onError closes the connection.
    const { stream } = this.client;
    const isLetIn = () => {
      if (this.client.stream === stream && canSend(this.client)) this.#up();
    };
    this.client.ping().then(isLetIn, isLetIn);
  }

  #up(): void {
    this.#cancelTimer();
    this.#isUp = true;
    this.#outage = undefined;
    this.#lastError = undefined;
    this.#listener.onUp();
  }

  #onError(error: unknown): void {
    const failure = failureOf(error);
    this.#lastError = failure;
    if (failure.kind === 'connection') return; // 'close' follows.
    // AUTH or SELECT was refused, or this is no Redis: with ioredis a connection may go on after that, without password
    // or in the wrong database.
    this.#outage = failure;
    this.#listener.onUnreachable(failure);
    if (this.#options.isOwn) this.client.stream?.destroy();
  }

  #onClose(): void {
    this.#cancelTimer();
    const failure = this.#lastError ?? closedByPeer;
    const wasUp = this.#isUp;
    this.#isUp = false;
    this.#lastError = undefined;
    this.#listener.onLost(failure);
    if (wasUp) return; // The first attempt to reconnect comes at once; whether the node is reachable is not known yet.
    this.#outage = failure;
    this.#listener.onUnreachable(failure);
  }

  #onEnd(): void {
    this.#listener.onUnreachable(this.#outage ?? this.#lastError ?? closedByPeer);
    const { isOwn, clock } = this.#options;
    if (!isOwn) return;
    this.#cancelTimer = clock.schedule(reviveDelayMs, () => void this.client.connect().catch(() => undefined), false);
  }
}
