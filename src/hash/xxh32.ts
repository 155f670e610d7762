/**
 * XXH32 of a string's UTF-8 bytes, in plain JavaScript.
 *
 * Source: Y. Collet, "xxHash fast digest algorithm", version 0.1.1,
 * https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, section "XXH32".
 * Bit-identical to `xxhash-wasm`'s `h32(string, seed)` for every string and seed, so that any language with an XXH32
 * finds the same node for the same key.
 *
 * Symbols of the specification: `acc` the accumulator(s), PRIME32_1..5 the constants, a stripe is 16 bytes, a lane 4.
 *
 * Three ways to the same bits, by length:
 *   up to 15 ASCII characters   read straight from the string, nothing copied
 *   the rest                    encoded into a scratch buffer and hashed from there
 *   64 characters and more      WebAssembly, from the moment its module has loaded
 */

const PRIME32_1 = 0x9e3779b1;
const PRIME32_2 = 0x85ebca77;
const PRIME32_3 = 0xc2b2ae3d;
const PRIME32_4 = 0x27d4eb2f;
const PRIME32_5 = 0x165667b1;

/** Below this many characters a text of ASCII has no whole stripe, and reading it in place is fastest. */
const stripeBytes = 16;

/** From here on WebAssembly is faster than this file, its call overhead included. */
const wasmFromLength = 64;

/** Scratch space for texts up to a third of this many characters; longer ones get a buffer of their own. */
const scratchBytes = 16_384;

const encoder = new TextEncoder();
const scratch = new Uint8Array(scratchBytes);

// Captured once: `text.charCodeAt` at a call site that has met many kinds of string (flat, concatenated, sliced,
// two-byte) becomes a megamorphic property load and costs four times as much from then on.
const charCodeAt = String.prototype.charCodeAt;

/** `xxhash-wasm`'s h32 once loaded. Same bits as the functions below, so the moment of the change cannot be seen. */
let wasmHash: ((text: string, seed: number) => number) | undefined;
let wasmRequested = false;

/**
 * @param text  Any string; hashed as its UTF-8 bytes, a lone surrogate as U+FFFD.
 * @param seed  Integer in [0, 2^32).
 * @returns     An integer in [0, 2^32).
 */
export function xxh32(text: string, seed: number): number {
  const length = text.length;
  if (length < stripeBytes) {
    const hash = hashShortAscii(text, length, seed);
    if (hash >= 0) return hash;
  } else if (length >= wasmFromLength) {
    if (wasmHash !== undefined) return wasmHash(text, seed);
    if (!wasmRequested) loadWasm();
  }
  if (length * 3 <= scratchBytes) {
    const { written } = encoder.encodeInto(text, scratch);
    return hashBytes(scratch, written, seed);
  }
  const bytes = encoder.encode(text);
  return hashBytes(bytes, bytes.length, seed);
}

/**
 * Loads the WebAssembly module in the background and resolves when it is in use. {@link xxh32} starts this by itself at
 * the first long text; where WebAssembly cannot be compiled, plain JavaScript goes on answering with the same bits.
 */
export async function loadWasm(): Promise<void> {
  wasmRequested = true;
  try {
    const { default: createHasher } = await import('xxhash-wasm');
    wasmHash = (await createHasher()).h32;
  } catch {
    // No WebAssembly here (a policy may forbid it). It would only have been faster.
  }
}

/** XXH32 of fewer than 16 ASCII characters; -1 if one of them is not ASCII. */
function hashShortAscii(text: string, length: number, seed: number): number {
  let acc = (seed + PRIME32_5 + length) | 0;
  // All characters or-ed together: one test at the end tells whether every one was below 0x80.
  let seen = 0;
  let index = 0;
  for (; index + 4 <= length; index += 4) {
    const c0 = charCodeAt.call(text, index);
    const c1 = charCodeAt.call(text, index + 1);
    const c2 = charCodeAt.call(text, index + 2);
    const c3 = charCodeAt.call(text, index + 3);
    seen |= c0 | c1 | c2 | c3;
    acc = absorbLane(acc, c0 | (c1 << 8) | (c2 << 16) | (c3 << 24));
  }
  for (; index < length; index++) {
    const c = charCodeAt.call(text, index);
    seen |= c;
    acc = absorbByte(acc, c);
  }
  return seen < 0x80 ? avalanche(acc) : -1;
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
