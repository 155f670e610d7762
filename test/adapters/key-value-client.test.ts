import { describe, expect, it } from 'vitest';
import { allSettled, clearBelow, pagesBelow } from '../../src/adapters/key-value-client.ts';

/** A client whose scans give these pages. It keeps what it was asked for. */
function scanningClient(pages: string[][], keyPrefix?: string) {
  const scans: object[] = [];
  const unlinked: string[][] = [];
  const client = {
    options: { keyPrefix },
    async *scanStream(options: object) {
      scans.push(options);
      yield* pages;
    },
    async unlink(keys: string[]) {
      unlinked.push(keys);
      return keys.length;
    },
  };
  return { client, scans, unlinked };
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

describe('pagesBelow', () => {
  it('gives each key once, though SCAN may give it again, and no empty page', async () => {
    const { client } = scanningClient([['a', 'b'], [], ['b', 'c', 'c'], ['a']]);
    expect(await collect(pagesBelow(client, '', 10))).toEqual([['a', 'b'], ['c']]);
  });

  it('asks for the prefix literally, behind the prefix of the client, which it takes off', async () => {
    const { client, scans } = scanningClient([['p?:a[b]*\\:k']], 'p?:');
    expect(await collect(pagesBelow(client, 'a[b]*\\:', 7))).toEqual([['a[b]*\\:k']]);
    expect(scans).toEqual([{ match: 'p\\?:a\\[b\\]\\*\\\\:*', count: 7 }]);
  });
});

describe('clearBelow', () => {
  it('removes page by page', async () => {
    const { client, unlinked } = scanningClient([['n:a', 'n:b'], [], ['n:c']]);
    await clearBelow(client, 'n:', 10);
    expect(unlinked).toEqual([['n:a', 'n:b'], ['n:c']]);
  });
});

describe('allSettled', () => {
  it('waits for all before it throws the first failure', async () => {
    let open: (value: number) => void = () => undefined;
    const gate = new Promise<number>((resolve) => {
      open = resolve;
    });
    const failure = new Error('first');
    let settled = false;
    const all = allSettled([gate, Promise.reject(failure), Promise.reject(new Error('second'))]);
    all.catch(() => {
      settled = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toBe(false);
    open(1);
    await expect(all).rejects.toBe(failure);
  });

  it('gives all results in their order', async () => {
    expect(await allSettled([Promise.resolve(1), Promise.resolve(2)])).toEqual([1, 2]);
  });
});
