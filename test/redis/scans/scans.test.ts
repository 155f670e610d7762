/** Scans while nodes come and go: over simulated nodes, whose pages are answered as the test says. */

import { describe, expect, it } from 'vitest';
import { HashRing } from '../../../src/index.ts';
import type { RedisNode } from '../../../src/redis/node.ts';
import type { NodeCaller, NodeCommand } from '../../../src/redis/node-caller.ts';
import type { ElementCommand } from '../../../src/redis/scans/element-scan.ts';
import { Scans } from '../../../src/redis/scans/scans.ts';
import type { Fleet } from '../../../src/routing/fleet.ts';
import { CallLimits } from '../../../src/server/sending/call.ts';
import { firstTopology } from '../../../src/topology/topology.ts';

const noLimits = new CallLimits(1_000, Number.POSITIVE_INFINITY, undefined);

/** Keys by node, some to a page; which nodes there are can be changed in the middle. */
class SimulatedCluster {
  readonly keysAt = new Map<string, string[]>();
  readonly #nodes = new Map<string, RedisNode>();
  topology = firstTopology(HashRing.create([]), 1);
  /** Awaited by every page before it is answered. */
  beforePage: (node: string) => unknown = () => undefined;

  readonly scans: Scans;

  constructor(ids: readonly string[]) {
    for (const id of ids) this.add(id);
    const fleet = this as unknown as Fleet;
    const caller = this as unknown as NodeCaller;
    const readKey = async (_: string, key: string | Buffer, ask: (...args: never[]) => unknown) =>
      ask(this.topology.placement.nodeFor(String(key)) as never, key as never, noLimits as never);
    this.scans = new Scans(fleet, caller, '', readKey as never, () => undefined);
  }

  add(id: string): void {
    this.#nodes.set(id, { id } as RedisNode);
    this.keysAt.set(id, []);
    this.topology = { ...this.topology, placement: this.topology.placement.withNode({ id }) };
  }

  remove(id: string): void {
    this.#nodes.delete(id);
    this.topology = { ...this.topology, placement: this.topology.placement.withoutNode(id) };
  }

  setWeight(id: string, weight: number): void {
    this.topology = { ...this.topology, placement: this.topology.placement.withWeight(id, weight) };
  }

  /** Stores each key at its node. */
  store(keys: readonly string[]): void {
    for (const key of keys) this.keysAt.get(this.topology.placement.nodeFor(key))!.push(key);
  }

  // As a Fleet and as a NodeCaller.

  readonly health = { stateOf: () => 'up' };
  readonly states = { stateOf: () => 'up' };
  readonly limits = () => noLimits;

  nodeAt(id: string): RedisNode {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }

  has(node: RedisNode): boolean {
    return this.#nodes.get(node.id) === node;
  }

  inService(id: string): RedisNode {
    return this.nodeAt(id);
  }

  serverOf({ id }: RedisNode) {
    return { connectionCount: 1, runId: async () => `run of ${id}` };
  }

  /** SCAN, with pages of ten keys; and of any other command pages of ten elements, named after the node. */
  async call(id: string, { name, args }: NodeCommand): Promise<unknown> {
    const at = Number(name === 'scan' ? args[0] : args[1]);
    await this.beforePage(id);
    const all = name === 'scan' ? this.keysAt.get(id)! : Array.from({ length: 40 }, (_, index) => `${id}:${index}`);
    const page = all.slice(at, at + 10).map((key) => Buffer.from(key));
    return [Buffer.from(`${at + 10 < all.length ? at + 10 : 0}`), page];
  }
}

const keys = Array.from({ length: 300 }, (_, index) => `key:${index}`);

function clusterOf(...ids: string[]): SimulatedCluster {
  const cluster = new SimulatedCluster(ids);
  cluster.store(keys);
  return cluster;
}

async function* flat(pages: AsyncIterable<readonly (string | Buffer)[]>): AsyncGenerator<string | Buffer> {
  for await (const page of pages) yield* page;
}

