/**
 * One connection of a pool, as its users have it one after the other.
 *
 * Each user gets a face of the client that ends with the use, so that one who keeps it cannot reach into the next use. All
 * commands pass here: what may have changed the connection is seen, and a command that is lost with the connection rejects
 * with a typed error instead of the driver's plain one.
 */

import type { Redis } from 'ioredis';
import { ClosedError, NodeUnavailableError, UnknownOutcomeError } from '../../errors/index.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Steps } from '../../runtime/step-limit.ts';
import { type Client, type ClientCommand, canSend } from '../link/client.ts';
import { errorOf, type Failure, failureOf, isReplyError } from '../link/failure.ts';
import { beforeClose } from '../link/identify.ts';
import { type LastMove, progressOf, type Signs, signsOf } from '../link/signs-of-life.ts';
import { UnexpectedReplyError } from '../sending/reply-shape.ts';
import { type ClientIdentity, parseClientList } from './client-list.ts';
import { endsTransaction, leavesConnectionAlone, opensTransaction } from './session-commands.ts';

/** The name of a use in errors, and whether repeating it could change something twice. */
export interface UseDescription {
  readonly node: string;
  readonly operation: string;
  readonly isWrite: boolean;
}

export class DedicatedClient {
  readonly client: Client;
  /** Undefined where the server does not say. */
  identity: ClientIdentity | undefined;

  readonly #clock: Clock;
  /** The methods and listeners that the client had before its first use. */
  readonly #ownMethods: number;
  readonly #options: object;
  readonly #listeners: number;
  readonly #lastMove: LastMove;
  #heardAtMs: number;
  #mayHaveChanged = false;
  /** Commands that opened a transaction or a WATCH, and how many of them are known to be over. */
  #opened = 0;
  #ended = 0;
  /** Why we have ended the connection ourselves. */
  #loss: Failure | undefined;

  readonly #liftGuard: () => void;

  /** @param client  Connected. @param liftGuard  Lets replies of RESP3 pass from now on. */
  constructor(
    client: Client,
    identity: ClientIdentity | undefined,
    lastMove: LastMove,
    clock: Clock,
    liftGuard: () => void,
  ) {
    this.client = client;
    this.#liftGuard = liftGuard;
    this.identity = identity;
    this.#lastMove = lastMove;
    this.#clock = clock;
    this.#ownMethods = countMethods(client);
    this.#options = { ...client.options };
    this.#listeners = countListeners(client);
    this.#heardAtMs = clock.nowMs();
  }

  /** Since when nothing has been heard on the connection, as far as its uses tell. */
  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  /** A reply is still to come. */
  get isWaiting(): boolean {
    return (this.client.commandQueue?.length ?? 0) > 0;
  }

  /** The bytes that have moved on the connection so far. */
  get signs(): Signs {
    return signsOf(this.client.stream);
  }

  /** The steps of a use. @param waitMs  How long the server itself may wait before it answers. */
  steps(waitMs: number): Steps {
    return {
      sinceMs: () => (this.isWaiting ? this.#lastMove.atMs : this.#clock.nowMs()),
      progress: () => progressOf(this.client),
      waitMs,
    };
  }

  /** Begins a use. {@link Turn.end} ends it. */
  begin(use: UseDescription): Turn {
    return new Turn(this.client, use, {
      onSending: (command) => this.#onSending(command),
      lossOf: (error) => this.#loss ?? failureOf(error),
    });
  }

  /** Whether the next user may have the connection once {@link clean} has passed. */
  get isReusable(): boolean {
    const { client } = this;
    return (
      canSend(client) &&
      !this.#mayHaveChanged &&
      !this.isWaiting &&
      countMethods(client) === this.#ownMethods &&
      isShallowEqual(client.options, this.#options) &&
      countListeners(client) === this.#listeners
    );
  }

  /** Whether a transaction or a WATCH may be left. */
  get needsCleaning(): boolean {
    return this.#opened > this.#ended;
  }

  /** Ends a MULTI and a WATCH. Resolves to whether none is left. */
  async clean(): Promise<boolean> {
    const redis = this.client as unknown as Redis;
    try {
      await Promise.all([redis.call('DISCARD').catch(() => undefined), redis.call('UNWATCH')]);
    } catch {
      return false;
    }
    this.#ended = this.#opened;
    this.#hear();
    return canSend(this.client);
  }

  /** Resolves to true when the server says anything, and to false when the connection ends. */
  async answers(): Promise<boolean> {
    await askIdentity(this.client);
    if (!canSend(this.client)) return false;
    this.#hear();
    return true;
  }

  /** Takes note that all replies of a use have come. */
  noteReplies(): void {
    this.#hear();
  }

  /** Ends the connection; what is lost with it is lost for this reason. */
  destroy(loss?: Failure): void {
    this.#loss ??= loss;
    destroyClient(this.client);
  }

  #hear(): void {
    this.#heardAtMs = this.#clock.nowMs();
  }

  #onSending(command: ClientCommand): void {
    if (!this.isWaiting) this.#lastMove.note();
    const name = command.name.toLowerCase();
    if (!leavesConnectionAlone(name, command.args)) this.#mayHaveChanged = true;
    if (name === 'hello') this.#liftGuard(); // It may be for RESP3, which the rest of this use then has.
    if (opensTransaction(name)) this.#opened++;
    if (!endsTransaction(name)) return;
    const opened = this.#opened;
    const { resolve } = command;
    command.resolve = (reply) => {
      this.#ended = opened;
      return resolve(reply);
    };
  }
}

