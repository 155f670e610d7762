/**
 * Each call keeps to one topology: it is made beside a change that begins at every one of its moments, and what passes the
 * door is compared with the topologies in force meanwhile.
 */

import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { MemoryBackend } from '../../src/backend/memory.ts';
import type { ShardedCache } from '../../src/cache/sharded-cache.ts';
import type { ChangeOptions } from '../../src/cluster/change-options.ts';
import type { Rebalance } from '../../src/cluster/rebalance.ts';
import { HashRing, RendezvousTable } from '../../src/index.ts';
import { Door } from '../../src/nodes/attempt.ts';
import type { Member } from '../../src/nodes/node.ts';
import type { Effect, Operation } from '../../src/nodes/operation.ts';
import { SetIfAbsent } from '../../src/nodes/operations.ts';
import { ShardedRedis } from '../../src/redis/index.ts';
import { RedisServer } from '../../src/server/server.ts';
import { mayHold, routeOf } from '../../src/topology/route.ts';
import { memberIdsOf, type Topology } from '../../src/topology/topology.ts';
import { patientMs } from '../support/eventually.ts';
import { type FakeRedis, startFakeRedis, welcome } from '../support/fake-redis.ts';
import { collect, type FaultyCache, makeFaultyCache } from '../support/faulty-cache.ts';
import '../support/seed.ts';

const ids = ['a', 'b', 'c'];
const none = { strategy: 'none' } as const;
/** Two placements of the same nodes that have nothing in common: keys that were together are not, and others are. */
const nodes = ids.map((id) => ({ id }));
const placements = [
  HashRing.create(nodes, { slots: 2 ** 9, virtualNodes: 16 }),
  RendezvousTable.create(nodes, { slots: 2 ** 9 }),
] as const;
const keys = Array.from({ length: 40 }, (_, index) => `key:${index}`).filter(
  (one) => placements[0].nodeFor(one) !== placements[1].nodeFor(one),
);
const [key] = keys as [string];

const microtasks = async (count: number) => {
  for (let left = count; left > 0; left--) await undefined;
};

/** What passed the door. */
interface Passed {
  readonly node: string;
  readonly name: string;
  readonly keys: readonly string[];
  readonly effect: Effect;
  /** It gives a node what another one has. */
  readonly isCopy: boolean;
  /** How many topologies had been in force by then. */
  readonly known: number;
}

/** All that passed the door since the call began, and the topologies in force meanwhile, that of its beginning first. */
interface Story {
  readonly passed: Passed[];
  readonly topologies: Topology[];
}

type Told = { readonly topology: Topology; on(event: 'rebalance', listener: () => void): unknown };
type Asked = Pick<Operation<unknown>, 'name' | 'keys' | 'effect' | 'isInSteps'>;

/** @param answer  In place of the nodes; undefined where the node is to be asked. */
function record(face: Told, answer: (member: Member, asked: Asked) => unknown = () => undefined): { begin(): Story } {
  let story: Story = { passed: [], topologies: [] };
  const note = ({ id }: Member, { name, keys: asked, effect }: Asked, isCopy: boolean) =>
    story.passed.push({ node: id, name, keys: [...asked], effect, isCopy, known: story.topologies.length });
  const { enter, send } = Door.prototype;
  const callServer = RedisServer.prototype.call;
  const answered = async (reply: unknown) => {
    await microtasks(3);
    return reply as never;
  };
  /** Whose command is sent next, in the same turn. */
  let entered: readonly [Member, Asked] | undefined;
  vi.spyOn(Door.prototype, 'enter').mockImplementation(function (this: Door, member, asked) {
    note(member, asked, asked instanceof SetIfAbsent);
    entered = [member, asked];
    enter.call(this, member, asked);
  });
  vi.spyOn(Door.prototype, 'send').mockImplementation(function (this: Door, ...args) {
    const [member, operation] = args;
    const reply = answer(member, operation);
    if (reply === undefined) return send.apply(this, args) as Promise<never>;
    this.enter(member, operation);
    return answered(reply);
  });
  vi.spyOn(RedisServer.prototype, 'call').mockImplementation(function (this: RedisServer, ...args) {
    const [spec, , limits, observer] = args;
    const reply = entered === undefined || observer === undefined ? undefined : answer(...entered);
    entered = undefined;
    if (reply === undefined) return callServer.apply(this, args) as Promise<never>;
    observer?.answered(spec, limits);
    return answered(spec.decode(reply));
  });
  face.on('rebalance', () => story.topologies.push(face.topology));
  return {
    begin: () => {
      story = { passed: [], topologies: [face.topology] };
      return story;
    },
  };
}

