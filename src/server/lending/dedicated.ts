/**
 * Connections used by one caller at a time, for what a shared connection cannot do: transactions with WATCH, blocking
 * commands, subscriptions. None is opened before the first use.
 *
 * A user gets its answer first, and the connection is cleaned afterwards: a server that hangs costs the next caller, if
 * anybody. What the last user may have changed, and cannot be undone at once, ends with its connection.
 */

import genericPool, { type Pool } from 'generic-pool';
import type { Redis } from 'ioredis';
import { ClosedError, TimeoutError, UnknownOutcomeError } from '../../errors/index.ts';
import type { Clock } from '../../runtime/clock.ts';
import { limitSteps, type Steps } from '../../runtime/step-limit.ts';
import { limitTime, settledWithin } from '../../runtime/time-limit.ts';
import { type Client, canSend } from '../link/client.ts';
import { connectStageOf } from '../link/connect-stage.ts';
import { closedByPeer, errorOf, type Failure, failureOf, isReplyError } from '../link/failure.ts';
import { guardQueue, guardReplies } from '../link/parser-guard.ts';
import { isDemotion } from '../link/refusals.ts';
import { limitReplies } from '../link/reply-limit.ts';
import { LastMove, progressOf } from '../link/signs-of-life.ts';
import type { ClientIdentity } from './client-list.ts';
import { askIdentity, DedicatedClient, destroyClient, type Turn } from './dedicated-client.ts';
import type { ReplyWatch } from './reply-watch.ts';
import { UseLimit } from './use-limit.ts';

export interface DedicatedOptions {
  /** The node's name in errors, which may change while the backend is young. */
  readonly node: () => string;
  readonly clock: Clock;
  /** Most connections open at a time. */
  readonly max: number;
  /** The option that it comes from. */
  readonly maxOption: string;
  /** A connection unused for this long is closed. Milliseconds. */
  readonly idleTimeoutMs: number;
  /** One on which nothing was heard for this long is tried before it is used. Milliseconds. */
  readonly trustMs: number;
  /** To have a free connection, when the call says nothing; and to clean one after its use. Milliseconds. */
  readonly timeoutMs: number;
  /** For the socket, TLS and AUTH together. Milliseconds. */
  readonly connectTimeoutMs: number;
  /** The server's address, for messages. */
  readonly address: string;
  /** A new client with `dedicatedClientOptions`, unconnected. */
  readonly makeClient: () => Promise<Client>;
  /** Most bytes of one reply; see `reply-limit.ts`. */
  readonly maxReplyBytes: number;
  /** Why the server that a client is connected to is not one for the node; undefined if it is. */
  readonly verify: (client: Client) => Promise<Failure | undefined>;
  /** What a connection that is being made waits for before it has a socket; see `connect-stage.ts`. */
  readonly waitsFor: () => string | undefined;
  /** Told when a server has said that it is a replica. */
  readonly onDemotion: () => void;
  /** Watches over the connections that are in use. */
  readonly watch: ReplyWatch;
}

export interface UseTime {
  readonly timeoutMs?: number | undefined;
  /** When the call began of which this is a later part, on the monotonic clock. Default: now. */
  readonly beganMs?: number | undefined;
}

export interface UseOptions extends UseTime {
  readonly signal?: AbortSignal | undefined;
  /** How long the server itself may wait before it answers; a part of `timeoutMs`. Milliseconds, default 0. */
  readonly waitMs?: number | undefined;
  /** In errors. Default 'withConnection'. */
  readonly operation?: string | undefined;
  /** False: nothing that `use` sends changes anything, so that it may be repeated. Default true. */
  readonly isWrite?: boolean | undefined;
}

export const defaultOperation = 'withConnection';

/** The pool tries for ever to make what cannot be made; so a failure is a resource too, and is thrown away by its taker. */
type Resource = DedicatedClient | NoConnection;

/** Makes the error of a call that finds no connection; each call has its own. */
interface NoConnection {
  readonly errorFor: (operation: string) => unknown;
}

/** Longest time in which an idle connection must answer before it is used. Milliseconds. */
const longestTrialMs = 1_000;

export class DedicatedConnections {
  readonly #options: DedicatedOptions;
  readonly #pool: Pool<Resource>;
  #isClosed = false;
  /** Limits of callers that have no connection yet. */
  readonly #waiting = new Set<UseLimit>();
  readonly #inUse = new Map<DedicatedClient, UseLimit>();
  /** Clients that are connecting or idle, or are cleaned after their use. */
  readonly #unused = new Set<Client>();
  /** When the way to the server was last in doubt: what was heard before that proves nothing. */
  #doubtedAtMs = Number.NEGATIVE_INFINITY;
  /** When an idle connection was last found to be silent: those that were heard no later are as good as lost. */
  #foundSilentAtMs = Number.NEGATIVE_INFINITY;
  /** The last move on any connection, including a return from a use. */
  readonly #lastMove: LastMove;

