/**
 * A node that is a Redis or Valkey server: Redis 6.2 or newer, any Valkey.
 *
 * All calls share one connection, except those made through `withConnection`. Every call ends by its deadline, fails with
 * a typed error of `errors/`, and is sent once. Nothing is opened before the first call.
 *
 * Keys may be any string and are stored as UTF-8, with the prefix before them. `scan` leaves out keys that other programs
 * wrote and that are the encoding of no string. A key that holds a list or the like is an error for `get` and, as the
 * server's MGET has it, a miss for `getMany`.
 */

import type { Redis } from 'ioredis';
import type {
  CallOptions,
  CompleteBackend,
  EntryFailures,
  SetOptions,
  Value,
  ValueWithExpiry,
} from '../../backend/backend.ts';
import { EveryPort, vouchFor } from '../../backend/own-backends.ts';
import type { NodeSeat } from '../../backend/seat.ts';
import type { ServerReport } from '../../backend/server-report.ts';
import { arrayOf } from '../../runtime/array-of.ts';
import type { Clock } from '../../runtime/clock.ts';
import { expectFunction, expectInteger } from '../../runtime/validate.ts';
import { parseUseOptions, type WithConnectionOptions } from '../lending/use-options.ts';
import type { CommandArgument } from '../link/client.ts';
import { isUnknownCommand } from '../link/failure.ts';
import { parseOptions, type RedisBackendOptions, type RedisTarget } from '../options.ts';
import { CallLimits, type CommandSpec } from '../sending/call.ts';
import { chunks } from '../sending/chunks.ts';
import { RedisServer } from '../server.ts';
import { parseTarget } from '../target.ts';
import {
  commands,
  expiryArgument,
  expiryOf,
  type ScanPage,
  scanArguments,
  setArguments,
  valueWithExpiry,
} from './commands.ts';
import { Keyspace } from './keyspace.ts';
import { type PageWithNext, pageAt, type ScanPosition, scanStart } from './scan-position.ts';

export class RedisBackend extends EveryPort implements CompleteBackend {
  readonly name = 'redis';
  readonly endsItsCalls = true;
  readonly expiryResolutionMs = 1;
  readonly #keys: Keyspace;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #server: RedisServer;
  #knowsExpiryTime = true;

  /** @throws {InvalidArgumentError} The target or an option may not be what it is. */
  constructor(target: RedisTarget | RedisServer, options: RedisBackendOptions = {}) {
    super();
    const parsed = parseOptions(options);
    this.#keys = new Keyspace(parsed.keyPrefix);
    this.#timeoutMs = parsed.timeoutMs;
    this.#clock = parsed.clock;
    this.#server = target instanceof RedisServer ? target : new RedisServer(parseTarget(target), parsed);
    if (new.target === RedisBackend) vouchFor(this);
  }

  /** The node's name in errors. */
  get nodeName(): string {
    return this.#server.nodeName;
  }

  set nodeName(name: string) {
    this.#server.nodeName = name;
  }

  get(key: string, options: CallOptions = {}): Promise<Value | undefined> {
    return this.#call(commands.get, arrayOf(this.#keys.encode(key)), this.#limits(options));
  }

