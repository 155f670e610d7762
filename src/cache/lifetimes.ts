/** From times to live to points of time and back; fallback nodes keep what they are given for a shorter time. */

import type { Clock } from '../runtime/clock.ts';

export class Lifetimes {
  readonly #clock: Clock;
  readonly #spillTtlMs: number;

  /** @param spillTtlMs  Longest life at a fallback node. */
  constructor(clock: Clock, spillTtlMs: number) {
    this.#clock = clock;
    this.#spillTtlMs = spillTtlMs;
  }

  /** When a value that is stored now expires. Undefined: it stays. */
  expiryOf(ttlMs: number): number | undefined {
    return ttlMs === Number.POSITIVE_INFINITY ? undefined : this.#clock.wallMs() + ttlMs;
  }

  /** When a node is to drop a value that expires at `expiresAtMs`. */
  expiryAt(isFallback: boolean, expiresAtMs: number | undefined): number | undefined {
    if (!isFallback) return expiresAtMs;
    return Math.min(expiresAtMs ?? Number.POSITIVE_INFINITY, this.#clock.wallMs() + this.#spillTtlMs);
  }

  /** Milliseconds that are left until then. */
  leftUntil(expiresAtMs: number): number {
    return Math.max(0, expiresAtMs - this.#clock.wallMs());
  }
}
