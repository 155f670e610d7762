/** Cases about calls as such: signals, deadlines, many at once, and closing. */

import assert from 'node:assert/strict';
import type { CallOptions } from '../../backend/backend.ts';
import { type PortName, portCalls } from '../../backend/calls.ts';
import { type ServerReport, serverReportIn } from '../../backend/server-report.ts';
import {
  assertRejectsWithCode,
  type BackendCase,
  type BackendUnderTest,
  bytesOf,
  type CaseContext,
  textAt,
} from './case.ts';

/** Every call the adapter offers, on the key 'key'. */
function everyCall({
  supports,
  nowMs,
}: CaseContext): [string, (to: BackendUnderTest, o: CallOptions) => Promise<unknown>][] {
  const value = bytesOf('2');
  return [
    ['get', (to, options) => to.get('key', options)],
    ['set', (to, options) => to.set('key', value, options)],
    ['delete', (to, options) => to.delete('key', options)],
    ['ping', (to, options) => to.ping(options)],
    ['getMany', (to, options) => to.many.getMany(['key'], options)],
    ['setMany', (to, options) => to.many.setMany([['key', value]], options)],
    ['deleteMany', (to, options) => to.many.deleteMany(['key'], options)],
    ...when(supports('expiring'), [
      ['getWithExpiry', (to, options) => to.expiring.getWithExpiry('key', options)],
      ['expiresAt', (to, options) => to.expiring.expiresAt('key', options)],
      ['expire', (to, options) => to.expiring.expire('key', nowMs(), options)],
    ]),
    ...when(supports('conditional'), [
      ['setIfAbsent', (to, options) => to.conditional.setIfAbsent('absent', value, options)],
    ]),
    ...when(supports('counting'), [['increment', (to, options) => to.counting.increment('key', 1, options)]]),
    ...when(supports('listing'), [['scan', (to, options) => to.listing.scan(options)[Symbol.asyncIterator]().next()]]),
    ...when(supports('clearing'), [['clear', (to, options) => to.clearing.clear(options)]]),
  ];
}

type Calls = ReturnType<typeof everyCall>;

const when = (offered: boolean, calls: Calls): Calls => (offered ? calls : []);

const optionCases: readonly BackendCase[] = [
  {
    title: 'has the ports that the adapter is declared to support, and no others',
    async run({ raw, supports }) {
      for (const port of Object.keys(portCalls) as PortName[]) {
        assert.equal(raw[port] !== undefined, supports(port), `the port ${port}`);
      }
      assert.equal(raw.expiryResolutionMs !== undefined, supports('expiringValues'), 'expiryResolutionMs');
      assert.notEqual(raw.name, '');
    },
  },
  {
    title: 'rejects every call whose signal is already aborted, with its reason, and does nothing',
    async run(context) {
      const { backend } = context;
      await backend.set('key', bytesOf('1'), {});
      const reason = new Error('no longer wanted');
      const signal = AbortSignal.abort(reason);
      for (const [name, call] of everyCall(context)) {
        await assert.rejects(call(backend, { signal }), (error) => error === reason, name);
      }
      assert.equal(await textAt(backend, 'key'), '1');
      assert.equal(await backend.get('absent', {}), undefined);
    },
  },
  {
    title: 'ends a call whose signal aborts on the way: it completes or rejects with the reason',
    async run(context) {
      const reason = new Error('no longer wanted');
      for (const [name, call] of everyCall(context)) {
        const controller = new AbortController();
        const ended = call(context.backend, { signal: controller.signal });
        controller.abort(reason);
        await ended.catch((error: unknown) => assert.equal(error, reason, name));
      }
    },
  },
  {
    title: 'is not disturbed by a deadline that is far away, a signal that never aborts, or options of undefined',
    async run(context) {
      const { signal } = new AbortController();
      for (const options of [
        { timeoutMs: 60_000, signal },
        { timeoutMs: undefined, signal: undefined },
      ]) {
        for (const [, call] of everyCall(context)) {
          await context.backend.set('key', bytesOf('1'), { ...options, expiresAtMs: undefined });
          await call(context.backend, options);
        }
      }
    },
  },
  {
    title: 'answers a ping with nothing, or with what the server says of itself',
    async run({ backend }) {
      const answer = await backend.ping({});
      const report = serverReportIn(answer);
      for (const [name, said] of Object.entries(answer ?? {})) assert.equal(report?.[name as keyof ServerReport], said);
    },
  },
  {
    title: 'keeps the answers of many calls at once apart',
    async run({ backend }) {
      const keys = Array.from({ length: 300 }, (_, index) => `key:${index}`);
      await Promise.all(keys.map((key) => backend.set(key, bytesOf(key), {})));
      assert.deepEqual(await Promise.all(keys.map((key) => textAt(backend, key))), keys);
    },
  },
];

const closingCases: readonly BackendCase[] = [
  {
    title: 'rejects every call after close with ERR_CLOSED',
    async run(context) {
      await context.backend.close();
      for (const [, call] of everyCall(context)) await assertRejectsWithCode(call(context.backend, {}), 'ERR_CLOSED');
    },
  },
  {
    title: 'can be closed twice, one after the other and at once',
    async run({ backend }) {
      await Promise.all([backend.close(), backend.close()]);
      await backend.close();
    },
  },
  {
    title: 'is closed by Symbol.asyncDispose as by close',
    async run({ raw, backend }) {
      await raw[Symbol.asyncDispose]();
      await assertRejectsWithCode(backend.get('key', {}), 'ERR_CLOSED');
      await raw[Symbol.asyncDispose]();
      await raw.close();
    },
  },
  {
    title: 'leaves no call under way without an end when it is closed',
    async run({ backend }) {
      const calls = Array.from({ length: 20 }, (_, index) => backend.set(`key:${index}`, bytesOf('1'), {}));
      const ended = Promise.allSettled(calls);
      await backend.close();
      assert.equal((await ended).length, 20);
    },
  },
];

export const callCases: readonly BackendCase[] = [...optionCases, ...closingCases];