  set(key: string, value: Value, options: SetOptions = {}): Promise<void> {
    try {
      const args = setArguments(this.#keys.encode(key), value, options.expiresAtMs);
      return this.#call(commands.set, args, this.#limits(options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  delete(key: string, options: CallOptions = {}): Promise<boolean> {
    return this.#call(commands.delete, arrayOf(this.#keys.encode(key)), this.#limits(options));
  }

  async ping(options: CallOptions = {}): Promise<ServerReport | undefined> {
    const limits = this.#limits(options);
    void this.#server.checkRole(limits);
    await this.#call(commands.ping, [], limits);
    return this.#server.report;
  }

  /** Called by the cache that this backend joins, see `Backend.takeSeat`. */
  takeSeat(seat: NodeSeat): void {
    this.#server.takeSeat(seat);
  }

  /** One MGET, or several one after the other beyond 1,000 keys. */
  async getMany(keys: readonly string[], options: CallOptions = {}): Promise<(Value | undefined)[]> {
    const limits = this.#limits(options);
    const stored = keys.map((key) => this.#keys.encode(key));
    const pieces = [...chunks(stored.length, (index) => stored[index]!.length)];
    if (pieces.length === 1) return this.#call(commands.getMany, stored, limits);
    const values: (Value | undefined)[] = [];
    for (const [start, end] of pieces) {
      for (const value of await this.#call(commands.getMany, stored.slice(start, end), limits)) values.push(value);
    }
    return values;
  }

  /** A SET for each entry, 1,000 or 4 MB at a time in one write. Rejects with the first failure if all entries failed. */
  async setMany(
    entries: readonly (readonly [key: string, value: Value])[],
    options: SetOptions = {},
  ): Promise<EntryFailures> {
    const limits = this.#limits(options);
    const failures = new Map<number, unknown>();
    for (const [start, end] of chunks(entries.length, (index) => entries[index]![1].byteLength)) {
      const calls = entries.slice(start, end).map(([key, value]) => {
        return this.#call(commands.setMany, setArguments(this.#keys.encode(key), value, options.expiresAtMs), limits);
      });
      for (const [index, outcome] of (await Promise.allSettled(calls)).entries()) {
        if (outcome.status === 'rejected') failures.set(start + index, outcome.reason);
      }
    }
    if (failures.size > 0 && failures.size === entries.length) throw failures.get(0);
    return failures;
  }

  /** An UNLINK for each key, 1,000 at a time in one write. Rejects with the first failure. */
  async deleteMany(keys: readonly string[], options: CallOptions = {}): Promise<boolean[]> {
    const limits = this.#limits(options);
    const stored = keys.map((key) => this.#keys.encode(key));
    const deleted: boolean[] = [];
    for (const [start, end] of chunks(stored.length, (index) => stored[index]!.length)) {
      const calls = stored.slice(start, end).map((key) => this.#call(commands.deleteMany, arrayOf(key), limits));
      for (const wasThere of await allOrFirstFailure(calls)) deleted.push(wasThere);
    }
    return deleted;
  }

  /**
   * PEXPIRETIME, GET and PEXPIRETIME in one round trip, and again where the two times differ: another client's write
   * between them would give the old value the expiry of the new one, and a copy made from that would be wrong for as long.
   * A read that is made again may see what was called after it.
   *
   * Not in a transaction: a Redis before 8 that is full refuses every command of one, reads too, and a full node is the one
   * that a value has to be copied from. Nor by a script, for which a user needs a right of its own.
   *
   * Redis 6 has no PEXPIRETIME; there it is PTTL, and the time is off by the travelling time of the reply.
   */
  async getWithExpiry(key: string, options: CallOptions = {}): Promise<ValueWithExpiry | undefined> {
    const limits = this.#limits(options);
    const stored = this.#keys.encode(key);
    return this.#askForExpiry(async (knowsExpiryTime) => {
      const expiry = knowsExpiryTime ? commands.expiryTimeAround : commands.remainingAround;
      for (;;) {
        const startMs = this.#clock.nowMs();
        const [before, value, after] = await allOrFirstFailure([
          this.#call(expiry, [stored], limits),
          this.#call(commands.getBetween, [stored], limits),
          this.#call(expiry, [stored], limits),
        ] as const);
        const times = knowsExpiryTime
          ? { baseMs: 0, driftMs: 0 }
          : { baseMs: this.#clock.wallMs(), driftMs: this.#clock.nowMs() - startMs };
        const found = valueWithExpiry(before, value, after, times);
        if (found !== 'crossed') return found; // Else once more, until the deadline of the call.
      }
    });
  }

  async expiresAt(key: string, options: CallOptions = {}): Promise<number | undefined> {
    const limits = this.#limits(options);
    const stored = this.#keys.encode(key);
    return this.#askForExpiry(async (knowsExpiryTime) => {
      const spec = knowsExpiryTime ? commands.expiryTime : commands.remaining;
      const reply = await this.#call(spec, [stored], limits);
      return expiryOf(reply, knowsExpiryTime ? 0 : this.#clock.wallMs());
    });
  }

  async expire(key: string, expiresAtMs: number | undefined, options: CallOptions = {}): Promise<boolean> {
    const limits = this.#limits(options);
    const stored = this.#keys.encode(key);
    if (expiresAtMs !== undefined) {
      return this.#call(commands.expireAt, [stored, expiryArgument(expiresAtMs)], limits);
    }
    // PERSIST says no for a key that is not there and for one that stays anyway.
    const [hadExpiry, exists] = await allOrFirstFailure([
      this.#call(commands.persist, [stored], limits),
      this.#call(commands.exists, [stored], limits),
    ] as const);
    return hadExpiry || exists;
  }

  async setIfAbsent(key: string, value: Value, options: SetOptions = {}): Promise<boolean> {
    const args = setArguments(this.#keys.encode(key), value, options.expiresAtMs, 'NX');
    return this.#call(commands.setIfAbsent, args, this.#limits(options));
  }

  /** @param by  A safe integer. The sum is exact up to 2^53; beyond, the server's is, and the number returned is the nearest. */
  async increment(key: string, by: number, options: CallOptions = {}): Promise<number> {
    expectInteger('by', by, Number.MIN_SAFE_INTEGER);
    return this.#call(commands.increment, arrayOf<CommandArgument>(this.#keys.encode(key), by), this.#limits(options));
  }

  /** `timeoutMs` is for each page, since the consumer's pace decides about the whole. */
  async *scan(options: CallOptions = {}): AsyncGenerator<string, void, undefined> {
    const pages = this.#pages(commands.scan, this.#keys.pattern, () => this.#limits(options));
    for await (const page of pages) {
      for (const stored of page) {
        const key = this.#keys.decode(stored);
        if (key !== undefined) yield key;
      }
    }
  }

  /**
   * Without a prefix FLUSHDB, which frees memory in the background. With one, SCAN and UNLINK of the keys that start with
   * it; a `timeoutMs` given is for the whole, the default one for each step.
   */
  async clear(options: CallOptions = {}): Promise<void> {
    const whole = this.#limits(options);
    const { pattern } = this.#keys;
    if (pattern === undefined) return this.#call(commands.clearAll, ['ASYNC'], whole);
    const limits = () => (options.timeoutMs === undefined ? this.#limits(options) : whole);
    for await (const page of this.#pages(commands.clearScan, pattern, limits)) {
      if (page.length > 0) await this.#call(commands.clearKeys, page, limits());
    }
  }

  /** Keys as they are stored. @param limits  For each page. */
  async *#pages(
    spec: CommandSpec<ScanPage>,
    pattern: string | undefined,
    limits: () => CallLimits,
  ): AsyncGenerator<readonly Buffer[], void, undefined> {
    let position: ScanPosition | undefined = scanStart;
    while (position !== undefined) {
      const pageLimits = limits();
      const ask = (cursor: string) => this.#call(spec, scanArguments(cursor, pattern), pageLimits);
      const read: PageWithNext<ScanPage> = await pageAt(this.#server, position, spec.operation, pageLimits, ask);
      yield read.page.keys;
      position = read.next;
    }
  }

  /**
   * Gives `use` a connection of its own, for WATCH and MULTI, blocking commands and the like, and takes it back. One that
   * `use` may have changed for its next user, or during which it threw, is closed instead of being used again.
   *
   * Keys are as `use` writes them: the prefix is not applied.
   *
   * @throws {UnknownOutcomeError} The connection was lost after `use` had sent something. What `use` throws passes as it is.
   */
  async withConnection<Result>(
    use: (client: Redis) => Promise<Result> | Result,
    options: WithConnectionOptions = {},
  ): Promise<Result> {
    return this.#server.lend(expectFunction('use', use) as typeof use, parseUseOptions(options));
  }

  /** Waits for the calls in flight, for at most `timeoutMs`, and ends those that are left. A borrowed client stays open. */
  close(): Promise<void> {
    return this.#server.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Asks a server that is too old for PEXPIRETIME once more, without it, and remembers. */
  async #askForExpiry<Result>(ask: (knowsExpiryTime: boolean) => Promise<Result>): Promise<Result> {
    try {
      return await ask(this.#knowsExpiryTime);
    } catch (error) {
      if (!this.#knowsExpiryTime || !isUnknownCommand(error)) throw error;
      this.#knowsExpiryTime = false;
      return ask(false);
    }
  }

  #limits({ timeoutMs = this.#timeoutMs, signal, progressTimeoutMs }: CallOptions): CallLimits {
    return new CallLimits(timeoutMs, this.#clock.nowMs() + timeoutMs, signal, progressTimeoutMs);
  }

  #call<Reply>(spec: CommandSpec<Reply>, args: readonly CommandArgument[], limits: CallLimits): Promise<Reply> {
    return this.#server.call(spec, args, limits);
  }
}

/** Waits for all, so that none fails unheard, and then throws what the first one in order failed with. */
async function allOrFirstFailure<const Results extends readonly unknown[]>(
  calls: readonly [...{ [Index in keyof Results]: Promise<Results[Index]> }],
): Promise<Results> {
  await Promise.allSettled(calls);
  return Promise.all(calls) as unknown as Promise<Results>;
}
