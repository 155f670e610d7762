import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { RedisDriver, redisBusDriver } from 'bentocache/drivers/redis';
import { registerCacheDriverTestSuite } from 'bentocache/test_suite';
import type { CreateDriverResult, L2CacheDriver } from 'bentocache/types';
import { afterAll, afterEach, assert, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BentocacheDriver, type BentocacheDriverOptions, shardringDriver } from '../../src/adapters/bentocache.ts';
import { type DropIn, dropInKinds } from '../support/drop-in-clients.ts';
import { eventually } from '../support/eventually.ts';

type Cleanup = () => unknown;
type Suite = Parameters<typeof registerCacheDriverTestSuite>[0];

/** The suite is written for the runner japa: this is as much of japa as it uses, on vitest. */
function suiteOnVitest(createDriver: Suite['createDriver']): Suite {
  const group = {
    setup(prepare: () => Promise<Cleanup>) {
      let end: Cleanup = () => undefined;
      beforeAll(async () => {
        end = await prepare();
      });
      afterAll(() => end());
    },
    tap: () => undefined, // It lifts the time limits.
    each: { teardown: (clean: Cleanup) => afterEach(() => clean() as Promise<void>) },
  };
  const test = (title: string, run: (context: object) => Promise<void>) =>
    it(title, async () => {
      const cleanups: Cleanup[] = [];
      try {
        await run({ assert, cleanup: (clean: Cleanup) => cleanups.push(clean) });
      } finally {
        for (const clean of cleanups) await clean();
      }
    });
  return { test, group, createDriver } as unknown as Suite;
}