/** All that comes, `act` being done once after so many. */
async function collectAround<Item>(items: AsyncIterable<Item>, after: number, act: () => void): Promise<Item[]> {
  const seen: Item[] = [];
  for await (const item of items) if (seen.push(item) === after) act();
  return seen;
}

const forms: readonly [string, (cluster: SimulatedCluster) => AsyncIterable<string | Buffer>][] = [
  ['scan()', ({ scans }) => scans.keys({})],
  ['scanStream()', ({ scans }) => flat(scans.keyStream({ highWaterMark: 1 }, 'utf8'))],
];

describe.each(forms)('%s while the nodes change', (_, begin) => {
  it('gives every key that was there, once, where a node is added', async () => {
    const cluster = clusterOf('a', 'b', 'c');
    const seen = await collectAround(begin(cluster), 5, () => {
      cluster.add('d');
      cluster.store(['key written at d']);
    });
    expect(seen.filter((key) => keys.includes(String(key))).sort()).toEqual([...keys].sort());
  });

  it('gives every key that was there, once, where weights change', async () => {
    const cluster = clusterOf('a', 'b', 'c');
    const seen = await collectAround(begin(cluster), 5, () => cluster.setWeight('a', 5));
    expect(seen.sort()).toEqual([...keys].sort());
  });

  it('fails, and says so, where a node is removed that has not been read to its end', async () => {
    const cluster = clusterOf('a', 'b', 'c');
    await expect(collectAround(begin(cluster), 5, () => cluster.remove('b'))).rejects.toMatchObject({
      code: 'ERR_NODES_CHANGED',
      node: 'b',
      operation: 'scan',
      retryable: true,
      message: 'scan: node b was removed while the scan ran. Begin the scan anew.',
    });
  });

  it('fails also where another node has come under the id of the one that was removed', async () => {
    const cluster = clusterOf('a', 'b', 'c');
    const replace = () => {
      cluster.remove('b');
      cluster.add('b');
    };
    await expect(collectAround(begin(cluster), 5, replace)).rejects.toMatchObject({ code: 'ERR_NODES_CHANGED' });
  });

  it('says so too where the page in flight is lost with the node, and keeps what it failed with', async () => {
    const cluster = clusterOf('a', 'b', 'c');
    const lost = new Error('closed');
    let isRemoved = false;
    cluster.beforePage = (node) => {
      if (node !== 'b') return;
      if (!isRemoved) cluster.remove('b');
      isRemoved = true;
      throw lost;
    };
    await expect(collectAround(begin(cluster), 0, () => undefined)).rejects.toMatchObject({
      code: 'ERR_NODES_CHANGED',
      node: 'b',
      cause: lost,
    });
  });

  it('ends well where a node is removed that has been read to its end', async () => {
    const cluster = new SimulatedCluster(['a', 'b', 'c']);
    cluster.keysAt.get('a')!.push(...keys.filter((key) => cluster.topology.placement.nodeFor(key) === 'a'));
    const count = cluster.keysAt.get('a')!.length;
    // The pages of b and c, which are empty, are there before the last one of a.
    const seen = await collectAround(begin(cluster), count - 1, () => cluster.remove('b'));
    expect(seen).toHaveLength(count);
  });
});

describe('a cursor of scan() after the nodes have changed', () => {
  it.each<[string, (cluster: SimulatedCluster) => void]>([
    ['a node was added', (cluster) => cluster.add('d')],
    ['a node was removed', (cluster) => cluster.remove('b')],
    ['weights were changed', (cluster) => cluster.setWeight('a', 2)],
  ])('is refused where %s', async (_, change) => {
    const cluster = clusterOf('a', 'b', 'c');
    const scan = cluster.scans.keys({});
    await scan.next();
    change(cluster);
    const refused = { code: 'ERR_NODES_CHANGED', operation: 'scan', retryable: false };
    expect(() => cluster.scans.keys({ cursor: scan.cursor })).toThrow(expect.objectContaining(refused));
  });
});