const belongsTo = ({ node, keys: asked }: Passed, topology: Topology): boolean =>
  asked.length === 0 ? memberIdsOf(topology).has(node) : asked.every((one) => mayHold(routeOf(topology, one), node));

/** The epochs that all of these can belong to. */
const commonEpochs = (topologies: readonly Topology[], passed: readonly Passed[]): number[] =>
  topologies
    .filter((topology, index) => passed.every((one) => index < one.known && belongsTo(one, topology)))
    .map(({ epoch }) => epoch);

const areOfNoKey = ({ name }: Passed) => ['scan', 'flushall', 'hscan'].includes(name);

function expectOneEpoch({ passed, topologies }: Story, isWrite: boolean): void {
  expect(passed.filter((one) => one.keys.length === 0 && !areOfNoKey(one))).toEqual([]);
  for (const one of passed) expect(commonEpochs(topologies, [one]), JSON.stringify(one)).not.toEqual([]);
  // A read goes on by another topology where it found nothing; its first questions are of one.
  const firsts = passed.filter(({ keys: asked }, index) =>
    asked.every((one) => !passed.slice(0, index).some(({ keys: before }) => before.includes(one))),
  );
  expect(commonEpochs(topologies, firsts), JSON.stringify(firsts)).not.toEqual([]);
  if (!isWrite) return;
  const writes = passed.filter(({ effect, isCopy }) => effect !== 'reads' && !isCopy);
  expect(writes.length).toBeGreaterThan(0);
  expect(commonEpochs(topologies, writes), JSON.stringify(writes)).not.toEqual([]);
}

interface World {
  readonly record: { begin(): Story };
  /** Begins a change that moves keys. Resolves when it is over. */
  change(): Promise<unknown>;
}

/** A change begins so many microtasks before a call, so that some take force as it begins. */
const earliest = -25;

/** Makes the call once for each moment at which a change can begin. @returns  How often one took force within the call. */
async function atEveryMoment(make: () => Promise<World> | World, call: () => Promise<unknown>, isWrite: boolean) {
  let within = 0;
  for (let moment = earliest; ; moment++) {
    const world = await make();
    let changing = moment < 0 ? world.change() : undefined;
    await microtasks(-moment);
    const story = world.record.begin();
    let hasEnded = false;
    const called = call().finally(() => {
      hasEnded = true;
      if (story.topologies.length > 1) within++;
    });
    await microtasks(moment);
    const isLast = hasEnded;
    changing ??= world.change();
    await Promise.all([called, changing]);
    expectOneEpoch(story, isWrite);
    if (isLast) return within;
  }
}

/** Made one after the other, with no time for the others between them: a change moves keys, and back. */
async function changesOf(cache: ShardedCache, options: ChangeOptions): Promise<void> {
  for (const placement of [placements[1], placements[0]]) {
    const changing = cache.setPlacement(placement, options);
    await changing;
    await microtasks(2);
    changing.cancel();
    await collect(changing);
  }
}

type Calls<Client, Given = void> = Readonly<Record<string, (client: Client, given: Given) => Promise<unknown>>>;
const namesOf = (...calls: readonly object[]) => calls.flatMap((all) => Object.keys(all));

describe('a call of a ShardedCache', () => {
  afterEach(() => vi.restoreAllMocks());

  const reads: Calls<ShardedCache> = {
    get: (cache) => cache.get(key),
    'get of a miss': (cache) => cache.get('nothing'),
    has: (cache) => cache.has(key),
    ttl: (cache) => cache.ttl(key),
    getMany: (cache) => cache.getMany([...keys, 'nothing', 'nothing else']),
  };
  const writes: Calls<ShardedCache> = {
    set: (cache) => cache.set(key, 1),
    delete: (cache) => cache.delete(key),
    expire: (cache) => cache.expire(key, 1_000),
    increment: (cache) => cache.increment('counter'),
    setMany: (cache) => cache.setMany(keys.map((one) => [one, 1])),
    deleteMany: (cache) => cache.deleteMany(keys),
  };
  const cases = namesOf(reads, writes).flatMap((name) =>
    (['none', 'lazy'] as const).flatMap((strategy) => [1, 2].map((copies) => [name, strategy, copies] as const)),
  );

  async function loaded(replicationFactor: number): Promise<FaultyCache> {
    const options = { replicationFactor, placement: placements[0], slots: undefined, virtualNodes: undefined };
    const made = makeFaultyCache(ids, options);
    await made.cache.setMany([...keys.map((one) => [one, 1] as const), ['counter', 1]]);
    return made;
  }

  it.each(cases)('%s keeps to one topology beside changes by %s with %i copies', async (name, strategy, copies) => {
    let cache: ShardedCache;
    const make = async () => {
      vi.restoreAllMocks();
      ({ cache } = await loaded(copies));
      return { record: record(cache), change: () => changesOf(cache, { strategy }) };
    };
    const call = () => (reads[name] ?? writes[name])!(cache);
    expect(await atEveryMoment(make, call, name in writes)).toBeGreaterThan(0);
  });
});

