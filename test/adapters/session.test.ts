import type { SessionData } from 'express-session';
import { describe, expect, it } from 'vitest';
import { type SessionClient, SessionStore } from '../../src/adapters/session.ts';
import { outcomeOf } from '../support/eventually.ts';

/** A client that holds `stored`, and whose SCAN gives `pages`; an error among them ends it. */
function clientOf(stored: Record<string, string>, pages: readonly (string[] | Error)[]) {
  const calls: unknown[][] = [];
  const client: SessionClient = {
    get: async (key) => stored[key] ?? null,
    set: async (...args: unknown[]) => calls.push(['set', ...args]),
    expire: async (...args) => calls.push(['expire', ...args]),
    mget: async (keys) => {
      calls.push(['mget', keys]);
      return keys.map((key) => stored[key] ?? null);
    },
    unlink: async (keys) => calls.push(['unlink', keys]),
    async *scanStream(options) {
      calls.push(['scan', options]);
      for (const page of pages) {
        if (page instanceof Error) throw page;
        yield page;
      }
    },
  };
  return { client, calls };
}

const text = (user: string) => JSON.stringify({ user });

describe('a SessionStore, seen from its client', () => {
  it('counts a key once when SCAN repeats it, and skips pages without new keys', async () => {
    const { client, calls } = clientOf({ 'sess:a': text('ada'), 'sess:b': text('bob') }, [
      ['sess:a'],
      [],
      ['sess:a'],
      ['sess:b', 'sess:a', 'sess:b'],
    ]);
    const store = new SessionStore({ client });
    expect(await store.length()).toBe(2);
    expect(await store.ids()).toEqual(['a', 'b']);
    expect(await store.all()).toEqual([
      { user: 'ada', id: 'a' },
      { user: 'bob', id: 'b' },
    ]);
    await store.clear();
    expect(calls.filter(([name]) => name !== 'scan')).toEqual([
      ['mget', ['sess:a']],
      ['mget', ['sess:b']],
      ['unlink', ['sess:a']],
      ['unlink', ['sess:b']],
    ]);
  });

  it('omits from all() the sessions that expired after their keys were read', async () => {
    const { client } = clientOf({ 'sess:b': text('bob') }, [['sess:a', 'sess:b']]);
    expect(await new SessionStore({ client }).all()).toEqual([{ user: 'bob', id: 'b' }]);
  });

  it('asks for its own keys only, with the configured count', async () => {
    const { client, calls } = clientOf({}, []);
    await new SessionStore({ client, prefix: 'a*b\\', scanCount: 7 }).ids();
    expect(calls).toEqual([['scan', { match: 'a\\*b\\\\*', count: 7 }]]);
  });

  it('reports a node that failed on the way, and never passes off a part as the whole', async () => {
    const failure = new Error('a node is down');
    const { client } = clientOf({ 'sess:a': text('ada') }, [['sess:a'], failure]);
    const store = new SessionStore({ client });
    for (const call of [store.all(), store.ids(), store.length(), store.clear()]) {
      expect((await outcomeOf(call)).error).toBe(failure);
    }
    const answer = await new Promise((resolve) => store.length((...args: unknown[]) => resolve(args)));
    expect(answer).toEqual([failure]);
  });

  it('sends calls in order even when nobody awaits them', async () => {
    const { client, calls } = clientOf({}, []);
    const store = new SessionStore({ client });
    const session = { user: 'ada' } as SessionData;
    const done = [store.set('a', session), store.touch('a', session), store.destroy('a'), store.set('a', session)];
    expect(calls.map(([name]) => name)).toEqual(['set', 'expire', 'unlink', 'set']);
    await Promise.all(done);
  });
});
