/** Cases about keys: which strings they are, listing them and removing them all. */

import assert from 'node:assert/strict';
import type { CompleteBackend } from '../../backend/backend.ts';
import { type BackendCase, bytesOf, scannedKeys, textAt, textOf } from './case.ts';

const awkwardKeys = [
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'undefined', 'null', '0'],
  ...['', ' ', '\0', 'a\0b', 'line\nbreak', 'carriage\r\nreturn', '\t', 'a b', '"quoted"', "'quoted'"],
  ...['*', '?', '[a-z]', '\\', '\\*', '{tag}', '{', '}', 'a:b:c', '$', '%00', '../../etc', '-1'],
  ...['é', 'e\u0301', 'ключ', '鍵', '\u{1f600}', '\u{1f600}\u{1f600}', '\ufeff', '\uffff'],
];

/** Each is no well-formed string; encoders that replace what they cannot say make them all U+FFFD. */
const loneSurrogates = ['\ud800', '\ud801', '\udc00', '\udfff', 'a\ud800b', '\udc00\ud800'];

/** Stores each key under its own index and reads all of them back, so that two that collide show. */
async function assertAllDistinct(backend: CompleteBackend, keys: readonly string[]): Promise<void> {
  for (const [index, key] of keys.entries()) await backend.set(key, bytesOf(`${index}`), {});
  const expected = keys.map((_, index) => `${index}`);
  assert.deepEqual((await backend.getMany(keys, {})).map(textOf), expected);
  for (const [index, key] of keys.entries()) assert.equal(await textAt(backend, key), `${index}`);
}

const stringCases: readonly BackendCase[] = [
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
    title: 'lists awkward keys as they were given',
    needs: ['scan'],
    async run({ backend, supports }) {
      const keys = supports('anyKey') ? [...awkwardKeys, ...loneSurrogates, '\ufffd'] : awkwardKeys;
      for (const key of keys) await backend.set(key, bytesOf('1'), {});
      assert.deepEqual(await scannedKeys(backend), [...keys].sort());
    },
  },
  {
    title: 'takes keys of 1 MB that differ in the last character',
    needs: ['largeKeys'],
    async run({ backend }) {
      const long = 'k'.repeat(2 ** 20 - 1);
      await assertAllDistinct(backend, [`${long}a`, `${long}b`]);
    },
  },
];

const listingCases: readonly BackendCase[] = [
  {
    title: 'scan of an empty backend gives nothing',
    needs: ['scan'],
    run: async ({ backend }) => assert.deepEqual(await scannedKeys(backend), []),
  },
  {
    title: 'scan gives each of five thousand keys at least once while others are written and removed',
    needs: ['scan'],
    async run({ backend }) {
      const stable = Array.from({ length: 5_000 }, (_, index) => `stable:${index}`);
      // Before them, so that removing these moves the others in a store that keeps an order.
      const passing = Array.from({ length: 100 }, (_, index) => `passing:${index}`);
      await backend.setMany(
        [...passing, ...stable].map((key) => [key, bytesOf('1')] as const),
        {},
      );
      const seen = new Set<string>();
      let count = 0;
      for await (const key of backend.scan({})) {
        seen.add(key);
        if (count++ % 50 !== 0) continue;
        await backend.set(`passing:new:${count}`, bytesOf('2'), {});
        await backend.set(stable[count % stable.length]!, bytesOf('3'), {});
        await backend.delete(passing.pop() ?? '', {});
      }
      const missing = stable.filter((key) => !seen.has(key));
      assert.equal(missing.length, 0, `${missing.length} of ${stable.length} keys were not listed`);
      for (const key of seen) assert.match(key, /^(?:stable|passing|passing:new):\d+$/);
    },
  },
  {
    title: 'scan can be left half way, and does not list what was deleted before it began',
    needs: ['scan'],
    async run({ backend }) {
      for (const key of ['a', 'b', 'c']) await backend.set(key, bytesOf('1'), {});
      for await (const key of backend.scan({})) {
        assert.ok(['a', 'b', 'c'].includes(key));
        break;
      }
      await backend.delete('b', {});
      assert.deepEqual(await scannedKeys(backend), ['a', 'c']);
    },
  },
  {
    title: 'clear removes every key, and the backend can be used on',
    needs: ['clear'],
    async run({ backend }) {
      const keys = [...awkwardKeys, ...Array.from({ length: 2_000 }, (_, index) => `key:${index}`)];
      await backend.setMany(
        keys.map((key) => [key, bytesOf('1')] as const),
        {},
      );
      await backend.clear({});
      assert.ok((await backend.getMany(keys, {})).every((value) => value === undefined));
      await backend.clear({});
      await backend.set('key', bytesOf('2'), {});
      assert.equal(await textAt(backend, 'key'), '2');
    },
  },
];

/** Taken as a glob, the suite's prefix followed by `*` also matches keys under this one. */
const lookAlikePrefix = 'app:{1}:zzx';

const neighbourCases: readonly BackendCase[] = [
  {
    title: 'keeps its keys apart from those of a backend with another prefix on the same store',
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
  {
    title: 'does not list the keys of a backend with another prefix',
    needs: ['scan'],
    async run({ backend, neighbour }) {
      const other = await neighbour(lookAlikePrefix);
      await other.set('*', bytesOf('1'), {});
      await other.set('theirs', bytesOf('1'), {});
      await backend.set('mine', bytesOf('1'), {});
      assert.deepEqual(await scannedKeys(backend), ['mine']);
      assert.deepEqual(await scannedKeys(other), ['*', 'theirs']);
    },
  },
  {
    title: 'clear leaves the keys of a backend with another prefix',
    needs: ['clear'],
    async run({ backend, neighbour }) {
      const other = await neighbour(lookAlikePrefix);
      for (const key of ['*', 'key']) {
        await other.set(key, bytesOf('theirs'), {});
        await backend.set(key, bytesOf('mine'), {});
      }
      await backend.clear({});
      assert.equal(await backend.get('key', {}), undefined);
      assert.deepEqual((await other.getMany(['*', 'key'], {})).map(textOf), ['theirs', 'theirs']);
    },
  },
];

export const keyCases: readonly BackendCase[] = [
  ...stringCases,
  ...listingCases,
  ...neighbourCases.map((one) => ({
    ...one,
    only: 'prefixed' as const,
    needs: ['neighbours' as const, ...(one.needs ?? [])],
  })),
];
