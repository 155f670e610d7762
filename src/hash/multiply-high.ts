/**
 * The high half of a product, for 64-bit arithmetic on pairs of 32-bit words: with a = aH * 2^32 + aL and b likewise,
 *
 *   low  = imul(aL, bL)
 *   high = multiplyHigh(aL, bL) + imul(aL, bH) + imul(aH, bL)     both modulo 2^32
 *
 * BigInt would give the same and allocate for every step.
 */

/** Bits 32 to 63, as a signed word, of the product of two words taken as unsigned; bits 0 to 31 are Math.imul(a, b). */
export function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  // No sum reaches 2^32: a product of two 16-bit parts is at most (2^16 - 1)^2, and less than 2^17 - 1 is added to it.
  const middle = (Math.imul(aHigh, bLow) >>> 0) + (Math.imul(aLow, bLow) >>> 16);
  const other = (Math.imul(aLow, bHigh) >>> 0) + (middle & 0xffff);
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (other >>> 16)) | 0;
}
