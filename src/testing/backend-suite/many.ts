/** Cases about the port for many keys in one call. */

import assert from 'node:assert/strict';
import { type BackendCase, bytesOf, textOf } from './case.ts';

export const manyCases: readonly BackendCase[] = [
  {
    title: 'getMany answers in the order of the keys, each miss and each duplicate at its place',
    async run({ backend }) {
      await backend.set('a', bytesOf('1'), {});
      await backend.set('b', bytesOf('2'), {});
      const values = await backend.many.getMany(['b', 'absent', 'a', 'b', 'absent'], {});
      assert.deepEqual(values.map(textOf), ['2', undefined, '1', '2', undefined]);
    },
  },
  {
    title: 'getMany, setMany and deleteMany of nothing do nothing',
    async run({ backend }) {
      assert.deepEqual(await backend.many.getMany([], {}), []);
      assert.equal((await backend.many.setMany([], {})).size, 0);
      assert.deepEqual(await backend.many.deleteMany([], {}), []);
    },
  },
  {
    title: 'setMany sets every entry, the later one winning for a key that comes twice, and reports no failure',
    async run({ backend }) {
      await backend.set('b', bytesOf('old'), {});
      const entries = [['a', '1'] as const, ['b', '2'] as const, ['a', '3'] as const];
      const failures = await backend.many.setMany(
        entries.map(([key, text]) => [key, bytesOf(text)] as const),
        {},
      );
      assert.equal(failures.size, 0);
      assert.deepEqual((await backend.many.getMany(['a', 'b'], {})).map(textOf), ['3', '2']);
    },
  },
  {
    title: 'deleteMany tells for every key, in order, whether it removed a value; of duplicates the first did',
    async run({ backend }) {
      await backend.set('a', bytesOf('1'), {});
      await backend.set('b', bytesOf('2'), {});
      assert.deepEqual(await backend.many.deleteMany(['a', 'absent', 'a', 'b'], {}), [true, false, false, true]);
      assert.deepEqual(await backend.many.getMany(['a', 'b'], {}), [undefined, undefined]);
    },
  },
  {
    title: 'carries a thousand keys in one call',
    async run({ backend }) {
      const keys = Array.from({ length: 1_000 }, (_, index) => `key:${index}`);
      await backend.many.setMany(
        keys.map((key) => [key, bytesOf(`value of ${key}`)] as const),
        {},
      );
      assert.deepEqual(
        (await backend.many.getMany(keys, {})).map(textOf),
        keys.map((key) => `value of ${key}`),
      );
      assert.ok((await backend.many.deleteMany(keys, {})).every((removed) => removed));
    },
  },
];
