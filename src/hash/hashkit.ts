/**
 * The hashes of libhashkit (part of libmemcached) and twemproxy by the names that twemproxy's configuration has.
 *
 * All as they run on x86-64 Linux: little-endian, with a signed `char`. Where the two programs have a hash of one name,
 * it is the same function.
 */

import { type ByteHash, hashUtf8 } from './byte-hash.ts';
import { digestOf, digestWord } from './digest.ts';
import { fnv1aOf32, fnv1aOf64, fnv1Of32, fnv1Of64 } from './fnv.ts';
import { crc16Unmasked, crc32, crc32a } from './hashkit-crc.ts';
import { hsieh } from './hsieh.ts';
import { lookup3, oneAtATime } from './jenkins.ts';
import { murmur2 } from './murmur2.ts';

/** A hash of the string's UTF-8 bytes: an integer in [0, 2^32). */
export type TextHash = (text: string) => number;

const over = (hash: ByteHash): TextHash => {
  return (text) => hashUtf8(text, hash);
};

export const hashkit = {
  one_at_a_time: over(oneAtATime),
  md5: (text: string): number => digestWord(digestOf('md5', text), 0),
  crc16: over(crc16Unmasked),
  crc32: over(crc32),
  crc32a: over(crc32a),
  fnv1_64: over(fnv1Of64),
  fnv1a_64: over(fnv1aOf64),
  fnv1_32: over(fnv1Of32),
  fnv1a_32: over(fnv1aOf32),
  hsieh: over(hsieh),
  murmur: over(murmur2),
  jenkins: over(lookup3),
} satisfies Record<string, TextHash>;

export type HashkitName = keyof typeof hashkit;
