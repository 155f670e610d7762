/** Scans of real servers while nodes come and go. */

import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HashRing } from '../../../src/index.ts';
import { Door } from '../../../src/nodes/attempt.ts';
import { RedisNode } from '../../../src/redis/node.ts';
import { NodeCaller } from '../../../src/redis/node-caller.ts';
import { Scans } from '../../../src/redis/scans/scans.ts';
import type { Fleet } from '../../../src/routing/fleet.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { RedisBackend } from '../../../src/server/backend/redis-backend.ts';
import { parseOptions } from '../../../src/server/options.ts';
import { RedisServer } from '../../../src/server/server.ts';
import { parseTarget } from '../../../src/server/target.ts';
import { firstTopology, type Topology } from '../../../src/topology/topology.ts';
import { patientMs } from '../../support/eventually.ts';
import { type RedisServer as ServerProcess, startRedis } from '../../support/redis.ts';

const ids = ['a', 'b', 'c', 'd'];
const keys = Array.from({ length: 3_000 }, (_, index) => `key:${index}`);
const fields = Array.from({ length: 2_000 }, (_, index) => `field:${index}`);
const ring = (...members: string[]) => HashRing.create(members.map((id) => ({ id })));
const three = ring('a', 'b', 'c');

let processes: ServerProcess[];
let nodes: Map<string, RedisNode>;
let topology: Topology;
let scans: Scans;

/** Keys at their nodes of a, b and c; d is there and has none. */
beforeEach(async () => {
  processes = await Promise.all(ids.map(() => startRedis()));
  nodes = new Map();
  topology = firstTopology(three, 1);
  for (const id of ids.slice(0, 3)) join(id);
  const states = { allUp: true, stateOf: () => 'up' };
  const fleet = {
    ...{ clock: systemClock, door: new Door(systemClock), health: states, states },
    get topology() {
      return topology;
    },
  } as unknown as Fleet;
  const caller = new NodeCaller(fleet, nodes, patientMs);
  const readKey = (async (_: string, key: string, ask: (id: string, key: string, limits: unknown) => unknown) =>
    ask(topology.placement.nodeFor(key), key, caller.limits())) as never;
  scans = new Scans(fleet, caller, '', readKey, () => undefined);
  await at(keys, (client, own) => client.mset(own.flatMap((key) => [key, '1'])));
  await at(['hash'], (client) => client.hset('hash', Object.fromEntries(fields.map((field) => [field, '1']))));
});

afterEach(async () => {
  await Promise.all([...nodes.values()].map(({ server }) => server.close(patientMs)));
  await Promise.all(processes.map((server) => server.stop()));
});

/** Has each node's keys written at its server. */
async function at(all: readonly string[], write: (client: Redis, own: readonly string[]) => Promise<unknown>) {
  for (const { id } of topology.placement.nodes) {
    const own = all.filter((key) => topology.placement.nodeFor(key) === id);
    if (own.length === 0) continue;
    const client = new Redis({ port: processes[ids.indexOf(id)]!.port });
    await write(client, own);
    client.disconnect();
  }
}

function join(id: string): void {
  const target = parseTarget({ host: '127.0.0.1', port: processes[ids.indexOf(id)]!.port });
  const server = new RedisServer(target, { ...parseOptions({ timeoutMs: patientMs }), nodeName: id });
  nodes.set(id, new RedisNode(id, server, new RedisBackend(server), target, new Door(systemClock), () => undefined));
}

const add = (id: string) => {
  join(id);
  topology = { ...topology, placement: topology.placement.withNode({ id }) };
};

const remove = (id: string) => {
  const { server } = nodes.get(id)!;
  nodes.delete(id);
  topology = { ...topology, placement: topology.placement.withoutNode(id) };
  void server.close(0);
};

async function* flat<Item>(pages: AsyncIterable<readonly Item[]>): AsyncGenerator<Item> {
  for await (const page of pages) yield* page;
}

async function* pages(): AsyncGenerator<string> {
  let cursor: string | Buffer = '0';
  do {
    const [next, found] = await scans.page(cursor, ['COUNT', 100], 'utf8');
    yield* found as string[];
    cursor = next;
  } while (cursor !== '0');
}

/** What comes, `act` being done once half of the keys have. */
async function collectAround(items: AsyncIterable<unknown>, half: number, act: () => unknown): Promise<Set<unknown>> {
  const seen = new Set<unknown>();
  let count = 0;
  for await (const item of items) {
    seen.add(Array.isArray(item) ? item[0] : item);
    if (++count === half) await act();
  }
  return seen;
}

const missing = (expected: readonly string[], seen: ReadonlySet<unknown>) => expected.filter((key) => !seen.has(key));

const forms: readonly [string, () => AsyncIterable<unknown>][] = [
  ['scan()', () => scans.keys({ count: 100 })],
  ['scanStream()', () => flat(scans.keyStream({ count: 100, highWaterMark: 1 }, 'utf8'))],
];

describe.each(forms)('%s over real servers', (_, begin) => {
  it('misses no key that was there when a node joins in the middle, to which others are written', async () => {
    const seen = await collectAround(begin(), keys.length / 2, async () => {
      add('d');
      await at(
        keys.map((key) => `new ${key}`),
        (client, own) => client.mset(own.flatMap((key) => [key, '1'])),
      );
    });
    expect(missing([...keys, 'hash'], seen)).toEqual([]);
  });

  it('says that the nodes have changed when one leaves in the middle with keys that were not read', async () => {
    const scan = collectAround(begin(), keys.length / 2, () => remove('b'));
    await expect(scan).rejects.toMatchObject({ code: 'ERR_NODES_CHANGED', node: 'b', retryable: true });
    const again = await collectAround(begin(), 0, () => undefined);
    const rest = keys.filter((key) => three.nodeFor(key) !== 'b');
    expect(missing(rest, again)).toEqual([]);
  });
});

describe('scan(cursor) over real servers', () => {
  it.each<[string, () => void]>([
    ['joins', () => add('d')],
    ['leaves', () => remove('a')],
  ])('says that the nodes have changed when one %s in the middle', async (_, change) => {
    const refused = { code: 'ERR_NODES_CHANGED', retryable: false };
    await expect(collectAround(pages(), keys.length / 2, change)).rejects.toMatchObject(refused);
    const seen = await collectAround(pages(), 0, () => undefined);
    const readable = keys.filter((key) => three.nodeFor(key) === topology.placement.nodeFor(key));
    expect(missing(readable, seen)).toEqual([]);
  });
});

describe('hscan() over real servers', () => {
  it('says that the nodes have changed when its key has another node, and does not mix two hashes', async () => {
    const before = three.nodeFor('hash');
    const scan = collectAround(scans.elements('hscan', 'hash', { count: 100 }), fields.length / 2, async () => {
      remove(before);
      await at(['hash'], (client) => client.hset('hash', 'of another node', '1'));
    });
    await expect(scan).rejects.toMatchObject({ code: 'ERR_NODES_CHANGED', operation: 'hscan' });
    const again = await collectAround(scans.elements('hscan', 'hash', {}), 0, () => undefined);
    expect([...again]).toEqual(['of another node']);
  });
});
