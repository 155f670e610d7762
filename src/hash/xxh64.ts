/**
 * XXH64 with seed 0 of a string's UTF-8 bytes, in plain JavaScript on pairs of 32-bit words.
 *
 * Source: Y. Collet, "xxHash fast digest algorithm", version 0.1.1,
 * https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, section "XXH64". It is here for placements that
 * reproduce systems which use it; shardring's own placements need 32 bits only.
 *
 * Symbols of the specification: acc the accumulator(s), PRIME64_1..5 the constants, a stripe is 32 bytes, a lane 8.
 *
 * A register is a pair in `registers`: the low word at an even place, the high word after it. Words are signed, which
 * changes no bit.
 */

import { multiplyHigh } from './multiply-high.ts';
import { utf8Of } from './utf8.ts';

interface Word64 {
  readonly low: number;
  readonly high: number;
}

const prime1: Word64 = { high: 0x9e3779b1 | 0, low: 0x85ebca87 | 0 };
const prime2: Word64 = { high: 0xc2b2ae3d | 0, low: 0x27d4eb4f };
const prime3: Word64 = { high: 0x165667b1, low: 0x9e3779f9 | 0 };
const prime4: Word64 = { high: 0x85ebca77 | 0, low: 0xc2b2ae63 | 0 };
const prime5: Word64 = { high: 0x27d4eb2f, low: 0x165667c5 };

const stripeBytes = 32;
const laneBytes = 8;

/** Places of the registers: the accumulators of the four lanes, the one of the whole, and one to work in. */
const laneRegisters = [0, 2, 4, 6] as const;
const acc = 8;
const work = 10;
const registers = new Int32Array(12);

/**
 * @param text  Any string; hashed as its UTF-8 bytes, a lone surrogate as U+FFFD.
 * @param into  Where the hash is written: the low word to place 0, the high word to place 1.
 */
export function xxh64(text: string, into: Int32Array): void {
  const { bytes, length } = utf8Of(text);
  hashBytes(bytes, length);
  into[0] = registers[acc]!;
  into[1] = registers[acc + 1]!;
}

/** Leaves the hash of the first `length` bytes in the register `acc`. */
function hashBytes(bytes: Uint8Array, length: number): void {
  let index = 0;
  if (length >= stripeBytes) index = absorbStripes(bytes, length);
  else set(acc, prime5.low, prime5.high);
  add(acc, length, 0);

  for (; index + laneBytes <= length; index += laneBytes) {
    setRounded(work, wordAt(bytes, index), wordAt(bytes, index + 4));
    xor(acc, registers[work]!, registers[work + 1]!);
    rotateLeft(acc, 27);
    multiply(acc, prime1);
    add(acc, prime4.low, prime4.high);
  }
  if (index + 4 <= length) {
    set(work, wordAt(bytes, index), 0);
    multiply(work, prime1);
    xor(acc, registers[work]!, registers[work + 1]!);
    rotateLeft(acc, 23);
    multiply(acc, prime2);
    add(acc, prime3.low, prime3.high);
    index += 4;
  }
  for (; index < length; index++) {
    set(work, bytes[index]!, 0);
    multiply(work, prime5);
    xor(acc, registers[work]!, registers[work + 1]!);
    rotateLeft(acc, 11);
    multiply(acc, prime1);
  }
  avalanche();
}

/** Absorbs all whole stripes, merges the lanes into `acc`, and says where the bytes go on. */
function absorbStripes(bytes: Uint8Array, length: number): number {
  set(0, prime1.low, prime1.high);
  add(0, prime2.low, prime2.high);
  set(2, prime2.low, prime2.high);
  set(4, 0, 0);
  set(6, ~prime1.low, ~prime1.high);
  add(6, 1, 0);

  let index = 0;
  for (; index + stripeBytes <= length; index += stripeBytes) {
    for (const lane of laneRegisters) {
      const at = index + lane * (laneBytes / 2);
      round(lane, wordAt(bytes, at), wordAt(bytes, at + 4));
    }
  }

  set(acc, 0, 0);
  for (const [lane, bits] of [
    [0, 1],
    [2, 7],
    [4, 12],
    [6, 18],
  ] as const) {
    set(work, registers[lane]!, registers[lane + 1]!);
    rotateLeft(work, bits);
    add(acc, registers[work]!, registers[work + 1]!);
  }
  for (const lane of laneRegisters) {
    setRounded(work, registers[lane]!, registers[lane + 1]!);
    xor(acc, registers[work]!, registers[work + 1]!);
    multiply(acc, prime1);
    add(acc, prime4.low, prime4.high);
  }
  return index;
}

/** acc ^= acc >>> 33, times prime 2; acc ^= acc >>> 29, times prime 3; acc ^= acc >>> 32. */
function avalanche(): void {
  xor(acc, registers[acc + 1]! >>> 1, 0);
  multiply(acc, prime2);
  const low = registers[acc]!;
  const high = registers[acc + 1]!;
  xor(acc, (low >>> 29) | (high << 3), high >>> 29);
  multiply(acc, prime3);
  xor(acc, registers[acc + 1]!, 0);
}

function round(register: number, laneLow: number, laneHigh: number): void {
  set(work, laneLow, laneHigh);
  multiply(work, prime2);
  add(register, registers[work]!, registers[work + 1]!);
  rotateLeft(register, 31);
  multiply(register, prime1);
}

/** The specification's round with an accumulator of 0. */
function setRounded(register: number, laneLow: number, laneHigh: number): void {
  set(register, laneLow, laneHigh);
  multiply(register, prime2);
  rotateLeft(register, 31);
  multiply(register, prime1);
}

function wordAt(bytes: Uint8Array, index: number): number {
  return bytes[index]! | (bytes[index + 1]! << 8) | (bytes[index + 2]! << 16) | (bytes[index + 3]! << 24);
}

function set(register: number, low: number, high: number): void {
  registers[register] = low;
  registers[register + 1] = high;
}

function xor(register: number, low: number, high: number): void {
  registers[register]! ^= low;
  registers[register + 1]! ^= high;
}

function add(register: number, low: number, high: number): void {
  const sum = (registers[register]! + low) | 0;
  const carry = sum >>> 0 < low >>> 0 ? 1 : 0;
  registers[register] = sum;
  registers[register + 1] = registers[register + 1]! + high + carry;
}

function multiply(register: number, { low, high }: Word64): void {
  const ownLow = registers[register]!;
  const ownHigh = registers[register + 1]!;
  registers[register] = Math.imul(ownLow, low);
  registers[register + 1] = multiplyHigh(ownLow, low) + Math.imul(ownLow, high) + Math.imul(ownHigh, low);
}

/** @param bits  In [1, 31]. */
function rotateLeft(register: number, bits: number): void {
  const low = registers[register]!;
  const high = registers[register + 1]!;
  registers[register] = (low << bits) | (high >>> (32 - bits));
  registers[register + 1] = (high << bits) | (low >>> (32 - bits));
}
