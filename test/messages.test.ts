import { describe, expect, it } from 'vitest';
import {
  AllReplicasFailedError,
  NotReadyError,
  PartialFailureError,
  TimeoutError,
  UnknownOutcomeError,
  WriteConsistencyError,
} from '../src/errors/index.ts';
import { HashRing, MemoryBackend, placementFromSnapshot, ShardedCache } from '../src/index.ts';
import { PointRing } from '../src/placement/compat/index.ts';
import { ShardedRedis } from '../src/redis/index.ts';

const nodes = ['a', 'b'].map((id) => ({ id, backend: new MemoryBackend() }));
const openRedis = (options: object = {}) =>
  new ShardedRedis({
    nodes: ['a', 'b'].map((id) => ({ id, url: 'redis://127.0.0.1:1' })),
    lazyConnect: true,
    ...options,
  });

const attemptAt = (node: string) => ({ node, elapsedMs: 1, error: new Error('refused') });

async function messageOf(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

// What a stranger reads first. A message that is changed is changed here too, and read aloud.
describe('a message', () => {
  it.each<[string, () => unknown, string | RegExp]>([
    [
      'about an unknown option names those that are known',
      () => new ShardedCache({ nodes, replicas: 2 } as never),
      /^options\.replicas: unknown option\. Known options: nodes, .*\.$/,
    ],
    [
      'about an option of the ring beside a placement says where it belongs',
      () => new ShardedCache({ nodes, placement: (list) => HashRing.create(list), virtualNodes: 3 }),
      'virtualNodes: cannot be combined with placement; pass it when you create the placement.',
    ],
    [
      'about an option of one connection says where it belongs',
      () => openRedis({ maxRetriesPerRequest: null }),
      /^options\.maxRetriesPerRequest: an option of one connection, .* redis\.nodeFor\('\{queue\}'\)/,
    ],
    [
      'about a removal that would leave too few nodes says how many and what to do',
      () => new ShardedCache({ nodes, replicationFactor: 2 }).removeNode('a'),
      'cannot remove a: 1 node would remain, replicationFactor is 2. Add a replacement first.',
    ],
    [
      'about a write that too few nodes acknowledged names those that did not',
      () => {
        const attempt = { node: 'b', elapsedMs: 1, error: new Error('refused') };
        throw new WriteConsistencyError('set', 2, ['a'], [attempt as never]);
      },
      'set: 1 of 2 required acknowledgements received (missing: b); see attempts.',
    ],
    [
      'about a method whose name is taken says so',
      () => openRedis().defineCommand('nodes', { lua: 'return 1' }),
      'name: already a property or a method that is not a command.',
    ],
    [
      'about a command that is about one server says how to choose one',
      () => openRedis().call('debug', 'sleep', '0'),
      'debug: it inspects a single server; choose one: redis.on(nodeId).call(...).',
    ],
    [
      'about a command that has a method of its own names the method',
      () => openRedis().call('exec'),
      'exec: use exec() of the object that redis.multi() returns instead.',
    ],
    [
      'about an unknown command says how to send it all the same',
      () => openRedis().call('frobnicate', 'key'),
      'frobnicate: the positions of its keys are unknown; send it to a node directly: redis.nodeFor(key).call(...).',
    ],
    [
      'about a write that had no answer in time says how long that was',
      () => {
        const cause = new TimeoutError('a', 'set', 300);
        throw new UnknownOutcomeError('a', 'set', { cause, address: '10.0.0.1:6379' });
      },
      'set: node a (10.0.0.1:6379) did not answer within 300 ms, so the call may or may not have been executed.',
    ],
    [
      'about WATCH says where a connection of your own comes from',
      () => openRedis().call('watch', 'key'),
      'watch: it would affect the connection that all calls share; use one of your own: redis.withConnection(key, use).',
    ],
    [
      'about a snapshot without a kind says that it is missing',
      () => placementFromSnapshot('{}'),
      /^The snapshot cannot be used: its placement is missing; this release understands only xxh32\/1, .*\.$/,
    ],
    [
      'about expire without a time says that none came',
      () => new ShardedCache({ nodes: [{ id: 'a', backend: new MemoryBackend() }] }).expire('key', undefined as never),
      'ttlMs: expected an integer of at least 1 (milliseconds), or Infinity, got undefined.',
    ],
    [
      'about readiness counts one node as one',
      () => {
        throw new NotReadyError(
          2,
          ['a'],
          [{ node: 'b', elapsedMs: 1, error: new TimeoutError('b', 'ping', 500) }],
          300,
        );
      },
      'ready: 1 node is up after 300 ms, 2 are needed (b: ping: node b did not answer within 500 ms).',
    ],
    [
      'about several keys that failed counts one key as one',
      () => {
        throw new PartialFailureError('getMany', new Map(), ['k'], [attemptAt('b')]);
      },
      'getMany: 1 key failed (at b); see `results`, `failedKeys` and `attempts`.',
    ],
    [
      'about a read that no node served counts nodes, not tries',
      () => {
        throw new AllReplicasFailedError('get', [attemptAt('a'), attemptAt('b'), attemptAt('a')]);
      },
      'get: none of 2 nodes served the call (a, b); see `attempts`.',
    ],
    [
      'about a read that its only node did not serve speaks of one node',
      () => {
        throw new AllReplicasFailedError('get', [attemptAt('a')]);
      },
      'get: the only node asked did not serve the call (a); see `attempts`.',
    ],
    [
      'about a snapshot of another kind lists the kinds that are known',
      () => PointRing.fromSnapshot(HashRing.create([{ id: 'a' }]).toSnapshot()),
      /^The snapshot cannot be used: unsupported placement kind; PointRing restores: ".*"\.$/,
    ],
  ])('%s', async (_, action, expected) => {
    const message = await messageOf(action);
    if (typeof expected === 'string') expect(message).toBe(expected);
    else expect(message).toMatch(expected);
  });

  it('about the advice on a ring says what to expect and when to decide', () => {
    const ring = HashRing.create(['a', 'b', 'c', 'd'].map((id) => ({ id })));
    expect(ring.balance().advice.split('. ').slice(1)).toEqual([
      'Expected with 1,024 virtual nodes: 1.03; with 2,048: 1.02',
      'More slots would not help',
      'Changing either moves keys, so decide before the cache holds data.',
    ]);
  });
});
