/**
 * Jump consistent hash.
 *
 * Source: J. Lamping, E. Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014, arXiv:1406.2294, figure 1.
 *
 *   key      64 bits, here as two words; it is the state of a linear congruential generator from then on
 *   b        the bucket the key is in for the number of buckets looked at so far        bucket
 *   j        the number of buckets with which it jumps out of b next                    count
 *   r        next number of the generator, (upper 31 bits of the state + 1) / 2^31      in (0, 1]
 *
 * The key stays in b for every number of buckets up to j = floor((b + 1) / r), and jumps to bucket j with one more. So it
 * lies in each of n buckets with probability 1/n, and of n + 1 buckets only the last gets keys that the others had. The
 * result is that of the paper's C++, bit by bit: its product modulo 2^64 is worked out in words, its quotient and product
 * in doubles, as there. About ln(n) + 1 rounds.
 */

import { multiplyHigh } from '../../hash/multiply-high.ts';

/** 2862933555777941757, the multiplier of the generator; its increment is 1. */
const multiplierHigh = 0x27bb2ee6;
const multiplierLow = 0x87b0b0fd | 0;

/**
 * @param keyHigh  Bits 32 to 63 of the key, signed or unsigned; `keyLow` has bits 0 to 31.
 * @param buckets  Integer in [1, 2^31).
 * @returns        Integer in [0, buckets).
 */
export function jumpHash(keyHigh: number, keyLow: number, buckets: number): number {
  let high = keyHigh | 0;
  let low = keyLow | 0;
  let bucket = 0;
  let next = 0;
  while (next < buckets) {
    bucket = next;
    high = (multiplyHigh(low, multiplierLow) + Math.imul(low, multiplierHigh) + Math.imul(high, multiplierLow)) | 0;
    low = (Math.imul(low, multiplierLow) + 1) | 0;
    // Adding 1 carried over only if the sum is 0.
    if (low === 0) high = (high + 1) | 0;
    next = Math.floor((bucket + 1) * (2 ** 31 / ((high >>> 1) + 1)));
  }
  return bucket;
}
