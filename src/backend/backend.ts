/**
 * The store behind one node: what an adapter implements.
 *
 * A backend serves one node and knows nothing of rings, replicas, retries or health; those wrap it from outside. An
 * adapter shows that it keeps this contract by passing `describeBackend` of `shardring/testing`, the whole of it.
 *
 * Calls for one key are executed in the order in which they were made, whether or not the earlier ones have answered: a
 * delete that is made after a set must not be overtaken by it. One connection gives this; a pool of them does not.
 *
 * Required are get, set, delete, ping and close. Whatever else an adapter can do is a port: an object with a few calls, which is
 * there or not. Names of calls are never used twice, so a class that has the calls can be its own port:
 * `get counting() { return this; }`.
 */

import type { NodeSeat } from './seat.ts';
import type { PingAnswer } from './server-report.ts';

/** A stored value. Opaque bytes: encoding is the caller's business. A backend may keep the array; do not change it. */
export type Value = Uint8Array;

export interface CallOptions {
  /** Aborts the call. The promise rejects with `signal.reason`; the store may still have acted. */
  readonly signal?: AbortSignal | undefined;

  /**
   * Milliseconds until the call must have ended, queueing and connecting included; for a scan, until each step has.
   * A backend with `endsItsCalls` sees to it; others are cut off from outside.
   */
  readonly timeoutMs?: number | undefined;

  /**
   * Milliseconds that the call may take as long as the server goes on answering: the call is one step of an operation, and
   * stalls of this process have used up the rest of its time. At least `timeoutMs`; default `timeoutMs`. A backend may ignore
   * it.
   */
  readonly progressTimeoutMs?: number | undefined;
}

export interface SetOptions extends CallOptions {
  /**
   * When the value stops existing, as Unix time in milliseconds: the first millisecond in which it is not there. A point
   * in time and not a duration, so that all replicas drop the value together. Absent: the value stays. Now or in the past:
   * the value is gone at once, with what was there before.
   */
  readonly expiresAtMs?: number | undefined;
}

/** A value with the time it stops existing; `expiresAtMs` is undefined for one that stays. */
export interface ValueWithExpiry {
  readonly value: Value;
  readonly expiresAtMs: number | undefined;
}

/** Failures of a call on many entries, by the entry's index. Empty when all succeeded. */
export type EntryFailures = ReadonlyMap<number, unknown>;

export interface Backend extends BackendPorts, AsyncDisposable {
  /** Short name of the kind, used in messages and events: 'memory', 'redis'. */
  readonly name: string;

  /**
   * True: every call ends by its `timeoutMs`, and says whether it may have been executed when it failed. Otherwise calls are
   * cut off from outside.
   */
  readonly endsItsCalls?: boolean | undefined;

  /** Smallest step of `expiresAtMs` the store keeps, in milliseconds: above 0. Absent: it keeps none, and a `set` with it is refused. */
  readonly expiryResolutionMs?: number | undefined;

  /** The node's name in this backend's errors, where it has such a field: set to the node's id when it joins a cache. */
  nodeName?: string;

  /**
   * Called when the backend joins a cache, where it can know which server it has reached: two nodes on one server are then
   * found. Not part of what an adapter has to offer.
   */
  takeSeat?(seat: NodeSeat): void;

  /**
   * The value under `key`, or undefined if there is none. A miss is never an error and an error is never a miss:
   * failover reads depend on telling the two apart.
   */
  get(key: string, options: CallOptions): Promise<Value | undefined>;

  /** Replaces the value under `key` and its expiry. Resolves once the store has accepted it. Idempotent. */
  set(key: string, value: Value, options: SetOptions): Promise<void>;

  /**
   * Removes `key`. True if this call removed a value, false if there was none. Safe to repeat, but a repeat may return
   * false for a value that the first call removed.
   */
  delete(key: string, options: CallOptions): Promise<boolean>;

  /**
   * The cheapest round trip that shows the node can serve. Health probes call it. It may resolve with what the server says of
   * itself, as far as that is known without asking for it.
   */
  ping(options: CallOptions): Promise<PingAnswer>;

  /**
   * Releases what this backend opened itself; a borrowed connection stays open. Idempotent. Calls under way
   * end first or fail; any later call rejects with `ERR_CLOSED`. `[Symbol.asyncDispose]` is the same call.
   */
  close(): Promise<void>;
}

/** Read when the node joins. A class that can do less in one configuration has undefined in place of the port. */
export interface BackendPorts {
  /** Absent: such calls are made of single ones. */
  readonly many?: ManyKeys | undefined;
  readonly expiring?: Expiring | undefined;
  /** Absent: a value found at a replica or a previous owner is not copied back. */
  readonly conditional?: Conditional | undefined;
  readonly counting?: Counting | undefined;
  /** Absent: the keys of the node cannot be listed. */
  readonly listing?: Listing | undefined;
  readonly clearing?: Clearing | undefined;
}

/** Many keys in one call. */
export interface ManyKeys {
  /** The values under `keys`, in their order, undefined for each miss. Duplicates are answered each time. */
  getMany(keys: readonly string[], options: CallOptions): Promise<(Value | undefined)[]>;

  /**
   * `set` for every entry, the later one winning for a key that comes twice. Resolves with the entries that failed;
   * rejects when all failed for one reason, such as a node that cannot be reached.
   */
  setMany(entries: readonly (readonly [key: string, value: Value])[], options: SetOptions): Promise<EntryFailures>;

  /** `delete` for every key, in order. */
  deleteMany(keys: readonly string[], options: CallOptions): Promise<boolean[]>;
}

/** When values stop existing. Needs `expiryResolutionMs`. */
export interface Expiring {
  /** `get` together with the time at which the value stops existing. */
  getWithExpiry(key: string, options: CallOptions): Promise<ValueWithExpiry | undefined>;

  /** When the value under `key` stops existing: Infinity for one that stays, undefined if there is none. */
  expiresAt(key: string, options: CallOptions): Promise<number | undefined>;

  /** Sets when `key` stops existing, undefined for never. A time that has come removes it. False if there is no such key. */
  expire(key: string, expiresAtMs: number | undefined, options: CallOptions): Promise<boolean>;
}

/** Writing on a condition, in one atomic step. */
export interface Conditional {
  /** `set`, but only where `key` is absent. True if it was absent, also where `expiresAtMs` is past and so nothing stays. */
  setIfAbsent(key: string, value: Value, options: SetOptions): Promise<boolean>;
}

export interface Counting {
  /**
   * Adds `by` to the decimal integer under `key` in one atomic step, a missing key counting as 0, and returns the sum.
   * The expiry stays as it was. The store is exact to 64 bits, the number returned up to 2^53 - 1.
   *
   * @throws {NotAnIntegerError} The value is not a decimal integer of 64 bits, or the sum would not be one.
   */
  increment(key: string, by: number, options: CallOptions): Promise<number>;
}

export interface Listing {
  /** Every key at least once, in no order. Keys written or removed during the scan may be missing or there. */
  scan(options: CallOptions): AsyncIterable<string>;
}

export interface Clearing {
  /** Removes every key of this backend. */
  clear(options: CallOptions): Promise<void>;
}

/** A backend as the rest of the library uses it, see `complete-backend.ts`. */
export type CompleteBackend = Backend & { readonly many: ManyKeys };
