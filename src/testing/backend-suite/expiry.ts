/** Cases about values that stop existing. */

import assert from 'node:assert/strict';
import { type BackendCase, bytesOf, type CaseContext, needing, scannedKeys, textAt, textOf } from './case.ts';

/** Long enough that no slow machine comes to its end during a case, in milliseconds. */
const longMs = 600_000;

/** A short lifetime that the store can keep, and how long to wait until it is over for certain. */
function shortLife({ raw }: CaseContext): { lifetimeMs: number; waitMs: number } {
  const expiryResolutionMs = raw.expiryResolutionMs!;
  const lifetimeMs = Math.ceil(100 / expiryResolutionMs) * expiryResolutionMs;
  // A store that counts in seconds may be late by one of them.
  return { lifetimeMs, waitMs: expiryResolutionMs > 1 ? lifetimeMs + expiryResolutionMs : lifetimeMs };
}

/** What `act` gives on `key` with a short life: with a longer one where a slow machine has used that up before the answer. */
async function whileAlive<Result>(context: CaseContext, value: string, act: () => Promise<Result>) {
  const { lifetimeMs, waitMs } = shortLife(context);
  for (let factor = 1; ; factor *= 4) {
    const expiresAtMs = context.nowMs() + factor * lifetimeMs;
    await context.backend.set('key', bytesOf(value), { expiresAtMs });
    const result = await act();
    if (context.nowMs() < expiresAtMs || factor > 256) return { result, waitMs: factor * waitMs };
  }
}

const lifetimeCases: readonly BackendCase[] = [
  {
    title: 'takes a value away once the wall clock shows its expiresAtMs, from every call that reads',
    async run(context) {
      const { backend } = context;
      const { lifetimeMs, waitMs } = shortLife(context);
      const expiresAtMs = context.nowMs() + lifetimeMs;
      await backend.set('one', bytesOf('1'), { expiresAtMs });
      await backend.many.setMany([['two', bytesOf('2')] as const], { expiresAtMs });
      await context.passTime(waitMs);
      assert.equal(await backend.get('one', {}), undefined);
      assert.deepEqual(await backend.many.getMany(['one', 'two'], {}), [undefined, undefined]);
      assert.equal(await backend.delete('two', {}), false);
    },
  },
  {
    title: 'serves a value until one millisecond before its expiresAtMs',
    needs: ['exactTime'],
    async run(context) {
      const { backend } = context;
      const { lifetimeMs } = shortLife(context);
      await backend.set('key', bytesOf('1'), { expiresAtMs: context.nowMs() + lifetimeMs });
      await context.passTime(lifetimeMs - 1);
      assert.equal(await textAt(backend, 'key'), '1');
      await context.passTime(1);
      assert.equal(await backend.get('key', {}), undefined);
    },
  },
  {
    title: 'serves a value whose expiry is far away, and one without expiry',
    async run(context) {
      await context.backend.set('far', bytesOf('1'), { expiresAtMs: context.nowMs() + longMs });
      await context.backend.set('never', bytesOf('2'), {});
      await context.passTime(shortLife(context).waitMs);
      assert.deepEqual((await context.backend.many.getMany(['far', 'never'], {})).map(textOf), ['1', '2']);
    },
  },
  {
    title: 'accepts a value that is already past its expiry, and it is gone at once, with what was there before',
    async run({ backend, nowMs }) {
      // Of the present time there are many, as a store may be right in most milliseconds and wrong at the turn of one.
      const present = Array.from({ length: 20 }, () => nowMs);
      for (const expiry of [() => nowMs() - longMs, ...present, () => nowMs() - 0.5, () => 1, () => 0, () => -1]) {
        const expiresAtMs = expiry();
        await backend.set('key', bytesOf('old'), {});
        await backend.set('key', bytesOf('new'), { expiresAtMs });
        assert.equal(await backend.get('key', {}), undefined);
        await backend.set('key', bytesOf('old'), {});
        assert.equal((await backend.many.setMany([['key', bytesOf('new')] as const], { expiresAtMs })).size, 0);
        assert.equal(await backend.get('key', {}), undefined);
      }
    },
  },
  {
    title: 'forgets the expiry of a value that is set again without one',
    async run(context) {
      const { backend } = context;
      const { lifetimeMs, waitMs } = shortLife(context);
      const expiresAtMs = context.nowMs() + lifetimeMs;
      await backend.set('set', bytesOf('1'), { expiresAtMs });
      await backend.set('set', bytesOf('2'), {});
      await backend.set('many', bytesOf('1'), { expiresAtMs });
      await backend.many.setMany([['many', bytesOf('3')] as const], {});
      await context.passTime(waitMs);
      assert.deepEqual((await backend.many.getMany(['set', 'many'], {})).map(textOf), ['2', '3']);
    },
  },
  {
    title: 'does not list a value that has expired',
    needs: ['listing'],
    async run(context) {
      const { lifetimeMs, waitMs } = shortLife(context);
      await context.backend.set('gone', bytesOf('1'), { expiresAtMs: context.nowMs() + lifetimeMs });
      await context.backend.set('stays', bytesOf('2'), {});
      await context.passTime(waitMs);
      assert.deepEqual(await scannedKeys(context.backend), ['stays']);
    },
  },
  {
    title: 'setIfAbsent stores where the value has expired, and its own expiry counts',
    needs: ['conditional'],
    async run(context) {
      const { backend } = context;
      const { lifetimeMs, waitMs } = shortLife(context);
      await backend.set('key', bytesOf('1'), { expiresAtMs: context.nowMs() + lifetimeMs });
      await context.passTime(waitMs);
      const expiresAtMs = context.nowMs() + lifetimeMs;
      assert.equal(await backend.conditional.setIfAbsent('key', bytesOf('2'), { expiresAtMs }), true);
      await context.passTime(waitMs);
      assert.equal(await backend.get('key', {}), undefined);
    },
  },
  {
    title: 'setIfAbsent says of a value past its expiry whether the key was absent, and nothing stays',
    needs: ['conditional'],
    async run({ backend, nowMs }) {
      for (const expiry of [nowMs, nowMs, nowMs, () => 1]) {
        assert.equal(await backend.conditional.setIfAbsent('key', bytesOf('1'), { expiresAtMs: expiry() }), true);
        assert.equal(await backend.get('key', {}), undefined);
      }
      await backend.set('key', bytesOf('old'), {});
      assert.equal(await backend.conditional.setIfAbsent('key', bytesOf('1'), { expiresAtMs: nowMs() }), false);
      assert.equal(await textAt(backend, 'key'), 'old');
    },
  },
  {
    title: 'increment leaves the expiry as it was, and begins at 0 where the value has expired',
    needs: ['counting'],
    async run(context) {
      const { backend } = context;
      const { waitMs, result } = await whileAlive(context, '41', () => backend.counting.increment('key', 1, {}));
      assert.equal(result, 42);
      await context.passTime(waitMs);
      assert.equal(await backend.counting.increment('key', 1, {}), 1);
      await context.passTime(waitMs);
      assert.equal(await textAt(backend, 'key'), '1');
    },
  },
];

