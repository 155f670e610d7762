/**
 * Keeps a value that was read a while ago from being stored over what happened since.
 *
 * Whoever reads a value in order to store it elsewhere (a copy for a replica that missed, the result of a load) takes a
 * guard for the key first. A write or delete of the key by this process breaks the guard, and a broken guard's value is
 * not stored. Between processes this cannot help; there, storing only where the key is absent limits the harm.
 */
export interface KeyGuard {
  readonly key: string;
  broken: boolean;
}

export class KeyGuards {
  readonly #guards = new Map<string, Set<KeyGuard>>();
  /** Writes in flight to several nodes, by key. */
  readonly #writes = new Map<string, number>();
  /** Calls in flight that write keys not known one by one. */
  #sweeps = 0;

  /** For the result of a load, which was begun after any write that is in flight now. */
  take(key: string): KeyGuard {
    const guard: KeyGuard = { key, broken: false };
    const guards = this.#guards.get(key);
    if (guards === undefined) this.#guards.set(key, new Set([guard]));
    else guards.add(guard);
    return guard;
  }

  /**
   * For a copy from one node to another. Broken from the start while a write of the key is in flight: such a write has
   * reached some nodes and not others, and what the others still have must not come back.
   */
  takeForCopy(key: string): KeyGuard {
    const guard = this.take(key);
    guard.broken = this.#sweeps > 0 || this.#writes.has(key);
    return guard;
  }

  release(guard: KeyGuard): void {
    const guards = this.#guards.get(guard.key);
    if (guards?.delete(guard) && guards.size === 0) this.#guards.delete(guard.key);
  }

  /** Called before a write or delete of `key` is sent. */
  break(key: string): void {
    if (this.#guards.size === 0) return;
    for (const guard of this.#guards.get(key) ?? []) guard.broken = true;
  }

  /** As {@link break}, for a write to several nodes; {@link endWrite} is called when the last one has answered. */
  beginWrite(key: string): void {
    this.break(key);
    this.#writes.set(key, (this.#writes.get(key) ?? 0) + 1);
  }

  endWrite(key: string): void {
    const left = this.#writes.get(key)! - 1;
    if (left === 0) this.#writes.delete(key);
    else this.#writes.set(key, left);
  }

  breakAll(): void {
    for (const guards of this.#guards.values()) for (const guard of guards) guard.broken = true;
  }

  /** Does `work`, which writes keys that are not known one by one: every guard held meanwhile is broken. */
  async breakAllDuring(work: () => Promise<void>): Promise<void> {
    this.breakAll();
    this.#sweeps++;
    try {
      await work();
    } finally {
      this.#sweeps--;
      this.breakAll();
    }
  }
}
