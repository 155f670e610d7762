/** What an application with sessions expects, asked over HTTP: the same questions for our store and for connect-redis. */

import type { Store } from 'express-session';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DropIn, DropInKind } from './drop-in-clients.ts';
import { eventually } from './eventually.ts';
import { type Browser, startSessionApp } from './session-app.ts';

export interface SessionSuiteOptions {
  makeStore(client: DropIn['client'], options: { prefix: string; ttl: number }): Store;
}

export function describeSessions({ open, serverCount }: DropInKind, { makeStore }: SessionSuiteOptions): void {
  describe('an application with sessions', () => {
    let dropIn: DropIn;
    let store: Store;

    beforeAll(async () => {
      dropIn = await open();
    });

    afterAll(() => dropIn.close());

    beforeEach(async () => {
      await dropIn.flush();
      store = makeStore(dropIn.client, { prefix: 'sess:', ttl: 100 });
    });

    it('logs in, counts, and logs out', async () => {
      await using app = await startSessionApp(store);
      const browser = app.browser();
      expect((await browser.get('/me')).body).toBe('nobody');
      expect(browser.sessionId).toBeUndefined();
      expect((await browser.post('/login/ada')).body).toBe('welcome');
      expect((await browser.get('/me')).body).toBe('ada');
      for (const count of ['1', '2', '3']) expect((await browser.get('/count')).body).toBe(count);
      expect((await app.browser().get('/me')).body).toBe('nobody');

      const key = `sess:${browser.sessionId}`;
      expect(JSON.parse((await dropIn.client.get(key)) ?? '')).toMatchObject({ user: 'ada', count: 3 });
      expect((await browser.post('/logout')).body).toBe('bye');
      expect(await dropIn.client.exists(key)).toBe(0);
      expect((await browser.get('/me')).body).toBe('nobody');
    });

    it('leaves the old session at a login', async () => {
      await using app = await startSessionApp(store);
      const browser = app.browser();
      await browser.get('/count');
      const before = browser.sessionId;
      await browser.post('/login/ada');
      expect(browser.sessionId).not.toBe(before);
      expect(await dropIn.client.exists(`sess:${before}`)).toBe(0);
      expect((await browser.get('/count')).body).toBe('1');
    });

    it('serves many users from two processes at once, each with their own session', async () => {
      await using first = await startSessionApp(store);
      await using second = await startSessionApp(makeStore(dropIn.another(), { prefix: 'sess:', ttl: 100 }));
      const users = Array.from({ length: 60 }, (_, index) => `user-${index}`);
      await Promise.all(
        users.map(async (user) => {
          const browser = first.browser();
          await browser.post(`/login/${user}`);
          for (let turn = 1; turn <= 5; turn++) expect((await browser.get('/count')).body).toBe(String(turn));
          const stored = await dropIn.client.get(`sess:${browser.sessionId}`);
          expect(JSON.parse(stored ?? '')).toMatchObject({ user, count: 5 });
        }),
      );
      expect((await dropIn.keyCounts()).filter((count) => count > 0).length).toBe(serverCount);
      // A session made by one process is known to the other.
      const browser = first.browser();
      await browser.post('/login/ada');
      const [, cookie] = [second, browser.sessionId];
      expect(await new Promise((resolve) => store.load(cookie!, (_, found) => resolve(found?.user)))).toBe('ada');
    });

    it('ends with the cookie', async () => {
      await using app = await startSessionApp(store, { maxAgeMs: 1_000 });
      const browser = app.browser();
      await browser.post('/login/ada');
      expect((await browser.get('/me')).body).toBe('ada');
      const key = `sess:${browser.sessionId}`;
      expect(await dropIn.client.pttl(key)).toBeLessThanOrEqual(1_000);
      await eventually(async () => (await dropIn.client.exists(key)) === 0);
      expect((await browser.get('/me')).body).toBe('nobody');
    });

    it('is prolonged by each request', async () => {
      await using app = await startSessionApp(store);
      const browser = app.browser();
      await browser.post('/login/ada');
      const key = `sess:${browser.sessionId}`;
      expect(await dropIn.client.ttl(key)).toBeGreaterThan(90);
      await dropIn.client.expire(key, 5);
      await browser.get('/me');
      expect(await dropIn.client.ttl(key)).toBeGreaterThan(90);
    });
  });
}

/** What is left of it when one of several servers is down. */
export function describeSessionsInTrouble({ open }: DropInKind, { makeStore }: SessionSuiteOptions): void {
  it('fails only the sessions of a server that is down, by a typed error, until it is back', async () => {
    const dropIn = await open();
    try {
      await using app = await startSessionApp(makeStore(dropIn.client, { prefix: 'sess:', ttl: 100 }));
      const [down] = dropIn.servers;
      const browsers = await Promise.all(
        Array.from({ length: 30 }, async (_, index) => {
          const browser = app.browser();
          await browser.post(`/login/user-${index}`);
          return browser;
        }),
      );
      const isLost = ({ sessionId }: Browser) => dropIn.serverOf(`sess:${sessionId}`) === down;
      const lost = browsers.filter(isLost);
      expect(lost.length).toBeGreaterThan(0);
      await down!.kill();
      for (const browser of browsers) {
        const { status, body } = await browser.get('/me');
        if (isLost(browser)) expect([status, body]).toEqual([503, 'ERR_NODE_UNAVAILABLE']);
        else expect(body).toMatch(/^user-/);
      }
      await down!.restart();
      // The server kept nothing; the sessions are gone, and their users log in again.
      await eventually(async () => (await lost[0]!.get('/me')).body === 'nobody');
      expect((await lost[0]!.post('/login/ada')).body).toBe('welcome');
      expect((await lost[0]!.get('/me')).body).toBe('ada');
    } finally {
      await dropIn.close();
    }
  });
}
