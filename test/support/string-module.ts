/** The string module of `src/hash/wasm` on any engine: the two builtins that it imports, written in JavaScript. */

import { stringModule } from '../../src/hash/wasm/binaries.ts';
import type { StringHash } from '../../src/hash/xxh32-wasm.ts';

interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: { readonly hash: StringHash } };
}

export function instantiateStringModule(): StringHash {
  const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi };
  const builtins = {
    length: (text: string) => text.length,
    charCodeAt: (text: string, index: number) => {
      if (index >= text.length) throw new RangeError('Read behind the end of the string.');
      return text.charCodeAt(index);
    },
  };
  const module = new WebAssembly.Module(Buffer.from(stringModule, 'base64'));
  return new WebAssembly.Instance(module, { 'wasm:js-string': builtins }).exports.hash;
}
