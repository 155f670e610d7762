/** Cases about storing, reading and removing one key. */

import assert from 'node:assert/strict';
import { assertBytes, type BackendCase, bytesOf, textAt } from './case.ts';

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
    title: 'holds the empty value, which is not a miss',
    async run({ backend }) {
      await backend.set('empty', new Uint8Array(0), {});
      assertBytes(await backend.get('empty', {}), new Uint8Array(0));
      assertBytes((await backend.many.getMany(['empty'], {}))[0], new Uint8Array(0));
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
