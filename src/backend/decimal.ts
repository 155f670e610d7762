/** The integers that Redis counts with: 64 bits, written as decimal text. */

import type { Value } from './backend.ts';

/** Optional sign, no leading zeros, no spaces, no plus: what Redis itself would write. */
const canonicalInteger = /^(?:0|-?[1-9][0-9]{0,18})$/;

/** The text of -(2^63). Anything longer is refused without being read. */
const longestText = 20;

const minInt64 = -(2n ** 63n);
const maxInt64 = 2n ** 63n - 1n;

/**
 * The integer in `value` plus `by`.
 *
 * @param value  Decimal text in ASCII; undefined counts as 0.
 * @param by     A safe integer.
 * @returns      undefined if `value` is no such text, or if it or the sum is outside 64 bits.
 */
export function addToDecimal(value: Value | undefined, by: number): bigint | undefined {
  const current = value === undefined ? 0n : parseDecimal(value);
  if (current === undefined) return undefined;
  return within64Bits(current + BigInt(by));
}

function parseDecimal(value: Value): bigint | undefined {
  if (value.byteLength > longestText) return undefined;
  // Latin-1 has a character for each byte, so no bytes but digits can pass for digits.
  const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
  return canonicalInteger.test(text) ? within64Bits(BigInt(text)) : undefined;
}

function within64Bits(integer: bigint): bigint | undefined {
  return integer >= minInt64 && integer <= maxInt64 ? integer : undefined;
}
