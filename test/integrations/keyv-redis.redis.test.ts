import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KeyvStore } from '../../src/adapters/keyv.ts';
import { asNodeRedis } from '../../src/redis/index.ts';
import { type DropIn, dropInKinds } from '../support/drop-in-clients.ts';

describe.each(dropInKinds)('@keyv/redis over $title', ({ open, serverCount }) => {
  let dropIn: DropIn;
  let errors: string[];

  beforeAll(async () => {
    dropIn = await open();
    await dropIn.client.ping();
  });

  afterAll(() => dropIn.close());

  beforeEach(async () => {
    await dropIn.flush();
    errors = [];
  });

  const keyvOf = (namespace: string) => {
    // It is made for the types of the node-redis beside it, and asks at run time for what is there.
    const client = asNodeRedis(dropIn.client) as unknown as ConstructorParameters<typeof KeyvRedis>[0];
    const keyv = new Keyv({ store: new KeyvRedis(client), namespace, useKeyPrefix: false });
    keyv.on('error', ({ message }) => errors.push(message));
    return keyv;
  };
  const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`);

  it('keeps, reads, lists and clears entries on all servers', async () => {
    const keyv = keyvOf('users');
    for (const key of keys) await keyv.set(key, { of: key }, 60_000);
    expect((await dropIn.keyCounts()).filter((count) => count > 0).length).toBe(serverCount);
    expect(await keyv.getMany([...keys, 'absent'])).toEqual([...keys.map((key) => ({ of: key })), undefined]);
    expect(await keyv.has('key-0')).toBe(true);
    expect(await keyv.delete('key-0')).toBe(true);
    const listed: string[] = [];
    for await (const [key] of keyv.iterator!('users')) listed.push(key);
    expect(new Set(listed)).toEqual(new Set(keys.slice(1)));
    await keyv.clear();
    expect(await dropIn.keyCounts()).toEqual(Array(serverCount).fill(0));
    expect(errors).toEqual([]);
  });

  it('stores entries that a KeyvStore reads, and the other way round', async () => {
    const theirs = keyvOf('users');
    const ours = new Keyv({ store: new KeyvStore({ client: dropIn.client }), namespace: 'users', useKeyPrefix: false });
    await theirs.set('ada', 1);
    await ours.set('grace', 2);
    expect([await ours.get('ada'), await theirs.get('grace')]).toEqual([1, 2]);
  });

  // Its calls that write many keys are a MULTI.
  it('writes many entries in one call where they contain one tag, and says why where not', async () => {
    const entries = keys.map((key, index) => ({ key, value: index }));
    const tagged = keyvOf('{users}');
    await tagged.setMany(entries);
    expect(await tagged.getMany(keys)).toEqual([...keys.keys()]);
    expect(await tagged.deleteMany(keys)).toBe(true);
    expect(errors).toEqual([]);

    await keyvOf('users').setMany(entries);
    if (serverCount === 1) expect(errors).toEqual([]);
    else expect(errors[0]).toMatch(/^multi: .*\{tag\}/);
  });
});
