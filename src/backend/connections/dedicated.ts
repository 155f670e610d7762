/**
 * Connections used by one caller at a time, for what a shared connection cannot do: transactions with WATCH, blocking
 * commands, subscriptions. None is opened before the first use.
 */

import genericPool, { type Pool } from 'generic-pool';
import type { Redis } from 'ioredis';
import { ClosedError, TimeoutError, UnknownOutcomeError } from '../../errors/index.ts';
import { offAbort, onAbort } from '../../runtime/abort.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Deferred } from '../../runtime/deferred.ts';
import { type Client, canSend } from './client.ts';
import { closedByPeer, errorOf, type Failure, failureOf, isReplyError } from './failure.ts';

export interface DedicatedOptions {
  /** The node's name in errors, which may change while the backend is young. */
  readonly node: () => string;
  readonly clock: Clock;
  /** Most connections open at a time. */
  readonly max: number;
  /** A connection unused for this long is closed. Milliseconds. */
  readonly idleTimeoutMs: number;
  /** To have a free connection, when the call says nothing; and to clean one after its use. Milliseconds. */
  readonly timeoutMs: number;
  /** For the socket, TLS and AUTH together. Milliseconds. */
  readonly connectTimeoutMs: number;
  /** A new client with `dedicatedClientOptions`, unconnected. */
  readonly makeClient: () => Promise<Client>;
  /** Why the server that a client is connected to is not the right one of its group; undefined if it is. */
  readonly verify?: ((client: Client) => Promise<Failure | undefined>) | undefined;
}

export interface UseOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  /** `use` leaves no transaction and no WATCH behind, so the connection need not be cleaned. */
  readonly leavesClean?: boolean | undefined;
}

/** The pool tries for ever to make what cannot be made; so a failure is a resource too, and is thrown away by its taker. */
type Resource = { readonly client: Client } | { readonly error: unknown };

const operation = 'withConnection';

export class DedicatedConnections {
  readonly #options: DedicatedOptions;
  readonly #pool: Pool<Resource>;
  #isClosed = false;
  /** Clients in the hands of callers, with what ends a caller's use. */
  readonly #lent = new Map<Client, (reason: unknown) => void>();

