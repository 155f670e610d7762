/** Cases about the order of calls, and about the ports whose calls look and change in one step. */

import assert from 'node:assert/strict';
import { assertRejectsWithCode, type BackendCase, bytesOf, textAt } from './case.ts';

export const conditionalCases: readonly BackendCase[] = [
  {
    title: 'setIfAbsent stores where there is nothing, and leaves what is there',
    async run({ backend }) {
      assert.equal(await backend.conditional.setIfAbsent('key', bytesOf('first'), {}), true);
      assert.equal(await backend.conditional.setIfAbsent('key', bytesOf('second'), {}), false);
      assert.equal(await textAt(backend, 'key'), 'first');
      await backend.delete('key', {});
      assert.equal(await backend.conditional.setIfAbsent('key', bytesOf('third'), {}), true);
    },
  },
  {
    title: 'setIfAbsent counts the empty value as there',
    async run({ backend }) {
      await backend.set('key', new Uint8Array(0), {});
      assert.equal(await backend.conditional.setIfAbsent('key', bytesOf('1'), {}), false);
    },
  },
  {
    title: 'setIfAbsent lets exactly one of a hundred callers at once store, and keeps its value',
    async run({ backend }) {
      const calls = Array.from({ length: 100 }, (_, index) =>
        backend.conditional.setIfAbsent('key', bytesOf(`${index}`), {}),
      );
      const winners = (await Promise.all(calls)).flatMap((stored, index) => (stored ? [`${index}`] : []));
      assert.equal(winners.length, 1);
      assert.equal(await textAt(backend, 'key'), winners[0]);
    },
  },
];

export const orderCases: readonly BackendCase[] = [
  {
    title: 'calls for one key are executed in the order in which they are made, without waiting for one another',
    async run({ backend }) {
      for (let round = 0; round < 50; round++) {
        const calls = [
          backend.set('key', bytesOf('old'), {}),
          backend.delete('key', {}),
          backend.set('key', bytesOf('new'), {}),
          backend.get('key', {}),
          backend.delete('key', {}),
        ] as const;
        const [, removedOld, , read, removedNew] = await Promise.all(calls);
        assert.equal(removedOld, true);
        assert.equal(read && Buffer.from(read).toString(), 'new');
        assert.equal(removedNew, true);
        assert.equal(await textAt(backend, 'key'), undefined);
      }
    },
  },
];

const notIntegers = ['', ' 1', '1 ', '1.5', '1e3', 'one', '0x10', '9223372036854775808', '-9223372036854775809'];

export const countingCases: readonly BackendCase[] = [
  {
    title: 'increment counts a missing key as 0, adds and subtracts, and returns the sum',
    async run({ backend }) {
      assert.equal(await backend.counting.increment('key', 5, {}), 5);
      assert.equal(await backend.counting.increment('key', -7, {}), -2);
      assert.equal(await backend.counting.increment('key', 0, {}), -2);
      assert.equal(await textAt(backend, 'key'), '-2');
    },
  },
  {
    title: 'increment adds to decimal text that was set as a value',
    async run({ backend }) {
      await backend.set('key', bytesOf('41'), {});
      assert.equal(await backend.counting.increment('key', 1, {}), 42);
    },
  },
  {
    title: 'increment loses none of two hundred additions made at once',
    async run({ backend }) {
      const sums = await Promise.all(Array.from({ length: 200 }, () => backend.counting.increment('key', 1, {})));
      assert.deepEqual(
        sums.sort((one, other) => one - other),
        Array.from({ length: 200 }, (_, index) => index + 1),
      );
      assert.equal(await textAt(backend, 'key'), '200');
    },
  },
  {
    title: 'increment refuses a value that is not a decimal integer of 64 bits, and leaves it',
    async run({ backend }) {
      for (const text of notIntegers) {
        await backend.set('key', bytesOf(text), {});
        await assertRejectsWithCode(backend.counting.increment('key', 1, {}), 'ERR_NOT_AN_INTEGER');
        assert.equal(await textAt(backend, 'key'), text);
      }
    },
  },
  {
    title: 'increment refuses a sum beyond 64 bits, on either side, and counts exactly up to there',
    async run({ backend }) {
      await backend.set('high', bytesOf('9223372036854775806'), {});
      await backend.counting.increment('high', 1, {});
      assert.equal(await textAt(backend, 'high'), '9223372036854775807');
      await assertRejectsWithCode(backend.counting.increment('high', 1, {}), 'ERR_NOT_AN_INTEGER');
      assert.equal(await textAt(backend, 'high'), '9223372036854775807');
      await backend.set('low', bytesOf('-9223372036854775808'), {});
      await assertRejectsWithCode(backend.counting.increment('low', -1, {}), 'ERR_NOT_AN_INTEGER');
    },
  },
];
