import type { CallOptions, CompleteBackend, EntryFailures, SetOptions, Value } from '../../src/backend/backend.ts';
import { EveryPort } from '../../src/backend/own-backends.ts';
import { ClosedError, NotAnIntegerError } from '../../src/errors/index.ts';
import type { Clock } from '../../src/runtime/clock.ts';

export type Store = Map<string, { value: Value; expiresAtMs: number }>;

/**
 * The contract on a plain Map, in the plainest way and with a prefix: what the mutants of the suite's own test change.
 * Everything goes through the few protected methods, so that a mutant is a few lines.
 */
export class ReferenceBackend extends EveryPort implements CompleteBackend {
  readonly name: string = 'reference';
  readonly endsItsCalls = true;
  readonly expiryResolutionMs: number = 1;
  protected closed = false;

  constructor(
    protected readonly store: Store,
    protected readonly prefix: string,
    protected readonly clock: Clock,
  ) {
    super();
  }

  protected enter({ signal }: CallOptions): void {
    if (this.closed) throw new ClosedError('backend');
    signal?.throwIfAborted();
  }

  protected full(key: string): string {
    return this.prefix + key;
  }

  protected expired(expiresAtMs: number): boolean {
    return expiresAtMs <= this.clock.wallMs();
  }

  protected find(key: string) {
    const entry = this.store.get(this.full(key));
    return entry === undefined || this.expired(entry.expiresAtMs) ? undefined : entry;
  }

  protected put(key: string, value: Value, expiresAtMs = Number.POSITIVE_INFINITY): void {
    this.store.set(this.full(key), { value, expiresAtMs });
  }

  protected remove(key: string): boolean {
    const found = this.find(key) !== undefined;
    this.store.delete(this.full(key));
    return found;
  }

  async get(key: string, options: CallOptions): Promise<Value | undefined> {
    this.enter(options);
    return this.find(key)?.value;
  }

  async set(key: string, value: Value, options: SetOptions): Promise<void> {
    this.enter(options);
    this.put(key, value, options.expiresAtMs);
  }

  async delete(key: string, options: CallOptions): Promise<boolean> {
    this.enter(options);
    return this.remove(key);
  }

  async ping(options: CallOptions): Promise<void> {
    this.enter(options);
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async getMany(keys: readonly string[], options: CallOptions): Promise<(Value | undefined)[]> {
    this.enter(options);
    return keys.map((key) => this.find(key)?.value);
  }

  async setMany(entries: readonly (readonly [string, Value])[], options: SetOptions): Promise<EntryFailures> {
    this.enter(options);
    for (const [key, value] of entries) this.put(key, value, options.expiresAtMs);
    return new Map();
  }

  async deleteMany(keys: readonly string[], options: CallOptions): Promise<boolean[]> {
    this.enter(options);
    return keys.map((key) => this.remove(key));
  }

  async getWithExpiry(key: string, options: CallOptions) {
    this.enter(options);
    const entry = this.find(key);
    if (entry === undefined) return undefined;
    const { value, expiresAtMs } = entry;
    return { value, expiresAtMs: expiresAtMs === Number.POSITIVE_INFINITY ? undefined : expiresAtMs };
  }

  async expiresAt(key: string, options: CallOptions): Promise<number | undefined> {
    this.enter(options);
    return this.find(key)?.expiresAtMs;
  }

  async expire(key: string, expiresAtMs: number | undefined, options: CallOptions): Promise<boolean> {
    this.enter(options);
    const entry = this.find(key);
    if (entry !== undefined) entry.expiresAtMs = expiresAtMs ?? Number.POSITIVE_INFINITY;
    return entry !== undefined;
  }

  async setIfAbsent(key: string, value: Value, options: SetOptions): Promise<boolean> {
    this.enter(options);
    if (this.find(key) !== undefined) return false;
    this.put(key, value, options.expiresAtMs);
    return true;
  }

  protected parse(text: string): bigint {
    if (!/^(0|-?[1-9]\d*)$/.test(text)) throw new NotAnIntegerError(this.name);
    return this.in64Bits(BigInt(text));
  }

  protected in64Bits(integer: bigint): bigint {
    if (BigInt.asIntN(64, integer) !== integer) throw new NotAnIntegerError(this.name);
    return integer;
  }

  async increment(key: string, by: number, options: CallOptions): Promise<number> {
    this.enter(options);
    const entry = this.find(key);
    const current = entry === undefined ? 0n : this.parse(Buffer.from(entry.value).toString('latin1'));
    const sum = this.in64Bits(current + BigInt(by));
    this.put(key, Buffer.from(`${sum}`), entry?.expiresAtMs);
    return Number(sum);
  }

  async *scan(options: CallOptions): AsyncGenerator<string, void> {
    this.enter(options);
    for (const [key, { expiresAtMs }] of [...this.store]) {
      if (!key.startsWith(this.prefix) || this.expired(expiresAtMs)) continue;
      yield key.slice(this.prefix.length);
      this.enter(options);
    }
  }

  async clear(options: CallOptions): Promise<void> {
    this.enter(options);
    for (const key of this.store.keys()) if (key.startsWith(this.prefix)) this.store.delete(key);
  }
}
