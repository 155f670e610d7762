import { gunzipSync, gzipSync } from 'node:zlib';
import keyvTestSuite, { keyvCompresstionTests, keyvIteratorTests } from '@keyv/test-suite';
import fc from 'fast-check';
import { Keyv, type KeyvStoreAdapter } from 'keyv';
import * as vitest from 'vitest';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KeyvStore, type KeyvStoreOptions } from '../../src/adapters/keyv.ts';
import { type DropIn, dropInKinds } from '../support/drop-in-clients.ts';

const gzip = {
  compress: async (value: unknown) => gzipSync(JSON.stringify(value)).toString('base64'),
  decompress: async (text: string) => JSON.parse(gunzipSync(Buffer.from(text, 'base64')).toString()),
  serialize: async ({ value, expires }: { value?: unknown; expires?: number | undefined }) =>
    JSON.stringify({ value: await gzip.compress(value), expires }),
  async deserialize(text: string) {
    const { value, expires } = JSON.parse(text);
    return { value: await gzip.decompress(value), expires };
  },
};

/** Names that patterns, prefixes or objects could take for something else. */
const hardNames = [
  '*',
  'a*',
  '?',
  '[a-z]',
  '[^a]',
  'a\\',
  '\\*',
  'a:b',
  '__proto__',
  'é\u{1F600}',
  'nul\0nul',
  'new\nline',
];

/** One case of the suite gives two Keyvs with two namespaces one store, which ours refuses: here the second gets another. */
class KeyvWithOwnStore extends Keyv {
  static readonly #taken = new WeakSet<KeyvStore>();

