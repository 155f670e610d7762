/**
 * A client's way up and down: what its events mean for calls that wait, and for those in flight.
 *
 * A connection counts only once its server has turned out to be one that the node can use. A client of our own is also kept
 * going: a handshake that hangs is cut off, and one that ioredis has given up is begun again. A borrowed client is only watched.
 */

import type { Clock } from '../../runtime/clock.ts';
import { limitTime } from '../../runtime/time-limit.ts';
import { type Client, type ClientEvent, canSend } from './client.ts';
import { connectStageOf } from './connect-stage.ts';
import { closedByPeer, type Failure, failureOf } from './failure.ts';
import { farewell } from './farewell.ts';
import { silentHandshake } from './peer-failure.ts';
import { isDemotion } from './refusals.ts';

export interface LinkListener {
  /** The node can be talked to. */
  onUp(): void;
  /** Unanswered commands stay unanswered. Called a second time if the connection's end follows. */
  onLost(failure: Failure): void;
  /** An attempt to connect has failed; the next one comes by itself, later. */
  onUnreachable(failure: Failure): void;
}

/** The link's view of the node's servers, one of which is the right one. */
export interface ServerCheck {
  /**
   * Why the server that the client is connected to is not the right one; undefined if it is.
   * @param revoke  Called when it turns out later that it is not.
   */
  verify(client: Client, revoke: (failure: Failure) => void): Promise<Failure | undefined>;
  /** Calls `listener` when another server may have become the right one. Returns how to stop that. */
  onSwitch(listener: () => void): () => void;
  /** What a connection that is being made waits for before it has a socket, in words that end a sentence. */
  readonly waitsFor: string | undefined;
  /** The server has said that it is no primary. @returns Whether its connection is to be given up. */
  doubt(): boolean;
}

export interface LinkOptions {
  readonly isOwn: boolean;
  readonly clock: Clock;
  /** Time from the connection of the socket to the end of AUTH, SELECT and the like. Milliseconds, of own clients. */
  readonly handshakeTimeoutMs: number;
  readonly serverCheck: ServerCheck;
}

/** Pause before a client that ioredis has given up (its connector itself threw) is begun again, in milliseconds. */
const reviveDelayMs = 1_000;

export class Link {
  readonly client: Client;
  readonly #listener: LinkListener;
  readonly #options: LinkOptions;

  /** Counts connections, to know whether two moments had the same one. */
  upCount = 0;

  /** True from when the server has turned out to be the right one until it does not any more, or 'close'. */
  #isUp = false;
  /** The end of the present connection, which is in flight, says nothing of the next one. */
  #isReconsidered = false;
  /** The stream whose server was looked at last, and when that was. */
  #checked: { readonly stream: Client['stream']; readonly atMs: number } | undefined;
  /** The failure of the last attempt to connect, until an attempt succeeds. */
  #outage: Failure | undefined;
  /** The newest 'error' event of the present connection. */
  #lastError: Failure | undefined;
  #cancelTimer: () => void = () => undefined;
  readonly #stopListening: () => void;

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
    for (const [event, handler] of this.#handlers) client.on(event, handler);
    this.#stopListening = options.serverCheck.onSwitch(() => this.#retryNow());
    if (canSend(client)) this.#check();
  }

  /** Why a call that cannot be sent now need not wait either; undefined if it may. */
  get outage(): Failure | undefined {
    return this.#outage ?? (this.client.status === 'end' ? closedByPeer : undefined);
  }

