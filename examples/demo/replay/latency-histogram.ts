/**
 * Durations in bounded memory: a histogram whose buckets grow by a constant factor. Pure.
 *
 *   bucket of d    floor(log2(d / 1 us) * bucketsPerDoubling), at least 0
 *   quantile q     upper end of the bucket in which the ceil(q * count)-th smallest duration lies: never below the true
 *                  value, and at most 2^(1/16) - 1 = 4.4 % above it; 1.04 us for anything below 1 us
 */

const bucketsPerDoubling = 16;
/** Up to 2^32 us, which is more than an hour. Longer ones count as that. */
const bucketCount = 32 * bucketsPerDoubling;

export class LatencyHistogram {
  readonly #buckets = new Float64Array(bucketCount);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(durationMs: number): void {
    const bucket = Math.floor(Math.log2(Math.max(1, durationMs * 1_000)) * bucketsPerDoubling);
    this.#buckets[Math.min(bucket, bucketCount - 1)]!++;
    this.#count++;
  }

  /** @param q  In (0, 1]. @returns Milliseconds; undefined if nothing was added. */
  quantile(q: number): number | undefined {
    if (this.#count === 0) return undefined;
    const rank = Math.ceil(q * this.#count);
    let bucket = 0;
    for (let seen = this.#buckets[0]!; seen < rank; seen += this.#buckets[bucket]!) bucket++;
    return 2 ** ((bucket + 1) / bucketsPerDoubling) / 1_000;
  }
}
