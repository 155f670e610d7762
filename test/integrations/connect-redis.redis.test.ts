import { RedisStore } from 'connect-redis';
import { Cookie, type SessionData } from 'express-session';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { asNodeRedis, type NodeRedisFacade } from '../../src/adapters/node-redis/facade.ts';
import { type DropIn, dropInKinds, withCopies } from '../support/drop-in-clients.ts';
import { describeSessions, describeSessionsInTrouble, type SessionSuiteOptions } from '../support/session-suite.ts';

describe.each([...dropInKinds, withCopies])('with connect-redis through asNodeRedis, over $title,', (kind) => {
  const makeStore: SessionSuiteOptions['makeStore'] = (client, options) =>
    new RedisStore({ client: asNodeRedis(client), ...options });
  describeSessions(kind, { makeStore });
  if (kind.serverCount > 1 && kind !== withCopies) describeSessionsInTrouble(kind, { makeStore });

  // What the tests of connect-redis 9 itself ask of a client, in our words.
  describe('a session', () => {
    let dropIn: DropIn;
    let client: NodeRedisFacade;
    let store: RedisStore;

    beforeAll(async () => {
      dropIn = await kind.open();
      client = asNodeRedis(dropIn.client);
    });

    afterAll(() => dropIn.close());

    beforeEach(async () => {
      await dropIn.flush();
      store = new RedisStore({ client });
    });

    const expiringIn = (seconds: number) => {
      const cookie = new Cookie();
      cookie.expires = new Date(Date.now() + seconds * 1_000);
      return { cookie } as unknown as SessionData;
    };

    it('is kept for a day, or for as long as its cookie', async () => {
      const session = { foo: 'bar', cookie: { originalMaxAge: null } } as unknown as SessionData;
      await store.set('123', session);
      expect(await store.get('123')).toEqual(session);
      expect(await client.ttl('sess:123')).toBeGreaterThanOrEqual(86_399);

      await store.set('456', expiringIn(60));
      expect(await client.ttl('sess:456')).toBeLessThanOrEqual(60);
      await store.touch('456', expiringIn(90));
      expect(await client.ttl('sess:456')).toBeGreaterThan(60);
    });

    it('is counted, listed and destroyed with the others of all nodes', async () => {
      const ids = Array.from({ length: 1_000 }, (_, index) => `s${index}`);
      await Promise.all(ids.map((id) => store.set(id, expiringIn(100))));
      await client.set('other', 'stays');
      expect(await store.length()).toBe(1_000);
      expect((await store.ids()).toSorted()).toEqual(ids.toSorted());
      expect((await store.all()).map(({ id }: { id: string }) => id).toSorted()).toEqual(ids.toSorted());
      await store.destroy('s7');
      expect(await store.length()).toBe(999);
      await store.clear();
      expect(await store.length()).toBe(0);
      expect(await client.get('other')).toBe('stays');
    });

    it('is gone when it is stored after its end', async () => {
      await store.set('789', expiringIn(100));
      expect(await store.length()).toBe(1);
      await store.set('789', expiringIn(-100));
      expect(await store.length()).toBe(0);
    });
  });
});
