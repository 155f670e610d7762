/**
 * Two hashes by Bob Jenkins, as libhashkit and twemproxy have them.
 *
 * Sources: B. Jenkins, "A hash function for hash table lookup", https://burtleburtle.net/bob/hash/doobs.html
 * (one-at-a-time); lookup3.c, May 2006, same site (`hashlittle`, here with the initial value 13).
 *
 * One-at-a-time takes bytes from 0x80 on as negative, as `char` is signed on x86; lookup3 does not.
 */

import type { ByteHash } from './byte-hash.ts';

export const oneAtATime: ByteHash = (bytes, length) => {
  let hash = 0;
  for (let index = 0; index < length; index++) {
    hash = (hash + ((bytes[index]! << 24) >> 24)) | 0;
    hash = (hash + (hash << 10)) | 0;
    hash ^= hash >>> 6;
  }
  hash = (hash + (hash << 3)) | 0;
  hash ^= hash >>> 11;
  return (hash + (hash << 15)) >>> 0;
};

const initialValue = 13;
const blockBytes = 12;

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));

/** Four bytes, the first of them the lowest; those from `end` on count as 0. */
function laneUpTo(bytes: Uint8Array, at: number, end: number): number {
  let lane = 0;
  for (let index = at; index < at + 4 && index < end; index++) lane |= bytes[index]! << (8 * (index - at));
  return lane;
}

export const lookup3: ByteHash = (bytes, length) => {
  let a = (0xdeadbeef + length + initialValue) | 0;
  let b = a;
  let c = a;
  if (length === 0) return c >>> 0;
  let at = 0;
  // The last block, whole or not, is mixed in another way than those before it.
  for (; length - at > blockBytes; at += blockBytes) {
    a = (a + laneUpTo(bytes, at, length)) | 0;
    b = (b + laneUpTo(bytes, at + 4, length)) | 0;
    c = (c + laneUpTo(bytes, at + 8, length)) | 0;
    a = ((a - c) | 0) ^ rotate(c, 4);
    c = (c + b) | 0;
    b = ((b - a) | 0) ^ rotate(a, 6);
    a = (a + c) | 0;
    c = ((c - b) | 0) ^ rotate(b, 8);
    b = (b + a) | 0;
    a = ((a - c) | 0) ^ rotate(c, 16);
    c = (c + b) | 0;
    b = ((b - a) | 0) ^ rotate(a, 19);
    a = (a + c) | 0;
    c = ((c - b) | 0) ^ rotate(b, 4);
    b = (b + a) | 0;
  }
  a = (a + laneUpTo(bytes, at, length)) | 0;
  b = (b + laneUpTo(bytes, at + 4, length)) | 0;
  c = (c + laneUpTo(bytes, at + 8, length)) | 0;
  c = ((c ^ b) - rotate(b, 14)) | 0;
  a = ((a ^ c) - rotate(c, 11)) | 0;
  b = ((b ^ a) - rotate(a, 25)) | 0;
  c = ((c ^ b) - rotate(b, 16)) | 0;
  a = ((a ^ c) - rotate(c, 4)) | 0;
  b = ((b ^ a) - rotate(a, 14)) | 0;
  return ((c ^ b) - rotate(b, 24)) >>> 0;
};
