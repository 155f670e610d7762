/** A cache over memory nodes that fail on command, with time moved by hand. */

import { onTestFinished } from 'vitest';
import { MemoryBackend } from '../../src/backend/memory.ts';
import type { CacheEvents } from '../../src/cache/events.ts';
import type { ShardedCacheOptions } from '../../src/cache/options.ts';
import { ShardedCache } from '../../src/cache/sharded-cache.ts';
import { FaultyBackend } from '../../src/testing/faulty-backend.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';

const eventNames = [
  'failover',
  'replicaHit',
  'repaired',
  'writeMissed',
  'spill',
  'backgroundError',
  'nodeSuspect',
  'nodeDown',
  'nodeUp',
  'rebalance',
  'rebalanceDone',
] as const satisfies readonly (keyof CacheEvents)[];

export type ToldEvent = { [Name in keyof CacheEvents]: { name: Name } & CacheEvents[Name] }[keyof CacheEvents];

export interface FaultyCache {
  readonly cache: ShardedCache;
  readonly clock: SimulatedClock;
  readonly nodes: Record<string, FaultyBackend>;
  readonly events: ToldEvent[];
  /** A new node that is not a member yet. */
  newNode(id: string): FaultyBackend;
  /** Lets the health monitor find out what the nodes are like now. */
  probe(): Promise<void>;
  /** A key whose preference list begins with these nodes. */
  keyOf(...ids: string[]): string;
  /** The text stored under `key` at a node, asked there and not through the cache. */
  storedAt(id: string, key: string): Promise<string | undefined>;
  store(id: string, key: string, text: string, ttlMs?: number): Promise<void>;
}

export function makeFaultyCache(ids: readonly string[], options: Partial<ShardedCacheOptions> = {}): FaultyCache {
  const clock = new SimulatedClock();
  const stores: Record<string, MemoryBackend> = {};
  const nodes: Record<string, FaultyBackend> = {};
  const newNode = (id: string) => {
    stores[id] = new MemoryBackend({ clock });
    nodes[id] = new FaultyBackend(stores[id], { clock, nodeName: id });
    return nodes[id];
  };
  const cache = new ShardedCache({
    nodes: ids.map((id) => ({ id, backend: newNode(id) })),
    slots: 2 ** 10,
    virtualNodes: 16,
    clock,
    ...options,
  });
  const events: ToldEvent[] = [];
  for (const name of eventNames) cache.on(name, (event) => events.push({ name, ...event } as ToldEvent));
  onTestFinished(() => cache.close());
  return {
    cache,
    clock,
    nodes,
    events,
    newNode,
    probe: async () => {
      // Probing begins with the first call.
      await cache.get('probe').catch(() => {});
      for (let round = 0; round < 5; round++) await clock.advance(500);
    },
    keyOf: (...first) => {
      for (let index = 0; index < 100_000; index++) {
        const key = `key:${index}`;
        const list = cache.topology.placement.preferenceList(key, first.length);
        if (list.every((id, position) => id === first[position])) return key;
      }
      throw new Error(`no key for ${first.join(', ')}`);
    },
    storedAt: async (id, key) => {
      const bytes = await stores[id]!.get(key, {});
      return bytes === undefined ? undefined : Buffer.from(bytes).toString();
    },
    store: (id, key, text, ttlMs) =>
      stores[id]!.set(key, Buffer.from(text), {
        expiresAtMs: ttlMs === undefined ? undefined : clock.wallMs() + ttlMs,
      }),
  };
}

/** All that an async iterable yields. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
