/**
 * A backend in this process's own memory.
 *
 * Every call does its work before it returns its promise, so each is atomic, and none waits: `timeoutMs` is always met.
 */

import { ClosedError, NotAnIntegerError, ValueTooLargeError } from '../errors/index.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { expectFinite, expectFunction, expectInteger, expectObject, expectOptions } from '../runtime/validate.ts';
import type { CallOptions, CompleteBackend, EntryFailures, SetOptions, Value, ValueWithExpiry } from './backend.ts';
import { addToDecimal } from './decimal.ts';
import { Entries, type Entry, mostEntries } from './entries.ts';
import { ExpirySweep } from './expiry-sweep.ts';
import { EveryPort, vouchFor } from './own-backends.ts';

export interface MemoryBackendOptions {
  /**
   * Most entries held; one more evicts the least recently used. Integer in [1, 8388608]. Default: 8388608 too, which
   * is as many as a JavaScript Map can hold while entries come and go. Nothing is set aside for them ahead.
   */
  readonly maxEntries?: number | undefined;

  /**
   * Most bytes held; entries that bring the sum above it evict the least recently used. Integer of at least 1.
   * Default: no limit. An entry counts the bytes of its key in UTF-8 and the bytes of its value, and at least 1. What
   * JavaScript needs around an entry, some 200 bytes, is not counted.
   */
  readonly maxBytes?: number | undefined;

  /** By whose wall time values expire. Default: the system's. */
  readonly clock?: Clock | undefined;
}

/**
 * Holds up to `maxEntries` entries and `maxBytes` bytes, the most recently used ones; reading is using.
 *
 * A value is never served at or after its `expiresAtMs`, to the millisecond. The room of an expired value is freed
 * when the key is called, when a scan comes by, or when the sweep that goes along with writes does. There is no timer,
 * so a backend that is no longer written to keeps what it has; and an expired value that none of these has come by yet
 * counts against the limits, so that a live one can be evicted in its place.
 */
export class MemoryBackend extends EveryPort implements CompleteBackend {
  readonly name = 'memory';

  /** The node's name in errors. */
  nodeName = 'memory';

  readonly endsItsCalls = true;
  readonly expiryResolutionMs = 1;

  readonly #entries: Entries;
  /** Infinity: bytes are not counted. */
  readonly #maxBytes: number;
  readonly #clock: Clock;
  readonly #sweep: ExpirySweep;
  #closed = false;

  /** @throws {InvalidArgumentError} An option is unknown or has a value that it may not have. */
  constructor(options: MemoryBackendOptions = {}) {
    super();
    const { maxEntries, maxBytes, clock } = expectOptions('options', options, ['maxEntries', 'maxBytes', 'clock']);
    if (clock !== undefined) expectFunction('options.clock.wallMs', expectObject('options.clock', clock).wallMs);
    this.#clock = options.clock ?? systemClock;
    const most = expectInteger('options.maxEntries', maxEntries ?? mostEntries, 1, mostEntries);
    this.#maxBytes = maxBytes === undefined ? Number.POSITIVE_INFINITY : expectInteger('options.maxBytes', maxBytes, 1);
    this.#entries = new Entries(most, this.#maxBytes);
    this.#sweep = new ExpirySweep(this.#entries);
    if (new.target === MemoryBackend) vouchFor(this);
  }

  async get(key: string, { signal }: CallOptions): Promise<Value | undefined> {
    this.#enter(signal);
    return this.#read(key, this.#clock.wallMs());
  }

  async getMany(keys: readonly string[], { signal }: CallOptions): Promise<(Value | undefined)[]> {
    this.#enter(signal);
    const nowMs = this.#clock.wallMs();
    const values = new Array<Value | undefined>(keys.length);
    for (let i = 0; i < keys.length; i++) values[i] = this.#read(keys[i]!, nowMs);
    return values;
  }

