import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/memory.ts';
import type { CacheNode, ShardedCacheOptions } from '../../src/cache/options.ts';
import { ShardedCache } from '../../src/cache/sharded-cache.ts';
import { ketama, libmemcached } from '../../src/placement/compat/rings.ts';
import type { Placement } from '../../src/placement/placement.ts';
import { RangeSharding } from '../../src/placement/ranges/range-sharding.ts';
import { Rendezvous } from '../../src/placement/rendezvous/rendezvous.ts';
import { RendezvousTable } from '../../src/placement/rendezvous/rendezvous-table.ts';
import { BoundedLoadRing } from '../../src/placement/ring/bounded-load-ring.ts';
import { HashRing } from '../../src/placement/ring/hash-ring.ts';
import { planRebalance } from '../../src/rebalance/plan.ts';
import { makeFaultyCache } from '../support/faulty-cache.ts';
import { placementKinds, pointRingKinds } from '../support/placement-kinds.ts';

const nodes = (...ids: string[]): CacheNode[] => ids.map((id) => ({ id, backend: new MemoryBackend() }));
const keys = Array.from({ length: 300 }, (_, index) => `user:${index}`);
const entries = keys.map((key) => [key, `value of ${key}`] as const);
const invalid = (field: string) => expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field });

const kinds: readonly (readonly [name: string, make: NonNullable<ShardedCacheOptions['placement']>])[] = [
  ...[...placementKinds, ...pointRingKinds].map(({ name, create }) => [name, create] as const),
  ['BoundedLoadRing', (given) => BoundedLoadRing.create(given)],
  ['RangeSharding', (given) => RangeSharding.fromSample(given, keys)],
];

describe('a cache with a placement of its own', () => {
  it.each(kinds)('keeps every value where %s says, through joins, leaves and reads', async (_, placement) => {
    const cache = new ShardedCache<string>({ nodes: nodes('a', 'b', 'c'), placement, replicationFactor: 2 });
    await cache.setMany(entries);
    for (const key of keys.slice(0, 20)) {
      const holders = cache.topology.placement.preferenceList(key, 2);
      const explained = cache.explain(key).nodes.filter(({ role }) => role !== 'next');
      expect(explained.map(({ id }) => id)).toEqual(holders);
    }
    const before = cache.topology.placement;
    const adding = cache.addNode({ id: 'd', backend: new MemoryBackend() });
    const plan = await adding;
    expect(plan.slots).toBe(planRebalance(before, cache.topology.placement, { replicationFactor: 2 }).slots);
    expect(cache.topology.placement.nodes.map(({ id }) => id).sort()).toEqual(['a', 'b', 'c', 'd']);
    expect((await cache.getMany(keys)).size).toBe(keys.length);
    await setImmediate(); // What was found at previous owners is copied behind the answer.
    adding.cancel();
    // The last of the list may leave by every kind.
    await cache.removeNode(cache.topology.placement.nodes.at(-1)!.id);
    expect((await cache.getMany(keys)).size).toBe(keys.length);
    await cache.close();
  });

  it('takes a placement as it is, made of the very same nodes', async () => {
    const placement = RendezvousTable.create([{ id: 'a', weight: 3, zone: 'eu' }, { id: 'b' }]);
    const cache = new ShardedCache({ nodes: nodes('b', 'a'), placement });
    expect(cache.topology.placement).toBe(placement);
    await cache.setWeight('a', 1, { strategy: 'none' });
    expect(cache.topology.placement.checksum).toBe(placement.withWeight('a', 1).checksum);
    await cache.close();
  });

  it('gives a maker the nodes in the order given and the length of lists', async () => {
    const calls: unknown[] = [];
    const placement = (given: Parameters<typeof HashRing.create>[0], replicationFactor: number): Placement => {
      calls.push([[...given].map(({ id, weight }) => [id, weight]), replicationFactor]);
      return HashRing.create(given, { replicationFactor });
    };
    const given = [{ id: 'z', backend: new MemoryBackend(), weight: 2 }, ...nodes('a')];
    const cache = new ShardedCache({ nodes: given, placement, replicationFactor: 2 });
    expect(calls).toEqual([
      [
        [
          ['z', 2],
          ['a', 1],
        ],
        2,
      ],
    ]);
    await cache.close();
  });

  it('explains a key without inventing a position where there is none', async () => {
    const ranges = new ShardedCache({
      nodes: nodes('a', 'b'),
      placement: RangeSharding.create([{ id: 'a' }, { id: 'b' }], {
        splits: [
          { start: '', node: 'a' },
          { start: 'm', node: 'b' },
        ],
      }),
    });
    const { nodes: order, ...rest } = ranges.explain('{a}z');
    expect(rest).toEqual({ routingKey: '{a}z', previousOwners: [], epoch: 1 });
    expect(order[0]!.id).toBe('b');
    await ranges.close();
  });

  it('refuses a value that is not a placement, other nodes, and options of the ring beside it', () => {
    const placement = Rendezvous.create([{ id: 'a', weight: 2 }, { id: 'b' }]);
    const make = (options: object) => () => new ShardedCache({ nodes: nodes('a', 'b'), ...options } as never);
    expect(make({ placement: {} })).toThrow(invalid('placement.nodeFor'));
    expect(make({ placement: 'ring' })).toThrow(invalid('placement'));
    expect(make({ placement: () => undefined })).toThrow(invalid('placement'));
    // A maker is given the length of lists too, which is no options.
    expect(make({ placement: libmemcached })).toThrow(invalid('options'));
    expect(make({ placement, nodes: nodes('a', 'c') })).toThrow(invalid('placement'));
    expect(make({ placement, nodes: nodes('a') })).toThrow(invalid('placement'));
    expect(make({ placement, hashSeed: 1 })).toThrow(invalid('hashSeed'));
    const weighted = [{ ...nodes('a')[0], weight: 5 }, nodes('b')[0]];
    expect(make({ placement, nodes: weighted })).toThrow(invalid('nodes[0].weight'));
    const zoned = [{ ...nodes('a')[0], zone: 'eu' }, nodes('b')[0]];
    expect(make({ placement, nodes: zoned })).toThrow(invalid('nodes[0].zone'));
    expect(make({ placement })).not.toThrow();
  });
});

