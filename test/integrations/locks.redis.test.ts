import { createRequire } from 'node:module';
import { Mutex, Semaphore } from 'redis-semaphore';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DropIn, dropInKinds } from '../support/drop-in-clients.ts';

/** What the tests use of redlock 4, which has no types of its own. */
interface RedlockLock {
  extend(ttlMs: number): Promise<RedlockLock>;
  unlock(): Promise<void>;
}
type RedlockClass = new (
  clients: readonly unknown[],
  options: { retryCount: number },
) => { lock(resource: string | string[], ttlMs: number): Promise<RedlockLock> };
const Redlock: RedlockClass = createRequire(import.meta.url)('redlock');

describe.each(dropInKinds)('over $title,', ({ open, serverCount }) => {
  let dropIn: DropIn;

  beforeAll(async () => {
    dropIn = await open();
    await dropIn.client.ping();
  });

  afterAll(() => dropIn.close());
  beforeEach(() => dropIn.flush());

  describe('redlock', () => {
    const redlock = (...clients: unknown[]) =>
      new Redlock(clients.length === 0 ? [dropIn.client] : clients, { retryCount: 0 });

    it('gives a lock of one key to one holder at a time, prolongs it, and gives it to the next', async () => {
      const locks = redlock();
      const lock = await locks.lock('lock:order-7', 60_000);
      await expect(locks.lock('lock:order-7', 60_000)).rejects.toThrow('Exceeded');
      await lock.extend(600_000);
      expect(await dropIn.client.pttl('lock:order-7')).toBeGreaterThan(500_000);
      await lock.unlock();
      await (await locks.lock('lock:order-7', 60_000)).unlock();
      expect(await dropIn.keyCounts()).toEqual(Array(serverCount).fill(0));
    });

    it('keeps the locks of many keys on all servers', async () => {
      const locks = redlock();
      const held = await Promise.all(Array.from({ length: 40 }, (_, index) => locks.lock(`lock:${index}`, 60_000)));
      expect((await dropIn.keyCounts()).filter((count) => count > 0).length).toBe(serverCount);
      await Promise.all(held.map((lock) => lock.unlock()));
    });

    it('takes a lock of several keys where they contain one tag', async () => {
      const locks = redlock();
      const lock = await locks.lock(['{order-7}:stock', '{order-7}:payment'], 60_000);
      await expect(locks.lock('{order-7}:payment', 60_000)).rejects.toThrow('Exceeded');
      await lock.unlock();
    });

    it('takes the clients of all nodes as its independent servers, and holds each lock on all of them', async () => {
      const clients = (dropIn.client as unknown as { nodes?(): unknown[] }).nodes?.() ?? [dropIn.client];
      expect(clients).toHaveLength(serverCount);
      const lock = await redlock(...clients).lock('lock:everywhere', 60_000);
      expect(await dropIn.keyCounts()).toEqual(Array(serverCount).fill(1));
      await lock.unlock();
      expect(await dropIn.keyCounts()).toEqual(Array(serverCount).fill(0));
    });
  });

  describe('redis-semaphore', () => {
    const once = { acquireAttemptsLimit: 1 };

    it('gives a mutex to one holder at a time', async () => {
      const [first, second] = [0, 1].map(() => new Mutex(dropIn.client, 'order-7', once)) as [Mutex, Mutex];
      await first.acquire();
      expect(await second.tryAcquire()).toBe(false);
      await first.release();
      expect(await second.tryAcquire()).toBe(true);
      await second.release();
      expect(await dropIn.keyCounts()).toEqual(Array(serverCount).fill(0));
    });

    it('gives a semaphore to as many holders as it has places', async () => {
      const holders = [0, 1, 2].map(() => new Semaphore(dropIn.client, 'printers', 2, once));
      const tries = [];
      for (const holder of holders) tries.push(await holder.tryAcquire());
      expect(tries).toEqual([true, true, false]);
      await holders[0]!.release();
      expect(await holders[2]!.tryAcquire()).toBe(true);
      await Promise.all([holders[1]!.release(), holders[2]!.release()]);
    });

    it('keeps the mutexes of many names on all servers', async () => {
      const mutexes = Array.from({ length: 40 }, (_, index) => new Mutex(dropIn.client, `order-${index}`));
      await Promise.all(mutexes.map((mutex) => mutex.acquire()));
      expect((await dropIn.keyCounts()).filter((count) => count > 0).length).toBe(serverCount);
      await Promise.all(mutexes.map((mutex) => mutex.release()));
    });
  });
});
