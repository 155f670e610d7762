/** Cases about keys: which strings they are, and that those of two backends on one store stay apart. */

import assert from 'node:assert/strict';
import { type BackendCase, type BackendUnderTest, bytesOf, textAt, textOf } from './case.ts';

export const awkwardKeys = [
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'undefined', 'null', '0'],
  ...['', ' ', '\0', 'a\0b', 'line\nbreak', 'carriage\r\nreturn', '\t', 'a b', '"quoted"', "'quoted'"],
  ...['*', '?', '[a-z]', '\\', '\\*', '{tag}', '{', '}', 'a:b:c', '$', '%00', '../../etc', '-1'],
  ...['é', 'e\u0301', 'ключ', '鍵', '\u{1f600}', '\u{1f600}\u{1f600}', '\ufeff', '\uffff'],
];

/** Each is no well-formed string; encoders that replace what they cannot say make them all U+FFFD. */
export const loneSurrogates = ['\ud800', '\ud801', '\udc00', '\udfff', 'a\ud800b', '\udc00\ud800'];

/** Stores each key under its own index and reads all of them back, so that two that collide show. */
async function assertAllDistinct(backend: BackendUnderTest, keys: readonly string[]): Promise<void> {
  for (const [index, key] of keys.entries()) await backend.set(key, bytesOf(`${index}`), {});
  const expected = keys.map((_, index) => `${index}`);
  assert.deepEqual((await backend.many.getMany(keys, {})).map(textOf), expected);
  for (const [index, key] of keys.entries()) assert.equal(await textAt(backend, key), `${index}`);
}

/** Taken as a glob, the suite's prefix followed by `*` also matches keys under this one. */
export const lookAlikePrefix = 'app:{1}:zzx';

export const keyCases: readonly BackendCase[] = [
  {
    title: 'takes names of object members, spaces, line ends, NUL, globs, quotes and emoji for keys, all different',
    run: ({ backend }) => assertAllDistinct(backend, awkwardKeys),
  },
  {
    title: 'misses a key that was not set although every object has a member of that name',
    async run({ backend }) {
      for (const key of awkwardKeys) assert.equal(await backend.get(key, {}), undefined);
    },
  },
  {
    title: 'tells lone surrogates from each other and from U+FFFD',
    needs: ['anyKey'],
    run: ({ backend }) => assertAllDistinct(backend, [...loneSurrogates, '\ufffd', 'a\ufffdb', '\ufffd\ufffd']),
  },
  {
    title: 'takes keys of 1 MB that differ in the last character',
    needs: ['largeKeys'],
    async run({ backend }) {
      const long = 'k'.repeat(2 ** 20 - 1);
      await assertAllDistinct(backend, [`${long}a`, `${long}b`]);
    },
  },
  {
    title: 'keeps its keys apart from those of a backend with another prefix on the same store',
    only: 'prefixed',
    needs: ['neighbours'],
    async run({ backend, neighbour }) {
      const other = await neighbour(lookAlikePrefix);
      await backend.set('*', bytesOf('mine'), {});
      assert.equal(await other.get('*', {}), undefined);
      await other.set('*', bytesOf('theirs'), {});
      assert.equal(await textAt(backend, '*'), 'mine');
      assert.equal(await backend.delete('*', {}), true);
      assert.equal(await textAt(other, '*'), 'theirs');
    },
  },
];
