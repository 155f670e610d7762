import { errorMonitor } from 'node:events';
import { MemoryBackend, ShardedCache } from 'shardring';
import { ShardedRedis } from 'shardring/redis';
import { afterAll, describe, expect, it } from 'vitest';

const redis = new ShardedRedis({ nodes: [{ id: 'a', url: 'redis://127.0.0.1:1' }], lazyConnect: true });
const cache = new ShardedCache({ nodes: [{ id: 'a', backend: new MemoryBackend() }] });

afterAll(async () => {
  await Promise.all([redis.quit(), cache.close()]);
});

const noop = () => undefined;

/** Methods of an emitter that take an event's name. */
const cases: [method: string, emitter: object][] = [
  ...['on', 'once', 'off'].map((method): [string, object] => [method, cache]),
  ...['on', 'once', 'off', 'addListener', 'removeListener', 'prependListener', 'prependOnceListener'].map(
    (method): [string, object] => [method, redis],
  ),
  ['removeAllListeners', redis],
];

describe('an event whose name is misspelt', () => {
  it.each(cases)('is refused by %s of %s, which names the events that there are', (method, emitter) => {
    const call = (name: unknown) => (emitter as Record<string, (...args: unknown[]) => unknown>)[method]!(name, noop);
    for (const name of ['nodedown', 'Error', '__proto__', 7]) {
      expect(() => call(name)).toThrow(
        expect.objectContaining({
          code: 'ERR_INVALID_ARGUMENT',
          field: 'event',
          message: expect.stringMatching(/nodeDown/),
        }),
      );
    }
    expect(call('nodeDown')).toBe(emitter);
  });

  it('may be one that a ShardedRedis never emits, since it has no fallback nodes and no read repair', () => {
    for (const name of ['spill', 'repaired', 'replicaHit', 'backgroundError']) {
      expect(() => redis.on(name, noop)).toThrow(expect.objectContaining({ field: 'event' }));
      expect(cache.on(name as 'spill', noop)).toBe(cache);
    }
  });

  it('leaves the events of ioredis and of Node.js as they are', () => {
    for (const name of ['reconnecting', 'message', '+node', 'newListener', errorMonitor]) {
      expect(redis.on(name, noop).listenerCount(name)).toBe(1);
      redis.removeAllListeners(name);
    }
  });

  it('names only events that the client emits, and not those that it takes for the sake of libraries', () => {
    expect(() => redis.on('nodedown', noop)).toThrow(/^(?!.*(\+node|moved|newListener))/);
  });
});

describe('a listener that cannot be called', () => {
  it.each(cases.filter(([method]) => method !== 'removeAllListeners'))('is refused by %s of %s', (method, emitter) => {
    const call = (emitter as Record<string, (...args: unknown[]) => unknown>)[method]!.bind(emitter);
    for (const listener of [undefined, null, 'log']) {
      expect(() => call('nodeDown', listener)).toThrow(
        expect.objectContaining({
          code: 'ERR_INVALID_ARGUMENT',
          // `redis.on(nodeId)` names a node.
          field: expect.stringMatching(/^(listener|nodeId)$/),
        }),
      );
    }
  });
});