/** Calls of a cache, each with keys of its own. */
const callsWith: Calls<ShardedCache, readonly string[]> = {
  get: (cache, [one]) => cache.get(one!),
  set: (cache, [one]) => cache.set(one!, 1),
  increment: (cache, [one]) => cache.increment(one!),
  delete: (cache, [one]) => cache.delete(one!),
  getMany: (cache, own) => cache.getMany(own),
  setMany: (cache, own) => cache.setMany(own.map((one) => [one, 1])),
  deleteMany: (cache, own) => cache.deleteMany(own),
};

const changes: Calls<ShardedCache, ChangeOptions & { backend: MemoryBackend }> = {
  add: (cache, { backend, ...options }) => ended(cache.addNode({ id: 'd', backend }, options)),
  remove: (cache, { backend, ...options }) => ended(cache.removeNode('d', options)),
  'remove one of the first': (cache, { backend, ...options }) => ended(cache.removeNode('c', options)),
  weigh: (cache, { backend, ...options }) => ended(cache.setWeight('a', 4, options)),
  place: (cache, { backend, ...options }) =>
    ended(cache.setPlacement((now) => RendezvousTable.create(now.nodes, { slots: 2 ** 10 }), options)),
};

async function ended(changing: Rebalance): Promise<void> {
  await changing;
  await microtasks(10);
  changing.cancel();
}

const anyStep = fc.record({
  call: fc.constantFrom(...Object.keys(callsWith)),
  change: fc.option(fc.constantFrom(...Object.keys(changes)), { nil: undefined, freq: 2 }),
  strategy: fc.constantFrom('none', 'lazy'),
  pause: fc.integer({ min: 0, max: 8 }),
});