const expiryCallCases: readonly BackendCase[] = [
  {
    title: 'getWithExpiry and expiresAt give the time that was set, or that there is none, or a miss',
    async run({ backend, nowMs, raw }) {
      // A multiple of every resolution up to ten minutes that divides it.
      const expiresAtMs = Math.ceil(nowMs() / longMs + 1) * longMs;
      await backend.set('expires', bytesOf('1'), { expiresAtMs });
      await backend.set('stays', bytesOf('2'), {});
      const found = await backend.expiring.getWithExpiry('expires', {});
      assert.equal(textOf(found?.value), '1');
      assert.ok(Math.abs(found!.expiresAtMs! - expiresAtMs) < raw.expiryResolutionMs!, `not ${found!.expiresAtMs}`);
      assert.equal(await backend.expiring.expiresAt('expires', {}), found!.expiresAtMs);
      const staying = await backend.expiring.getWithExpiry('stays', {});
      assert.deepEqual([textOf(staying?.value), staying?.expiresAtMs], ['2', undefined]);
      assert.equal(await backend.expiring.expiresAt('stays', {}), Number.POSITIVE_INFINITY);
      assert.equal(await backend.expiring.getWithExpiry('absent', {}), undefined);
      assert.equal(await backend.expiring.expiresAt('absent', {}), undefined);
    },
  },
  {
    title: 'getWithExpiry and expiresAt of a value that has expired are misses',
    async run(context) {
      const { lifetimeMs, waitMs } = shortLife(context);
      await context.backend.set('key', bytesOf('1'), { expiresAtMs: context.nowMs() + lifetimeMs });
      await context.passTime(waitMs);
      assert.equal(await context.backend.expiring.getWithExpiry('key', {}), undefined);
      assert.equal(await context.backend.expiring.expiresAt('key', {}), undefined);
    },
  },
  {
    title: 'expire gives a value an expiry and leaves the value',
    async run(context) {
      const { backend } = context;
      const { lifetimeMs, waitMs } = shortLife(context);
      await backend.set('key', bytesOf('1'), {});
      assert.equal(await backend.expiring.expire('key', context.nowMs() + longMs, {}), true);
      assert.equal(await textAt(backend, 'key'), '1');
      assert.equal(await backend.expiring.expire('key', context.nowMs() + lifetimeMs, {}), true);
      await context.passTime(waitMs);
      assert.equal(await backend.get('key', {}), undefined);
    },
  },
  {
    title: 'expire with undefined makes a value stay, also one that stayed before',
    async run(context) {
      const { backend } = context;
      await backend.set('stays', bytesOf('2'), {});
      const { waitMs, result } = await whileAlive(context, '1', () => backend.expiring.expire('key', undefined, {}));
      assert.equal(result, true);
      assert.equal(await backend.expiring.expire('stays', undefined, {}), true);
      assert.equal(await backend.expiring.expiresAt('key', {}), Number.POSITIVE_INFINITY);
      await context.passTime(waitMs);
      assert.equal(await textAt(backend, 'key'), '1');
    },
  },
  {
    title: 'expire with a time that has come removes the value at once',
    async run({ backend, nowMs }) {
      for (const expiry of [nowMs, nowMs, nowMs, () => 1, () => 0, () => -1]) {
        await backend.set('key', bytesOf('1'), {});
        assert.equal(await backend.expiring.expire('key', expiry(), {}), true);
        assert.equal(await backend.get('key', {}), undefined);
        assert.equal(await backend.expiring.expiresAt('key', {}), undefined);
      }
    },
  },
  {
    title: 'expire tells that there is no such key, and makes none',
    async run({ backend, nowMs }) {
      assert.equal(await backend.expiring.expire('absent', nowMs() + longMs, {}), false);
      assert.equal(await backend.expiring.expire('absent', undefined, {}), false);
      assert.equal(await backend.get('absent', {}), undefined);
    },
  },
];

export const expiringValueCases = needing('expiringValues', lifetimeCases);

export const expiringCases = needing('expiringValues', expiryCallCases);