  /** What calls that could not be sent yet wait for, in words that end a sentence, as far as that is known. */
  get waitsFor(): string | undefined {
    return connectStageOf(this.client, this.#options.serverCheck.waitsFor);
  }

  /** True if a command given to the client now goes out at once, to a node that has let us in. */
  get isUp(): boolean {
    return this.#isUp && canSend(this.client);
  }

  /** Starts to connect, unless that has been done. */
  connect(): void {
    // The outcome comes as events; the promise says the same once more.
    if (this.client.status === 'wait') this.client.connect().catch(() => undefined);
  }

  /** Gives up the present connection; a client of our own then makes a new one. */
  drop(failure: Failure): void {
    this.#lastError = failure;
    this.client.stream?.destroy();
  }

  /** The server has rejected a call. A write that a replica rejects was meant for its primary: look for the primary again. */
  onRefusal({ cause }: Failure): void {
    const { serverCheck, clock, isOwn } = this.#options;
    const { stream } = this.client;
    if (!stream?.writable || !isDemotion(cause) || !serverCheck.doubt() || !isOwn) return;
    this.#lastError = { kind: 'connection', cause: new Error('The server is no longer the primary.') };
    // Calls before and behind this one still get their replies; new ones wait for the next connection.
    farewell(stream, clock);
  }

  /** Listens no more. A client of our own is closed for good. */
  end(): void {
    this.#cancelTimer();
    this.#stopListening();
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
    this.#cancelTimer = limitTime(clock, handshakeTimeoutMs, () => this.drop(silentHandshake), false);
  }

  #onReady(): void {
    // ioredis 5 reports 'ready' for a connection on which the password has just been refused.
    if (!canSend(this.client)) return;
    // Before 5.8 it does not even wait for the replies to AUTH and SELECT. They come before those of the check, and where
    // they are refusals, #onError closes the connection.
    // A borrowed client may have been ready before it said so.
    if (this.#checked === undefined || this.#checked.stream !== this.client.stream) this.#check();
  }

  /** The connection is there. It is one to use if its server is the right one. */
  #check(): void {
    const { client } = this;
    const { stream } = client;
    const checked = { stream, atMs: this.#options.clock.nowMs() };
    this.#checked = checked;
    let isRefused = false;
    const refuse = (failure: Failure) => {
      if (this.#checked !== checked || !canSend(client)) return;
      isRefused = true;
      this.#refuse(failure);
    };
    void this.#options.serverCheck.verify(client, refuse).then((failure) => {
      if (failure !== undefined) refuse(failure);
      else if (!isRefused && this.#checked === checked && canSend(client)) this.#up();
    });
  }

  /**
   * Another node keeps the server, or did when that was asked last. A client of our own asks again with each attempt to
   * connect; a borrowed one stays connected, so this waits for a caller that can use the answer.
   */
  lookAgain(): void {
    const { isOwn, clock } = this.#options;
    if (isOwn || this.#isUp || !canSend(this.client)) return;
    if (clock.nowMs() - (this.#checked?.atMs ?? 0) >= reviveDelayMs) this.#check();
  }

  /** A server that was refused may be the right one now: calls wait for the result. */
  reconsider(): void {
    this.#outage = undefined;
    if (!this.#options.isOwn) {
      if (canSend(this.client)) this.#check();
    } else if (this.client.status === 'reconnecting') this.#retryNow();
    else this.#isReconsidered = true;
  }

  /** The connection is there, and is not one to use. A client that is not ours stays connected. */
  #refuse(failure: Failure): void {
    this.#noteOutage(failure);
    this.#listener.onUnreachable(failure);
    if (this.#options.isOwn) {
      this.drop(failure);
      return;
    }
    // Calls in flight there would be answered by a server that is not the node's.
    if (this.#isUp) this.#listener.onLost(failure);
    this.#isUp = false;
  }

  /** A bare end of a connection says less than what was wrong before. */
  #noteOutage(failure: Failure): void {
    if (this.#outage === undefined || failure !== closedByPeer) this.#outage = failure;
  }

  /** The pause before the next attempt is for a node that does not change. */
  #retryNow(): void {
    if (this.client.status === 'reconnecting') this.client.connect().catch(() => undefined);
  }

  #up(): void {
    this.#cancelTimer();
    this.upCount++;
    this.#isUp = true;
    this.#outage = undefined;
    this.#lastError = undefined;
    this.#listener.onUp();
  }

  #onError(error: unknown): void {
    const failure = failureOf(error);
    const endsUse = failure.kind === 'protocol' && this.#isUp;
    // The first one says what is wrong; others are the wake of it.
    if (this.#lastError !== undefined && !endsUse) return;
    this.#lastError = failure;
    if (failure.kind === 'connection' || failure.kind === 'credentials') return; // 'close' follows.
    if (endsUse) {
      // At once, before anything that came with it is believed. It is also the end of a borrowed client's connection: the
      // application's own replies would be mistaken as well.
      this.#listener.onLost(failure);
      this.client.stream?.destroy();
      return;
    }
    // AUTH or SELECT was refused, or this is no Redis: with ioredis a connection may go on after that, without password
    // or in the wrong database.
    this.#noteOutage(failure);
    this.#listener.onUnreachable(failure);
    if (this.#options.isOwn) this.client.stream?.destroy();
  }

  #onClose(): void {
    this.#cancelTimer();
    this.#checked = undefined;
    const failure = this.#lastError ?? closedByPeer;
    const isNextUnknown = this.#isUp || this.#isReconsidered;
    this.#isReconsidered = false;
    this.#isUp = false;
    this.#lastError = undefined;
    this.#listener.onLost(failure);
    if (isNextUnknown) return; // An attempt to reconnect follows; whether the node is reachable is not known yet.
    this.#noteOutage(failure);
    this.#listener.onUnreachable(this.#outage ?? failure);
  }

  #onEnd(): void {
    // An attempt that never came to a connection has no 'close' before.
    if (this.#lastError !== undefined) this.#noteOutage(this.#lastError);
    this.#lastError = undefined;
    this.#listener.onUnreachable(this.#outage ?? closedByPeer);
    const { isOwn, clock } = this.#options;
    if (!isOwn) return;
    this.#cancelTimer = clock.schedule(reviveDelayMs, () => void this.client.connect().catch(() => undefined), false);
  }
}
