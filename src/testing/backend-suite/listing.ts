/** Cases about the ports that concern all keys: listing them, and removing them. */

import assert from 'node:assert/strict';
import { type BackendCase, bytesOf, scannedKeys, textAt, textOf } from './case.ts';
import { awkwardKeys, loneSurrogates, lookAlikePrefix } from './keys.ts';

export const listingCases: readonly BackendCase[] = [
  {
    title: 'scan of an empty backend gives nothing',
    run: async ({ backend }) => assert.deepEqual(await scannedKeys(backend), []),
  },
  {
    title: 'scan gives each of five thousand keys at least once while others are written and removed',
    async run({ backend }) {
      const stable = Array.from({ length: 5_000 }, (_, index) => `stable:${index}`);
      // Before them, so that removing these moves the others in a store that keeps an order.
      const passing = Array.from({ length: 100 }, (_, index) => `passing:${index}`);
      await backend.many.setMany(
        [...passing, ...stable].map((key) => [key, bytesOf('1')] as const),
        {},
      );
      const seen = new Set<string>();
      let count = 0;
      for await (const key of backend.listing.scan({})) {
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
    async run({ backend }) {
      for (const key of ['a', 'b', 'c']) await backend.set(key, bytesOf('1'), {});
      for await (const key of backend.listing.scan({})) {
        assert.ok(['a', 'b', 'c'].includes(key));
        break;
      }
      await backend.delete('b', {});
      assert.deepEqual(await scannedKeys(backend), ['a', 'c']);
    },
  },
  {
    title: 'lists awkward keys as they were given',
    async run({ backend, supports }) {
      const keys = supports('anyKey') ? [...awkwardKeys, ...loneSurrogates, '\ufffd'] : awkwardKeys;
      for (const key of keys) await backend.set(key, bytesOf('1'), {});
      assert.deepEqual(await scannedKeys(backend), [...keys].sort());
    },
  },
  {
    title: 'does not list the keys of a backend with another prefix',
    only: 'prefixed',
    needs: ['neighbours'],
    async run({ backend, neighbour }) {
      const other = await neighbour(lookAlikePrefix);
      await other.set('*', bytesOf('1'), {});
      await other.set('theirs', bytesOf('1'), {});
      await backend.set('mine', bytesOf('1'), {});
      assert.deepEqual(await scannedKeys(backend), ['mine']);
      assert.deepEqual(await scannedKeys(other), ['*', 'theirs']);
    },
  },
];

export const clearingCases: readonly BackendCase[] = [
  {
    title: 'clear removes every key, and the backend can be used on',
    async run({ backend }) {
      const keys = [...awkwardKeys, ...Array.from({ length: 2_000 }, (_, index) => `key:${index}`)];
      await backend.many.setMany(
        keys.map((key) => [key, bytesOf('1')] as const),
        {},
      );
      await backend.clearing.clear({});
      assert.ok((await backend.many.getMany(keys, {})).every((value) => value === undefined));
      await backend.clearing.clear({});
      await backend.set('key', bytesOf('2'), {});
      assert.equal(await textAt(backend, 'key'), '2');
    },
  },
  {
    title: 'clear leaves the keys of a backend with another prefix',
    only: 'prefixed',
    needs: ['neighbours'],
    async run({ backend, neighbour }) {
      const other = await neighbour(lookAlikePrefix);
      for (const key of ['*', 'key']) {
        await other.set(key, bytesOf('theirs'), {});
        await backend.set(key, bytesOf('mine'), {});
      }
      await backend.clearing.clear({});
      assert.equal(await backend.get('key', {}), undefined);
      assert.deepEqual((await other.many.getMany(['*', 'key'], {})).map(textOf), ['theirs', 'theirs']);
    },
  },
];
