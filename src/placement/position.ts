/**
 * From a key to its position: XXH32 of the routing key. Hashing is nearly all that a lookup costs, so this file is
 * shaped by measurements. Three ways lead to the same bits:
 *
 *   short keys       plain JavaScript, character by character, nothing copied
 *   mid-sized keys   WebAssembly that reads the string itself, where the engine has string builtins (Node 24)
 *   all others       `encodeInto` the memory of WebAssembly; without WebAssembly, plain JavaScript again
 *
 * The first two answer only for ASCII with no character from `{` on, and leave every other key to the third.
 */

import { hashBytes } from '../hash/xxh32.ts';
import { type MemoryHash, makeMemoryHash, makeStringHash, type StringHash } from '../hash/xxh32-wasm.ts';
import { expectString } from '../runtime/validate.ts';
import { routingKeyOf } from './routing-key.ts';

/** The ways that an engine offers beside plain JavaScript. */
export interface HashEngine {
  readonly memory: MemoryHash | undefined;
  readonly string: StringHash | undefined;
}

export type PositionBits = (key: string, seed: number) => number;

/** Up to 15 bytes XXH32 has no stripes, and from 16 on copying costs less than reading one by one. */
const shortLength = 16;

/** V8 keeps strings of fewer characters flat. Longer ones may be concatenations, which WebAssembly reads faster. */
const shortLengthBesideStringHash = 13;

/** Beyond this many characters copying beats reading one by one in WebAssembly too. */
const maxStringHashLength = 48;

/** A character is at most 3 bytes in UTF-8. (A pair of surrogates is two characters and 4 bytes.) */
const maxBytesPerCharacter = 3;

const encoder = new TextEncoder();

// Captured once: the property load `key.charCodeAt`, where it has met many kinds of string (flat, concatenated, sliced,
// two-byte), becomes megamorphic and makes the whole hash four to five times slower from then on.
const codeAt = Function.prototype.call.bind(String.prototype.charCodeAt) as CharCodeAt;

type CharCodeAt = (text: string, index: number) => number;

/** The hash of keys by the ways that `engine` has. All engines give equal bits. */
export function makePositionBits({ memory, string }: HashEngine): PositionBits {
  const hashEncoded = memory === undefined ? hashInJavaScript : hasherThrough(memory);
  if (string === undefined) return shortHasher(codeAt, Math.imul, shortLength, hashEncoded);
  return shortHasher(codeAt, Math.imul, shortLengthBesideStringHash, (key, seed) => {
    const bits = string(key, seed, maxStringHashLength);
    return bits !== 0 ? bits : hashEncoded(key, seed);
  });
}

/**
 * The hash of keys of fewer than `shorterThan` characters, with `hashOther` for all other keys.
 *
 * Everything that it calls is a parameter, which V8 knows never to change; and it is written out in one piece with
 * literal constants (those of `../hash/xxh32.ts`, as signed integers). Both keep it below the 460 bytes of bytecode
 * that V8 is willing to inline into a caller: beyond them a lookup costs a fifth more.
 */
function shortHasher(
  codeAt: CharCodeAt,
  imul: (a: number, b: number) => number,
  shorterThan: number,
  hashOther: PositionBits,
): PositionBits {
  return (key, seed) => {
    if (typeof key !== 'string') expectString('key', key);
    // The sum is `key` itself, but V8 knows it to be a string and reads its length without a property load (see
    // `codeAt`). It would not know that of a template.
    // biome-ignore lint/style/useTemplate: a template is slower, see above
    const length = ('' + key).length;
    // biome-ignore lint/suspicious/noConfusingLabels: from inside the loop to the one exit, two would be inlined twice
    short: if (length < shorterThan) {
      let acc = (seed + 374761393 + length) | 0;
      // Gets a bit of 0xff80ff80 from a character that is not ASCII, or that is `{` (0x7b) or more: 5 added to such a
      // byte sets its top bit.
      let seen = 0;
      let index = 0;
      for (const lastLane = length - 3; index < lastLane; index += 4) {
        const even = codeAt(key, index) | (codeAt(key, index + 2) << 16);
        const odd = codeAt(key, index + 1) | (codeAt(key, index + 3) << 16);
        const lane = even | (odd << 8);
        seen |= even | odd | ((lane + 0x05050505) & 0x80808080);
        if ((seen & 0xff80ff80) !== 0) break short;
        acc = (acc + imul(lane, -1028477379)) | 0;
        acc = imul((acc << 17) | (acc >>> 15), 668265263);
      }
      for (; index < length; index++) {
        const code = codeAt(key, index);
        seen |= code | ((code + 5) & 0x80);
        acc = (acc + imul(code, 374761393)) | 0;
        acc = imul((acc << 11) | (acc >>> 21), -1640531535);
      }
      if ((seen & 0xff80ff80) === 0) {
        acc = imul(acc ^ (acc >>> 15), -2048144777);
        acc = imul(acc ^ (acc >>> 13), -1028477379);
        return acc ^ (acc >>> 16);
      }
    }
    return hashOther(key, seed);
  };
}

function hasherThrough({ bytes, hash, maxLength }: MemoryHash): PositionBits {
  const maxCharacters = Math.floor(maxLength / maxBytesPerCharacter);
  return (key, seed) => {
    if (key.length > maxCharacters) return hashInJavaScript(key, seed);
    const { written } = encoder.encodeInto(key, bytes);
    return hash(written, seed);
  };
}

function hashInJavaScript(key: string, seed: number): number {
  const bytes = encoder.encode(routingKeyOf(key));
  return hashBytes(bytes, bytes.length, seed) | 0;
}

/**
 * The 32 bits of a key's position, XXH32 of its routing key, as a signed integer: `>>> 0` makes the position of it and
 * `>>> shift` its slot. Signed, because the engine then needs no box for the half of the results that is 2^31 or more.
 *
 * @param key   Any string.
 * @param seed  Integer in [0, 2^32), or the same bits as a signed integer.
 * @throws {InvalidArgumentError} `key` is not a string.
 */
export const positionBits: PositionBits = makePositionBits({
  memory: makeMemoryHash(),
  string: makeStringHash(),
});