  async getWithExpiry(key: string, { signal }: CallOptions): Promise<ValueWithExpiry | undefined> {
    this.#enter(signal);
    const entry = this.#live(key, this.#clock.wallMs());
    if (entry === undefined) return undefined;
    const expiresAtMs = entry.expiresAtMs === Number.POSITIVE_INFINITY ? undefined : entry.expiresAtMs;
    return { value: copyOf(entry.value), expiresAtMs };
  }

  /** Does not count as use of the key. */
  async expiresAt(key: string, { signal }: CallOptions): Promise<number | undefined> {
    this.#enter(signal);
    const expiresAtMs = this.#entries.peek(key)?.expiresAtMs;
    return expiresAtMs !== undefined && expiresAtMs > this.#clock.wallMs() ? expiresAtMs : undefined;
  }

  /** @throws {ValueTooLargeError} The entry alone is above `maxBytes`. What was under `key` is still there. */
  async set(key: string, value: Value, { signal, expiresAtMs }: SetOptions): Promise<void> {
    this.#enter(signal);
    this.#write(key, value, expiryOrNever(expiresAtMs), this.#clock.wallMs());
  }

  async setMany(
    entries: readonly (readonly [key: string, value: Value])[],
    { signal, expiresAtMs }: SetOptions,
  ): Promise<EntryFailures> {
    this.#enter(signal);
    const keptUntilMs = expiryOrNever(expiresAtMs);
    const nowMs = this.#clock.wallMs();
    const failures = new Map<number, unknown>();
    for (let i = 0; i < entries.length; i++) {
      const [key, value] = entries[i]!;
      try {
        this.#write(key, value, keptUntilMs, nowMs);
      } catch (error) {
        failures.set(i, error);
      }
    }
    return failures;
  }

  /** A value that is already past its expiry is accepted and gone at once, as with `set`: true. */
  async setIfAbsent(key: string, value: Value, { signal, expiresAtMs }: SetOptions): Promise<boolean> {
    this.#enter(signal);
    const keptUntilMs = expiryOrNever(expiresAtMs);
    const nowMs = this.#clock.wallMs();
    if (this.#live(key, nowMs) !== undefined) return false;
    this.#write(key, value, keptUntilMs, nowMs);
    return true;
  }

  async delete(key: string, { signal }: CallOptions): Promise<boolean> {
    this.#enter(signal);
    return this.#remove(key, this.#clock.wallMs());
  }

  async deleteMany(keys: readonly string[], { signal }: CallOptions): Promise<boolean[]> {
    this.#enter(signal);
    const nowMs = this.#clock.wallMs();
    return keys.map((key) => this.#remove(key, nowMs));
  }

  async expire(key: string, expiresAtMs: number | undefined, { signal }: CallOptions): Promise<boolean> {
    this.#enter(signal);
    const keptUntilMs = expiryOrNever(expiresAtMs);
    const nowMs = this.#clock.wallMs();
    const entry = this.#live(key, nowMs);
    if (entry === undefined) return false;
    entry.expiresAtMs = keptUntilMs;
    if (entry.expiresAtMs <= nowMs) this.#entries.delete(entry);
    else if (expiresAtMs !== undefined) this.#sweep.need();
    return true;
  }

  /**
   * Values are decimal text, as Redis keeps them. A sum beyond 2^53 is stored exactly and returned as the nearest
   * number.
   *
   * @throws {InvalidArgumentError} `by` is not a safe integer.
   */
  async increment(key: string, by: number, { signal }: CallOptions): Promise<number> {
    this.#enter(signal);
    expectInteger('by', by, Number.MIN_SAFE_INTEGER);
    const nowMs = this.#clock.wallMs();
    const entry = this.#live(key, nowMs);
    const sum = addToDecimal(entry?.value, by);
    if (sum === undefined) throw new NotAnIntegerError(this.nodeName);
    this.#write(key, Buffer.from(sum.toString(), 'latin1'), entry?.expiresAtMs ?? Number.POSITIVE_INFINITY, nowMs);
    return Number(sum);
  }

  /**
   * The list of keys is taken at once when the first is asked for, so that a scan ends however many are added meanwhile:
   * that costs one array of all keys. Keys that have gone by the time their turn comes are left out. Does not count as
   * use of the keys.
   */
  async *scan({ signal }: CallOptions): AsyncGenerator<string, void> {
    this.#enter(signal);
    for (const key of this.#entries.keys()) {
      const entry = this.#entries.peek(key);
      if (entry === undefined) continue;
      if (entry.expiresAtMs <= this.#clock.wallMs()) {
        this.#entries.delete(entry);
        continue;
      }
      yield key;
      this.#enter(signal);
    }
  }

  async clear({ signal }: CallOptions): Promise<void> {
    this.#enter(signal);
    this.#forget();
  }

  async ping({ signal }: CallOptions): Promise<void> {
    this.#enter(signal);
  }

  /** Frees all that is held. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#forget();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Before any work of a call. */
  #enter(signal: AbortSignal | undefined): void {
    if (this.#closed) throw new ClosedError('backend');
    signal?.throwIfAborted();
  }

  #forget(): void {
    this.#entries.clear();
    this.#sweep.reset();
  }

  /** The entry under `key` as of `nowMs`, now the most recently used. */
  #live(key: string, nowMs: number): Entry | undefined {
    const entry = this.#entries.use(key);
    if (entry === undefined || entry.expiresAtMs > nowMs) return entry;
    this.#entries.delete(entry);
    return undefined;
  }

