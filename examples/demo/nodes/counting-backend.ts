/** Counts what one node is asked, key by key, on the way to its backend. Probes are not counted. */

import type {
  Backend,
  BackendCapabilities,
  CallOptions,
  EntryFailures,
  SetOptions,
  Value,
  ValueWithExpiry,
} from 'shardring';

/** A backend that has every call, as those of this package do. */
export type FullBackend = Required<Omit<Backend, 'nodeName' | 'takeSeat'>>;

/** What a node was asked since the start. A call on many keys counts each of them. */
export interface NodeLoad {
  /** Keys asked for, whatever the answer. */
  reads: number;
  /** Keys written, removed or changed. */
  writes: number;
  /** Of `reads` and `writes`, the keys of calls that failed at this node. */
  failed: number;
}

export class CountingBackend implements Backend {
  readonly name: string;
  readonly capabilities: BackendCapabilities;
  readonly load: NodeLoad = { reads: 0, writes: 0, failed: 0 };
  readonly #backend: FullBackend;

  constructor(backend: FullBackend) {
    this.#backend = backend;
    this.name = backend.name;
    this.capabilities = backend.capabilities;
  }

  get(key: string, options: CallOptions): Promise<Value | undefined> {
    return this.#count('reads', 1, this.#backend.get(key, options));
  }

  getMany(keys: readonly string[], options: CallOptions): Promise<(Value | undefined)[]> {
    return this.#count('reads', keys.length, this.#backend.getMany(keys, options));
  }

  getWithExpiry(key: string, options: CallOptions): Promise<ValueWithExpiry | undefined> {
    return this.#count('reads', 1, this.#backend.getWithExpiry(key, options));
  }

  expiresAt(key: string, options: CallOptions): Promise<number | undefined> {
    return this.#count('reads', 1, this.#backend.expiresAt(key, options));
  }

  set(key: string, value: Value, options: SetOptions): Promise<void> {
    return this.#count('writes', 1, this.#backend.set(key, value, options));
  }

  setMany(entries: readonly (readonly [key: string, value: Value])[], options: SetOptions): Promise<EntryFailures> {
    return this.#count('writes', entries.length, this.#backend.setMany(entries, options));
  }

  setIfAbsent(key: string, value: Value, options: SetOptions): Promise<boolean> {
    return this.#count('writes', 1, this.#backend.setIfAbsent(key, value, options));
  }

  delete(key: string, options: CallOptions): Promise<boolean> {
    return this.#count('writes', 1, this.#backend.delete(key, options));
  }

  deleteMany(keys: readonly string[], options: CallOptions): Promise<boolean[]> {
    return this.#count('writes', keys.length, this.#backend.deleteMany(keys, options));
  }

  expire(key: string, expiresAtMs: number | undefined, options: CallOptions): Promise<boolean> {
    return this.#count('writes', 1, this.#backend.expire(key, expiresAtMs, options));
  }

  increment(key: string, by: number, options: CallOptions): Promise<number> {
    return this.#count('writes', 1, this.#backend.increment(key, by, options));
  }

  scan(options: CallOptions): AsyncIterable<string> {
    return this.#backend.scan(options);
  }

  clear(options: CallOptions): Promise<void> {
    return this.#backend.clear(options);
  }

  ping(options: CallOptions): Promise<void> {
    return this.#backend.ping(options);
  }

  close(): Promise<void> {
    return this.#backend.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #count<Result>(kind: 'reads' | 'writes', keys: number, call: Promise<Result>): Promise<Result> {
    this.load[kind] += keys;
    // The caller hears of the failure; this branch only counts it.
    call.catch(() => {
      this.load.failed += keys;
    });
    return call;
  }
}