describe('scan(cursor) while the nodes change', () => {
  async function* pages({ scans }: SimulatedCluster): AsyncGenerator<string> {
    let cursor: string | Buffer = '0';
    do {
      const [next, found] = await scans.page(cursor, [], 'utf8');
      yield* found as string[];
      cursor = next;
    } while (cursor !== '0');
  }

  it('gives every key once where they stay the same', async () => {
    const cluster = clusterOf('a', 'b', 'c');
    expect((await collectAround(pages(cluster), 0, () => undefined)).sort()).toEqual([...keys].sort());
  });

  it.each<[string, (cluster: SimulatedCluster) => void]>([
    ['a node is added', (cluster) => cluster.add('d')],
    ['a node is added before the others', (cluster) => cluster.add('A')],
    ['a node is removed', (cluster) => cluster.remove('c')],
    ['weights change, so that keys count at other nodes', (cluster) => cluster.setWeight('a', 5)],
  ])('refuses its cursor where %s, in the middle of a node and between two', async (_, change) => {
    const first = clusterOf('a', 'b', 'c');
    const countOfA = first.keysAt.get('a')!.length;
    for (const after of [15, countOfA]) {
      const cluster = clusterOf('a', 'b', 'c');
      await expect(collectAround(pages(cluster), after, () => change(cluster))).rejects.toMatchObject({
        code: 'ERR_NODES_CHANGED',
        retryable: false,
        message: expect.stringMatching(/Begin the scan anew, with '0'\.$/),
      });
    }
  });

  it('goes on where the nodes are again what they were', async () => {
    const cluster = clusterOf('a', 'b', 'c');
    const seen = await collectAround(pages(cluster), 15, () => {
      cluster.add('d');
      cluster.remove('d');
    });
    expect(seen.sort()).toEqual([...keys].sort());
  });
});

describe('the scan of one key while the nodes change', () => {
  const elements = ({ scans }: SimulatedCluster, command: ElementCommand = 'sscan') =>
    scans.elements(command, 'key', {}) as AsyncIterable<unknown>;
  /** The key's node with these nodes, and a node that gets the key by being added. */
  const newcomerOf = (cluster: SimulatedCluster): string => {
    const { placement } = cluster.topology;
    for (let index = 0; ; index++) {
      if (placement.withNode({ id: `new${index}` }).nodeFor('key') === `new${index}`) return `new${index}`;
    }
  };

  it.each<[string, (cluster: SimulatedCluster) => AsyncIterable<unknown>]>([
    ['sscan()', elements],
    ['sscanStream()', ({ scans }) => flat(scans.elementStream('sscan', 'key', { highWaterMark: 1 }, 'utf8'))],
  ])('%s does not go on with what another node has under the key', async (_, begin) => {
    const cluster = clusterOf('a', 'b', 'c');
    const seen: unknown[] = [];
    const scan = (async () => {
      for await (const element of begin(cluster)) if (seen.push(element) === 5) cluster.add(newcomerOf(cluster));
    })();
    await expect(scan).rejects.toMatchObject({ code: 'ERR_NODES_CHANGED', operation: 'sscan', retryable: true });
    const home = HashRing.create([{ id: 'a' }, { id: 'b' }, { id: 'c' }]).nodeFor('key');
    expect(seen.every((element) => String(element).startsWith(`${home}:`))).toBe(true);
  });

  it('goes on where the change leaves the key at its node', async () => {
    const cluster = clusterOf('a', 'b', 'c');
    const home = cluster.topology.placement.nodeFor('key');
    const other = ['a', 'b', 'c'].find((id) => id !== home)!;
    const seen = await collectAround(elements(cluster), 5, () => cluster.remove(other));
    expect(seen).toHaveLength(40);
  });

  it('fails where the node of the key is removed, also where another one comes under its id', async () => {
    for (const comesBack of [false, true]) {
      const cluster = clusterOf('a', 'b', 'c');
      const home = cluster.topology.placement.nodeFor('key');
      const removed = collectAround(elements(cluster), 5, () => {
        cluster.remove(home);
        if (comesBack) cluster.add(home);
      });
      await expect(removed).rejects.toMatchObject({ code: 'ERR_NODES_CHANGED' });
    }
  });
});