  #read(key: string, nowMs: number): Value | undefined {
    const entry = this.#live(key, nowMs);
    return entry === undefined ? undefined : copyOf(entry.value);
  }

  #remove(key: string, nowMs: number): boolean {
    const entry = this.#entries.peek(key);
    if (entry === undefined) return false;
    this.#entries.delete(entry);
    return entry.expiresAtMs > nowMs;
  }

  #write(key: string, value: Value, expiresAtMs: number, nowMs: number): void {
    const sizeBytes = this.#maxBytes === Number.POSITIVE_INFINITY ? 0 : sizeOf(key, value);
    if (sizeBytes > this.#maxBytes) throw new ValueTooLargeError(this.nodeName, sizeBytes, this.#maxBytes);
    this.#sweep.onWrite(nowMs);
    if (expiresAtMs <= nowMs) {
      this.#remove(key, nowMs);
      return;
    }
    if (expiresAtMs !== Number.POSITIVE_INFINITY) this.#sweep.need();
    this.#entries.set(key, unpinned(value), expiresAtMs, sizeBytes);
  }
}

/** At least 1, so that the empty value under the empty key counts too. */
const sizeOf = (key: string, value: Value): number => Math.max(1, Buffer.byteLength(key) + value.byteLength);

/**
 * What a reader gets: a copy, so that a reader who writes into the array does not change the store in silence.
 *
 * That costs 0.1 us at 100 bytes and 2 us at 10 kB, and nothing is as hard to find as the fault it prevents. A Buffer,
 * because small ones come from Node's pool, where a plain Uint8Array takes 0.6 us, and as the Redis backend gives.
 */
function copyOf(value: Value): Buffer {
  const copy = Buffer.allocUnsafe(value.byteLength);
  copy.set(value);
  return copy;
}

/** @throws {InvalidArgumentError} It is no time: a Date and NaN would count as one that is past. */
const expiryOrNever = (expiresAtMs: number | undefined): number =>
  expiresAtMs === undefined ? Number.POSITIVE_INFINITY : expectFinite('expiresAtMs', expiresAtMs);

/**
 * What is kept: the caller's array itself, as the contract allows, since a copy that lives long costs 0.6 us for its
 * own memory. But a small view of something large, say of what a socket read at once, would keep all of that alive, so
 * of a view with more around it than Node's pool has a copy is kept.
 */
function unpinned(value: Value): Value {
  return value.buffer.byteLength - value.byteLength > Buffer.poolSize ? new Uint8Array(value) : value;
}
