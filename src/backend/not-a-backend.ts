/** What was given in place of a backend, where it can be guessed, and how to make one of it. */

/** @returns Whole sentences; undefined: it may be a backend. */
export function backendAdvice(value: unknown): string | undefined {
  if (typeof value === 'string') {
    return "A string is not a backend. For a url, use new RedisBackend(url) from 'shardring/redis'.";
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const given = value as Record<string, unknown>;
  if (typeof given.delete === 'function') return undefined; // No client has a call of this name.
  if (given.isCluster === true) {
    return 'A client of Redis Cluster is not a backend: it does its own sharding. Make each server a node.';
  }
  if (typeof given.sendCommand === 'function' && typeof given.duplicate === 'function') {
    return 'A client is not a backend. Use new RedisBackend(client) for ioredis and iovalkey, and new RedisBackend(url) for others.';
  }
  if (typeof given.runCommand === 'function') return 'A ShardedRedis is not a backend: it has many nodes itself.';
  if ('url' in given || 'host' in given || 'port' in given) {
    return 'Options of a connection are not a backend. Use new RedisBackend(options).';
  }
  return undefined;
}
