import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError, NodeUnavailableError, TimeoutError } from '../../../src/errors/index.ts';
import { type ElementCommand, type ReadElements, scanElements } from '../../../src/redis/scans/element-scan.ts';
import { type IsOwner, type ScanScope, scanAllPages, scanKeys, scanOnePage } from '../../../src/redis/scans/scan.ts';
import type { ScanOptions } from '../../../src/redis/scans/scan-options.ts';
import { nodesToScan, ownerAmong } from '../../../src/redis/scans/scan-owner.ts';
import type { ScanNode } from '../../../src/redis/scans/scan-pages.ts';
import { elementPages, ScanStream, streamArguments } from '../../../src/redis/scans/scan-stream.ts';
import { encodeKey } from '../../../src/server/sending/key-bytes.ts';
import { anyKey } from '../../support/arbitraries.ts';
import { quiet, simulatedNode } from './scan-simulation.ts';

const everyone: IsOwner = () => true;
const scopeOf = (nodes: readonly ScanNode[], isOwner = everyone, checksum = 'of a placement'): ScanScope => ({
  nodes,
  isOwner,
  checksum,
});
const scan = (nodes: readonly ScanNode[], options: ScanOptions = {}, isOwner = everyone, checksum?: string) =>
  scanKeys(scopeOf(nodes, isOwner, checksum), options);

async function collect<Item>(items: AsyncIterable<Item>, limit = Number.POSITIVE_INFINITY): Promise<Item[]> {
  const collected: Item[] = [];
  if (limit === 0) return collected;
  for await (const item of items) if (collected.push(item) >= limit) break;
  return collected;
}

/** The pages of a node as those of one key. */
const elementsOf =
  (node: ScanNode): ReadElements =>
  async (position, args) => {
    const { next, keys } = await node.scanPage(position, args);
    return { next, items: keys };
  };

const threeNodes = () => [
  simulatedNode('a', [['a1', 'a2'], [], ['a3']]),
  simulatedNode('b', [['b1']]),
  simulatedNode('c', [[], ['c1'], ['c2', 'c3', 'c4']]),
];
const allKeys = ['a1', 'a2', 'a3', 'b1', 'c1', 'c2', 'c3', 'c4'];

