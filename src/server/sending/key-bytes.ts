/**
 * Keys as bytes, for any JavaScript string.
 *
 * A well-formed string is written as UTF-8, as every other Redis client would. A string with a lone surrogate has no
 * UTF-8; the usual replacement by U+FFFD would give many such strings one key. It is written as WTF-8 instead (S. Sapin,
 * "The WTF-8 encoding", https://simonsapin.github.io/wtf-8/): UTF-8 with three bytes for a lone surrogate as for any other
 * code point of its range. So two different strings never share a key, and bytes lead back to the string.
 */

import { isUtf8 } from 'node:buffer';

/** ES2024, in every Node.js this package runs on, and not in the type library it is compiled with. */
interface MaybeWellFormed {
  isWellFormed(): boolean;
}

/** True if `text` has a UTF-8 encoding: no lone surrogate in it. */
export function isWellFormed(text: string): boolean {
  return (text as unknown as MaybeWellFormed).isWellFormed();
}

/**
 * The argument for a client that writes strings as UTF-8: the string itself, which is the fast path, or the bytes of one
 * that is ill-formed.
 */
export function encodeKey(key: string): string | Buffer {
  return isWellFormed(key) ? key : encodeIllFormed(key);
}

function encodeIllFormed(key: string): Buffer {
  const pieces: Buffer[] = [];
  let pieceStart = 0;
  for (let index = 0; index < key.length; index++) {
    const codePoint = key.codePointAt(index)!;
    if (codePoint > 0xffff) {
      index++; // A pair of surrogates, which is well-formed.
    } else if (isSurrogate(codePoint)) {
      pieces.push(Buffer.from(key.slice(pieceStart, index), 'utf8'), surrogateBytes(codePoint));
      pieceStart = index + 1;
    }
  }
  pieces.push(Buffer.from(key.slice(pieceStart), 'utf8'));
  return Buffer.concat(pieces);
}

const isSurrogate = (codePoint: number) => codePoint >= 0xd800 && codePoint <= 0xdfff;

/** The three-byte form of UTF-8, 1110xxxx 10xxxxxx 10xxxxxx; the first is always ED for a surrogate. */
const surrogateBytes = (codeUnit: number) => Buffer.of(0xed, 0x80 | ((codeUnit >> 6) & 0x3f), 0x80 | (codeUnit & 0x3f));

/**
 * The string whose encoding is `bytes`, or undefined if there is none: another program wrote them.
 *
 * decodeKey(encodeKey(key)) is `key` for every string, and encodeKey(decodeKey(bytes)) is `bytes` where it is defined.
 */
export function decodeKey(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString('utf8') : decodeIllFormed(bytes);
}

function decodeIllFormed(bytes: Buffer): string | undefined {
  let text = '';
  let pieceStart = 0;
  // ED is never a continuation byte, so wherever it stands a code point starts.
  for (let index = bytes.indexOf(0xed); index !== -1; index = bytes.indexOf(0xed, index + 1)) {
    const second = bytes[index + 1] ?? 0;
    const third = bytes[index + 2] ?? 0;
    if (second < 0xa0 || second > 0xbf || third < 0x80 || third > 0xbf) continue; // No surrogate: U+D000 to U+D7FF.
    const piece = bytes.subarray(pieceStart, index);
    if (!isUtf8(piece)) return undefined;
    text += piece.toString('utf8') + String.fromCharCode(0xd000 | ((second & 0x3f) << 6) | (third & 0x3f));
    pieceStart = index + 3;
  }
  const rest = bytes.subarray(pieceStart);
  if (!isUtf8(rest)) return undefined;
  text += rest.toString('utf8');
  // A pair written as two times three bytes (CESU-8) decodes to a string that is encoded otherwise: not one of ours.
  return encodeIllFormed(text).equals(bytes) ? text : undefined;
}
