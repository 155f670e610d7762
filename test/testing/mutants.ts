import type { CallOptions, SetOptions, Value } from '../../src/backend/backend.ts';
import { ClosedError, NotAnIntegerError } from '../../src/errors/index.ts';
import { ReferenceBackend as Sound } from './reference-backend.ts';

/**
 * Backends with one fault each, of the kinds that adapters really have. The key says what is wrong.
 */
export const mutants: Readonly<Record<string, typeof Sound>> = {
  'a miss is an error': class extends Sound {
    override async get(key: string, options: CallOptions) {
      const value = await super.get(key, options);
      if (value === undefined) throw new Error('not found');
      return value;
    }
  },
  'a miss is null': class extends Sound {
    override async get(key: string, options: CallOptions) {
      return (await super.get(key, options)) ?? (null as unknown as undefined);
    }
  },
  'the empty value is a miss': class extends Sound {
    override async get(key: string, options: CallOptions) {
      const value = await super.get(key, options);
      return value?.length === 0 ? undefined : value;
    }
  },
  'values go through UTF-8': class extends Sound {
    protected override put(key: string, value: Value, expiresAtMs?: number) {
      super.put(key, Buffer.from(Buffer.from(value).toString()), expiresAtMs);
    }
  },
  'a view is stored with all that is around it': class extends Sound {
    protected override put(key: string, value: Value, expiresAtMs?: number) {
      super.put(key, new Uint8Array(value.buffer), expiresAtMs);
    }
  },
  'large values are cut': class extends Sound {
    protected override put(key: string, value: Value, expiresAtMs?: number) {
      super.put(key, value.subarray(0, 2 ** 24 - 1), expiresAtMs);
    }
  },
  'set does not replace': class extends Sound {
    override async set(key: string, value: Value, options: SetOptions) {
      this.enter(options);
      if (this.find(key) === undefined) this.put(key, value, options.expiresAtMs);
    }
  },
  'a delete overtakes a set that was made before it': class extends Sound {
    override async set(key: string, value: Value, options: SetOptions) {
      await Promise.resolve();
      await super.set(key, value, options);
    }
  },
  'delete always says true': class extends Sound {
    override async delete(key: string, options: CallOptions) {
      await super.delete(key, options);
      return true;
    }
  },
  'delete removes by prefix': class extends Sound {
    override async delete(key: string, options: CallOptions) {
      const removed = await super.delete(key, options);
      for (const stored of this.store.keys()) if (stored.startsWith(this.full(key))) this.store.delete(stored);
      return removed;
    }
  },
  'getMany answers a duplicate once': class extends Sound {
    override getMany(keys: readonly string[], options: CallOptions) {
      return super.getMany([...new Set(keys)], options);
    }
  },
  'getMany leaves out the misses': class extends Sound {
    override async getMany(keys: readonly string[], options: CallOptions) {
      return (await super.getMany(keys, options)).filter((value) => value !== undefined);
    }
  },
  'setMany: the earlier entry wins': class extends Sound {
    override setMany(entries: readonly (readonly [string, Value])[], options: SetOptions) {
      return super.setMany([...entries].reverse(), options);
    }
  },
  'setMany of nothing is an error': class extends Sound {
    override setMany(entries: readonly (readonly [string, Value])[], options: SetOptions) {
      if (entries.length === 0) throw new Error('wrong number of arguments');
      return super.setMany(entries, options);
    }
  },
  'setMany forgets the expiry': class extends Sound {
    override setMany(entries: readonly (readonly [string, Value])[], { signal }: SetOptions) {
      return super.setMany(entries, { signal });
    }
  },
  'deleteMany answers duplicates alike': class extends Sound {
    override async deleteMany(keys: readonly string[], options: CallOptions) {
      const removed = new Map<string, boolean>();
      for (const key of new Set(keys)) removed.set(key, await this.delete(key, options));
      return keys.map((key) => removed.get(key)!);
    }
  },
  'values live one millisecond too long': class extends Sound {
    protected override expired(expiresAtMs: number) {
      return super.expired(expiresAtMs + 1);
    }
  },
  'values die one millisecond too soon': class extends Sound {
    protected override expired(expiresAtMs: number) {
      return super.expired(expiresAtMs - 1);
    }
  },
  'expiresAtMs is taken for a duration': class extends Sound {
    protected override put(key: string, value: Value, expiresAtMs?: number) {
      super.put(key, value, expiresAtMs === undefined ? undefined : this.clock.wallMs() + expiresAtMs);
    }
  },
  'an expiry in the past is taken for none': class extends Sound {
    protected override put(key: string, value: Value, expiresAtMs = Number.POSITIVE_INFINITY) {
      super.put(key, value, this.expired(expiresAtMs) ? undefined : expiresAtMs);
    }
  },
  'set keeps the expiry of the value before': class extends Sound {
    protected override put(key: string, value: Value, expiresAtMs?: number) {
      super.put(key, value, expiresAtMs ?? this.find(key)?.expiresAtMs);
    }
  },
  'increment drops the expiry': class extends Sound {
    override async increment(key: string, by: number, options: CallOptions) {
      const sum = await super.increment(key, by, options);
      await this.expire(key, undefined, {});
      return sum;
    }
  },
  'expire cannot make a value stay': class extends Sound {
    override async expire(key: string, expiresAtMs: number | undefined, options: CallOptions) {
      return super.expire(key, expiresAtMs ?? (await this.expiresAt(key, options)), options);
    }
  },
  'expire says true for a missing key': class extends Sound {
    override async expire(key: string, expiresAtMs: number | undefined, options: CallOptions) {
      await super.expire(key, expiresAtMs, options);
      return true;
    }
  },
  'expiresAt of a value that stays is a miss': class extends Sound {
    override async expiresAt(key: string, options: CallOptions) {
      const expiresAtMs = await super.expiresAt(key, options);
      return expiresAtMs === Number.POSITIVE_INFINITY ? undefined : expiresAtMs;
    }
  },
  'getWithExpiry gives seconds': class extends Sound {
    override async getWithExpiry(key: string, options: CallOptions) {
      const found = await super.getWithExpiry(key, options);
      return found?.expiresAtMs === undefined ? found : { ...found, expiresAtMs: found.expiresAtMs / 1_000 };
    }
  },
  'setIfAbsent is a get and then a set': class extends Sound {
    override async setIfAbsent(key: string, value: Value, options: SetOptions) {
      if ((await this.get(key, options)) !== undefined) return false;
      await this.set(key, value, options);
      return true;
    }
  },
  'setIfAbsent says true always': class extends Sound {
    override async setIfAbsent(key: string, value: Value, options: SetOptions) {
      await super.setIfAbsent(key, value, options);
      return true;
    }
  },
  'increment is a get and then a set': class extends Sound {
    override async increment(key: string, by: number, options: CallOptions) {
      const current = this.parse(Buffer.from((await this.get(key, options)) ?? Buffer.from('0')).toString('latin1'));
      const sum = this.in64Bits(current + BigInt(by));
      await this.set(key, Buffer.from(`${sum}`), { expiresAtMs: await this.expiresAt(key, {}) });
      return Number(sum);
    }
  },
  'increment counts in doubles': class extends Sound {
    protected override in64Bits(integer: bigint) {
      return BigInt(Number(integer));
    }
  },
  'increment reads with Number()': class extends Sound {
    protected override parse(text: string) {
      if (!Number.isInteger(Number(text))) throw new NotAnIntegerError(this.name);
      return this.in64Bits(BigInt(Number(text)));
    }
  },
  'keys are members of an object': class extends Sound {
    protected override find(key: string) {
      return key in {} ? { value: new Uint8Array(0), expiresAtMs: Number.POSITIVE_INFINITY } : super.find(key);
    }
  },
  'lone surrogates collide': class extends Sound {
    protected override full(key: string) {
      return this.prefix + Buffer.from(key).toString();
    }
  },
  'keys end at NUL': class extends Sound {
    protected override full(key: string) {
      return super.full(key.split('\0')[0]!);
    }
  },
  'keys are trimmed': class extends Sound {
    protected override full(key: string) {
      return super.full(key.trim());
    }
  },
  'keys are normalised': class extends Sound {
    protected override full(key: string) {
      return super.full(key.normalize('NFC'));
    }
  },
  'keys are cut at 1 MB': class extends Sound {
    protected override full(key: string) {
      return super.full(key.slice(0, 1_000_000));
    }
  },
  'the prefix is left out': class extends Sound {
    protected override full(key: string) {
      return key;
    }
  },
  'scan gives keys with their prefix': class extends Sound {
    override async *scan(options: CallOptions) {
      for await (const key of super.scan(options)) yield this.full(key);
    }
  },
  'scan gives the first thousand keys only': class extends Sound {
    override async *scan(options: CallOptions) {
      let count = 0;
      for await (const key of super.scan(options)) if (count++ < 1_000) yield key;
    }
  },
  'scan skips keys when others are removed': class extends Sound {
    override async *scan(options: CallOptions) {
      this.enter(options);
      for (let index = 0; index < this.store.size; index++) {
        const key = [...this.store.keys()][index]!;
        if (key.startsWith(this.prefix) && this.find(key.slice(this.prefix.length)))
          yield key.slice(this.prefix.length);
      }
    }
  },
  'scan matches the prefix as a glob': class extends Sound {
    override async *scan(options: CallOptions) {
      this.enter(options);
      const matches = /^app:\{1\}:.*.x\*$/;
      for (const key of [...this.store.keys()]) {
        const mine = key.startsWith(this.prefix) && this.find(key.slice(this.prefix.length)) !== undefined;
        if (mine || matches.test(key)) yield key.slice(this.prefix.length);
      }
    }
  },
  'scan lists what has expired': class extends Sound {
    override async *scan(options: CallOptions) {
      this.enter(options);
      for (const key of [...this.store.keys()]) {
        if (key.startsWith(this.prefix)) yield key.slice(this.prefix.length);
      }
    }
  },
  'clear removes the keys of all prefixes': class extends Sound {
    override async clear(options: CallOptions) {
      this.enter(options);
      this.store.clear();
    }
  },
  'clear leaves the keys beyond the first thousand': class extends Sound {
    override async clear(options: CallOptions) {
      this.enter(options);
      const mine = [...this.store.keys()].filter((key) => key.startsWith(this.prefix));
      for (const key of mine.slice(0, 1_000)) this.store.delete(key);
    }
  },
  'signals are not looked at': class extends Sound {
    protected override enter() {
      super.enter({});
    }
  },
  'an aborted call says AbortError instead of the reason': class extends Sound {
    protected override enter({ signal }: CallOptions) {
      if (signal?.aborted) throw new DOMException('aborted', 'AbortError');
      super.enter({});
    }
  },
  'an aborted set is done all the same': class extends Sound {
    override async set(key: string, value: Value, options: SetOptions) {
      this.put(key, value, options.expiresAtMs);
      this.enter(options);
    }
  },
  'calls after close are answered': class extends Sound {
    override async close() {}
  },
  'ping after close is answered': class extends Sound {
    override async ping({ signal }: CallOptions) {
      signal?.throwIfAborted();
    }
  },
  'close is not idempotent': class extends Sound {
    override async close() {
      if (this.closed) throw new ClosedError('backend');
      this.closed = true;
    }
  },
  'asyncDispose does nothing': class extends Sound {
    override async [Symbol.asyncDispose]() {}
  },
  'a port is missing': class extends Sound {
    override get counting() {
      return undefined as never;
    }
  },
  'the resolution of its expiry is missing': class extends Sound {
    override readonly expiryResolutionMs = undefined as never;
    override get expiring() {
      return undefined as never;
    }
  },
};
