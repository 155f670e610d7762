/**
 * Hsieh's "SuperFastHash", as twemproxy has it: the state begins at 0 and not at the length.
 *
 * Source: P. Hsieh, "Hash functions", 2004, http://www.azillionmonkeys.com/qed/hash.html.
 * The third of three bytes left over is taken as negative from 0x80 on, as `char` is signed on x86; no other byte is.
 */

import type { ByteHash } from './byte-hash.ts';

const pairAt = (bytes: Uint8Array, at: number): number => bytes[at]! | (bytes[at + 1]! << 8);

export const hsieh: ByteHash = (bytes, length) => {
  let hash = 0;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    hash = (hash + pairAt(bytes, at)) | 0;
    hash = (hash << 16) ^ (pairAt(bytes, at + 2) << 11) ^ hash;
    hash = (hash + (hash >>> 11)) | 0;
  }
  switch (length - at) {
    case 3:
      hash = (hash + pairAt(bytes, at)) | 0;
      hash ^= hash << 16;
      hash ^= ((bytes[at + 2]! << 24) >> 24) << 18;
      hash = (hash + (hash >>> 11)) | 0;
      break;
    case 2:
      hash = (hash + pairAt(bytes, at)) | 0;
      hash ^= hash << 11;
      hash = (hash + (hash >>> 17)) | 0;
      break;
    case 1:
      hash = (hash + bytes[at]!) | 0;
      hash ^= hash << 10;
      hash = (hash + (hash >>> 1)) | 0;
      break;
  }
  hash ^= hash << 3;
  hash = (hash + (hash >>> 5)) | 0;
  hash ^= hash << 4;
  hash = (hash + (hash >>> 17)) | 0;
  hash ^= hash << 25;
  return (hash + (hash >>> 6)) >>> 0;
};
