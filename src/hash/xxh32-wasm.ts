/**
 * XXH32 of a key's routing key in WebAssembly: two small modules, compiled when they are made.
 *
 *   wasm/xxh32-memory.wat   hashes bytes that a `TextEncoder` wrote into its memory; every engine with WebAssembly
 *   wasm/xxh32-string.wat   reads the string where it is, by the "JS string builtins" of WebAssembly; Node 24 and later
 *
 * Both look for the routing key themselves (the rule is in `../placement/routing-key.ts`), so that it costs no pass of
 * its own. They give the bits of `xxh32.ts` as a signed integer. An engine that has no WebAssembly, or may not use it,
 * gets `undefined` instead of a hash; it loses speed and nothing else.
 */

import { memoryModule, stringModule, stringProbe } from './wasm/binaries.ts';

/** The part of the engine's `WebAssembly` used here, for which neither ES2023 nor the types of Node 20 have types. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array, options: CompileOptions) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
  readonly validate: (bytes: Uint8Array, options: CompileOptions) => boolean;
}

interface CompileOptions {
  /** Sets of imports that the engine supplies itself. Engines that do not know the option ignore it. */
  readonly builtins: readonly string[];
}

const stringBuiltins: CompileOptions = { builtins: ['js-string'] };

export interface MemoryHash {
  /** 65,536 bytes: where a key's UTF-8 has to stand, from index 0 on, when `hash` is called. */
  readonly bytes: Uint8Array;
  /**
   * @param length  Bytes of the key, at most {@link MemoryHash.maxLength}.
   * @param seed    Integer in [0, 2^32), or the same bits as a signed integer.
   * @returns       XXH32 of the routing key, an integer in [-2^31, 2^31).
   */
  readonly hash: (length: number, seed: number) => number;
  /** The longest key in bytes. The last 16 stay free, as `hash` looks at up to 16 bytes from the end of the key on. */
  readonly maxLength: number;
}

/**
 * @param text   A string. The engine throws a RuntimeError at anything else.
 * @param seed   Integer in [0, 2^32), or the same bits as a signed integer.
 * @param limit  Longer strings are not read.
 * @returns      XXH32, an integer in [-2^31, 2^31); or 0 if the string is longer than `limit`, not all ASCII, or has a
 *               character from `{` on. As 0 may also be the hash, it only ever means that another way has to be taken.
 */
export type StringHash = (text: string, seed: number, limit: number) => number;

export function makeMemoryHash(): MemoryHash | undefined {
  const exports = instantiate(memoryModule);
  if (exports === undefined) return undefined;
  const { memory, hash } = exports as { memory: { buffer: ArrayBuffer }; hash: MemoryHash['hash'] };
  const bytes = new Uint8Array(memory.buffer);
  return { bytes, hash, maxLength: bytes.length - 16 };
}

export function makeStringHash(): StringHash | undefined {
  if (engineApi()?.validate(decode(stringProbe), stringBuiltins) !== false) return undefined;
  return (instantiate(stringModule) as { hash: StringHash } | undefined)?.hash;
}

/** Compiles at once and not in the background: it takes a fifth of a millisecond, and a key's hash cannot wait. */
function instantiate(base64: string): unknown {
  const api = engineApi();
  if (api === undefined) return undefined;
  try {
    return new api.Instance(new api.Module(decode(base64), stringBuiltins)).exports;
  } catch {
    // Forbidden by a policy. Plain JavaScript gives the same bits.
    return undefined;
  }
}

function engineApi(): WebAssemblyApi | undefined {
  return (globalThis as { WebAssembly?: WebAssemblyApi }).WebAssembly;
}

function decode(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0));
}
