import { Keyv as KeyvFive } from 'keyv';
import KeyvFour from 'keyv4';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KeyvStore } from '../../src/adapters/keyv.ts';
import { ShardedRedis } from '../../src/redis/index.ts';
import { type Shards, startShards } from '../support/shards.ts';

/** As much of a Keyv as its versions have in common. */
interface AnyKeyv {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown, ttlMs?: number): Promise<unknown>;
  has(key: string): Promise<boolean>;
  delete(key: string): Promise<boolean>;
  clear(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
}
type Make = (options: { store: KeyvStore; namespace?: string; useKeyPrefix?: boolean }) => AnyKeyv;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const runsKeyv6 = major > 22 || (major === 22 && minor >= 19);

const versions: { version: number; load: () => Promise<Make> }[] = [
  { version: 4, load: async () => (options) => new KeyvFour(options as never) as AnyKeyv },
  { version: 5, load: async () => (options) => new KeyvFive(options) as AnyKeyv },
];
// It needs Node 22.19; CI runs this file on Node 24 too.
if (runsKeyv6) {
  versions.push({
    version: 6,
    async load() {
      const { Keyv } = (await import('keyv6')) as unknown as { Keyv: new (options: object) => AnyKeyv };
      return (options) => new Keyv(options);
    },
  });
}

let shards: Shards;

beforeAll(async () => {
  shards = await startShards(4);
});

afterAll(() => shards[Symbol.asyncDispose]());

describe.each(versions)('a KeyvStore under Keyv $version', ({ version, load }) => {
  let make: Make;

  beforeAll(async () => {
    make = await load();
  });

  beforeEach(() => shards.flush());

  const storeOf = (client = shards.redis) => new KeyvStore({ client });
  const keyvOf = (namespace: string) => make({ store: storeOf(), namespace, useKeyPrefix: false });

  it('keeps, lists and deletes entries, each with its time to live', async () => {
    const keyv = keyvOf('users');
    for (let index = 0; index < 20; index++) expect(await keyv.set(`key-${index}`, { index }, 60_000)).toBe(true);
    expect(await keyv.get('key-7')).toEqual({ index: 7 });
    expect([await keyv.has('key-7'), await keyv.has('absent')]).toEqual([true, false]);
    expect([await keyv.delete('key-7'), await keyv.get('key-7')]).toEqual([true, undefined]);
    const stored = (await shards.redis.keys('*')).toSorted();
    expect(stored).toHaveLength(19);
    // Keyv 4 puts the namespace before each key itself, too.
    expect(stored[0]).toBe(version === 4 ? 'users::users:key-0' : 'users::key-0');
    for (const key of stored) {
      const ttlMs = await shards.redis.pttl(key);
      expect(ttlMs).toBeGreaterThan(30_000);
      expect(ttlMs).toBeLessThanOrEqual(60_001);
    }
  });

  it('clears its own namespace and no other', async () => {
    const [users, orders] = [keyvOf('users'), keyvOf('orders')];
    await users.set('1', 'Ada');
    await orders.set('1', 'paid');
    await users.clear();
    expect([await users.get('1'), await orders.get('1')]).toEqual([undefined, 'paid']);
  });

  it('refuses a second Keyv with another namespace, and leaves the first as it is', async () => {
    const store = storeOf();
    const users = make({ store, namespace: 'users' });
    await users.set('1', 'Ada');
    expect(() => make({ store, namespace: 'orders' })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringContaining('for each Keyv') }),
    );
    expect(await users.get('1')).toBe('Ada');
    await make({ store, namespace: 'users' }).set('2', 'Grace');
    expect(await users.get('2')).toBe('Grace');
  });

  it('takes a new namespace from its own Keyv', async () => {
    const store = storeOf();
    const keyv = make({ store, namespace: 'users', useKeyPrefix: false });
    if (version === 4) store.namespace = 'people';
    else Object.assign(keyv, { namespace: 'people' });
    await keyv.set('1', 'Ada');
    expect(await shards.redis.keys('people::*')).toHaveLength(1);
  });

  it("reports a node's error once for each call", async () => {
    const client = new ShardedRedis({ nodes: [{ id: 'a', url: 'redis://127.0.0.1:1' }], lazyConnect: true });
    client.on('error', () => undefined);
    const keyv = make({ store: storeOf(client), namespace: 'users' });
    const errors: unknown[] = [];
    keyv.on('error', (error) => void errors.push((error as Error & { code?: string }).code));
    const calls = [() => keyv.get('1'), () => keyv.set('1', 'Ada'), () => keyv.delete('1')];
    for (const [index, call] of calls.entries()) {
      const told = index + 1;
      const rejected: unknown[] = [];
      await call().catch((error) => rejected.push(error.code));
      // Keyv 4 rejects; the others answer as if nothing were there.
      if (version === 4 && errors.length < told) errors.push(...rejected);
      expect(errors).toEqual(Array(told).fill('ERR_NODE_UNAVAILABLE'));
    }
    await client.quit();
  });

  // Keyv 6 leaves such a time out before a store hears of it.
  it(version === 6 ? 'keeps an entry whose time is below 0' : 'removes an entry whose time is below 0', async () => {
    const keyv = keyvOf('users');
    await keyv.set('1', 'Ada');
    await keyv.set('1', 'Grace', -1);
    expect(await keyv.get('1')).toBe(version === 6 ? 'Grace' : undefined);
  });
});

it.runIf(runsKeyv6)('Keyv 5 and 6 read what the other wrote, without a prefix of their own', async () => {
  await shards.flush();
  const options = { namespace: 'users', useKeyPrefix: false };
  const make = await versions.find(({ version }) => version === 6)!.load();
  const five = new KeyvFive({ store: new KeyvStore({ client: shards.redis }), ...options });
  const six = make({ store: new KeyvStore({ client: shards.redis }), ...options });
  await five.set('5', 'five', 60_000);
  await six.set('6', 'six', 60_000);
  expect([await six.get('5'), await five.get('6')]).toEqual(['five', 'six']);
});