  constructor(options: DedicatedOptions) {
    this.#options = options;
    this.#lastMove = new LastMove(options.clock);
    this.#pool = genericPool.createPool<Resource>(
      {
        create: () => this.#create(),
        destroy: async (resource) => {
          if ('errorFor' in resource) return;
          this.#unused.delete(resource.client);
          resource.destroy();
        },
        validate: async (resource) => 'errorFor' in resource || this.#isFit(resource),
      },
      {
        min: 0,
        max: options.max,
        // The last one used is the one that is surest to be well; those that are not needed grow old.
        fifo: false,
        testOnBorrow: true,
        idleTimeoutMillis: options.idleTimeoutMs,
        // The pool's own timer, which does not hold the process.
        evictionRunIntervalMillis: Math.max(100, Math.ceil(options.idleTimeoutMs / 2)),
      },
    );
  }

  async use<Result>(use: (client: Redis) => Promise<Result> | Result, options: UseOptions): Promise<Result> {
    const { signal, operation = defaultOperation, isWrite = true } = options;
    const { address, clock, timeoutMs } = this.#options;
    if (this.#isClosed) throw new ClosedError('backend');
    signal?.throwIfAborted();
    const description = { node: this.#options.node(), operation, isWrite };
    const limitMs = options.timeoutMs ?? timeoutMs;
    let turn: Turn | undefined;
    const timeoutError = () => {
      const reason = turn === undefined ? this.#waitsFor() : undefined;
      // A transaction or a blocking command is a function of ours.
      const isOwnTime = options.operation === undefined && turn?.isWaiting === false;
      const timeout = new TimeoutError(description.node, operation, limitMs, { address, reason, isOwnTime });
      const isUnknown = isWrite && turn?.hasSent === true;
      return isUnknown ? new UnknownOutcomeError(description.node, operation, { cause: timeout, address }) : timeout;
    };
    const { beganMs = clock.nowMs() } = options;
    const limit = new UseLimit({
      clock,
      timeoutMs: limitMs,
      beganMs,
      steps: this.#waitingSteps(),
      signal,
      timeoutError,
    });
    try {
      const dedicated = await this.#borrow(limit, operation);
      // Without a limit from the caller, only the wait for a connection has one: blocking is what these are for.
      if (options.timeoutMs === undefined) limit.liftDeadline();
      else limit.follow(dedicated.steps(options.waitMs ?? 0));
      const begun = dedicated.begin(description);
      turn = begun;
      limit.endAfterLoss(dedicated.client, timeoutMs, () => begun.lossError(closedByPeer));
      return await this.#run(dedicated, begun, limit, use);
    } finally {
      limit.release();
    }
  }

  /** The caller has its answer at once, whatever becomes of the connection. */
  async #run<Result>(
    dedicated: DedicatedClient,
    turn: Turn,
    limit: UseLimit,
    use: (client: Redis) => Promise<Result> | Result,
  ): Promise<Result> {
    try {
      const result = await Promise.race([(async () => use(turn.face))(), limit.reached]);
      limit.release();
      this.#retire(dedicated, turn);
      return result;
    } catch (error) {
      turn.end();
      this.#destroy(dedicated);
      if (isReplyError(error) && isDemotion(error)) this.#options.onDemotion();
      throw turn.errorOf(error);
    }
  }

  /** The shared connection is lost: from now on a connection is used only once it has answered. */
  doubt(): void {
    this.#doubtedAtMs = this.#options.clock.nowMs();
  }

  /**
   * Ends the wait of those who have no connection yet, at once. Waits for the connections in use, for at most `limitMs`; then
   * ends their use.
   */
  async close(limitMs: number): Promise<void> {
    this.#isClosed = true;
    const closed = new ClosedError('backend');
    for (const limit of this.#waiting) limit.end(closed);
    for (const client of this.#unused) destroyClient(client);
    const endUses = () => {
      for (const [dedicated, limit] of this.#inUse) {
        limit.end(closed);
        dedicated.destroy();
      }
    };
    const cancel = limitTime(this.#options.clock, limitMs, endUses, true);
    await this.#pool.drain();
    cancel();
    await this.#pool.clear();
  }

  /** What callers without a connection wait for, in words that end a sentence, as far as that is known. */
  #waitsFor(): string | undefined {
    if (this.#inUse.size >= this.#options.max) {
      const { max, maxOption } = this.#options;
      const all = max === 1 ? 'the only connection of this kind is' : `all ${max} connections of this kind are`;
      return `${all} in use. Hold connections for a shorter time, or raise \`${maxOption}\`.`;
    }
    for (const client of this.#unused) {
      const stage = connectStageOf(client, this.#options.waitsFor());
      if (stage !== undefined) return stage;
    }
    return undefined;
  }

  /** For a caller that waits for a connection: any movement on any of them counts as progress. */
  #waitingSteps(): Steps {
    const { clock } = this.#options;
    const clients = () => [...this.#unused, ...[...this.#inUse.keys()].map(({ client }) => client)];
    const beganMs = clock.nowMs();
    return {
      sinceMs: () => (clients().length === 0 ? clock.nowMs() : Math.max(beganMs, this.#lastMove.atMs)),
      progress: () => clients().map(progressOf).join(),
    };
  }

  /** A connection that comes after its caller has gone goes back to the pool. */
  async #borrow(limit: UseLimit, operation: string): Promise<DedicatedClient> {
    const acquiring = Promise.resolve(this.#pool.acquire());
    let isTaken = false;
    this.#waiting.add(limit);
    try {
      const resource = await Promise.race([acquiring, limit.reached]);
      isTaken = true;
      if ('errorFor' in resource) {
        void this.#pool.destroy(resource);
        throw resource.errorFor(operation);
      }
      this.#unused.delete(resource.client);
      this.#inUse.set(resource, limit);
      this.#options.watch.add(resource);
      return resource;
    } finally {
      this.#waiting.delete(limit);
      if (!isTaken) {
        acquiring.then(
          (resource) => ('errorFor' in resource ? this.#pool.destroy(resource) : this.#pool.release(resource)),
          () => undefined,
        );
      }
    }
  }

  /** After a use that ended well. The next user gets the connection if nothing of this one can be felt on it. */
  #retire(dedicated: DedicatedClient, turn: Turn): void {
    turn.end();
    if (this.#isClosed || !dedicated.isReusable) {
      this.#destroy(dedicated);
      return;
    }
    this.#leaveUse(dedicated);
    this.#unused.add(dedicated.client);
    if (!dedicated.needsCleaning) {
      dedicated.noteReplies();
      void this.#pool.release(dedicated);
      return;
    }
    void this.#within(this.#options.timeoutMs, dedicated.clean()).then((isClean) =>
      isClean ? this.#pool.release(dedicated) : this.#pool.destroy(dedicated),
    );
  }

  #destroy(dedicated: DedicatedClient): void {
    this.#leaveUse(dedicated);
    void this.#pool.destroy(dedicated);
  }

  #leaveUse(dedicated: DedicatedClient): void {
    this.#inUse.delete(dedicated);
    this.#lastMove.note();
    this.#options.watch.remove(dedicated);
  }

  /** Whether an idle connection may be used: something between here and the server may have forgotten it without a word. */
  async #isFit(dedicated: DedicatedClient): Promise<boolean> {
    const { clock, trustMs, timeoutMs } = this.#options;
    const { heardAtMs } = dedicated;
    if (this.#isClosed || !canSend(dedicated.client) || heardAtMs <= this.#foundSilentAtMs) return false;
    if (heardAtMs > this.#doubtedAtMs && clock.nowMs() - heardAtMs < trustMs) return true;
    if (await this.#within(Math.min(longestTrialMs, timeoutMs / 2), dedicated.answers())) return true;
    if (canSend(dedicated.client)) this.#foundSilentAtMs = clock.nowMs();
    return false;
  }

  /** False if it takes longer. */
  async #within(limitMs: number, answer: Promise<boolean>): Promise<boolean> {
    return (await settledWithin(this.#options.clock, limitMs, answer)) && answer;
  }

  async #create(): Promise<Resource> {
    const { clock, makeClient } = this.#options;
    let client: Client;
    try {
      client = await makeClient();
    } catch (error) {
      return { errorFor: () => error };
    }
    if (this.#isClosed) return { errorFor: () => new ClosedError('backend') };
    limitReplies(client, this.#options.maxReplyBytes);
    guardQueue(client);
    const liftGuard = guardReplies(client);
    this.#unused.add(client);
    let failure: Failure | undefined;
    client.on('error', (error: unknown) => {
      failure ??= failureOf(error); // Others are the wake of the first.
      // Nothing that came with it, or will come, can be believed.
      if (failure.kind === 'protocol') client.stream?.destroy();
    });
    const lastMove = new LastMove(clock, this.#lastMove);
    lastMove.follow(client);
    const cancel = this.#limitConnecting(client, lastMove);
    // The events have reported the reason already.
    await client.connect().catch(() => undefined);
    // After a refused AUTH or SELECT ioredis may report 'ready' all the same, before 5.8 even ahead of the refusal; these
    // replies come after it.
    let identity: ClientIdentity | undefined;
    if (canSend(client)) {
      const [found, misfit] = await Promise.all([askIdentity(client), this.#options.verify(client)]);
      identity = found;
      failure ??= misfit;
    }
    cancel();
    if (failure === undefined && canSend(client))
      return new DedicatedClient(client, identity, lastMove, clock, liftGuard);
    this.#unused.delete(client);
    destroyClient(client);
    return { errorFor: (operation) => this.#connectError(failure ?? closedByPeer, operation) };
  }

  /** @returns Ends the limit. */
  #limitConnecting(client: Client, lastMove: LastMove): () => void {
    const { clock, connectTimeoutMs } = this.#options;
    const steps: Steps = { sinceMs: () => lastMove.atMs, progress: () => progressOf(client) };
    const options = { timeoutMs: connectTimeoutMs, beganMs: clock.nowMs(), steps: () => steps };
    return limitSteps(clock, options, () => client.stream?.destroy());
  }

  #connectError(failure: Failure, operation: string): Error {
    if (this.#isClosed) return new ClosedError('backend');
    const { address, node } = this.#options;
    return errorOf(failure, { node: node(), address, operation, isWrite: false, wasSent: false });
  }
}
