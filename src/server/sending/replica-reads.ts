/**
 * Reads of a group that go to one of its replicas, and to the master at once while no replica can be reached.
 *
 * A replica may serve older data than was last written: replication is asynchronous. So only commands that say so go
 * there (`mayReadReplica`), and never a part of a transaction, a cursor, or a check of the node's health.
 */

import { isShardringError } from '../../errors/index.ts';
import type { CommandArgument } from '../link/client.ts';
import type { CallLimits, CallObserver, CommandSpec } from './call.ts';
import type { Connection } from './connection.ts';

/**
 * Reading commands that are about the server they run on: a cursor of one server means nothing to another, TOUCH and OBJECT
 * are about when a key was used, MEMORY about what it takes there.
 */
const aboutOneServer: ReadonlySet<string> = new Set(['scan', 'hscan', 'sscan', 'zscan', 'touch', 'object', 'memory']);

/**
 * Whether a command that an application sends by itself, outside of transactions, may be answered by a replica.
 *
 * @param name        In lower case.
 * @param isReadOnly  It has the flag `readonly`.
 */
export const mayReadReplica = (name: string, isReadOnly: boolean): boolean => isReadOnly && !aboutOneServer.has(name);

export class ReplicaReads {
  readonly #replica: Connection;
  readonly #master: Connection;

  constructor(replica: Connection, master: Connection) {
    this.#replica = replica;
    this.#master = master;
  }

  async call<Reply>(
    spec: CommandSpec<Reply>,
    args: readonly CommandArgument[],
    limits: CallLimits,
    observer?: CallObserver,
  ): Promise<Reply> {
    if (!this.#replica.isUp) {
      this.#replica.connect();
      return this.#master.call(spec, args, limits, observer);
    }
    try {
      const reply = await this.#replica.call(spec, args, limits);
      observer?.answered(spec, limits);
      return reply;
    } catch (error) {
      // Within the same deadline.
      if (isAbsence(error)) return this.#master.call(spec, args, limits, observer);
      observer?.failed(spec, limits, error);
      throw error;
    }
  }

  idle(): Promise<void> {
    return this.#replica.idle();
  }

  end(reason: Error): void {
    this.#replica.end(reason);
  }
}

/** A server that is still loading, or whose master is away and which may not serve old data then, is as good as none. */
const isNotServing = /^(LOADING|MASTERDOWN)/;

/** True if the replica has not answered, be the error ours or the server's own. */
function isAbsence(error: unknown): boolean {
  if (!isShardringError(error)) return error instanceof Error && isNotServing.test(error.message);
  if (error.code === 'ERR_NODE_UNAVAILABLE') return true;
  return error.code === 'ERR_NODE_REPLY' && isNotServing.test(error.kind);
}