  constructor(options: DedicatedOptions) {
    this.#options = options;
    this.#pool = genericPool.createPool<Resource>(
      {
        create: () => this.#create(),
        destroy: async (resource) => {
          if ('client' in resource) destroyClient(resource.client);
        },
        validate: async (resource) => !('client' in resource) || canSend(resource.client),
      },
      {
        min: 0,
        max: options.max,
        testOnBorrow: true,
        idleTimeoutMillis: options.idleTimeoutMs,
        // The pool's own timer, which does not hold the process.
        evictionRunIntervalMillis: Math.max(100, Math.ceil(options.idleTimeoutMs / 2)),
      },
    );
  }

  async use<Result>(use: (client: Redis) => Promise<Result> | Result, options: UseOptions): Promise<Result> {
    const { signal } = options;
    if (this.#isClosed) throw new ClosedError('backend');
    signal?.throwIfAborted();
    const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs;
    const cut = this.#cutter(timeoutMs, signal);
    let client: Client | undefined;
    try {
      const resource = await this.#borrow(cut.promise);
      if ('error' in resource) throw resource.error;
      client = resource.client;
      this.#lent.set(client, cut.end);
      // Without a limit from the caller, only the wait for a connection has one: blocking is what these are for.
      if (options.timeoutMs === undefined) cut.lift();
      cut.begins();
      const result = await Promise.race([(async () => use(client as unknown as Redis))(), cut.promise]);
      await this.#giveBack(resource, options.leavesClean === true);
      return result;
    } catch (error) {
      if (client !== undefined) await this.#destroy(client);
      throw this.#withoutArguments(error);
    } finally {
      cut.lift();
      cut.detach();
      if (client !== undefined) this.#lent.delete(client);
    }
  }

  /** Waits for the connections in use, at most for the default time; then closes all of them and ends their use. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const cancel = this.#options.clock.schedule(
      this.#options.timeoutMs,
      () => {
        for (const [client, end] of this.#lent) {
          destroyClient(client);
          // Whatever else `use` waits for may never come.
          setImmediate(end, new ClosedError('backend'));
        }
      },
      true,
    );
    await this.#pool.drain();
    cancel();
    await this.#pool.clear();
  }

  /** A promise that rejects when time is up or the signal aborts. */
  #cutter(timeoutMs: number, signal: AbortSignal | undefined) {
    const { clock } = this.#options;
    const node = this.#options.node();
    let hasBegun = false;
    const { promise, reject: cut } = new Deferred<never>();
    promise.catch(() => undefined);
    const timeIsUp = () => {
      const timeout = new TimeoutError(node, operation, timeoutMs);
      // What `use` had sent until then is not known here.
      cut(hasBegun ? new UnknownOutcomeError(node, operation, { cause: timeout }) : timeout);
    };
    const lift = timeoutMs === Number.POSITIVE_INFINITY ? () => undefined : clock.schedule(timeoutMs, timeIsUp, true);
    const abort = () => cut(signal?.reason);
    if (signal !== undefined) onAbort(signal, abort);
    return {
      promise,
      end: cut,
      lift,
      begins: () => {
        hasBegun = true;
      },
      detach: () => {
        if (signal !== undefined) offAbort(signal, abort);
      },
    };
  }

  /** A connection that comes after its caller has gone goes back to the pool. */
  async #borrow(cut: Promise<never>): Promise<Resource> {
    const acquiring = Promise.resolve(this.#pool.acquire());
    let isTaken = false;
    try {
      const resource = await Promise.race([acquiring, cut]);
      isTaken = true;
      if ('error' in resource) await this.#pool.destroy(resource);
      else this.#resources.set(resource.client, resource);
      return resource;
    } finally {
      if (!isTaken) {
        acquiring.then(
          (resource) => ('error' in resource ? this.#pool.destroy(resource) : this.#pool.release(resource)),
          () => undefined,
        );
      }
    }
  }

  readonly #resources = new WeakMap<Client, Resource>();

  async #giveBack(resource: { readonly client: Client }, leavesClean: boolean): Promise<void> {
    if (leavesClean ? canSend(resource.client) : await this.#isClean(resource.client))
      await this.#pool.release(resource);
    else await this.#destroy(resource.client);
  }

  async #destroy(client: Client): Promise<void> {
    const resource = this.#resources.get(client);
    if (resource !== undefined && this.#pool.isBorrowedResource(resource)) await this.#pool.destroy(resource);
  }

  /** Whether nothing that the last user did can be felt by the next. Ends a MULTI and a WATCH. */
  async #isClean(client: Client): Promise<boolean> {
    const { condition, options, commandQueue } = client;
    const isPlain = canSend(client) && !condition?.subscriber && (condition?.select ?? 0) === (options.db ?? 0);
    if (!isPlain || (commandQueue?.length ?? 0) > 0) return false;
    const redis = client as unknown as Redis;
    const cleaned = Promise.all([redis.call('DISCARD').catch(() => undefined), redis.call('UNWATCH')]).then(
      () => canSend(client),
      () => false,
    );
    return this.#orFalse(cleaned);
  }

  #orFalse(promise: Promise<boolean>): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.schedule(this.#options.timeoutMs, () => resolve(false), true);
      promise.then((answer) => {
        cancel();
        resolve(answer);
      });
    });
  }

  async #create(): Promise<Resource> {
    const { clock, connectTimeoutMs, makeClient } = this.#options;
    let client: Client;
    try {
      client = await makeClient();
    } catch (error) {
      return { error };
    }
    let failure: Failure | undefined;
    client.on('error', (error: unknown) => {
      failure = failureOf(error);
    });
    const cancel = clock.schedule(connectTimeoutMs, () => client.stream?.destroy(), true);
    // The events have told the reason already.
    await client.connect().catch(() => undefined);
    // After a refused AUTH or SELECT ioredis may report 'ready' all the same, before 5.8 even ahead of the refusal; this
    // reply comes after it. On a connection that is lost, it may never come.
    if (canSend(client)) {
      await Promise.race([
        client.ping().catch(() => undefined),
        new Promise<void>((resolve) => client.on('close', resolve)),
      ]);
    }
    if (canSend(client)) failure ??= await this.#options.verify?.(client);
    cancel();
    if (failure === undefined && canSend(client)) return { client };
    destroyClient(client);
    return {
      error: errorOf(failure ?? closedByPeer, {
        node: this.#options.node(),
        operation,
        isWrite: false,
        wasSent: false,
      }),
    };
  }

  /** ioredis' errors carry the command with its arguments; those of the caller's own making pass as they are. */
  #withoutArguments(error: unknown): unknown {
    const isIoredis =
      error instanceof Error && (isReplyError(error) || error.name === 'AbortError') && 'command' in error;
    if (!isIoredis) return error;
    return errorOf(failureOf(error), { node: this.#options.node(), operation, isWrite: true, wasSent: true });
  }
}

function destroyClient(client: Client): void {
  client.disconnect();
  client.stream?.destroy();
}
