/**
 * MurmurHash2 with the seed 0xdeadbeef * length, as libhashkit and twemproxy have it on a little-endian machine.
 *
 * Source: A. Appleby, "MurmurHash", 2008, https://github.com/aappleby/smhasher (MurmurHash2.cpp).
 */

import type { ByteHash } from './byte-hash.ts';

const multiplier = 0x5bd1e995;

export const murmur2: ByteHash = (bytes, length) => {
  let hash = Math.imul(0xdeadbeef, length) ^ length;
  let index = 0;
  for (; index + 4 <= length; index += 4) {
    let lane = bytes[index]! | (bytes[index + 1]! << 8) | (bytes[index + 2]! << 16) | (bytes[index + 3]! << 24);
    lane = Math.imul(lane, multiplier);
    lane = Math.imul(lane ^ (lane >>> 24), multiplier);
    hash = Math.imul(hash, multiplier) ^ lane;
  }
  if (index < length) {
    for (let byte = length - 1; byte >= index; byte--) hash ^= bytes[byte]! << (8 * (byte - index));
    hash = Math.imul(hash, multiplier);
  }
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return (hash ^ (hash >>> 15)) >>> 0;
};
