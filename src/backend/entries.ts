/**
 * Entries by key, kept within two limits by dropping the least recently used.
 *
 * A Map finds them, and a list through the entries themselves keeps the order of use. A Map alone could do both, if each
 * use moved the entry to its end. But V8 rebuilds such a Map after as many uses as it has entries, and to find the oldest
 * it skips the places of all that have moved: an eviction among 10,000 entries takes 10 us.
 */

import type { Value } from './backend.ts';

/**
 * A Map of V8 has 2^24 places at most and counts deleted entries until it tidies up, which it does in place only while
 * half are deleted. With more live entries than that, a change of keys would end in "Map maximum size exceeded".
 */
export const mostEntries = 2 ** 23;

export class Entry {
  /** Neighbours in the order of use; itself, while it is in no list. */
  older: Entry = this;
  newer: Entry = this;

  constructor(
    readonly key: string,
    public value: Value,
    /** Unix time in milliseconds. Infinity: it stays. */
    public expiresAtMs: number,
    public sizeBytes: number,
  ) {}
}

export class Entries {
  readonly #byKey = new Map<string, Entry>();
  /** Between the newest and the oldest: the list is a ring, and every entry has two neighbours. */
  readonly #end = new Entry('', new Uint8Array(0), 0, 0);
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  #sizeBytes = 0;

  constructor(maxEntries: number, maxBytes: number) {
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** The entry under `key`, now the most recently used. */
  use(key: string): Entry | undefined {
    const entry = this.#byKey.get(key);
    if (entry !== undefined && entry !== this.#end.older) {
      unlink(entry);
      this.#append(entry);
    }
    return entry;
  }

  /** Does not count as use. */
  peek(key: string): Entry | undefined {
    return this.#byKey.get(key);
  }

  /** `sizeBytes` is at most the limit: to make room for it, all others may be dropped, but not itself. */
  set(key: string, value: Value, expiresAtMs: number, sizeBytes: number): void {
    const entry = this.use(key);
    if (entry === undefined) {
      if (this.size === this.#maxEntries) this.delete(this.#end.newer);
      const added = new Entry(key, value, expiresAtMs, sizeBytes);
      this.#byKey.set(key, added);
      this.#append(added);
      this.#sizeBytes += sizeBytes;
    } else {
      this.#sizeBytes += sizeBytes - entry.sizeBytes;
      entry.value = value;
      entry.expiresAtMs = expiresAtMs;
      entry.sizeBytes = sizeBytes;
    }
    while (this.#sizeBytes > this.#maxBytes) this.delete(this.#end.newer);
  }

  delete(entry: Entry): void {
    this.#byKey.delete(entry.key);
    this.#sizeBytes -= entry.sizeBytes;
    unlink(entry);
    // A dead entry that is old would keep its young neighbours alive until V8 collects the old ones too.
    entry.older = entry;
    entry.newer = entry;
  }

  clear(): void {
    this.#byKey.clear();
    this.#sizeBytes = 0;
    this.#end.older = this.#end;
    this.#end.newer = this.#end;
  }

  /** In no order that means anything. Entries may come and go between the steps; those added are met too, at the end. */
  values(): Iterator<Entry> {
    return this.#byKey.values();
  }

  keys(): string[] {
    return [...this.#byKey.keys()];
  }

  #append(entry: Entry): void {
    const last = this.#end.older;
    entry.older = last;
    entry.newer = this.#end;
    last.newer = entry;
    this.#end.older = entry;
  }
}

function unlink({ older, newer }: Entry): void {
  older.newer = newer;
  newer.older = older;
}
