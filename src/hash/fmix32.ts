/** A mixer of 32 bits: the finaliser of MurmurHash3 (A. Appleby, https://github.com/aappleby/smhasher, public domain). */

/**
 * A bijection of 32 bits in which every bit of the input reaches every bit of the output. Takes any integer that a double
 * holds exactly, modulo 2^32; the result is signed.
 */
export function fmix32(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
