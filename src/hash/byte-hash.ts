/** Hashes that are written over bytes, and how a string comes to one. */

import { utf8Of } from './utf8.ts';

/** A hash of the first `length` bytes: an integer in [0, 2^32). */
export type ByteHash = (bytes: Uint8Array, length: number) => number;

/** @param text  Any string; hashed as its UTF-8 bytes, a lone surrogate as U+FFFD. */
export function hashUtf8(text: string, hash: ByteHash): number {
  const { bytes, length } = utf8Of(text);
  return hash(bytes, length);
}
