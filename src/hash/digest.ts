/**
 * Digests of a string's UTF-8 bytes, by node:crypto: MD5 (RFC 1321) for the ketama family and a few others.
 *
 * MD5 serves here to spread keys, as other programs do it, and protects nothing. A Node.js in FIPS mode has no MD5: the
 * functions then throw what node:crypto throws, when a ring is made and not at its first lookup.
 */

import * as crypto from 'node:crypto';

/** Digests whose length is known, and that every OpenSSL of a Node.js without FIPS mode has. */
export const digestBytes = { md5: 16, sha1: 20, sha224: 28, sha256: 32, sha384: 48, sha512: 64 } as const;

export type DigestName = keyof typeof digestBytes;

/**
 * A function that gives a digest as a string of one character for each byte.
 * @param oneShot  `crypto.hash`, which Node 20.12 and later have: it is four times as fast as a Hash object.
 */
export function makeDigestOf(oneShot: typeof crypto.hash | undefined): (algorithm: DigestName, text: string) => string {
  if (oneShot !== undefined) return (algorithm, text) => oneShot(algorithm, text, 'binary');
  return (algorithm, text) => crypto.createHash(algorithm).update(text, 'utf8').digest('binary');
}

export const digestOf = makeDigestOf(crypto.hash);

/** Bytes 4 * index to 4 * index + 3 of a digest, the first of them the lowest: an integer in [0, 2^32). */
export function digestWord(digest: string, index: number): number {
  const at = 4 * index;
  const low = digest.charCodeAt(at) | (digest.charCodeAt(at + 1) << 8) | (digest.charCodeAt(at + 2) << 16);
  return (low | (digest.charCodeAt(at + 3) << 24)) >>> 0;
}
