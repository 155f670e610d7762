/**
 * XXH32 of a string's UTF-8 bytes, in plain JavaScript: for ids and checksums, and the measure for the fast ways of
 * hashing keys (`xxh32-wasm.ts`, `../placement/position.ts`), which give the same bits.
 *
 * Source: Y. Collet, "xxHash fast digest algorithm", version 0.1.1,
 * https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, section "XXH32".
 * Any language with an XXH32 therefore finds the same node for the same key.
 *
 * Symbols of the specification: `acc` the accumulator(s), PRIME32_1..5 the constants, a stripe is 16 bytes, a lane 4.
 */

const PRIME32_1 = 0x9e3779b1;
const PRIME32_2 = 0x85ebca77;
const PRIME32_3 = 0xc2b2ae3d;
const PRIME32_4 = 0x27d4eb2f;
const PRIME32_5 = 0x165667b1;

const stripeBytes = 16;

const encoder = new TextEncoder();

/**
 * @param text  Any string; hashed as its UTF-8 bytes, a lone surrogate as U+FFFD.
 * @param seed  Integer in [0, 2^32).
 * @returns     An integer in [0, 2^32).
 */
export function xxh32(text: string, seed: number): number {
  const bytes = encoder.encode(text);
  return hashBytes(bytes, bytes.length, seed);
}

/** XXH32 of the first `length` bytes. */
export function hashBytes(bytes: Uint8Array, length: number, seed: number): number {
  let acc: number;
  let index = 0;
  if (length >= stripeBytes) {
    let acc1 = (seed + PRIME32_1 + PRIME32_2) | 0;
    let acc2 = (seed + PRIME32_2) | 0;
    let acc3 = seed | 0;
    let acc4 = (seed - PRIME32_1) | 0;
    for (const end = length - stripeBytes; index <= end; index += stripeBytes) {
      acc1 = round(acc1, laneAt(bytes, index));
      acc2 = round(acc2, laneAt(bytes, index + 4));
      acc3 = round(acc3, laneAt(bytes, index + 8));
      acc4 = round(acc4, laneAt(bytes, index + 12));
    }
    acc = (rotateLeft(acc1, 1) + rotateLeft(acc2, 7) + rotateLeft(acc3, 12) + rotateLeft(acc4, 18)) | 0;
  } else {
    acc = (seed + PRIME32_5) | 0;
  }
  acc = (acc + length) | 0;
  for (; index + 4 <= length; index += 4) acc = absorbLane(acc, laneAt(bytes, index));
  for (; index < length; index++) acc = absorbByte(acc, bytes[index]!);
  return avalanche(acc);
}

function laneAt(bytes: Uint8Array, index: number): number {
  return bytes[index]! | (bytes[index + 1]! << 8) | (bytes[index + 2]! << 16) | (bytes[index + 3]! << 24);
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function round(acc: number, lane: number): number {
  return Math.imul(rotateLeft((acc + Math.imul(lane, PRIME32_2)) | 0, 13), PRIME32_1);
}

function absorbLane(acc: number, lane: number): number {
  return Math.imul(rotateLeft((acc + Math.imul(lane, PRIME32_3)) | 0, 17), PRIME32_4);
}

function absorbByte(acc: number, byte: number): number {
  return Math.imul(rotateLeft((acc + Math.imul(byte, PRIME32_5)) | 0, 11), PRIME32_1);
}

function avalanche(value: number): number {
  let acc = value;
  acc = Math.imul(acc ^ (acc >>> 15), PRIME32_2);
  acc = Math.imul(acc ^ (acc >>> 13), PRIME32_3);
  return (acc ^ (acc >>> 16)) >>> 0;
}
