/**
 * Finds the point that owns a position: the first at or after it.
 *
 *   V          points                                                                        count
 *   B          buckets, a power of two: about 4 V, from 2^8 to 2^18                           count
 *   firsts[b]  the first point whose top bits are b or more; Uint32Array of length B + 1      point index
 *
 * With four buckets a point most buckets hold none or one, so that a search is one read and a comparison or two. Within a
 * bucket it bisects: positions need not be spread evenly.
 */

const minBits = 8;
/** 2^18 buckets are 1 MB; more would leave the processor's second-level cache. */
const maxBits = 18;

export class PointDirectory {
  readonly #positions: Uint32Array;
  readonly #firsts: Uint32Array;
  readonly #shift: number;

  /** @param positions  Ascending. Kept, and must not change. */
  constructor(positions: Uint32Array) {
    const wanted = Math.ceil(Math.log2(positions.length * 4 + 1));
    const bits = Math.min(Math.max(wanted, minBits), maxBits);
    this.#positions = positions;
    this.#shift = 32 - bits;
    this.#firsts = new Uint32Array(2 ** bits + 1);
    let point = 0;
    for (let bucket = 0; bucket < this.#firsts.length; bucket++) {
      while (point < positions.length && positions[point]! >>> this.#shift < bucket) point++;
      this.#firsts[bucket] = point;
    }
  }

  /** Index of the first point at or after `position`, an integer in [0, 2^32); 0 after the last point. */
  firstAtOrAfter(position: number): number {
    const bucket = position >>> this.#shift;
    let low = this.#firsts[bucket]!;
    let high = this.#firsts[bucket + 1]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#positions[middle]! < position) low = middle + 1;
      else high = middle;
    }
    return low === this.#positions.length ? 0 : low;
  }
}
