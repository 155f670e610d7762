/** Ours. */

import { type Codec, ShardedCache } from 'shardring';
import { RedisBackend, type RedisBackendOptions, ShardedRedis, type ShardedRedisOptions } from 'shardring/redis';
import type { LocatingStore, Store } from '../store.ts';

/**
 * The stored bytes are the text itself. The default, JSON, would do more than the contenders do that give strings;
 * 'bytes' would do less.
 */
const text: Codec<string> = {
  name: 'text',
  encode: (value) => Buffer.from(value),
  decode: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(),
};

/** Long, so that a pause of the machine fails nobody's call. The deadline is there all the same, and costs what it costs. */
const timeoutMs = 10_000;

const nodeId = (index: number) => `node-${index}`;
const urlOf = (port: number) => `redis://127.0.0.1:${port}`;

function cacheOver(ports: readonly number[], callTimeoutMs: number, options: RedisBackendOptions = {}) {
  return new ShardedCache<string>({
    nodes: ports.map((port, index) => ({ id: nodeId(index), backend: new RedisBackend(urlOf(port), options) })),
    codec: text,
    timeoutMs: callTimeoutMs,
  });
}

export async function cacheWithDeadline(ports: readonly number[], deadlineMs: number): Promise<LocatingStore> {
  const cache = cacheOver(ports, deadlineMs);
  const ids = ports.map((_, index) => nodeId(index));
  return {
    get: (key) => cache.get(key),
    set: (key, value) => cache.set(key, value),
    nodeOf: (key) => ids.indexOf(cache.topology.placement.nodeFor(key)),
    close: () => cache.close(),
  };
}

export async function openCache(ports: readonly number[], options: RedisBackendOptions = {}): Promise<Store> {
  const cache = cacheOver(ports, timeoutMs, options);
  return {
    get: (key) => cache.get(key),
    set: (key, value) => cache.set(key, value),
    mget: (keys) => cache.getMany(keys),
    close: () => cache.close(),
  };
}

type RedisFaceOptions = Omit<ShardedRedisOptions, 'nodes'>;

function redisOver(ports: readonly number[], options: RedisFaceOptions) {
  return new ShardedRedis({ ...options, nodes: ports.map((port, index) => ({ id: nodeId(index), url: urlOf(port) })) });
}

export async function openRedis(ports: readonly number[], options: RedisFaceOptions = {}): Promise<Store> {
  const redis = redisOver(ports, { timeoutMs, ...options });
  return {
    get: (key) => redis.get(key),
    set: (key, value) => redis.set(key, value),
    mget: (keys) => redis.mget([...keys]),
    close: async () => {
      await redis.quit();
    },
  };
}

export async function redisWithDeadline(ports: readonly number[], deadlineMs: number): Promise<LocatingStore> {
  const redis = redisOver(ports, { timeoutMs: deadlineMs });
  redis.on('error', () => undefined); // What it tells there, the calls tell too.
  const ids = ports.map((_, index) => nodeId(index));
  return {
    get: (key) => redis.get(key),
    set: (key, value) => redis.set(key, value),
    nodeOf: (key) => ids.indexOf(redis.topology.placement.nodeFor(key)),
    close: async () => {
      await redis.quit();
    },
  };
}
