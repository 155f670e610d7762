/** Cases about storing, reading and removing, one key or many. */

import assert from 'node:assert/strict';
import { assertBytes, type BackendCase, bytesOf, textAt, textOf } from './case.ts';

export const valueCases: readonly BackendCase[] = [
  {
    title: 'gives undefined for a key that was never set, and does not reject',
    run: async ({ backend }) => assert.equal(await backend.get('absent', {}), undefined),
  },
  {
    title: 'gives back what was set, as bytes',
    async run({ backend }) {
      await backend.set('key', bytesOf('value'), {});
      assertBytes(await backend.get('key', {}), bytesOf('value'));
    },
  },
  {
    title: 'replaces the value of a key that is set again, to a longer and to a shorter one',
    async run({ backend }) {
      for (const text of ['first', 'the second is longer', '3']) {
        await backend.set('key', bytesOf(text), {});
        assert.equal(await textAt(backend, 'key'), text);
      }
    },
  },
  {
    title: 'tells by delete whether there was a value to remove',
    async run({ backend }) {
      await backend.set('key', bytesOf('value'), {});
      assert.equal(await backend.delete('key', {}), true);
      assert.equal(await backend.get('key', {}), undefined);
      assert.equal(await backend.delete('key', {}), false);
    },
  },
  {
    title: 'deletes only the key it is told to',
    async run({ backend }) {
      await backend.set('key', bytesOf('1'), {});
      await backend.set('key2', bytesOf('2'), {});
      await backend.delete('key', {});
      assert.equal(await textAt(backend, 'key2'), '2');
    },
  },
  {
    title: 'getMany answers in the order of the keys, each miss and each duplicate at its place',
    async run({ backend }) {
      await backend.set('a', bytesOf('1'), {});
      await backend.set('b', bytesOf('2'), {});
      const values = await backend.getMany(['b', 'absent', 'a', 'b', 'absent'], {});
      assert.deepEqual(values.map(textOf), ['2', undefined, '1', '2', undefined]);
    },
  },
  {
    title: 'getMany, setMany and deleteMany of nothing do nothing',
    async run({ backend }) {
      assert.deepEqual(await backend.getMany([], {}), []);
      assert.equal((await backend.setMany([], {})).size, 0);
      assert.deepEqual(await backend.deleteMany([], {}), []);
    },
  },
  {
    title: 'setMany sets every entry, the later one winning for a key that comes twice, and reports no failure',
    async run({ backend }) {
      await backend.set('b', bytesOf('old'), {});
      const entries = [['a', '1'] as const, ['b', '2'] as const, ['a', '3'] as const];
      const failures = await backend.setMany(
        entries.map(([key, text]) => [key, bytesOf(text)] as const),
        {},
      );
      assert.equal(failures.size, 0);
      assert.deepEqual((await backend.getMany(['a', 'b'], {})).map(textOf), ['3', '2']);
    },
  },
  {
    title: 'deleteMany tells for every key, in order, whether it removed a value; of duplicates the first did',
    async run({ backend }) {
      await backend.set('a', bytesOf('1'), {});
      await backend.set('b', bytesOf('2'), {});
      assert.deepEqual(await backend.deleteMany(['a', 'absent', 'a', 'b'], {}), [true, false, false, true]);
      assert.deepEqual(await backend.getMany(['a', 'b'], {}), [undefined, undefined]);
    },
  },
  {
    title: 'carries a thousand keys in one call',
    async run({ backend }) {
      const keys = Array.from({ length: 1_000 }, (_, index) => `key:${index}`);
      await backend.setMany(
        keys.map((key) => [key, bytesOf(`value of ${key}`)] as const),
        {},
      );
      assert.deepEqual(
        (await backend.getMany(keys, {})).map(textOf),
        keys.map((key) => `value of ${key}`),
      );
      assert.ok((await backend.deleteMany(keys, {})).every((removed) => removed));
    },
  },
  {
    title: 'holds the empty value, which is not a miss',
    async run({ backend }) {
      await backend.set('empty', new Uint8Array(0), {});
      assertBytes(await backend.get('empty', {}), new Uint8Array(0));
      assertBytes((await backend.getMany(['empty'], {}))[0], new Uint8Array(0));
      assert.equal(await backend.delete('empty', {}), true);
    },
  },
  {
    title: 'holds every byte value, and a view of a larger array as only what it shows',
    async run({ backend }) {
      const all = Uint8Array.from({ length: 256 }, (_, index) => index);
      await backend.set('all', all, {});
      await backend.set('view', all.subarray(100, 103), {});
      assertBytes(await backend.get('all', {}), all);
      assertBytes(await backend.get('view', {}), Uint8Array.of(100, 101, 102));
    },
  },
  {
    title: 'holds a value of 16 MB byte for byte',
    needs: ['largeValues'],
    async run({ backend }) {
      // 251 is a prime, so that a piece that is lost or comes twice shifts all that follows.
      const large = Buffer.alloc(
        16 * 2 ** 20,
        Uint8Array.from({ length: 251 }, (_, index) => index),
      );
      await backend.set('large', large, {});
      assertBytes(await backend.get('large', {}), large);
    },
  },
];