describe('scan over all nodes', () => {
  it('gives every key of every node once', async () => {
    expect((await collect(scan(threeNodes()))).sort()).toEqual(allKeys);
  });

  it('hands what is looked for to every node, with pages of 1,000 unless told otherwise', async () => {
    const nodes = threeNodes();
    await collect(scan(nodes, { match: 'user:*', type: 'hash' }));
    expect(nodes[1]!.args).toEqual([['MATCH', 'user:*', 'TYPE', 'hash', 'COUNT', 1_000]]);
    await collect(scan(nodes, { count: 7 }));
    expect(nodes[1]!.args[1]).toEqual(['COUNT', 7]);
  });

  it('gives keys as the strings they were stored under, whatever those are, or as bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyKey), async (keys) => {
        const bytes = keys.map((key) => Buffer.from(encodeKey(key) as string));
        expect(await collect(scan([simulatedNode('a', [bytes])]))).toEqual(keys);
        expect(await collect(scan([simulatedNode('a', [bytes])], { buffers: true }))).toEqual(bytes);
      }),
    );
  });

  it('shows bytes that are no text as other clients do, and gives them whole as Buffers', async () => {
    const bytes = Buffer.from([0x61, 0xff]);
    expect(await collect(scan([simulatedNode('a', [[bytes]])]))).toEqual(['a\ufffd']);
    expect(await collect(scan([simulatedNode('a', [[bytes]])], { buffers: true }))).toEqual([bytes]);
  });

  it('gives a key with copies once, from its owner, and leaves out what lies at the wrong node', async () => {
    const nodes = [simulatedNode('a', [['x', 'y']]), simulatedNode('b', [['y', 'x', 'stray']])];
    const owners: Record<string, string> = { x: 'a', y: 'b', stray: 'a' };
    expect((await collect(scan(nodes, {}, (key, node) => owners[key] === node))).sort()).toEqual(['x', 'y']);
  });

  it('asks all nodes at once, and none for more than one page ahead of its reader', async () => {
    const nodes = [simulatedNode('a', [['a1', 'a2'], ['a3']], true), simulatedNode('b', [['b1'], ['b2']], true)];
    const [a, b] = nodes as [(typeof nodes)[0], (typeof nodes)[0]];
    const keys = scan(nodes);
    expect([a.asked, b.asked]).toEqual([[], []]); // Nothing before somebody reads.
    const first = keys.next();
    await quiet();
    expect([a.asked, b.asked]).toEqual([['0'], ['0']]);
    b.answer();
    a.answer();
    expect((await first).value).toBe('b1'); // Whoever answers first.
    await quiet();
    expect([a.asked, b.asked]).toEqual([['0'], ['0']]); // Both pages are here, and the reader does not come back.
    expect((await keys.next()).value).toBe('a1');
    expect([a.asked.length, b.asked.length]).toEqual([1, 2]); // The page of b is used up, that of a is not.
    expect((await keys.next()).value).toBe('a2');
    expect(a.asked.length).toBe(1);
    b.answer();
    expect((await keys.next()).value).toBe('b2');
    expect(a.asked.length).toBe(2);
    a.answer();
    expect((await keys.next()).value).toBe('a3');
    expect((await keys.next()).done).toBe(true);
  });

  it('does not let a node that is silent hold up the keys of the others', async () => {
    const silent = simulatedNode('a', [['a1']], true);
    const keys = scan([silent, simulatedNode('b', [['b1'], ['b2'], ['b3']])]);
    expect(await Promise.all([keys.next(), keys.next(), keys.next()])).toMatchObject([
      { value: 'b1' },
      { value: 'b2' },
      { value: 'b3' },
    ]);
    const last = keys.next();
    await quiet();
    silent.answer();
    expect(await last).toMatchObject({ value: 'a1' });
  });

  it('ends when the loop is left, and asks nobody any more', async () => {
    const nodes = threeNodes();
    const keys = scan(nodes);
    for await (const key of keys) if (key === 'a1') break;
    const asked = nodes.map((node) => node.asked.length);
    expect(await keys.next()).toEqual({ done: true, value: undefined });
    await quiet();
    expect(nodes.map((node) => node.asked.length)).toEqual(asked);
  });

  it('ends with `await using`', async () => {
    const keys = scan(threeNodes());
    {
      await using _ = keys;
      await keys.next();
    }
    expect(await keys.next()).toEqual({ done: true, value: undefined });
  });

  it('rejects with the reason of its signal, before, while it waits, and between keys', async () => {
    const reason = new Error('enough');
    const aborted = AbortSignal.abort(reason);
    const unasked = simulatedNode('a', [['a1']]);
    await expect(collect(scan([unasked], { signal: aborted }))).rejects.toBe(reason);
    expect(unasked.asked).toEqual([]);

    const waiting = new AbortController();
    const next = scan([simulatedNode('a', [['a1']], true)], { signal: waiting.signal }).next();
    await quiet();
    waiting.abort(reason);
    await expect(next).rejects.toBe(reason);

    const between = new AbortController();
    const keys = scan([simulatedNode('a', [['a1'], ['a2']])], { signal: between.signal });
    await keys.next();
    between.abort(reason);
    await expect(keys.next()).rejects.toBe(reason);
  });

  it.each([
    [{ matches: 'x' }, 'options.matches'],
    [{ match: 7 }, 'options.match'],
    [{ type: 7 }, 'options.type'],
    [{ count: 0 }, 'options.count'],
    [{ count: '10' }, 'options.count'],
    [{ signal: {} }, 'options.signal'],
    [{ cursor: 0 }, 'options.cursor'],
    [{ buffers: 1 }, 'options.buffers'],
    ['x', 'options'],
  ])('refuses %j', (options, field) => {
    expect(() => scan([], options as ScanOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field }),
    );
  });
});

