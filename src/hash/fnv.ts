/**
 * FNV hashes as libhashkit and twemproxy have them.
 *
 * Source: G. Fowler, L. C. Noll, P. Vo, "The FNV Non-Cryptographic Hash Algorithm", RFC 9923. FNV-1 multiplies, then
 * adds the byte in; FNV-1a adds it first.
 *
 * Two ways in which those programs differ from the RFC, both kept here:
 *   The 64-bit forms give only the low 32 bits. These depend on the low 32 bits of the state and of the prime alone, so
 *   32-bit arithmetic is exact.
 *   Bytes from 0x80 on are negative and fill the bits above them with ones, as `char` is signed on x86.
 */

import type { ByteHash } from './byte-hash.ts';

const offset32 = 0x811c9dc5;
const prime32 = 0x01000193;
/** Low halves of 0xcbf29ce484222325 and 0x100000001b3. */
const offset64Low = 0x84222325;
const prime64Low = 0x1b3;

/** The byte as a signed `char`, widened. */
const signed = (byte: number): number => (byte << 24) >> 24;

function fnv1(offset: number, prime: number): ByteHash {
  return (bytes, length) => {
    let hash = offset;
    for (let index = 0; index < length; index++) hash = Math.imul(hash, prime) ^ signed(bytes[index]!);
    return hash >>> 0;
  };
}

function fnv1a(offset: number, prime: number): ByteHash {
  return (bytes, length) => {
    let hash = offset;
    for (let index = 0; index < length; index++) hash = Math.imul(hash ^ signed(bytes[index]!), prime);
    return hash >>> 0;
  };
}

export const fnv1Of32 = fnv1(offset32, prime32);
export const fnv1aOf32 = fnv1a(offset32, prime32);
export const fnv1Of64 = fnv1(offset64Low, prime64Low);
export const fnv1aOf64 = fnv1a(offset64Low, prime64Low);
