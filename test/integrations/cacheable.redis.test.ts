import { createCache } from 'cache-manager';
import { Cacheable, CacheableMemory } from 'cacheable';
import { Keyv } from 'keyv';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KeyvStore } from '../../src/adapters/keyv.ts';
import { type DropIn, dropInKinds } from '../support/drop-in-clients.ts';

const keys = Array.from({ length: 60 }, (_, index) => `key-${index}`);

describe.each(dropInKinds)('a KeyvStore on $title', (kind) => {
  let dropIn: DropIn;
  const keyvOf = (namespace: string) =>
    new Keyv({ store: new KeyvStore({ client: dropIn.client }), namespace, useKeyPrefix: false });

  beforeAll(async () => {
    dropIn = await kind.open();
  });

  afterAll(() => dropIn.close());

  beforeEach(async () => {
    await dropIn.flush();
    await dropIn.client.set('foreign', 'stays');
  });

  const expectSpread = async () => expect(Math.min(...(await dropIn.keyCounts()))).toBeGreaterThan(0);

  describe('under cache-manager', () => {
    const cacheOf = (ttl?: number) =>
      createCache({ stores: [keyvOf('manager')], ...(ttl === undefined ? {} : { ttl }) });

    it('sets, gets and deletes one value', async () => {
      const cache = cacheOf();
      expect(await cache.get('k')).toBeUndefined();
      await cache.set('k', { a: [1, null] });
      expect(await cache.get('k')).toEqual({ a: [1, null] });
      expect(await cache.del('k')).toBe(true);
      expect(await cache.get('k')).toBeUndefined();
    });

    it('sets, gets and deletes many values of all nodes', async () => {
      const cache = cacheOf();
      await cache.mset(keys.map((key, index) => ({ key, value: index })));
      await expectSpread();
      expect(await cache.mget([...keys, 'absent'])).toEqual([...keys.keys(), undefined]);
      await cache.mdel(keys.slice(30));
      expect(await cache.mget(keys)).toEqual(keys.map((_, index) => (index < 30 ? index : undefined)));
    });

    it('knows when a value ends: by its own time, or by that of the cache', async () => {
      const cache = cacheOf(100_000);
      await cache.set('k', 1);
      await cache.set('own', 1, 50_000);
      await cache.mset([{ key: 'many', value: 1, ttl: 20_000 }]);
      await cache.set('forever', 1, 0);
      for (const [key, ttlMs] of Object.entries({ k: 100_000, own: 50_000, many: 20_000 })) {
        const endsAtMs = await cache.ttl(key);
        expect(endsAtMs! - Date.now(), key).toBeGreaterThan(ttlMs - 10_000);
        const storedMs = await dropIn.client.pttl(`manager::${key}`);
        expect(storedMs, key).toBeGreaterThan(ttlMs - 10_000);
        expect(storedMs, key).toBeLessThanOrEqual(ttlMs);
      }
      expect(await cache.ttl('forever')).toBeUndefined();
      expect(await dropIn.client.pttl('manager::forever')).toBe(-1);
    });

    it('wraps a function, and calls it once for all who wait', async () => {
      const cache = cacheOf();
      let calls = 0;
      const wrapped = () => cache.wrap('k', async () => ({ call: ++calls }), 60_000);
      expect(await Promise.all([wrapped(), wrapped(), wrapped()])).toEqual(Array(3).fill({ call: 1 }));
      expect(await wrapped()).toEqual({ call: 1 });
      expect(await cacheOf().wrap('k', () => ({ call: ++calls }))).toEqual({ call: 1 });
      await cache.del('k');
      expect(await wrapped()).toEqual({ call: 2 });
    });

    it('clears its own values, and does not close a borrowed client', async () => {
      const cache = cacheOf();
      await cache.mset(keys.map((key) => ({ key, value: 1 })));
      await keyvOf('other').set('k', 1);
      expect(await cache.clear()).toBe(true);
      expect((await dropIn.client.keys('*')).toSorted()).toEqual(['foreign', 'other::k']);
      await cache.disconnect();
      expect(await dropIn.client.ping()).toBe('PONG');
    });

    // Why the page on adapters recommends cacheable for memory in front.
    it('does not fill a store in memory before it by get(), and reads past it each time', async () => {
      const memory = new Keyv({ store: new CacheableMemory() as never });
      const shards = keyvOf('manager');
      const cache = createCache({ stores: [memory, shards] });
      await shards.set('k', 'from the shards', 60_000);
      expect([await cache.get('k'), await cache.get('k')]).toEqual(['from the shards', 'from the shards']);
      expect(await memory.get('k')).toBeUndefined();
    });

    it('fills a store in memory before it by wrap()', async () => {
      const memory = new Keyv({ store: new CacheableMemory() as never });
      const shards = keyvOf('manager');
      const cache = createCache({ stores: [memory, shards] });
      await shards.set('k', 'from the shards');
      expect(await cache.wrap('k', () => 'made')).toBe('from the shards');
      expect(await memory.get('k')).toBe('from the shards');
    });
  });

  describe('under cacheable', () => {
    const cacheOf = () => {
      const cache = new Cacheable({ secondary: keyvOf('layered') });
      cache.on('error', (error: unknown) => {
        throw error;
      });
      return cache;
    };

    it('is a second layer: written through, and read where memory has nothing', async () => {
      const writer = cacheOf();
      await writer.setMany(keys.map((key) => ({ key, value: `value of ${key}`, ttl: '1h' })));
      await writer.set('one', { a: 1 });
      await expectSpread();
      const reader = cacheOf();
      expect(await reader.get('one')).toEqual({ a: 1 });
      expect(await reader.getMany([...keys, 'absent'])).toEqual([...keys.map((key) => `value of ${key}`), undefined]);
      expect(await reader.has('one')).toBe(true);
      expect(await reader.hasMany(['one', 'absent', 'key-3'])).toEqual([true, false, true]);
      const storedMs = await dropIn.client.pttl('layered::key-3');
      expect(storedMs).toBeGreaterThan(3_500_000);
      expect(storedMs).toBeLessThanOrEqual(3_600_000);
    });

    it('is a second layer whose values fill the memory, for the time they have left', async () => {
      await keyvOf('layered').set('k', 'from the shards', 60_000);
      const cache = cacheOf();
      expect(await cache.get('k')).toBe('from the shards');
      const kept = await cache.primary.getRaw('k');
      expect(kept?.value).toBe('from the shards');
      expect(kept!.expires! - Date.now()).toBeLessThanOrEqual(60_000);
    });

    it('is a first layer too, and removes values', async () => {
      const cache = new Cacheable({ primary: keyvOf('primary') });
      await cache.setMany(keys.map((key) => ({ key, value: key })));
      expect(await cache.take('key-1')).toBe('key-1');
      expect(await cache.get('key-1')).toBeUndefined();
      expect(await cache.takeMany(['key-2', 'key-1'])).toEqual(['key-2', undefined]);
      expect(await cache.delete('key-3')).toBe(true);
      expect(await cache.deleteMany(['key-4', 'key-5'])).toBe(true);
      expect(await cache.getMany(keys.slice(0, 7))).toEqual(['key-0', ...Array(5).fill(undefined), 'key-6']);
    });

    it('wraps a function, and makes a value once', async () => {
      let calls = 0;
      const cache = cacheOf();
      const wrapped = cache.wrap(async (name: string) => `${name} ${++calls}`, { ttl: '1h', keyPrefix: 'greet' });
      expect([await wrapped('Ada'), await wrapped('Ada'), await wrapped('Bob')]).toEqual(['Ada 1', 'Ada 1', 'Bob 2']);
      expect(await cache.getOrSet('k', async () => ++calls)).toBe(3);
      expect(await cacheOf().getOrSet('k', async () => ++calls)).toBe(3);
    });

    it('clears its own values at all nodes, and does not close a borrowed client', async () => {
      const cache = cacheOf();
      await cache.setMany(keys.map((key) => ({ key, value: 1 })));
      await cache.clear();
      expect(await cacheOf().get('key-1')).toBeUndefined();
      expect(await dropIn.client.keys('*')).toEqual(['foreign']);
      await cache.disconnect();
      expect(await dropIn.client.ping()).toBe('PONG');
    });
  });
});