interface TurnListener {
  onSending(command: ClientCommand): void;
  lossOf(error: Error): Failure;
}

/** One use of a connection. */
export class Turn {
  /** The client as the user has it. */
  readonly face: Redis;

  readonly #client: Client;
  readonly #use: UseDescription;
  readonly #listener: TurnListener;
  /** Errors that we made of the driver's. */
  readonly #losses = new WeakSet<Error>();
  #hasSent = false;
  #isOver = false;

  constructor(client: Client, use: UseDescription, listener: TurnListener) {
    this.#client = client;
    this.#use = use;
    this.#listener = listener;
    const own: Readonly<Record<PropertyKey, unknown>> = {
      sendCommand: (command: ClientCommand, ...rest: unknown[]) => this.#send(command, rest),
      disconnect: (...args: unknown[]) => this.#disconnect(args),
    };
    this.face = new Proxy(client, {
      get: (target, name, receiver) => (Object.hasOwn(own, name) ? own[name] : Reflect.get(target, name, receiver)),
    }) as unknown as Redis;
  }

  /** Something was sent on the connection. */
  get hasSent(): boolean {
    return this.#hasSent;
  }

  /** A reply is still to come. */
  get isWaiting(): boolean {
    return (this.#client.commandQueue?.length ?? 0) > 0;
  }

  end(): void {
    this.#isOver = true;
  }

  /** The error for a use that must end because of its connection. */
  lossError(failure: Failure): Error {
    return this.#record(errorOf(failure, { ...this.#use, wasSent: this.#hasSent }));
  }

  /**
   * The caller's error for an error of the user. A command that was never sent says nothing of those before it, so the use
   * as a whole has an unknown outcome then; ioredis' own refusals carry the command with its arguments; and what else was
   * thrown passes as it is.
   */
  errorOf(error: unknown): unknown {
    if (!(error instanceof Error)) return error;
    const { node, operation, isWrite } = this.#use;
    if (this.#losses.has(error)) {
      const isUnknown = error instanceof NodeUnavailableError && this.#hasSent && isWrite;
      return isUnknown ? new UnknownOutcomeError(node, operation, { cause: error.cause }) : error;
    }
    const isOurs = error instanceof UnexpectedReplyError || (isReplyError(error) && 'command' in error);
    if (!isOurs) return error;
    return errorOf(failureOf(error), { ...this.#use, wasSent: true });
  }

  #send(command: ClientCommand, rest: readonly unknown[]): unknown {
    const { reject } = command;
    if (this.#isOver) {
      reject(new ClosedError('connection'));
      return command.promise;
    }
    const client = this.#client;
    const goesOut = canSend(client);
    let wasSent = false;
    command.reject = (error) => {
      // An error of the client on a healthy connection is the user's mistake.
      const isRefusal = isReplyError(error) || (goesOut && !wasSent);
      return reject(isRefusal ? error : this.#lossOf(error, wasSent));
    };
    this.#listener.onSending(command);
    const sent = client.sendCommand(command, ...(rest as []));
    wasSent = goesOut;
    this.#hasSent ||= goesOut;
    return sent;
  }

  #lossOf(error: Error, wasSent: boolean): Error {
    return this.#record(errorOf(this.#listener.lossOf(error), { ...this.#use, wasSent }));
  }

  #record<Recorded extends Error>(error: Recorded): Recorded {
    this.#losses.add(error);
    return error;
  }

  #disconnect(args: unknown[]): void {
    if (!this.#isOver) this.#client.disconnect(...(args as []));
  }
}

/** Asks a connection who it is. Never rejects, and resolves when the connection ends. */
export async function askIdentity(client: Client): Promise<ClientIdentity | undefined> {
  const asked = (client as unknown as Redis).call('CLIENT', 'INFO');
  return parseClientList(await beforeClose(client, asked).catch(() => undefined))[0];
}

export function destroyClient(client: Client): void {
  client.disconnect();
  client.stream?.destroy();
}

/** Properties of the client itself: those that `defineCommand` made, and anything else put on it. */
const countMethods = (client: Client) => Object.values(client).filter((value) => typeof value === 'function').length;

function isShallowEqual(one: object, other: object): boolean {
  const [entries, others] = [Object.entries(one), new Map(Object.entries(other))];
  return entries.length === others.size && entries.every(([name, value]) => others.get(name) === value);
}

const countListeners = (client: Client) => {
  const emitter = client as unknown as Redis;
  return emitter.eventNames().reduce((count, name) => count + emitter.listenerCount(name), 0);
};
