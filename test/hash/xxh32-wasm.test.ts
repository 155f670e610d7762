import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { binariesFile, makeBinaries } from '../../scripts/build-wasm.ts';
import { xxh32 } from '../../src/hash/xxh32.ts';
import { makeMemoryHash, makeStringHash } from '../../src/hash/xxh32-wasm.ts';
import { instantiateStringModule } from '../support/string-module.ts';

const nodeMajor = Number(process.versions.node.split('.')[0]);

describe('the binaries of WebAssembly', () => {
  it('are what the text beside them assembles to', async () => {
    expect(readFileSync(binariesFile, 'utf8')).toBe(await makeBinaries());
  });
});

describe('makeMemoryHash', () => {
  it('hashes what stands in its memory', () => {
    const { bytes, hash } = makeMemoryHash()!;
    const { written } = new TextEncoder().encodeInto('user:42', bytes);
    expect(hash(written, 7)).toBe(xxh32('user:42', 7) | 0);
  });

  it('hashes keys of the longest length that it names', () => {
    const { bytes, hash, maxLength } = makeMemoryHash()!;
    const { written } = new TextEncoder().encodeInto('k'.repeat(maxLength), bytes);
    expect(written).toBe(maxLength);
    expect(hash(maxLength, 7)).toBe(xxh32('k'.repeat(maxLength), 7) | 0);
  });

  it('finds a tag that begins and ends at any byte', () => {
    const { bytes, hash } = makeMemoryHash()!;
    const length = 70;
    for (let open = 0; open < length; open++) {
      for (let close = 0; close < length; close++) {
        const key = Array.from({ length }, (_, index) => (index === open ? '{' : index === close ? '}' : 'k')).join('');
        const routingKey = close > open + 1 ? 'k'.repeat(close - open - 1) : key;
        new TextEncoder().encodeInto(key, bytes);
        expect(hash(length, 0), key).toBe(xxh32(routingKey, 0) | 0);
      }
    }
  });

  it('hashes nothing that an earlier key left behind in memory', () => {
    const { bytes, hash } = makeMemoryHash()!;
    for (let length = 0; length < 40; length++) {
      bytes.fill(0).set(new TextEncoder().encode(`${'k'.repeat(length)}{left}{left}{left}`));
      expect(hash(length, 0)).toBe(xxh32('k'.repeat(length), 0) | 0);
      bytes.fill(0).set(new TextEncoder().encode(`{${'k'.repeat(length)}}`));
      expect(hash(length + 1, 0)).toBe(xxh32(`{${'k'.repeat(length)}`, 0) | 0);
    }
  });
});

describe('makeStringHash', () => {
  it('gives a hash from Node 24 on', () => {
    expect(makeStringHash() !== undefined).toBe(nodeMajor >= 24);
  });

  it('hashes ASCII up to the limit and passes everything else on', () => {
    for (const hash of [instantiateStringModule(), makeStringHash()]) {
      if (hash === undefined) continue;
      for (let length = 0; length <= 100; length++) {
        const text = 'k'.repeat(length);
        expect(hash(text, 7, 100), `${length} characters`).toBe(xxh32(text, 7) | 0);
        if (length > 0) expect(hash(text, 7, length - 1), `${length} characters, one too many`).toBe(0);
        for (let index = 0; index < length; index++) {
          for (const passedOn of ['{', '\x7f', '\x80', '\u0100', '\u7f00', '\uff80', '\uffff', '\ufffb', '\ud800']) {
            const other = text.slice(0, index) + passedOn + text.slice(index + 1);
            expect(hash(other, 7, 100), `${passedOn} at ${index} of ${length}`).toBe(0);
          }
        }
      }
    }
  });
});

describe('without WebAssembly', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('there is no hash where it does not exist', () => {
    vi.stubGlobal('WebAssembly', undefined);
    expect(makeMemoryHash()).toBeUndefined();
    expect(makeStringHash()).toBeUndefined();
  });

  it('there is no hash where a policy forbids it', () => {
    class Module {
      constructor() {
        throw new Error('forbidden');
      }
    }
    vi.stubGlobal('WebAssembly', { Module, validate: () => false });
    expect(makeMemoryHash()).toBeUndefined();
    expect(makeStringHash()).toBeUndefined();
  });
});
