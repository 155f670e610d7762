/**
 * What must be in the cache: the keys that one server, never full and never down, would hold. A read that misses one of
 * them has lost it. Pure.
 *
 * Keys with a time to live and keys whose last write failed are not judged. Nor are keys beyond `maxKeys`, so that a
 * trace of any length is watched in bounded memory.
 */

export const defaultMaxKeys = 2_000_000;

export class Ledger {
  readonly #keys = new Set<string>();
  readonly #maxKeys: number;
  #isFull = false;

  constructor(maxKeys: number = defaultMaxKeys) {
    this.#maxKeys = maxKeys;
  }

  /** Some keys are not watched, because there are too many. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** @param ttlMs  Undefined: the value stays. */
  noteStored(key: string, ttlMs: number | undefined): void {
    if (ttlMs !== undefined) this.#keys.delete(key);
    else if (this.#keys.size < this.#maxKeys || this.#keys.has(key)) this.#keys.add(key);
    else this.#isFull = true;
  }

  /** It was removed, or nobody knows. */
  forget(key: string): void {
    this.#keys.delete(key);
  }

  mustHave(key: string): boolean {
    return this.#keys.has(key);
  }
}