describe('calls of a ShardedCache beside one another', () => {
  afterEach(() => vi.restoreAllMocks());

  it('each keep to one topology while nodes come and go, are weighed and placed anew', async () => {
    const anyRun = fc.array(anyStep, { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(anyRun, fc.constantFrom(1, 2), async (run, replicationFactor) => {
        vi.restoreAllMocks();
        const { cache } = makeFaultyCache(ids, { replicationFactor });
        const { passed, topologies } = record(cache).begin();
        const begun: { readonly name: string; readonly own: readonly string[]; readonly since: number }[] = [];
        const ends: Promise<unknown>[] = [];
        for (const [index, { call, change, strategy, pause }] of run.entries()) {
          // A change may be refused, and what a removed node was asked may fail: that is not looked at here.
          const options = { strategy, backend: new MemoryBackend() } as const;
          if (change !== undefined) ends.push(changes[change]!(cache, options).catch(() => undefined));
          await microtasks(pause);
          const own = keys.map((one) => `${index} ${one}`);
          begun.push({ name: call, own, since: topologies.length - 1 });
          ends.push(callsWith[call]!(cache, own).catch(() => undefined));
        }
        await Promise.all(ends);
        for (const { name, own, since } of begun) {
          const ofCall = passed.filter((one) => own.includes(one.keys[0]!));
          const known = ofCall.map((one) => ({ ...one, known: one.known - since }));
          const isWrite = !name.startsWith('get') && known.some(({ effect }) => effect !== 'reads');
          expectOneEpoch({ passed: known, topologies: topologies.slice(since) }, isWrite);
        }
        await cache.close();
      }),
      { numRuns: 60 },
    );
  });
});

describe('a call of a ShardedRedis', () => {
  const reads: Calls<ShardedRedis> = {
    get: (redis) => redis.get(key),
    mget: (redis) => redis.mget(keys),
    exists: (redis) => redis.exists(keys),
    scan: (redis) => collect(redis.scan({})),
  };
  const writes: Calls<ShardedRedis> = {
    set: (redis) => redis.set(key, 1),
    incr: (redis) => redis.incr(key),
    spop: (redis) => redis.spop(key, 2),
    mset: (redis) => redis.mset(keys.flatMap((one) => [one, 1])),
    del: (redis) => redis.del(keys),
    unlink: (redis) => redis.unlink(keys),
    lmove: (redis) => redis.lmove('{t}a', '{t}b', 'LEFT', 'RIGHT'),
    eval: (redis) => redis.eval('return 1', 2, '{t}a', '{t}b'),
    pipeline: (redis) =>
      keys.reduce((all, one) => all.set(one, 1), redis.pipeline().mset(keys.flatMap((one) => [one, 1]))).exec(),
    multi: (redis) => redis.multi().set('{t}a', 1).incr('{t}b').exec(),
    flushall: (redis) => redis.flushall(),
  };
  const cases = namesOf(reads, writes).flatMap((name) => [1, 2].map((copies) => [name, copies] as const));

  let servers: FakeRedis[];
  const clients: ShardedRedis[] = [];

  /** Their servers are there to be connected to; the commands are answered at the door. */
  beforeAll(async () => {
    servers = await Promise.all(ids.map(() => startFakeRedis((command) => welcome(command) ?? '+OK\r\n')));
    for (const replicationFactor of [1, 2]) {
      const redis = new ShardedRedis({
        ...{
          nodes: servers.map(({ port }, index) => ({ id: ids[index]!, port })),
          replicationFactor,
          placement: placements[0],
          scripts: 'deterministic',
          allowSharedServers: true,
        },
        ...{ timeoutMs: patientMs, health: { probeTimeoutMs: patientMs } },
      });
      await redis.ready();
      clients.push(redis);
    }
  });

  afterEach(() => vi.restoreAllMocks());

  afterAll(async () => {
    await Promise.all(clients.map((redis) => redis.quit()));
    for (const server of servers) await server[Symbol.asyncDispose]();
  });

  const bytes = (text: string) => Buffer.from(text);

  /** What has several steps is done: they pass the door themselves. */
  function replyTo(_: Member, { name, keys: asked, isInSteps }: Asked): unknown {
    if (isInSteps === true) return undefined;
    if (name === 'mget') return asked.map(() => null);
    if (name === 'scan') return [bytes('0'), []];
    if (name === 'spop') return [bytes('one'), bytes('two')];
    if (name === 'multi')
      return [
        [null, 'OK'],
        [null, 1],
      ];
    if (['get', 'lmove', 'eval'].includes(name)) return null;
    return ['set', 'mset', 'flushall'].includes(name) ? bytes('OK') : 1;
  }

  it.each(cases)('%s keeps to one topology beside a change with %i copies', async (name, copies) => {
    const redis = clients[copies - 1]!;
    const recorder = record(redis, replyTo);
    let changes = 0;
    const change = async () => {
      changes++;
      await redis.setPlacement(placements[changes % 2]!, none);
    };
    const make = () => ({ record: recorder, change });
    const call = () => (reads[name] ?? writes[name])!(redis);
    expect(await atEveryMoment(make, call, name in writes)).toBeGreaterThan(0);
  });

  it.each([1, 2])(
    'hscan gives the elements of one node or says that the nodes have changed, with %i copies',
    async (copies) => {
      const redis = clients[copies - 1]!;
      /** Each node has three pages, and says in its elements who it is. */
      const page = ({ id }: Member, operation: Asked): unknown => {
        if (operation.isInSteps === true) return undefined;
        if (!('args' in operation)) return `run-of-${id}`;
        expect(operation.keys).toEqual([key]);
        const [, cursor] = operation.args as string[];
        return [bytes(['1', '2', '0'][Number(cursor)]!), [bytes(`${id}${cursor}`), bytes('')]];
      };
      const recorder = record(redis, page);
      const ends: string[] = [];
      const call = async () => {
        try {
          const elements = await collect(redis.hscan(key));
          const seen = new Set(elements.map(([element]) => element[0]));
          ends.push(seen.size === 1 ? 'elements of one node' : `elements of ${[...seen]}`);
        } catch (error) {
          ends.push((error as { code: string }).code);
        }
      };
      let changes = 0;
      const change = async () => {
        changes++;
        await redis.setPlacement(placements[changes % 2]!, none);
      };
      await atEveryMoment(() => ({ record: recorder, change }), call, false);
      expect(new Set(ends)).toEqual(new Set(['elements of one node', 'ERR_NODES_CHANGED']));
    },
  );
});
