import type { AddressInfo } from 'node:net';
import express from 'express';
import { rateLimit } from 'express-rate-limit';
import { RedisStore } from 'rate-limit-redis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DropIn, dropInKinds } from '../support/drop-in-clients.ts';

describe.each(dropInKinds)('rate-limit-redis over $title', ({ open, serverCount }) => {
  let dropIn: DropIn;

  beforeAll(async () => {
    dropIn = await open();
    await dropIn.client.ping();
  });

  afterAll(() => dropIn.close());
  beforeEach(() => dropIn.flush());

  const storeOf = (prefix = 'rl:') =>
    new RedisStore({
      prefix,
      // As its manual says it for ioredis.
      sendCommand: (command: string, ...args: string[]) => dropIn.client.call(command, ...args) as Promise<number>,
    });

  it('counts the requests of an express application, and answers 429 beyond the limit', async () => {
    const app = express();
    app.use(
      rateLimit({
        ...{ windowMs: 60_000, limit: 3, legacyHeaders: false, standardHeaders: 'draft-8' },
        keyGenerator: ({ headers }) => String(headers.authorization),
        store: storeOf(),
      }),
    );
    app.get('/', (_, response) => void response.send('hello'));
    const server = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const ask = async (user: string) =>
      (await fetch(`http://127.0.0.1:${port}/`, { headers: { authorization: user, connection: 'close' } })).status;
    try {
      const statuses = [];
      for (let count = 0; count < 5; count++) statuses.push(await ask('ada'));
      expect(statuses).toEqual([200, 200, 200, 429, 429]);
      expect(await ask('grace')).toBe(200);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('keeps the users on all servers, counts each of them exactly, and forgets one that is reset', async () => {
    const limiter = rateLimit({ windowMs: 60_000, store: storeOf('users:') });
    const store = storeOf('users:');
    store.init({ windowMs: 60_000 } as never);
    expect(limiter).toBeTypeOf('function');
    const users = Array.from({ length: 50 }, (_, index) => `user-${index}`);
    await Promise.all(users.flatMap((user) => [store.increment(user), store.increment(user)]));
    await store.decrement('user-0');
    expect((await store.get('user-0'))?.totalHits).toBe(1);
    expect((await store.increment('user-1')).totalHits).toBe(3);
    await store.resetKey('user-2');
    expect((await store.increment('user-2')).totalHits).toBe(1);
    expect((await dropIn.keyCounts()).filter((count) => count > 0).length).toBe(serverCount);
  });
});