  constructor({ store, ...options }: { store: KeyvStore }) {
    const isTaken = KeyvWithOwnStore.#taken.has(store);
    KeyvWithOwnStore.#taken.add(store);
    super({ ...options, store: isTaken ? new KeyvStore({ client: store.client }) : store });
  }
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

describe.each(dropInKinds)('a KeyvStore on $title', (kind) => {
  let dropIn: DropIn;
  const storeOf = (options: Partial<KeyvStoreOptions> = {}): KeyvStoreAdapter & KeyvStore =>
    new KeyvStore({ client: dropIn.client, ...options });
  const keyvOf = (namespace: string, options: Partial<KeyvStoreOptions> = {}) =>
    new Keyv({ store: storeOf(options), namespace, throwOnErrors: true });

  beforeAll(async () => {
    dropIn = await kind.open();
  });

  afterAll(() => dropIn.close());

  describe('passes the suite of Keyv', () => {
    keyvTestSuite(vitest, Keyv, storeOf);
  });

  describe('passes the suite of Keyv, iterators', () => {
    keyvIteratorTests(vitest, KeyvWithOwnStore, storeOf);
  });

  describe('by itself', () => {
    beforeEach(() => dropIn.flush());

    it('spreads its keys over all nodes, and answers many keys in their order', async () => {
      const keyv = keyvOf('many');
      const keys = Array.from({ length: 200 }, (_, index) => `key-${index}`);
      expect(await keyv.setMany(keys.map((key, index) => ({ key, value: index })))).toEqual(keys.map(() => true));
      const counts = await dropIn.keyCounts();
      expect(counts).toHaveLength(kind.serverCount);
      expect(Math.min(...counts)).toBeGreaterThan(0);
      const asked = ['absent', ...keys.toReversed(), 'key-0'];
      const expected = [undefined, ...Array.from(keys.keys()).toReversed(), 0];
      expect(await keyv.getMany(asked)).toEqual(expected);
      expect(await keyv.hasMany(asked)).toEqual(asked.map((key) => key !== 'absent'));
      expect(await keyv.deleteMany(keys.slice(100))).toBe(true);
      expect(await keyv.deleteMany(keys.slice(100))).toBe(false);
      expect(await keyv.hasMany(keys)).toEqual(keys.map((_, index) => index < 100));
    });

    it('asks nothing of the nodes for no keys', async () => {
      const keyv = keyvOf('none');
      expect(await keyv.getMany([])).toEqual([]);
      expect(await keyv.setMany([])).toEqual([]);
      expect(await keyv.hasMany([])).toEqual([]);
      expect(await keyv.deleteMany([])).toBe(false);
    });

    it('stores a key as namespace::key, with the key as Keyv gives it', async () => {
      await keyvOf('app').set('k', 1);
      expect(await dropIn.client.exists('app::app:k')).toBe(1);
      const bare = new Keyv({ store: storeOf(), namespace: 'app', useKeyPrefix: false });
      await bare.set('k', 2);
      expect(JSON.parse((await dropIn.client.get('app::k'))!)).toEqual({ value: 2 });
      expect(await collect(bare.iterator!(undefined))).toContainEqual(['k', 2]);
    });

    it('clears and goes through its own namespace at all nodes, and no other', async () => {
      const keyvs = hardNames.map((name) => [name, keyvOf(name, { scanCount: 7 })] as const);
      for (const [name, keyv] of keyvs) {
        await keyv.setMany(Array.from({ length: 20 }, (_, index) => ({ key: `${index}`, value: name })));
      }
      await dropIn.client.set('foreign', 'stays');
      await dropIn.client.sadd('a*::set', 'of another type');
      let cleared = 0;
      for (const [name, keyv] of keyvs) {
        const entries = await collect<[string, string]>(keyv.store.iterator());
        expect(entries.map(([key]) => key).toSorted(), name).toEqual(
          Array.from({ length: 20 }, (_, index) => `${name}:${index}`).toSorted(),
        );
        expect(new Set(entries.map(([, text]) => JSON.parse(text).value)), name).toEqual(new Set([name]));
        await keyv.clear();
        cleared++;
        for (const [otherName, other] of keyvs.slice(cleared)) expect(await other.has('3'), otherName).toBe(true);
        expect(await keyv.has('3'), name).toBe(false);
      }
      expect(await dropIn.client.keys('*')).toEqual(['foreign']);
    });

    it('keeps any keys in any namespaces apart', async () => {
      const name = fc.oneof(fc.constantFrom(...hardNames), fc.string({ unit: 'binary', minLength: 1, maxLength: 5 }));
      const space = name.map((text) => text.replaceAll('::', ':-').replace(/:$/, ''));
      const scenario = fc.tuple(
        fc.uniqueArray(
          space.filter((text) => text !== ''),
          { minLength: 2, maxLength: 4 },
        ),
        fc.uniqueArray(name, { minLength: 1, maxLength: 5 }),
      );
      await fc.assert(
        fc.asyncProperty(scenario, async ([namespaces, keys]) => {
          await dropIn.flush();
          const keyvs = namespaces.map((namespace) => new Keyv({ store: storeOf(), namespace, useKeyPrefix: false }));
          for (const [index, keyv] of keyvs.entries()) {
            await keyv.setMany(keys.map((key) => ({ key, value: `${index}${key}` })));
          }
          for (const [index, keyv] of keyvs.entries()) {
            expect(await keyv.getMany(keys)).toEqual(keys.map((key) => `${index}${key}`));
          }
          await keyvs[0]!.clear();
          expect(await keyvs[0]!.hasMany(keys)).toEqual(keys.map(() => false));
          for (const keyv of keyvs.slice(1)) expect(await keyv.hasMany(keys)).toEqual(keys.map(() => true));
        }),
        { numRuns: 40 },
      );
    });

    it('ends values by the millisecond, and keeps those without a time', async () => {
      const keyv = keyvOf('ttl');
      const ttlOf = (key: string) => dropIn.client.pttl(`ttl::ttl:${key}`);
      await keyv.set('a', 1, 90_000.5);
      expect(await ttlOf('a')).toBeGreaterThan(80_000);
      expect(await ttlOf('a')).toBeLessThanOrEqual(90_001);
      await keyv.setMany([
        { key: 'a', value: 1 },
        { key: 'b', value: 1, ttl: 0 },
        { key: 'c', value: 1, ttl: 50_000 },
      ]);
      expect(await ttlOf('a')).toBe(-1);
      expect(await ttlOf('b')).toBe(-1);
      expect(await ttlOf('c')).toBeGreaterThan(40_000);
      await keyv.set('c', 1, -1);
      expect(await ttlOf('c')).toBe(-2);
      await expect(keyv.set('b', 2, Number.NaN)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'ttl' });
      expect(await keyv.get('b')).toBe(1);
    });

    it('stores what a compressing Keyv gives it', async () => {
      const keyv = new Keyv({ store: storeOf(), compression: gzip });
      const value = { text: 'x'.repeat(1_000) };
      await keyv.set('k', value);
      expect(await keyv.get('k')).toEqual(value);
    });

    it('accepts only text, since nothing else would come back as it was', async () => {
      const keyv = keyvOf('raw');
      keyv.serialize = undefined as never;
      await expect(keyv.set('k', 1)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'value' });
    });

    it('clears everything without a namespace only when told so', async () => {
      const store = storeOf();
      await store.set('k', 'text');
      await expect(store.clear()).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'namespace' });
      await expect(store.iterator().next()).rejects.toMatchObject({ field: 'namespace' });
      expect(await store.get('k')).toBe('text');
      const all = storeOf({ noNamespaceAffectsAll: true });
      expect(await collect(all.iterator())).toEqual([['k', 'text']]);
      await all.clear();
      expect(await dropIn.keyCounts()).toEqual(Array.from({ length: kind.serverCount }, () => 0));
    });