describe.each(dropInKinds)('the BentoCache driver on $title', (kind) => {
  let dropIn: DropIn;
  const driverOf = (options: Partial<BentocacheDriverOptions> = {}): L2CacheDriver & BentocacheDriver =>
    new BentocacheDriver({ client: dropIn.client, prefix: 'app', ...options });

  beforeAll(async () => {
    dropIn = await kind.open();
  });

  afterAll(() => dropIn.close());

  describe('passes the suite of BentoCache', () => {
    registerCacheDriverTestSuite(suiteOnVitest((options) => driverOf({ prefix: 'suite', ...options } as never)));
  });

  describe('by itself', () => {
    beforeEach(() => dropIn.flush());

    it('clears at all nodes what begins with its prefix and a colon, taken literally', async () => {
      const prefixes = ['*', 'a*', 'a', '[a]', '?', 'a\\', 'ab', '__proto__', '\u{1F600}'];
      const drivers = prefixes.map((prefix) => driverOf({ prefix, scanCount: 3 }));
      const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`);
      for (const driver of drivers) await Promise.all(keys.map((key) => driver.set(key, key)));
      const counts = await dropIn.keyCounts();
      expect(Math.min(...counts)).toBeGreaterThan(0);
      for (const [index, driver] of drivers.entries()) {
        await driver.clear();
        for (const [other, { get }] of drivers.entries()) {
          expect(await get.call(drivers[other], 'key-7'), prefixes[other]).toBe(other > index ? 'key-7' : undefined);
        }
        expect(await dropIn.keyCounts().then(sum)).toBe((drivers.length - index - 1) * keys.length);
      }
    });

    it('refuses to clear without a prefix, since that would remove the keys of everybody', async () => {
      await dropIn.client.set('foreign', 'stays');
      const driver = driverOf({ prefix: ':' });
      await expect(driver.clear()).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'options.prefix' });
      await driver.set('k', 'v');
      expect(await dropIn.client.mget('foreign', 'k')).toEqual(['stays', 'v']);
    });

    it('ends values by the millisecond, and keeps those without a time', async () => {
      const driver = driverOf();
      const ttlOf = (key: string) => dropIn.client.pttl(`app:${key}`);
      await driver.set('a', 'x', 90_000.5);
      expect(await ttlOf('a')).toBeGreaterThan(80_000);
      expect(await ttlOf('a')).toBeLessThanOrEqual(90_001);
      await driver.set('a', 'x', 0);
      expect(await ttlOf('a')).toBe(-1);
      await driver.set('a', 'x', undefined);
      expect(await ttlOf('a')).toBe(-1);
      expect(await driver.set('a', 'x', -1)).toBe(true);
      expect(await driver.get('a')).toBeUndefined();
      await expect(driver.set('a', 'x', Number.NaN)).rejects.toMatchObject({ field: 'ttl' });
    });

    it('deletes many keys of many nodes at once', async () => {
      const driver = driverOf();
      const keys = Array.from({ length: 100 }, (_, index) => `key-${index}`);
      await Promise.all(keys.map((key) => driver.set(key, key)));
      expect(await driver.deleteMany([...keys, 'absent'])).toBe(true);
      expect(await dropIn.keyCounts().then(sum)).toBe(0);
    });

    it('closes its client only when it owns it, and never from a namespace', async () => {
      await driverOf().disconnect();
      expect(await dropIn.client.ping()).toBe('PONG');
      const client = dropIn.another();
      const owner = driverOf({ client, ownsClient: true });
      await owner.set('k', 'v');
      await owner.namespace('users').disconnect();
      expect(await owner.get('k')).toBe('v');
      await owner.disconnect();
      await expect(client.get('k')).rejects.toThrow();
    });

    it.each([
      [{ client: {} }, 'options.client'],
      [{ prefix: 1 }, 'options.prefix'],
      [{ ownsClient: 1 }, 'options.ownsClient'],
      [{ scanCount: 0 }, 'options.scanCount'],
      [{ connection: {} }, 'options.connection'],
    ])('refuses %j when the factory is made', (options, field) => {
      const make = () => shardringDriver({ client: dropIn.client, ...options } as never);
      expect(make).toThrow(expect.objectContaining({ field }));
    });
  });

  describe('within BentoCache', () => {
    const bentoOf = (driver: CreateDriverResult<L2CacheDriver>) =>
      new BentoCache({ default: 'shards', stores: { shards: bentostore().useL2Layer(driver) } });

    beforeEach(() => dropIn.flush());

    it('keeps, groups, tags and clears entries', async () => {
      const bento = bentoOf(shardringDriver({ client: dropIn.client, prefix: undefined }));
      let made = 0;
      const user = () =>
        bento.getOrSet({ key: 'user:1', ttl: '1m', tags: ['users'], factory: () => ({ made: ++made }) });
      expect(await user()).toEqual({ made: 1 });
      expect(await user()).toEqual({ made: 1 });
      expect(await dropIn.client.pttl('bentocache:user:1')).toBeGreaterThan(0);
      await bento.deleteByTag({ tags: ['users'] });
      // BentoCache takes an entry for outdated that was made in the very millisecond of the deletion.
      const deletedMs = Date.now();
      await eventually(() => Date.now() > deletedMs);
      expect(await user()).toEqual({ made: 2 });

      const posts = bento.namespace('posts');
      await posts.setForever({ key: '1', value: 'first' });
      expect(await dropIn.client.exists('bentocache:posts:1')).toBe(1);
      await posts.clear();
      expect(await posts.has({ key: '1' })).toBe(false);
      expect(await user()).toEqual({ made: 2 });
      await dropIn.client.set('foreign', 'stays');
      await bento.clear();
      expect(await dropIn.client.keys('*')).toEqual(['foreign']);
      await bento.disconnect();
      expect(await dropIn.client.ping()).toBe('PONG');
    });

    it('reads what the driver of BentoCache wrote, and the other way round', async () => {
      const theirs = new RedisDriver({ connection: dropIn.nodeFor('bentocache:k'), prefix: 'bentocache:' });
      const ours = driverOf({ prefix: 'bentocache:' });
      await theirs.set('k', 'theirs', 60_000);
      expect(await ours.pull('k')).toBe('theirs');
      await ours.set('k', 'ours');
      expect(await theirs.get('k')).toBe('ours');
    });

    it('is told of changes elsewhere by a bus on the client of one node', async () => {
      const connection = dropIn.nodeFor('bentocache.notifications');
      const caches = [0, 1].map(() => {
        const l2 = shardringDriver({ client: dropIn.client });
        const store = bentostore().useL1Layer(memoryDriver({})).useL2Layer(l2).useBus(redisBusDriver({ connection }));
        return new BentoCache({ default: 'shards', stores: { shards: store } });
      });
      const [first, second] = caches as [(typeof caches)[0], (typeof caches)[0]];
      await first.set({ key: 'k', value: 1 });
      expect(await second.get({ key: 'k' })).toBe(1);
      await eventually(async () => {
        await first.set({ key: 'k', value: 2 });
        return (await second.get({ key: 'k' })) === 2;
      });
      await Promise.all(caches.map((cache) => cache.disconnect()));
    });
  });
});

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
