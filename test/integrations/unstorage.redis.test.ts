import fc from 'fast-check';
import { createStorage, type Driver, prefixStorage, restoreSnapshot, type Storage, snapshot } from 'unstorage';
import redisDriver from 'unstorage/drivers/redis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { shardringDriver, type UnstorageDriverOptions } from '../../src/adapters/unstorage.ts';
import { type DropIn, dropInKinds } from '../support/drop-in-clients.ts';

/** Keys as the storage gives them, in an order that does not depend on the nodes. */
const sorted = async (keys: Promise<string[]>) => (await keys).toSorted();

describe.each(dropInKinds)('the unstorage driver on $title', (kind) => {
  let dropIn: DropIn;
  let storage: Storage;
  const driverOf = (options: Partial<UnstorageDriverOptions> = {}) =>
    shardringDriver({ client: dropIn.client, base: 'test', ...options });
  const storageOf = (options: Partial<UnstorageDriverOptions> = {}) => {
    const driver: Driver = driverOf(options);
    return createStorage({ driver });
  };

  beforeAll(async () => {
    dropIn = await kind.open();
  });

  afterAll(() => dropIn.close());

  beforeEach(async () => {
    await dropIn.flush();
    storage = storageOf();
  });

  // What unstorage asks of each of its own drivers (test/drivers/utils.ts there), in our words.
  describe('as unstorage expects of every driver,', () => {
    it('is filled from a snapshot, and gives one', async () => {
      await restoreSnapshot(storage, { initial: 'works', 'a:b': { c: 1 } });
      expect(await storage.getItem('initial')).toBe('works');
      expect(await snapshot(storage, 'a')).toEqual({ b: { c: 1 } });
      await storage.clear();
      expect(await storage.getItem('initial')).toBeNull();
    });

    it('begins empty', async () => {
      expect(await storage.hasItem('s1:a')).toBe(false);
      expect(await storage.getItem('s2:a')).toBeNull();
      expect(await storage.getItemRaw('s2:a')).toBeNull();
      expect(await storage.getKeys()).toEqual([]);
    });

    it('sets and gets, with whatever follows a question mark left off the key', async () => {
      await storage.setItem('s1:a', 'test_data');
      await storage.setItem('s3:a?q=1', 'test_data');
      expect(await storage.hasItem('s1:a')).toBe(true);
      expect(await storage.getItem('s1:a')).toBe('test_data');
      expect(await storage.getItem('s3:a?q=2')).toBe('test_data');
      await storage.setItem('s1:a', 'other');
      expect(await storage.getItem('s1:a')).toBe('other');
    });

    it('lists keys, all of them or those below a base', async () => {
      for (const key of ['s1:a', 's1:b:c', 's1', 's10:a', 's2:a', 's3:a?q=1']) await storage.setItem(key, 'test_data');
      expect(await sorted(storage.getKeys())).toEqual(['s1', 's10:a', 's1:a', 's1:b:c', 's2:a', 's3:a']);
      for (const base of ['s1', 's1:', '/s1', 's1/']) {
        expect(await sorted(storage.getKeys(base)), base).toEqual(['s1:a', 's1:b:c']);
      }
      expect(await storage.getKeys('s1/b')).toEqual(['s1:b:c']);
      expect(await storage.getKeys('none')).toEqual([]);
    });

    it('lists keys down to a depth', async () => {
      const keys = ['d0', 'd:d1', 'd:d2', 'd:e:f1', 'd:e:f2'];
      for (const key of keys) await storage.setItem(key, 'test_data');
      for (const [maxDepth, count] of [1, 3, 5].entries()) {
        expect(await sorted(storage.getKeys(undefined, { maxDepth }))).toEqual(keys.slice(0, count));
      }
      expect(await sorted(storage.getKeys('d', { maxDepth: 1 }))).toEqual(['d:d1', 'd:d2']);
    });

    it.each([
      ['an object', { json: 'works' }],
      ['an array', [1, null, 'x']],
      ['true', true],
      ['false', false],
      ['zero', 0],
      ['null', null],
      ['text', '"quoted" \u{1F600}\0'],
    ])('gives back %s', async (_, value) => {
      await storage.setItem('/data/test.json', value);
      expect(await storage.getItem('/data/test.json')).toEqual(value);
      expect(await storage.getItem('data:test.json')).toEqual(value);
    });

    it('stores what toJSON gives, and refuses other objects', async () => {
      await storage.setItem('one', { toJSON: () => 'SERIALIZED' });
      expect(await storage.getItem('one')).toBe('SERIALIZED');
      class Lossy {
        toJSON() {
          return { serialized: 'works' };
        }
      }
      await storage.setItem('two', new Lossy());
      expect(await storage.getItem('two')).toEqual({ serialized: 'works' });
      await expect(storage.setItem('three', new (class Opaque {})())).rejects.toThrow('Cannot stringify value!');
    });

    it('gives back raw bytes, stored as they are', async () => {
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
      await storage.setItemRaw('/data/raw.bin', bytes);
      expect(await storage.getItemRaw('/data/raw.bin')).toEqual(Buffer.from(bytes));
      expect(await dropIn.client.getBuffer('test:data:raw.bin')).toEqual(Buffer.from(bytes));
    });

    it('accepts raw values of every kind of bytes, and text, and nothing else', async () => {
      const { buffer } = Uint8Array.of(9, 2, 0, 2, 5, 9);
      for (const value of [Buffer.from([2, 0, 2, 5]), new Uint8Array(buffer, 1, 4), new DataView(buffer, 1, 4)]) {
        await storage.setItemRaw('raw', value);
        expect(await storage.getItemRaw('raw')).toEqual(Buffer.from([2, 0, 2, 5]));
      }
      await storage.setItemRaw('raw', buffer);
      expect(await storage.getItemRaw('raw')).toEqual(Buffer.from(buffer));
      await storage.setItemRaw('raw', 'Hello, world!');
      expect(await storage.getItem('raw')).toBe('Hello, world!');
      await expect(storage.setItemRaw('raw', { a: 1 })).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
      await storage.setItemRaw('raw', undefined);
      expect(await storage.hasItem('raw')).toBe(false);
    });

    it('sets and gets many items at once, at all nodes and in their order', async () => {
      const keys = Array.from({ length: 100 }, (_, index) => `t:${index}`);
      await storage.setItems(keys.map((key) => ({ key, value: `value of ${key}` })));
      expect(Math.min(...(await dropIn.keyCounts()))).toBeGreaterThan(0);
      const asked = ['v4:undefined', ...keys.toReversed(), { key: 't:0' }, 't:1?q=1'];
      const given = await storage.getItems(asked);
      expect(given.map(({ key }) => key)).toEqual(['v4:undefined', ...keys.toReversed(), 't:0', 't:1']);
      expect(given.map(({ value }) => value)).toEqual([
        null,
        ...keys.toReversed().map((key) => `value of ${key}`),
        'value of t:0',
        'value of t:1',
      ]);
      expect(await storage.getItems([])).toEqual([]);
      await storage.setItems([]);
    });

    it('removes an item, and its meta when asked', async () => {
      await storage.setItem('s1:a', 'test_data');
      await storage.setMeta('s1:a', { mtime: new Date(0) });
      await storage.removeItem('s1:a');
      expect(await storage.hasItem('s1:a')).toBe(false);
      expect(await storage.getItem('s1:a')).toBeNull();
      expect(await storage.getMeta('s1:a')).toEqual({ mtime: new Date(0) });
      await storage.removeItem('s1:a', { removeMeta: true });
      expect(await storage.getMeta('s1:a')).toEqual({});
      await storage.setItem('s1:a', undefined as never);
      expect(await storage.hasItem('s1:a')).toBe(false);
    });

    it('clears all its keys or those below a base, even when there are none', async () => {
      for (const key of ['s1:a', 's1:b', 's1', 's10:a']) await storage.setItem(key, 'test_data');
      // unstorage itself hands on a base to no driver; what holds the driver may.
      await driverOf().clear('s1');
      expect(await sorted(storage.getKeys())).toEqual(['s1', 's10:a']);
      await storage.clear();
      await storage.clear();
      expect(await storage.getKeys()).toEqual([]);
    });

    it('works mounted beside others and behind a prefix', async () => {
      const mounted = createStorage().mount('cache', driverOf({ base: 'mounted' }));
      await mounted.setItem('cache:a:b', 1);
      await mounted.setItem('elsewhere', 2);
      await prefixStorage(mounted, 'cache:a').setItem('c', 3);
      expect(await sorted(mounted.getKeys())).toEqual(['cache:a:b', 'cache:a:c', 'elsewhere']);
      expect(await sorted(prefixStorage(mounted, 'cache').getKeys())).toEqual(['a:b', 'a:c']);
      expect((await dropIn.client.keys('*')).toSorted()).toEqual(['mounted:a:b', 'mounted:a:c']);
      await mounted.clear('cache');
      expect(await mounted.getKeys()).toEqual(['elsewhere']);
    });
  });

  describe('by itself', () => {
    it('keeps to its base, taken literally, and leaves the keys of others alone', async () => {
      const bases = ['*', 'a*', 'a', '[a]', 'a\\b', 'ab', 'a:b:', ':c', '__proto__', '\u{1F600}'];
      const storages = bases.map((base) => storageOf({ base, scanCount: 3 }));
      const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`).toSorted();
      for (const each of storages) await each.setItems(keys.map((key) => ({ key, value: key })));
      await dropIn.client.set('foreign', 'stays');
      // Below the base `a` lies the base `a:b`, which is what bases are for; `a\b` is the same, as `\` is a colon to unstorage.
      const inner = new Set(['a\\b', 'a:b:']);
      for (const [index, each] of storages.entries()) {
        const below = bases[index] === 'a' ? [...keys, ...keys.map((key) => `b:${key}`)].toSorted() : keys;
        expect(await sorted(each.getKeys()), bases[index]).toEqual(inner.has(bases[index]!) && index > 2 ? [] : below);
        await each.clear();
        expect(await each.getKeys()).toEqual([]);
      }
      expect(await dropIn.client.keys('*')).toEqual(['foreign']);
    });

    it('gives back any text under any key', async () => {
      const driver = driverOf();
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), async (key, value) => {
          await driver.setItem(key, value);
          expect(await driver.getItem(key)).toBe(value);
          expect(await driver.getKeys()).toContain(key);
          await driver.removeItem(key);
          expect(await driver.hasItem(key)).toBe(false);
        }),
        { numRuns: 50 },
      );
    });

    it('covers everything that the nodes hold when it has no base', async () => {
      const all = storageOf({ base: undefined });
      await storage.setItem('k', 1);
      await dropIn.client.set('plain', '2');
      expect(await sorted(all.getKeys())).toEqual(['plain', 'test:k']);
      expect(await all.getItem('plain')).toBe(2);
      await all.clear();
      expect(await dropIn.keyCounts()).toEqual(Array.from({ length: kind.serverCount }, () => 0));
    });

    it('ends items after seconds: its own, or those of the call', async () => {
      const timed = storageOf({ ttl: 100 });
      const ttlOf = (key: string) => dropIn.client.pttl(`test:${key}`);
      const expectAbout = async (key: string, ttlMs: number) => {
        const actualMs = await ttlOf(key);
        expect(actualMs, key).toBeGreaterThan(ttlMs - 10_000);
        expect(actualMs, key).toBeLessThanOrEqual(ttlMs);
      };
      await timed.setItem('default', 1);
      await timed.setItem('own', 1, { ttl: 20.5 });
      await timed.setItem('none', 1, { ttl: 0 });
      await timed.setItem('past', 1);
      await timed.setItem('past', 1, { ttl: -1 });
      await timed.setItemRaw('raw', Buffer.from('x'), { ttl: 30 });
      await timed.setItems(
        [
          { key: 'many-own', value: 1, options: { ttl: 40 } },
          { key: 'many-common', value: 1 },
        ],
        { ttl: 50 },
      );
      await expectAbout('default', 100_000);
      await expectAbout('own', 20_500);
      await expectAbout('raw', 30_000);
      await expectAbout('many-own', 40_000);
      await expectAbout('many-common', 50_000);
      expect(await ttlOf('none')).toBe(-1);
      expect(await ttlOf('past')).toBe(-2);
      await storage.setItem('forever', 1);
      expect(await ttlOf('forever')).toBe(-1);
      await expect(timed.setItem('k', 1, { ttl: '5' })).rejects.toMatchObject({ field: 'ttl' });
    });

    it('reads what the Redis driver of unstorage wrote, and the other way round', async () => {
      // On four servers the other driver knows only the one that holds the key.
      const { port } = dropIn.nodeFor('test:a:b').options;
      const theirs = createStorage({ driver: redisDriver({ base: 'test', port: port!, host: '127.0.0.1' }) });
      await theirs.setItem('a:b', { from: 'them' });
      expect(await storage.getItem('a:b')).toEqual({ from: 'them' });
      await storage.setItem('a:b', { from: 'us' });
      expect(await theirs.getItem('a:b')).toEqual({ from: 'us' });
      expect(await theirs.getKeys()).toEqual(['a:b']);
      await theirs.dispose();
    });

    it('knows its keys on a client that puts a prefix before them', async () => {
      const prefixed = storageOf({ client: dropIn.another({ keyPrefix: 'pre*:' } as never) });
      await prefixed.setItem('a', 1);
      await storage.setItem('b', 2);
      expect(await prefixed.getKeys()).toEqual(['a']);
      await prefixed.clear();
      expect(await dropIn.client.keys('*')).toEqual(['test:b']);
    });

    it('closes its client only when it owns it', async () => {
      await storage.dispose();
      expect(await dropIn.client.ping()).toBe('PONG');
      const client = dropIn.another();
      const owner = storageOf({ client, ownsClient: true });
      await owner.setItem('k', 1);
      await owner.dispose();
      await expect(client.get('k')).rejects.toThrow();
    });

    it('gives its client and options to those who ask', () => {
      const driver = driverOf();
      expect(driver.getInstance()).toBe(dropIn.client);
      expect(driver.options.base).toBe('test');
      expect(storage.getMount().driver.name).toBe('shardring');
    });

    it.each([
      [{ client: {} }, 'options.client'],
      [{ base: 1 }, 'options.base'],
      [{ ttl: Number.NaN }, 'options.ttl'],
      [{ ttl: '1' }, 'options.ttl'],
      [{ ownsClient: 1 }, 'options.ownsClient'],
      [{ scanCount: 1.5 }, 'options.scanCount'],
      [{ url: 'x' }, 'options.url'],
    ])('refuses %j', (options, field) => {
      expect(() => driverOf(options as never)).toThrow(expect.objectContaining({ field }));
    });
  });

  it.runIf(kind.serverCount > 1)("reports a node's error, and never treats it as a miss", async () => {
    const broken = await kind.open();
    try {
      const failing = createStorage({ driver: shardringDriver({ client: broken.client, base: 'test' }) });
      const keys = Array.from({ length: 40 }, (_, index) => `k${index}`);
      await failing.setItems(keys.map((key) => ({ key, value: key })));
      await broken.servers[0]!.kill();
      const outcomes = await Promise.allSettled(keys.map((key) => failing.getItem(key)));
      const served = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
      expect(served.length).toBeGreaterThan(0);
      expect(served.length).toBeLessThan(keys.length);
      expect(served).not.toContain(null);
      await expect(failing.getItems(keys)).rejects.toThrow();
      await expect(failing.setItems(keys.map((key) => ({ key, value: 1 })))).rejects.toThrow();
      await expect(failing.getKeys()).rejects.toThrow();
      await expect(failing.clear()).rejects.toThrow();
    } finally {
      await broken.close();
    }
  });
});
