/** The UTF-8 bytes of a string, for the hashes that other systems compute over bytes. */

/** Texts up to a third of this many characters share one buffer; longer ones get a buffer of their own. */
const sharedBytes = 16_384;

const encoder = new TextEncoder();
const shared = new Uint8Array(sharedBytes);

export interface Utf8Text {
  /** The text's bytes are the first `length`. Valid until the next call of {@link utf8Of}. Do not change it. */
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** @param text  Any string; a lone surrogate becomes U+FFFD. */
export function utf8Of(text: string): Utf8Text {
  if (text.length * 3 <= sharedBytes) return { bytes: shared, length: encoder.encodeInto(text, shared).written };
  const bytes = encoder.encode(text);
  return { bytes, length: bytes.length };
}
