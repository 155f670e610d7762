/**
 * The life of a client: connecting, its state, closing.
 *
 * One node that is down must not keep an application from starting: the client is ready when one node has answered and
 * every other one has answered or failed.
 */

import type { Closing, Cluster } from '../cluster/cluster.ts';
import { ClosedError } from '../errors/index.ts';

/** What ioredis says of itself, as far as it makes sense for many connections. */
export type ShardedRedisStatus = 'wait' | 'connecting' | 'ready' | 'reconnecting' | 'end';

export interface LifeListener extends Closing {
  onReady(): void;
  /** No node could be reached; connecting goes on. */
  onUnreachable(reason: unknown): void;
  onEnd(): void;
}

export class ClientLife {
  status: ShardedRedisStatus = 'wait';
  readonly #cluster: Cluster;
  readonly #connectLimitMs: number;
  readonly #listener: LifeListener;
  #connecting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(cluster: Cluster, connectLimitMs: number, listener: LifeListener) {
    this.#cluster = cluster;
    this.#connectLimitMs = connectLimitMs;
    this.#listener = listener;
    const { monitor } = cluster;
    // Not every node whose PING failed when we connected was thought ill for it: `nodeUp` would not do.
    monitor.onProbed(() => {
      if (this.status !== 'reconnecting' || ![...cluster.healthOfAll().values()].includes('up')) return;
      this.#becomeReady();
    });
  }

  /** Every call passes here. @throws {ClosedError} */
  begin(): void {
    if (this.#closing !== undefined) throw new ClosedError('client');
    if (this.status === 'wait') this.connect().catch(() => undefined); // `onUnreachable` has heard of it.
  }

  async connect(): Promise<void> {
    if (this.#closing !== undefined) throw new ClosedError('client');
    if (this.status === 'ready') return;
    this.#connecting ??= this.#reachNodes().finally(() => {
      this.#connecting = undefined;
    });
    await this.#connecting;
  }

  async #reachNodes(): Promise<void> {
    this.status = 'connecting';
    const { monitor, fleet } = this.#cluster;
    monitor.start();
    // Each is noted as it comes: what is known of a node may have changed when all have come.
    const pings = fleet.allMembers().map(({ id }) => monitor.ask(id, this.#connectLimitMs));
    const outcomes = await Promise.allSettled(pings);
    if (this.#closing !== undefined) throw new ClosedError('client');
    if (outcomes.some(({ status }) => status === 'fulfilled')) {
      this.#becomeReady();
      return;
    }
    this.status = 'reconnecting';
    const { reason } = outcomes[0] as PromiseRejectedResult;
    this.#listener.onUnreachable(reason);
    throw reason;
  }

  #becomeReady(): void {
    this.status = 'ready';
    this.#listener.onReady();
  }

  /** Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.status = 'end';
    this.#cluster.monitor.stop();
    await this.#cluster.close(this.#listener);
    // As in ioredis, after the callers of `quit` have their answer; an error of a listener does not reach them.
    setImmediate(() => this.#listener.onEnd());
  }
}
