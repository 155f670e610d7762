/** The keys of one backend among those of the server: its prefix put before and taken off. */

import { decodeKey, encodeKey } from '../sending/key-bytes.ts';
import { prefixPattern } from './commands.ts';

export class Keyspace {
  readonly #prefix: string;
  readonly #prefixBytes: number;

  /** @param prefix  Well-formed, so that the bytes of prefix and key are those of both one after the other. */
  constructor(prefix: string) {
    this.#prefix = prefix;
    this.#prefixBytes = Buffer.byteLength(prefix);
  }

  /** For SCAN: a glob for the keys of this backend, undefined if those are all keys. */
  get pattern(): string | undefined {
    return this.#prefix === '' ? undefined : prefixPattern(this.#prefix);
  }

  /** The form of `key` at the server. */
  encode(key: string): string | Buffer {
    return encodeKey(this.#prefix + key);
  }

  /** The key whose encoding the server holds, or undefined if another program wrote one that no string has. */
  decode(stored: Buffer): string | undefined {
    return decodeKey(stored.subarray(this.#prefixBytes));
  }
}
