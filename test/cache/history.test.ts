/**
 * Random histories under simulated time: six callers and a stream of lazy changes, every node with a delay of its own.
 *
 * Every value is written once, so that a read tells which write it saw. Checked against the intervals of the calls:
 *   - no read sees a value that another write or a delete had replaced before the read began;
 *   - no read misses a value that was set before it began and that nothing removed;
 *   - no increment gives a sum that another gave, or a smaller one than a finished one before it.
 */

import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/runtime/random.ts';
import { collect, makeFaultyCache } from '../support/faulty-cache.ts';

interface Write {
  readonly value: string | undefined;
  readonly begin: number;
  end: number;
}

interface Read {
  readonly value: string | undefined;
  readonly begin: number;
  readonly end: number;
}

interface Sum {
  readonly sum: number;
  readonly begin: number;
  readonly end: number;
}

const keys = Array.from({ length: 8 }, (_, index) => `key:${index}`);
const counters = ['counter:0', 'counter:1', 'counter:2'];

class History {
  #tick = 0;
  readonly writes = new Map<string, Write[]>(keys.map((key) => [key, []]));
  readonly reads = new Map<string, Read[]>(keys.map((key) => [key, []]));
  readonly sums = new Map<string, Sum[]>(counters.map((key) => [key, []]));
  operations = 0;

  begin(): number {
    this.operations++;
    return ++this.#tick;
  }
  async write(
    entries: readonly (readonly [string, string | undefined])[],
    call: () => Promise<unknown>,
  ): Promise<void> {
    const begin = this.begin();
    const writes = entries.map(([key, value]) => {
      const write: Write = { value, begin, end: Number.POSITIVE_INFINITY };
      this.writes.get(key)!.push(write);
      return write;
    });
    await call();
    for (const write of writes) write.end = ++this.#tick;
  }
  async read(asked: readonly string[], call: () => Promise<ReadonlyMap<string, unknown>>): Promise<void> {
    const begin = this.begin();
    const hits = await call();
    const end = ++this.#tick;
    for (const key of asked) this.reads.get(key)!.push({ value: hits.get(key) as string | undefined, begin, end });
  }
  async increment(key: string, call: () => Promise<number>): Promise<void> {
    const begin = this.begin();
    const sum = await call();
    this.sums.get(key)!.push({ sum, begin, end: ++this.#tick });
  }

  faults(): string[] {
    return [...keys.flatMap((key) => this.#faultsOfReads(key)), ...counters.flatMap((key) => this.#faultsOfSums(key))];
  }
  #faultsOfReads(key: string): string[] {
    const writes = this.writes.get(key)!;
    return this.reads.get(key)!.flatMap(({ value, begin, end }) => {
      if (value !== undefined) {
        const seen = writes.find((write) => write.value === value);
        if (seen === undefined) return [`${key}: ${value} was never written`];
        const isReplaced = writes.some((write) => write !== seen && write.begin > seen.end && write.end < begin);
        return isReplaced ? [`${key}: ${value} was read after it was replaced`] : [];
      }
      const kept = writes.findLast((write) => write.value !== undefined && write.end < begin);
      if (kept === undefined) return [];
      const mayBeRemoved = writes.some(
        (write) => write.value === undefined && write.end > kept.begin && write.begin < end,
      );
      return mayBeRemoved ? [] : [`${key}: ${kept.value} was missed`];
    });
  }
  #faultsOfSums(key: string): string[] {
    const sums = this.sums.get(key)!;
    const repeated = sums.filter(({ sum }, index) => sums.findIndex((other) => other.sum === sum) !== index);
    const backwards = sums.filter(({ sum, begin }) => sums.some((other) => other.end < begin && other.sum > sum));
    return [...repeated, ...backwards].map(({ sum }) => `${key}: counted ${sum} again`);
  }
}

async function play(seed: number): Promise<History> {
  const random = seededRandom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = <Item>(items: readonly Item[]) => items[below(items.length)]!;
  const replicationFactor = 1 + below(3);
  const { cache, clock, nodes, newNode } = makeFaultyCache(['a', 'b', 'c', 'd'], {
    replicationFactor,
    writeConsistency: pick(['one', 'quorum', 'all'] as const),
    readRepair: random() < 0.5,
    confirmMisses: random() < 0.8,
  });
  for (const node of Object.values(nodes)) node.delayMs = below(6);
  const history = new History();
  let isOver = false;
  let written = 0;
  const pause = (ms: number) => new Promise<void>((resolve) => clock.schedule(ms, resolve, true));
  const some = () => [...new Set([pick(keys), pick(keys), pick(keys)])];
  const act = async () => {
    const kind = below(7);
    const key = pick(keys);
    const value = `value ${++written}`;
    if (kind === 0) return history.write([[key, value]], () => cache.set(key, value));
    if (kind === 1) return history.write([[key, undefined]], () => cache.delete(key));
    if (kind === 2) {
      const entries = some().map((name) => [name, `${value} of ${name}`] as const);
      return history.write(entries, () => cache.setMany(entries));
    }
    if (kind === 3) {
      const removed = some();
      return history.write(
        removed.map((name) => [name, undefined]),
        () => cache.deleteMany(removed),
      );
    }
    if (kind === 4) {
      const counter = pick(counters);
      return history.increment(counter, () => cache.increment(counter));
    }
    if (kind === 5) {
      const asked = some();
      return history.read(asked, () => cache.getMany(asked));
    }
    return history.read([key], async () => new Map([[key, await cache.get(key)]]));
  };
  const caller = async () => {
    while (!isOver) {
      await act();
      await pause(below(8));
    }
  };
  const changer = async () => {
    for (let change = 0; !isOver; change++) {
      await pause(20 + below(200));
      const members = cache.topology.placement.nodes.map(({ id }) => id);
      const kind = below(3);
      const make = () => {
        const options = { lazyForMs: 1_000_000 };
        if (kind === 0 && members.length < 7) {
          const backend = newNode(`new ${change}`);
          backend.delayMs = below(6);
          return cache.addNode({ id: `new ${change}`, backend }, options);
        }
        if (kind === 1 && members.length > Math.max(replicationFactor, 2)) {
          return cache.removeNode(pick(members), options);
        }
        return cache.setWeight(pick(members), 0.5 + 2 * random(), options);
      };
      const changing = make();
      await changing;
      await pause(below(100));
      await endJointPhase(changing);
    }
  };
  /** All keys are asked for, and what is left at nodes that do not hold them, which no later change may find, is removed. */
  const endJointPhase = async (changing: ReturnType<typeof cache.setWeight>) => {
    const all = [...keys, ...counters];
    await cache.getMany(all);
    await pause(50);
    changing.cancel();
    await collect(changing);
    const { placement } = cache.topology;
    for (const { id } of placement.nodes) {
      const foreign = all.filter((key) => !placement.preferenceList(key, replicationFactor).includes(id));
      await Promise.all(foreign.map((key) => nodes[id]!.delete(key, {})));
    }
  };
  const all = Promise.all([...Array.from({ length: 6 }, caller), changer()]);
  await clock.advance(2_000);
  isOver = true;
  await clock.advance(3_000);
  await all;
  return history;
}

describe('a history of calls by several callers while nodes come and go', () => {
  it.each(Array.from({ length: 12 }, (_, index) => index + 1))(
    'could have come from one store: seed %i',
    async (seed) => {
      const history = await play(seed);
      expect(history.operations).toBeGreaterThan(500);
      expect(history.faults()).toEqual([]);
    },
  );
});
