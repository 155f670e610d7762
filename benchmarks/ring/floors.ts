/** What a lookup cannot do without: reading the key's characters, and hashing them. */

import { readFile } from 'node:fs/promises';
import { TextEncoder } from 'node:util';
import makeWabt from 'wabt';

// Captured once, as in the library's own hash and for the same reason, see `src/placement/position.ts`.
const codeAt = Function.prototype.call.bind(String.prototype.charCodeAt) as (text: string, index: number) => number;

/** Adds up the characters: the least that a hash in JavaScript must do. */
export function readCharacters(key: string): number {
  const length = `${key}`.length;
  let sum = 0;
  for (let index = 0; index < length; index++) sum = (sum + codeAt(key, index)) | 0;
  return sum;
}

/**
 * A chain of multiplications that waits for nothing else: tells how fast the processor runs just now. It makes figures of
 * different processes comparable.
 */
export function spin(key: string): number {
  let value = key.length;
  for (let step = 0; step < 8; step++) value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d);
  return value;
}

/** What this file needs of `WebAssembly`, for which the types of Node 20 have no constructors. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

/** XXH32 of the whole key, without a look for a hash tag, in the shape of the library's own. */
export async function makeWholeKeyHash(): Promise<(key: string) => number> {
  const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi };
  const wabt = await makeWabt();
  const text = await readFile(new URL('./xxh32.wat', import.meta.url), 'utf8');
  const { buffer } = wabt.parseWat('xxh32.wat', text).toBinary({});
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(buffer));
  const { memory, hash } = exports as { memory: { buffer: ArrayBuffer }; hash: (length: number) => number };
  return wholeKeyHash(new Uint8Array(memory.buffer), hash, new TextEncoder(), Math.imul);
}

function wholeKeyHash(
  bytes: Uint8Array,
  hashBytes: (length: number) => number,
  encoder: TextEncoder,
  imul: (a: number, b: number) => number,
): (key: string) => number {
  const hashEncoded = (key: string) => hashBytes(encoder.encodeInto(key, bytes).written);
  return (key) => {
    const length = `${key}`.length;
    if (length < 16) {
      let acc = (374761393 + length) | 0;
      let seen = 0;
      let index = 0;
      for (const lastLane = length - 3; index < lastLane; index += 4) {
        const even = codeAt(key, index) | (codeAt(key, index + 2) << 16);
        const odd = codeAt(key, index + 1) | (codeAt(key, index + 3) << 16);
        seen |= even | odd;
        acc = (acc + imul(even | (odd << 8), -1028477379)) | 0;
        acc = imul((acc << 17) | (acc >>> 15), 668265263);
      }
      for (; index < length; index++) {
        const code = codeAt(key, index);
        seen |= code;
        acc = (acc + imul(code, 374761393)) | 0;
        acc = imul((acc << 11) | (acc >>> 21), -1640531535);
      }
      if ((seen & 0xff80ff80) === 0) {
        acc = imul(acc ^ (acc >>> 15), -2048144777);
        acc = imul(acc ^ (acc >>> 13), -1028477379);
        return acc ^ (acc >>> 16);
      }
    }
    return hashEncoded(key);
  };
}
