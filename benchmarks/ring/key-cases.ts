/** The keys to look up: by kind of string and length, all from a fixed seed. */

import { seededRandom } from '../../src/runtime/random.ts';
import { cyrillic, eightKinds, flat } from '../support/string-kinds.ts';

/** More than the 5,000 that `hashring` remembers. */
export const coldKeys = 16_384;

/** Few enough that `hashring` remembers them all. */
export const hotKeys = 1_024;

export const keyLengths = [10, 36, 200] as const;
export type KeyLength = (typeof keyLengths)[number];

/**
 *   flat          the very same flat string objects each time
 *   fresh         put together in the loop: below 13 characters that gives a flat string, above it a concatenation that
 *                 is not copied before it is read
 *   two-byte      Cyrillic letters and digits, the very same objects each time
 *   mixed         the eight kinds of `string-kinds.ts` in turn, the very same objects each time
 *   flat after 8  as flat, after keys of those eight kinds have gone through every contender
 */
export const keyKinds = ['flat', 'fresh', 'two-byte', 'mixed', 'flat after 8'] as const;
export type KeyKind = (typeof keyKinds)[number];

export interface KeyCase {
  readonly kind: KeyKind;
  readonly length: KeyLength;
}

/** What a loop reads its keys from. */
export interface KeySource {
  /** The parts that `key` puts together, or the keys themselves. */
  readonly parts: readonly string[];
  /** JavaScript that reads `keys` (these parts) and `index`. */
  readonly key: string;
  /** The keys that this gives. */
  readonly texts: readonly string[];
}

/** Words before the random part, as keys in use have them. */
const prefixes: Record<KeyLength, string> = {
  10: 'user:',
  36: 'session:user:',
  200: `cache:v2:rendered:${'fragment/of/a/page/'.repeat(4)}`,
};

/** As many different keys of a length. */
export function keyTexts(length: KeyLength, count: number, seed: number): string[] {
  const random = seededRandom(seed);
  const prefix = prefixes[length];
  // Five digits hold no more than 100,000 different keys, so these are counted and not drawn.
  if (length === 10)
    return Array.from({ length: count }, (_, index) => prefix + (10_000 + ((seed * 20_011 + index) % 90_000)));
  return Array.from({ length: count }, () => {
    let text = prefix;
    while (text.length < length) text += Math.floor(random() * 16).toString(16);
    return text;
  });
}

export function keySource({ kind, length }: KeyCase, count: number): KeySource {
  const texts = keyTexts(length, count, 1);
  if (kind === 'fresh') {
    const prefix = prefixes[length];
    const parts = texts.map((text) => flat(text.slice(prefix.length)));
    return { parts, key: `${JSON.stringify(prefix)} + keys[index]`, texts };
  }
  const make = { flat, 'flat after 8': flat, 'two-byte': cyrillic }[kind as string];
  const parts = texts.map((text, index) => (make ?? eightKinds[index % eightKinds.length]!)(text));
  return { parts, key: 'keys[index]', texts: parts };
}

/** Keys of all kinds and of several lengths, for going through a contender before it is timed. */
export function keysOfAllKinds(): string[] {
  return keyLengths.flatMap((length) =>
    keyTexts(length, 512, 2).flatMap((text) => eightKinds.map((make) => make(text))),
  );
}
