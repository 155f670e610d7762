import { RedisStore } from 'connect-redis';
import { Cookie, type SessionData } from 'express-session';
import { afterAll, beforeAll, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { asNodeRedis } from '../../src/adapters/node-redis/facade.ts';
import { type SessionClient, SessionStore, type StoredSession } from '../../src/adapters/session.ts';
import { isShardringError } from '../../src/errors/index.ts';
import { type DropIn, dropInKinds, withCopies } from '../support/drop-in-clients.ts';
import { outcomeOf } from '../support/eventually.ts';
import { describeSessions, describeSessionsInTrouble, type SessionSuiteOptions } from '../support/session-suite.ts';

const sessionOf = (fields: object = {}, expiresInMs?: number): SessionData => {
  const cookie = new Cookie();
  if (expiresInMs !== undefined) cookie.expires = new Date(Date.now() + expiresInMs);
  return { cookie, ...fields } as unknown as SessionData;
};

/** As it comes back: what JSON makes of it. */
const stored = (session: object) => JSON.parse(JSON.stringify(session));

describe.each([...dropInKinds, withCopies])('SessionStore over $title', (kind) => {
  const makeStore: SessionSuiteOptions['makeStore'] = (client, options) => new SessionStore({ client, ...options });
  describeSessions(kind, { makeStore });
  if (kind.serverCount > 1 && kind !== withCopies) describeSessionsInTrouble(kind, { makeStore });

  describe('as a store', () => {
    let dropIn: DropIn;
    let client: DropIn['client'];
    let store: SessionStore;

    beforeAll(async () => {
      dropIn = await kind.open();
      client = dropIn.client;
    });

    afterAll(() => dropIn.close());

    beforeEach(async () => {
      await dropIn.flush();
      store = new SessionStore({ client });
    });

    it('keeps a session for a day, or for as long as its cookie, rounded up to seconds', async () => {
      await store.set('a', sessionOf({ user: 'ada' }));
      expect(await store.get('a')).toEqual(stored(sessionOf({ user: 'ada' })));
      expect(await client.ttl('sess:a')).toBeGreaterThan(86_390);
      await store.set('a', sessionOf({}, 60_000));
      expect(await client.ttl('sess:a')).toBeLessThanOrEqual(60);
      await store.set('a', sessionOf({}, 200));
      expect(await client.pttl('sess:a')).toBeGreaterThan(200);
      expect(await store.get('absent')).toBeNull();
    });

    it('destroys a session that is stored or touched after its end', async () => {
      for (const end of ['set', 'touch'] as const) {
        await store.set('a', sessionOf());
        await store[end]('a', sessionOf({}, -1_000));
        expect(await client.exists('sess:a')).toBe(0);
      }
    });

    it('touches what is there, and brings nothing back', async () => {
      await store.set('a', sessionOf({ user: 'ada' }, 10_000));
      await store.touch('a', sessionOf({ user: 'not stored' }, 90_000));
      expect(await client.ttl('sess:a')).toBeGreaterThan(80);
      expect((await store.get('a'))?.user).toBe('ada');
      await store.destroy('a');
      await store.touch('a', sessionOf());
      expect(await store.get('a')).toBeNull();
    });

    it('takes its ttl from a number or from a function of the session', async () => {
      await new SessionStore({ client, ttl: 9.2 }).set('a', sessionOf());
      expect(await client.ttl('sess:a')).toBe(10);
      const perSession = new SessionStore({ client, ttl: ({ user }) => (user === 'ada' ? 500 : 0) });
      // The function decides, whatever the cookie says.
      await perSession.set('a', sessionOf({ user: 'ada' }, 10_000));
      expect(await client.ttl('sess:a')).toBeGreaterThan(400);
      await perSession.set('a', sessionOf({ user: 'eve' }, 10_000));
      expect(await client.exists('sess:a')).toBe(0);
      const broken = new SessionStore({ client, ttl: () => Number.NaN });
      await expect(broken.set('a', sessionOf())).rejects.toThrow(/^options\.ttl\(\): expected .*, got NaN/);
    });

    it('can omit the expiry, and the touching', async () => {
      const forever = new SessionStore({ client, disableTTL: true });
      await forever.set('a', sessionOf({}, 10_000));
      expect(await client.ttl('sess:a')).toBe(-1);
      await forever.touch('a', sessionOf({}, 10_000));
      expect(await client.ttl('sess:a')).toBe(-1);

      const untouched = new SessionStore({ client, disableTouch: true });
      await untouched.set('b', sessionOf({}, 10_000));
      await untouched.touch('b', sessionOf({}, 90_000));
      expect(await client.ttl('sess:b')).toBeLessThanOrEqual(10);
    });

    it('lists, counts and clears the sessions of all nodes, and nothing else', async () => {
      const ids = Array.from({ length: 500 }, (_, index) => `s${index}`);
      await Promise.all(ids.map((id) => store.set(id, sessionOf({ user: id }))));
      await client.set('other', 'stays');
      expect((await dropIn.keyCounts()).filter((count) => count > 0).length).toBe(kind.serverCount);
      expect(await store.length()).toBe(500);
      expect((await store.ids()).toSorted()).toEqual(ids.toSorted());
      const all = await store.all();
      expect(all.map(({ id, user }) => [id, user]).toSorted()).toEqual(ids.map((id) => [id, id]).toSorted());
      await store.clear();
      expect([await store.length(), await store.all(), await store.ids()]).toEqual([0, [], []]);
      expect(await client.get('other')).toBe('stays');
    });

    it.each(['a*', 'a?b[c]', 'a\\*', '^[a-z]', '', '{tag}:', 'é😀:'])(
      'takes the prefix %j literally',
      async (prefix) => {
        const own = new SessionStore({ client, prefix });
        // Would match if the prefix were a pattern.
        if (prefix !== '') await client.mset('abc', 'x', 'a1b', 'x', 'aXbcY', 'x', 'b1', 'x', 'a\\Y', 'x');
        await own.set('1', sessionOf());
        await own.set('2*', sessionOf());
        expect((await own.ids()).toSorted()).toEqual(['1', '2*']);
        await own.clear();
        expect(await own.length()).toBe(0);
        if (prefix !== '') expect(await client.exists('abc', 'a1b', 'aXbcY', 'b1', 'a\\Y')).toBe(5);
      },
    );

    it.each(['__proto__', '', '\0', 'a b\r\nc', '😀', '\ud800', '*'])('takes any id: %j', async (id) => {
      await store.set(id, sessionOf({ user: 'ada' }));
      expect((await store.get(id))?.user).toBe('ada');
      expect(await store.length()).toBe(1);
      expect((await store.all())[0]?.user).toBe('ada');
      await store.destroy(id);
      expect(await store.length()).toBe(0);
    });

    it('takes a serializer, sync or async', async () => {
      const serializer = {
        stringify: async (session: SessionData) => Buffer.from(JSON.stringify(session)).toString('base64'),
        parse: async (text: string) => JSON.parse(Buffer.from(text, 'base64').toString()) as SessionData,
      };
      const own = new SessionStore({ client, serializer });
      await own.set('a', sessionOf({ user: 'ada' }));
      expect(await client.get('sess:a')).toMatch(/^[A-Za-z0-9+/=]+$/);
      expect((await own.get('a'))?.user).toBe('ada');
      expect((await own.all()).map(({ id, user }) => [id, user])).toEqual([['a', 'ada']]);
    });

    it('reports what cannot be read or written as a typed error without the text', async () => {
      await client.set('sess:a', '{"secret"');
      for (const call of [store.get('a'), store.all()]) {
        const { error } = await outcomeOf(call);
        expect(isShardringError(error) && error.code).toBe('ERR_CODEC');
        expect(String(error)).not.toContain('secret');
      }
      const circular: Record<string, unknown> = {};
      circular.self = circular;
      await expect(store.set('b', sessionOf(circular))).rejects.toMatchObject({ code: 'ERR_CODEC' });
      await client.lpush('sess:list', 'x');
      await expect(store.get('list')).rejects.toThrow(/WRONGTYPE/);
    });

    it('reads what connect-redis wrote, and is read by it', async () => {
      const theirs = new RedisStore({ client: asNodeRedis(client) });
      const [short, long] = [sessionOf({ user: 'ada' }, 60_000), sessionOf({ user: 'bob' })];
      await theirs.set('short', short);
      await store.set('long', long);
      for (const reader of [theirs, store]) {
        expect(await reader.get('short')).toEqual(stored(short));
        expect(await reader.get('long')).toEqual(stored(long));
        expect(await reader.get('absent')).toBeNull();
        expect(await reader.length()).toBe(2);
        expect((await reader.ids()).toSorted()).toEqual(['long', 'short']);
        const all: StoredSession[] = await reader.all();
        expect(all.toSorted((one, other) => (one.id < other.id ? -1 : 1))).toEqual([
          { ...stored(long), id: 'long' },
          { ...stored(short), id: 'short' },
        ]);
      }
      await store.destroy('short');
      expect(await theirs.get('short')).toBeNull();
      await theirs.clear();
      expect(await store.length()).toBe(0);
    });

    it('calls back once, with null and the result, and gives no promise then', async () => {
      const calls: unknown[][] = [];
      const called = (method: string, ...args: unknown[]) =>
        new Promise<void>((resolve) => {
          const back = (...answer: unknown[]) => {
            calls.push([method, ...answer]);
            resolve();
          };
          const returned = (store as unknown as Record<string, (...args: unknown[]) => unknown>)[method]!(
            ...args,
            back,
          );
          expect(returned).toBeUndefined();
        });
      await called('set', 'a', sessionOf({ user: 'ada' }));
      await called('touch', 'a', sessionOf());
      await called('get', 'a');
      await called('get', 'absent');
      await called('all');
      await called('length');
      await called('ids');
      await called('destroy', 'a');
      await called('clear');
      const session = stored(sessionOf({ user: 'ada' }));
      expect(calls).toEqual([
        ['set', null, undefined],
        ['touch', null, undefined],
        ['get', null, session],
        ['get', null, null],
        ['all', null, [{ ...session, id: 'a' }]],
        ['length', null, 1],
        ['ids', null, ['a']],
        ['destroy', null, undefined],
        ['clear', null, undefined],
      ]);
      expectTypeOf(store.get('a')).resolves.toEqualTypeOf<SessionData | null>();
    });

    it('calls back with an error, once', async () => {
      await client.lpush('sess:list', 'x');
      const calls: unknown[] = [];
      await new Promise<void>((resolve) =>
        store.get('list', (error) => {
          calls.push(error);
          resolve();
        }),
      );
      await client.ping();
      expect(calls).toEqual([expect.objectContaining({ message: expect.stringContaining('WRONGTYPE') })]);
    });

    it.each(['absent', 'list'])('lets an error of a callback surface, and does not call it again: %s', async (id) => {
      await client.lpush('sess:list', 'x');
      const thrown = new Error('from the callback');
      let callCount = 0;
      const listeners = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException');
      try {
        const surfaced = new Promise((resolve) => process.once('uncaughtException', resolve));
        store.get(id, () => {
          callCount++;
          throw thrown;
        });
        expect(await surfaced).toBe(thrown);
        await client.ping();
        expect(callCount).toBe(1);
      } finally {
        for (const listener of listeners) process.on('uncaughtException', listener);
      }
    });

    it('needs no caller that awaits its answer', async () => {
      store.set('a', sessionOf());
      store.destroy('a');
      await store.get('a');
      expect(await store.length()).toBe(0);
    });

    it.each([
      ['client', undefined, 'options.client'],
      ['client', { get() {} }, 'options.client'],
      ['prefix', 5, 'options.prefix'],
      ['ttl', 0, 'options.ttl'],
      ['ttl', '60', 'options.ttl'],
      ['disableTTL', 'no', 'options.disableTTL'],
      ['disableTouch', 1, 'options.disableTouch'],
      ['scanCount', 0, 'options.scanCount'],
      ['serializer', { parse() {} }, 'options.serializer.stringify'],
      ['Prefix', 'x', 'options.Prefix'],
    ])('refuses the option %s: %j', (name, value, field) => {
      const options = { client, [name]: value } as unknown as { client: SessionClient };
      expect(() => new SessionStore(options)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field }));
    });

    it('refuses a client that puts a prefix before keys itself', () => {
      const prefixed = Object.create(client, { options: { value: { keyPrefix: 'app:' } } });
      expect(() => new SessionStore({ client: prefixed })).toThrow('a client without keyPrefix');
    });
  });
});
