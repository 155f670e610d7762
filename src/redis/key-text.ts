import { decodeKey } from '../server/index.ts';
/**
 * Bytes of keys and channels as text.
 *
 * A key is routed and shown as the string that is stored as its bytes (`key-bytes.ts`). Other programs also write keys that
 * are no text at all; these are routed byte by byte, so that each has one place, and shown as every other client would.
 */

/** The text of a key for the placement. */
export function routingTextOf(bytes: Buffer): string {
  return decodeKey(bytes) ?? bytes.toString('latin1');
}

/** The text that an application gets if it asks for strings. Bytes that are not text become U+FFFD. */
export function shownTextOf(bytes: Buffer): string {
  return decodeKey(bytes) ?? bytes.toString('utf8');
}
