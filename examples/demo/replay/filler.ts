/**
 * Values of a given size. A trace has sizes only, so what is in them is made up: the digit 1, so that a value of up to 15
 * bytes is a number that can be incremented.
 */

const digits = new Map<number, Uint8Array>();
/** Values are kept up to this size, in bytes; a trace has far more requests than sizes. */
const longestKept = 65_536;

/** @returns Bytes that must not be changed. */
export function fillerOf(sizeBytes: number): Uint8Array {
  const known = digits.get(sizeBytes);
  if (known !== undefined) return known;
  const made = new Uint8Array(sizeBytes).fill('1'.charCodeAt(0));
  if (sizeBytes <= longestKept) digits.set(sizeBytes, made);
  return made;
}
