import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DigestName, digestBytes, digestOf, digestWord, makeDigestOf } from '../../../src/hash/digest.ts';
import { hashkit } from '../../../src/hash/hashkit.ts';
import { anyKey } from '../../support/arbitraries.ts';

// The golden vectors of twemproxy and libmemcached hold all of these to the programs themselves; here stand the values
// that the authors of the hashes published.

describe('the hashes of libhashkit and twemproxy', () => {
  it.each([
    ['fnv1_32', 'foobar', 0x31f0b262],
    ['fnv1a_32', 'a', 0xe40c292c],
    ['fnv1a_32', 'foobar', 0xbf9cf968],
    // The low halves of 0x340d8765a4dda9c2 and 0x85944171f73967e8.
    ['fnv1_64', 'foobar', 0xa4dda9c2],
    ['fnv1a_64', 'foobar', 0xf73967e8],
    ['one_at_a_time', 'a', 0xca2e9442],
    ['one_at_a_time', 'The quick brown fox jumps over the lazy dog', 0x519e91f5],
    ['crc32a', '123456789', 0xcbf43926],
    ['crc32', '123456789', 0x4bf4],
    // RFC 1321: 900150983cd24fb0d6963f7d28e17f72.
    ['md5', 'abc', 0x98500190],
  ] as const)('%s of %j is the published value', (name, text, expected) => {
    expect(hashkit[name](text)).toBe(expected);
  });

  it('give crc16 the check value of CRC-16/XMODEM in the low half, and more above it', () => {
    const hash = hashkit.crc16('123456789');
    expect(hash & 0xffff).toBe(0x31c3);
    expect(hash).toBeGreaterThan(0xffff);
  });

  it('are integers in [0, 2^32) for every string, equal for one with lone surrogates and one with U+FFFD for them', () => {
    fc.assert(
      fc.property(anyKey, (text) => {
        for (const hash of Object.values(hashkit)) {
          const value = hash(text);
          expect(Number.isInteger(value) && value >= 0 && value < 2 ** 32).toBe(true);
          expect(hash(text.toWellFormed())).toBe(value);
        }
      }),
    );
  });

  it('are the same for a text that needs a buffer of its own', () => {
    // About what the scratch space is meant for, and far above it; a CRC tells whether all bytes were read.
    for (const length of [2730, 5461, 5462, 100_000]) {
      const text = 'é1'.repeat(length).slice(0, length);
      expect(hashkit.crc32a(text)).toBe(bitwiseCrc32(text));
    }
  });
});

/** CRC-32 bit by bit, without a table. */
function bitwiseCrc32(text: string): number {
  let crc = -1;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

describe('digests', () => {
  it('are those of node:crypto, word by word with the low byte first', () => {
    const anyName = fc.constantFrom(...(Object.keys(digestBytes) as DigestName[]));
    fc.assert(
      fc.property(anyName, anyKey, (name, text) => {
        const expected = createHash(name).update(text).digest();
        const digest = digestOf(name, text);
        expect(digest.length).toBe(digestBytes[name]);
        expect(makeDigestOf(undefined)(name, text)).toBe(digest);
        for (let word = 0; word < digestBytes[name] / 4; word++) {
          expect(digestWord(digest, word)).toBe(expected.readUInt32LE(4 * word));
        }
      }),
    );
  });
});