describe('setPlacement', () => {
  it('moves from another ring to ours without a miss', async () => {
    const ids = ['10.0.0.1:11211', '10.0.0.2:11211', '10.0.0.3:11211'];
    const cache = new ShardedCache<string>({ nodes: nodes(...ids), placement: (given) => ketama(given) });
    await cache.setMany(entries);
    const events: unknown[] = [];
    cache.on('rebalance', ({ change }) => events.push(change));
    const ring = HashRing.create(ids.map((id) => ({ id })));
    const plan = await cache.setPlacement(ring);
    expect(plan).toMatchObject({ basis: 'keys', slots: 65_536 });
    expect(plan.movedShare).toBeGreaterThan(0.4);
    expect(events).toEqual([{ kind: 'setPlacement' }]);
    expect(cache.topology.placement).toBe(ring);
    expect((await cache.getMany(keys)).size).toBe(keys.length);
    await cache.close();
  });

  it('splits a range and gives a part of it to another node', async () => {
    const placement = RangeSharding.create([{ id: 'a' }, { id: 'b' }], { splits: [{ start: '', node: 'a' }] });
    const cache = new ShardedCache<string>({ nodes: nodes('a', 'b'), placement });
    await cache.setMany(entries);
    const plan = await cache.setPlacement((current) => (current as RangeSharding).split('user:2', 'b'));
    expect(plan).toMatchObject({ basis: 'ranges', slots: 2, movedShare: 0.5 });
    expect(plan.moves).toEqual([
      expect.objectContaining({ from: 'a', to: 'b', ranges: [['user:2', undefined]], slots: [[1, 2]] }),
    ]);
    expect((await cache.getMany(keys)).size).toBe(keys.length);
    expect(cache.explain('user:3').nodes[0]!.id).toBe('b');
    await cache.close();
  });

  it('refuses a placement of other nodes, and leaves everything as it was', async () => {
    const cache = new ShardedCache({ nodes: nodes('a', 'b') });
    const { topology } = cache;
    await expect(cache.setPlacement(HashRing.create([{ id: 'a' }]))).rejects.toThrow(invalid('placement'));
    await expect(cache.setPlacement({} as never)).rejects.toThrow(invalid('placement.nodeFor'));
    expect(cache.topology).toBe(topology);
    await cache.close();
  });

  it('does not take two nodes for one whose id lists them', async () => {
    const cache = new ShardedCache({ nodes: nodes('a, b') });
    const other = HashRing.create([{ id: 'a' }, { id: 'b' }]);
    await expect(cache.setPlacement(other)).rejects.toThrow(invalid('placement'));
    await cache.close();
  });
});

describe('a read during which the nodes change twice', () => {
  it.each(['get', 'getMany', 'has'] as const)('is a miss if the key is nowhere: %s', async (how) => {
    const { cache, clock, nodes: members, newNode } = makeFaultyCache(['a', 'b', 'c']);
    const before = cache.topology.placement;
    const after = before.withNode({ id: 'd' });
    const key = keys.find((name) => after.nodeFor(name) === 'd')!;
    members[before.nodeFor(key)]!.delayMs = 10;
    const read: Promise<unknown> = how === 'getMany' ? cache.getMany([key]) : cache[how](key);
    const outcome = read.catch((error: unknown) => error);
    await Promise.all([
      cache.addNode({ id: 'd', backend: newNode('d') }, { strategy: 'none' }),
      cache.addNode({ id: 'e', backend: newNode('e') }),
    ]);
    await clock.advance(100);
    expect(await outcome).toEqual(how === 'getMany' ? new Map() : how === 'get' ? undefined : false);
  });
});
