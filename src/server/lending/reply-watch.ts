/**
 * Finds the connections on which a reply is waited for that will never come: those that something between here and the
 * server has forgotten without a word.
 *
 * A command that waits for data may wait for ever, so silence says nothing, and behind it nothing else can be asked on the
 * same connection. But the server knows which of its connections wait. So it is asked over the shared connection, every
 * `periodMs`, about those on which a reply is due and nothing has moved since the last time. One that twice in a row,
 * `confirmMs` apart, was not blocked and moved no byte is given up: its reply is lost, or its command has never arrived.
 */

import type { Clock } from '../../runtime/clock.ts';
import type { Failure } from '../link/failure.ts';
import { hasMoved, type Signs } from '../link/signs-of-life.ts';
import { type ClientIdentity, isSameClient, type ListedClient } from './client-list.ts';

/** The part of a connection that the watch needs. */
export interface WatchedConnection {
  readonly identity: ClientIdentity | undefined;
  /** A reply is due. */
  readonly isWaiting: boolean;
  /** The bytes that have moved on it so far. */
  readonly signs: Signs;
  destroy(loss: Failure): void;
}

export interface ReplyWatchOptions {
  readonly clock: Clock;
  readonly periodMs: number;
  readonly confirmMs: number;
  /** Those of the connections that the server knows; undefined where it does not say. Rejects never. */
  readonly listClients: (ids: readonly string[]) => Promise<readonly ListedClient[] | undefined>;
}

interface Note {
  signs: Signs;
  /** When the server first did not wait on it; undefined while nothing speaks against it. */
  suspectSinceMs: number | undefined;
  /** The shared connection was lost meanwhile: a server that does not say what it knows then speaks against this one. */
  isDoubted: boolean;
}

const forgotten: Failure = {
  kind: 'connection',
  cause: new Error('The server no longer waits on this connection, but its reply has not come.'),
};

export class ReplyWatch {
  readonly #options: ReplyWatchOptions;
  readonly #watched = new Map<WatchedConnection, Note>();
  #isLooking = false;
  #cancel: (() => void) | undefined;

  constructor(options: ReplyWatchOptions) {
    this.#options = options;
  }

  add(connection: WatchedConnection): void {
    this.#watched.set(connection, { signs: connection.signs, suspectSinceMs: undefined, isDoubted: false });
    if (this.#cancel === undefined && !this.#isLooking) this.#lookIn(this.#options.periodMs);
  }

  remove(connection: WatchedConnection): void {
    this.#watched.delete(connection);
    if (this.#watched.size === 0) this.#stop();
  }

  /** The shared connection is lost, for a reason that these may share. */
  doubt(): void {
    for (const [connection, note] of this.#watched) {
      note.signs = connection.signs;
      note.isDoubted = true;
    }
  }

  /** The server can be asked again. */
  lookNow(): void {
    if (this.#watched.size > 0 && !this.#isLooking) void this.#look();
  }

  /** The server cannot be reached: ends what waits and has heard nothing since the shared connection was lost. */
  loseSilent(failure: Failure): void {
    for (const [connection, note] of this.#watched) if (isSilent(connection, note)) connection.destroy(failure);
  }

  #stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #lookIn(delayMs: number): void {
    this.#stop();
    this.#cancel = this.#options.clock.schedule(delayMs, () => void this.#look(), false);
  }

  async #look(): Promise<void> {
    this.#stop();
    this.#isLooking = true;
    const asked = this.#silentOnes();
    const ids = asked.flatMap(({ identity }) => (identity === undefined ? [] : [identity.id]));
    const listed = ids.length === 0 ? undefined : await this.#options.listClients(ids);
    for (const connection of asked) this.#judge(connection, listed);
    this.#isLooking = false;
    if (this.#watched.size === 0) return;
    const { periodMs, confirmMs } = this.#options;
    const isSuspicious = [...this.#watched.values()].some(({ suspectSinceMs }) => suspectSinceMs !== undefined);
    this.#lookIn(isSuspicious ? confirmMs : periodMs);
  }

  #silentOnes(): WatchedConnection[] {
    return [...this.#watched].flatMap(([connection, note]) => {
      if (isSilent(connection, note)) return [connection];
      clear(connection, note);
      return [];
    });
  }

  #judge(connection: WatchedConnection, listed: readonly ListedClient[] | undefined): void {
    const note = this.#watched.get(connection);
    if (note === undefined) return; // Its use ended while the server was asked.
    const { identity } = connection;
    const isKnown = listed !== undefined && identity !== undefined;
    if (!isKnown && !note.isDoubted) return;
    const isBlocked = isKnown && listed.some((client) => client.isBlocked && isSameClient(client, identity));
    if (isBlocked || !isSilent(connection, note)) {
      clear(connection, note);
      return;
    }
    const { clock, confirmMs } = this.#options;
    note.signs = connection.signs;
    note.suspectSinceMs ??= clock.nowMs();
    if (clock.nowMs() - note.suspectSinceMs >= confirmMs) connection.destroy(forgotten);
  }
}

/** A reply is due, and nothing has moved since the last look. */
function isSilent(connection: WatchedConnection, note: Note): boolean {
  return connection.isWaiting && !hasMoved(note.signs, connection.signs);
}

function clear(connection: WatchedConnection, note: Note): void {
  note.signs = connection.signs;
  note.suspectSinceMs = undefined;
  note.isDoubted = false;
}