describe('the cursor of a scan', () => {
  it('goes on without losing a key, wherever the scan was left', async () => {
    const pages = fc.array(fc.array(fc.nat(99), { maxLength: 3 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(pages, { minLength: 1, maxLength: 4 }), fc.array(fc.nat(12)), async (nodes, stops) => {
        const make = () =>
          nodes.map((node, index) =>
            simulatedNode(
              `n${index}`,
              node.map((page) => page.map((number) => `${index}/${number}`)),
            ),
          );
        const expected = new Set(nodes.flatMap((node, index) => node.flat().map((number) => `${index}/${number}`)));
        const seen = new Set<string | Buffer>();
        let cursor: string | undefined;
        for (const stop of stops) {
          const keys = scan(make(), { cursor });
          for (const key of await collect(keys, stop)) seen.add(key);
          cursor = keys.cursor;
        }
        for (const key of await collect(scan(make(), { cursor }))) seen.add(key);
        expect(seen).toEqual(expected);
      }),
    );
  });

  it('gives the page in hand again, and not those before it', async () => {
    const nodes = () => [simulatedNode('a', [['a1'], ['a2', 'a3'], ['a4']])];
    const keys = scan(nodes());
    expect(await collect(keys, 2)).toEqual(['a1', 'a2']);
    expect(await collect(scan(nodes(), { cursor: keys.cursor }))).toEqual(['a2', 'a3', 'a4']);
  });

  it('of an earlier release, without the runs of servers, begins anew with the nodes that were not done', async () => {
    const text = JSON.stringify([1, '[null,null]', [['a', '1001'], ['b'], ['c', '0']]]);
    const keys = await collect(scan(threeNodes(), { cursor: Buffer.from(text).toString('base64url') }));
    expect(keys.sort()).toEqual(allKeys.filter((key) => !key.startsWith('b')));
  });

  it('of a scan that is over leads to nothing', async () => {
    const keys = scan(threeNodes());
    await collect(keys);
    const nodes = threeNodes();
    expect(await collect(scan(nodes, { cursor: keys.cursor }))).toEqual([]);
    expect(nodes.flatMap(({ asked }) => asked)).toEqual([]);
  });

  it('may be used with pages of another size, and as bytes', async () => {
    const keys = scan(threeNodes(), { match: '*' });
    await collect(keys, 3);
    const { cursor } = keys;
    expect(() => scan(threeNodes(), { match: Buffer.from('*'), count: 3, buffers: true, cursor })).not.toThrow();
  });

  it('is refused by a scan for something else', async () => {
    const { cursor } = scan(threeNodes(), { match: 'a*' });
    for (const options of [{}, { match: 'b*' }, { match: 'a*', type: 'set' }]) {
      expect(() => scan(threeNodes(), { ...options, cursor })).toThrow(/^options\.cursor: .*same match and type/);
    }
  });

  it('is refused where the nodes are others, which the error names', async () => {
    const { cursor } = scan(threeNodes());
    const changed = { code: 'ERR_NODES_CHANGED', operation: 'scan', retryable: false };
    expect(() => scan(threeNodes().slice(0, 2), { cursor })).toThrow(
      expect.objectContaining({ ...changed, node: 'c', message: expect.stringMatching(/c left, .* nodes are a, b\./) }),
    );
    expect(() => scan([...threeNodes(), simulatedNode('d', [])], { cursor })).toThrow(
      expect.objectContaining({ ...changed, message: expect.stringMatching(/knows nothing of d\./) }),
    );
  });

  it('is refused where the same nodes have other keys, as weights have changed', async () => {
    const { cursor } = scan(threeNodes());
    expect(() => scan(threeNodes(), { cursor }, everyone, 'of another placement')).toThrow(
      expect.objectContaining({ code: 'ERR_NODES_CHANGED', message: expect.stringMatching(/weights/) }),
    );
  });

  it('of an earlier release, without the placement, is taken where the nodes are the same', async () => {
    const text = JSON.stringify([2, '[null,null]', [['a', '1001', 'run-1'], ['b'], ['c', '1002', 'run-1']]]);
    const cursor = Buffer.from(text).toString('base64url');
    expect((await collect(scan(threeNodes(), { cursor }))).sort()).toEqual(['a3', 'c2', 'c3', 'c4']);
    expect(() => scan(threeNodes().slice(0, 2), { cursor })).toThrow(/c left/);
  });

  it.each([
    ...['', '0', '17', 'x', 'bnVsbA'],
    ...[
      '[1,"[null,null]",[["a",-1],["b"],["c"]]]',
      '[2,"[null,null]",[["a","1001",7],["b"],["c"]]]',
      '[2,"[null,null]",[["a","1001",""],["b"],["c"]]]',
      '[2,"[null,null]",[["a",null,"run-1"],["b"],["c"]]]',
      '[2,"[null,null]",[["a"],["b"],["c"]],"of a placement"]',
      '[3,"[null,null]",[["a"],["b"],["c"]]]',
      '[3,"[null,null]",[["a"],["b"],["c"]],7]',
      '[4,"[null,null]",[["a"],["b"],["c"]],"of a placement"]',
    ].map((text) => Buffer.from(text).toString('base64url')),
  ])('is refused if it is none: %j', (cursor) => {
    expect(() => scan(threeNodes(), { cursor })).toThrow(InvalidArgumentError);
  });

  it('works with any ids of nodes', async () => {
    const ids = ['__proto__', '', 'a b', '\ud800', '😀', 'constructor'];
    const nodes = () => ids.map((id, index) => simulatedNode(id, [[`${index}`], ['x']]));
    const keys = scan(nodes());
    await collect(keys, 3);
    expect(new Set(await collect(scan(nodes(), { cursor: keys.cursor }))).size).toBeGreaterThan(3);
  });
});

describe('a scan of which a node fails', () => {
  it('ends with its error, names it, and can go on from the cursor', async () => {
    const failure = new TimeoutError('b', 'scan', 50);
    const make = () => [simulatedNode('a', [['a1'], ['a2']]), simulatedNode('b', [['b1'], ['b2'], ['b3']])];
    const nodes = make();
    const keys = scan(nodes);
    const seen: (string | Buffer)[] = [];
    await expect(
      (async () => {
        for await (const key of keys) {
          seen.push(key);
          if (key === 'b1') nodes[1]!.failure = failure;
        }
      })(),
    ).rejects.toBe(failure);
    expect(keys.failedNode).toBe('b');
    expect(await keys.next()).toEqual({ done: true, value: undefined });
    const rest = await collect(scan(make(), { cursor: keys.cursor }));
    expect(rest).not.toContain('b1'); // Seen in full, and the process of the server is the same.
    expect([...new Set([...seen, ...rest])].sort()).toEqual(['a1', 'a2', 'b1', 'b2', 'b3']);
  });

  it('begins anew with a node that comes back as another process, and goes on with one that is the same', async () => {
    const node = simulatedNode('a', [['a1'], ['a2'], ['a3']]);
    const keys = scan([node]);
    await keys.next();
    node.failure = new NodeUnavailableError('a', 'scan');
    await expect(keys.next()).rejects.toBe(node.failure);
    node.failure = undefined;
    const { cursor } = keys;
    expect(await collect(scan([node], { cursor }))).toEqual(['a2', 'a3']);
    node.becomeAnother('run-2', [['a3', 'a1'], ['a2']]);
    expect(await collect(scan([node], { cursor }))).toEqual(['a3', 'a1', 'a2']);
  });

  it('leaves no rejection unhandled when nobody waits for the page', async () => {
    const failing = simulatedNode('b', [['b1']]);
    failing.failure = new Error('late');
    const keys = scan([simulatedNode('a', [['a1']]), failing]);
    expect(await keys.next()).toMatchObject({ value: 'a1' });
    await keys.return();
    await quiet(); // vitest fails on an unhandled rejection.
  });
});

describe('the nodes of a scan where keys have copies', () => {
  const ids = ['a', 'b', 'c'];
  const holders: Record<string, readonly string[]> = { x: ['a', 'b'], y: ['b', 'c'], z: ['c', 'a'] };
  const contents: Record<string, readonly string[]> = { a: ['x', 'z'], b: ['x', 'y'], c: ['y', 'z'] };
  const begin = (down: readonly string[], cursor?: string) => {
    const asked = nodesToScan(ids, 2, (id) => !down.includes(id), cursor);
    const owner = ownerAmong(asked, (key) => holders[key] ?? []);
    return scan(
      asked.map((id) =>
        simulatedNode(
          id,
          (contents[id] ?? []).map((key) => [key]),
        ),
      ),
      { cursor },
      owner,
    );
  };

  it('are those in service, and each key comes once, whichever node is down', async () => {
    for (const down of [[], ['a'], ['b'], ['c']]) expect((await collect(begin(down))).sort()).toEqual(['x', 'y', 'z']);
  });

  it('are all where keys would be missing, so that the failure shows', () => {
    expect(nodesToScan(ids, 2, (id) => id === 'a', undefined)).toEqual(ids);
    expect(nodesToScan(ids, 1, (id) => id !== 'a', undefined)).toEqual(ids);
  });

  it('stay the same when the scan goes on, whoever has come back or gone down meanwhile', async () => {
    const first = begin(['a']);
    const seen = new Set(await collect(first, 1));
    for (const key of await collect(begin(['b'], first.cursor))) seen.add(key);
    expect([...seen].sort()).toEqual(['x', 'y', 'z']);
  });

  it('are refused for a cursor of too few of them', () => {
    const { cursor } = scan([simulatedNode('a', [])]);
    expect(() => begin([], cursor)).toThrow(/knows nothing of b, c/);
    expect(() => begin([], 'x')).toThrow(InvalidArgumentError);
  });
});

describe('scan a page at a time', () => {
  it('goes through all nodes in the order of their ids, whatever order they are in', async () => {
    const nodes = threeNodes().reverse();
    const pages: string[][] = [];
    let cursor = '0';
    do {
      const [next, keys] = await scanOnePage(scopeOf(nodes), cursor, ['COUNT', 2]);
      pages.push(keys.map(String));
      cursor = next;
    } while (cursor !== '0');
    expect(pages).toEqual([['a1', 'a2'], [], ['a3'], ['b1'], [], ['c1'], ['c2', 'c3', 'c4']]);
    expect(nodes[0]!.args[0]).toEqual(['COUNT', 2]);
  });

  it('gives a key with copies from its owner alone', async () => {
    const nodes = [simulatedNode('a', [['x']]), simulatedNode('b', [['x']])];
    const isOwner: IsOwner = (_, node) => node === 'b';
    const [cursor, first] = await scanOnePage(scopeOf(nodes, isOwner), '0', []);
    expect(first).toEqual([]);
    expect((await scanOnePage(scopeOf(nodes, isOwner), cursor, []))[1].map(String)).toEqual(['x']);
  });

  it('begins a node anew whose server became another process between two pages', async () => {
    const nodes = [simulatedNode('a', [['a1'], ['a2'], ['a3']]), simulatedNode('b', [['b1'], ['b2']])];
    const [cursor] = await scanOnePage(scopeOf(nodes), '0', []);
    nodes[0]!.becomeAnother('run-2', [['a2'], ['a1'], ['a3']]);
    const found: string[] = [];
    for (let at: string = cursor; ; ) {
      const [next, keys] = await scanOnePage(scopeOf(nodes), at, []);
      found.push(...keys.map(String));
      if (next === '0') break;
      at = next;
    }
    expect(found).toEqual(['a2', 'a1', 'a3', 'b1', 'b2']);
  });

  it('rejects what is no cursor', async () => {
    await expect(scanOnePage(scopeOf(threeNodes()), 'x', [])).rejects.toThrow(InvalidArgumentError);
  });
});

describe('scanStream', () => {
  const strings = async function* (nodes: readonly ScanNode[]) {
    for await (const page of scanAllPages(scopeOf(nodes), [])) yield page.map(String);
  };

  it('is a readable stream of arrays of keys', async () => {
    const pages = await collect(new ScanStream(strings(threeNodes())));
    expect(pages).toHaveLength(7);
    expect((pages as string[][]).flat().sort()).toEqual(allKeys);
  });

  it('emits data and end as streams do', async () => {
    const keys: string[] = [];
    await new Promise<void>((resolve, reject) => {
      const stream = new ScanStream(strings(threeNodes()));
      stream.on('data', (page: string[]) => keys.push(...page));
      stream.on('end', resolve).on('error', reject);
    });
    expect(keys.sort()).toEqual(allKeys);
  });

  it('ends after the page under way when it is closed', async () => {
    const node = simulatedNode(
      'a',
      Array.from({ length: 100 }, (_, index) => [`${index}`]),
    );
    const stream = new ScanStream(strings([node]), { highWaterMark: 1 });
    const pages: string[][] = [];
    for await (const page of stream as AsyncIterable<string[]>) {
      pages.push(page);
      stream.close();
    }
    expect(pages.length).toBeLessThan(5);
  });

  it('asks for no more than its reader takes', async () => {
    const node = simulatedNode(
      'a',
      Array.from({ length: 100 }, (_, index) => [`${index}`]),
    );
    const stream = new ScanStream(strings([node]), { highWaterMark: 3 });
    stream.read(0);
    await quiet();
    await quiet();
    expect(node.asked.length).toBeLessThanOrEqual(4);
    stream.destroy();
  });

  it('ends with the error of a node', async () => {
    const nodes = threeNodes();
    nodes[2]!.failure = new Error('down');
    await expect(collect(new ScanStream(strings(nodes)))).rejects.toThrow('down');
  });

  it('takes the options of ioredis', () => {
    expect(streamArguments({ match: 'a*', type: 'set', count: 5, noValues: true })).toEqual([
      ...['MATCH', 'a*', 'TYPE', 'set', 'COUNT', '5', 'NOVALUES'],
    ]);
    expect(streamArguments({ highWaterMark: 1 })).toEqual([]);
  });

  it('of one key goes from cursor to cursor', async () => {
    const node = simulatedNode('a', [['a'], [], ['b', 'c']]);
    const pages = (await collect(new ScanStream(elementPages(elementsOf(node), ['COUNT', 5])))) as Buffer[][];
    expect(pages.map((page) => page.map(String))).toEqual([['a'], [], ['b', 'c']]);
    expect(node.args[2]).toEqual(['COUNT', 5]);
  });
});

describe('the elements of one key', () => {
  const makeNode = () =>
    simulatedNode('a', [
      ['a', '1'],
      ['b', 'inf', 'c', '-inf'],
    ]);
  const read = elementsOf(makeNode());
  const elements = (command: ElementCommand, options = {}) => collect(scanElements(command, read, options));

  it('come as members, as fields with values, and as members with scores', async () => {
    expect(await elements('sscan')).toEqual(['a', '1', 'b', 'inf', 'c', '-inf']);
    expect(await elements('hscan')).toEqual([
      ['a', '1'],
      ['b', 'inf'],
      ['c', '-inf'],
    ]);
    expect(await elements('zscan')).toEqual([
      ['a', 1],
      ['b', Number.POSITIVE_INFINITY],
      ['c', Number.NEGATIVE_INFINITY],
    ]);
  });

  it('come as bytes where these are asked for', async () => {
    expect((await elements('hscan', { buffers: true }))[0]).toEqual([Buffer.from('a'), Buffer.from('1')]);
  });

  it('go on from the cursor with the page in hand', async () => {
    const scan = scanElements('hscan', read, {});
    expect(scan.cursor).toBe('0');
    await scan.next();
    await scan.next();
    expect(await elements('hscan', { cursor: scan.cursor })).toHaveLength(2);
  });

  it('begin anew where another server process has the key, also in the middle and for a cursor without its run', async () => {
    const node = makeNode();
    const scan = scanElements('sscan', elementsOf(node), {});
    await scan.next();
    await scan.next();
    await scan.next(); // The first of the second page.
    const { cursor } = scan;
    node.becomeAnother('run-2', [['b'], ['a'], ['c']]);
    for (const earlier of [cursor, cursor.split('@')[0]!]) {
      expect(await collect(scanElements('sscan', elementsOf(node), { cursor: earlier }))).toEqual(['b', 'a', 'c']);
    }
    const running = scanElements('sscan', elementsOf(node), {});
    await running.next();
    await running.next();
    node.becomeAnother('run-3', [['c'], ['b'], ['a']]);
    expect(await collect(running)).toEqual(['c', 'b', 'a']);
  });

  it('refuse what is no cursor, and options they do not have', async () => {
    for (const cursor of ['x', '', '5@', '5@ ', '@run', `5@${'a'.repeat(65)}`]) {
      expect(() => scanElements('hscan', read, { cursor })).toThrow(InvalidArgumentError);
    }
    expect(() => scanElements('hscan', read, { type: 'set' } as object)).toThrow(InvalidArgumentError);
  });
});