    it('knows its keys on a client that puts a prefix before them', async () => {
      const client = dropIn.another({ keyPrefix: 'pre*:' } as never);
      const keyv = keyvOf('app', { client });
      await keyv.setMany([
        { key: 'a', value: 1 },
        { key: 'b', value: 2 },
      ]);
      await keyvOf('app').set('a', 3);
      expect(await dropIn.client.exists('pre*:app::app:a')).toBe(1);
      expect((await collect(keyv.iterator!(undefined))).toSorted()).toEqual([
        ['a', 1],
        ['b', 2],
      ]);
      await keyv.clear();
      expect(await dropIn.client.keys('*')).toEqual(['app::app:a']);
    });

    it('closes its client only when it owns it', async () => {
      await keyvOf('lent').disconnect();
      expect(await dropIn.client.ping()).toBe('PONG');
      const client = dropIn.another();
      await client.set('k', 1);
      await keyvOf('owned', { client, ownsClient: true }).disconnect();
      await expect(client.get('k')).rejects.toThrow();
    });

    it('is recognised by Keyv 6, which asks for async methods and a namespace', () => {
      const store = storeOf() as unknown as Record<string, unknown>;
      for (const name of ['get', 'has', 'hasMany', 'getMany', 'set', 'setMany', 'delete', 'deleteMany', 'clear']) {
        expect(store[name]!.constructor.name, name).toBe('AsyncFunction');
      }
      expect('namespace' in store).toBe(true);
      expect(store.capabilities).toBeUndefined(); // Else it would promise to take absolute times.
    });

    it.each([
      [{ client: {} }, 'options.client'],
      [{ client: undefined }, 'options.client'],
      [{ ownsClient: 'yes' }, 'options.ownsClient'],
      [{ scanCount: 0 }, 'options.scanCount'],
      [{ namespace: 'x' }, 'options.namespace'],
    ])('refuses %j', (options, field) => {
      expect(() => storeOf(options as never)).toThrow(expect.objectContaining({ field }));
    });
  });

  // A client of ioredis by itself waits for its server to come back.
  it.runIf(kind.serverCount > 1)(
    "reports a node's error as Keyv wants it, and serves the keys of the others",
    async () => {
      const broken = await kind.open();
      try {
        const keyv = new Keyv({ store: new KeyvStore({ client: broken.client }), namespace: 'app' });
        const errors: unknown[] = [];
        keyv.on('error', (error) => errors.push(error));
        const keys = Array.from({ length: 40 }, (_, index) => `k${index}`);
        await keyv.setMany(keys.map((key) => ({ key, value: key })));
        const nodes = keys.map((key) => broken.nodeFor(`app::app:${key}`));
        for (const node of new Set(nodes)) node.on('error', () => undefined);
        const dead = nodes[0]!;
        const isOnDead = nodes.map((node) => node === dead);
        await broken.servers.find(({ port }) => port === dead.options.port)!.kill();

        expect(await keyv.get('k0')).toBeUndefined();
        expect(errors).toHaveLength(1);
        expect(await keyv.set('k0', 1)).toBe(false);
        expect(await keyv.delete('k0')).toBe(false);
        await keyv.clear();
        expect(errors.length).toBeGreaterThanOrEqual(4);
        await expect(keyv.getMany(keys)).rejects.toThrow();
        await expect(keyv.has('k0')).rejects.toThrow();
        keyv.throwOnErrors = true;
        await expect(keyv.get('k0')).rejects.toThrow();
        await expect(keyv.setMany([{ key: 'k0', value: 1 }])).rejects.toThrow();
        expect(isOnDead).toContain(false);
        for (const [index, key] of keys.entries()) {
          if (isOnDead[index]) continue;
          expect(await keyv.set(key, 'new')).toBe(true);
          expect(await keyv.get(key)).toBe('new');
        }
      } finally {
        await broken.close();
      }
    },
  );
});

describe('the compression that the tests use', () => {
  keyvCompresstionTests(vitest, gzip);
});
