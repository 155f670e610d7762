import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ShardedCache } from '../../src/cache/sharded-cache.ts';
import { RedisBackend, ShardedRedis } from '../../src/redis/index.ts';
import { patientMs } from '../support/eventually.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

let server: RedisServer;
let observer: Redis;
/** As the server itself has it. */
let expected: object;

beforeAll(async () => {
  server = await startRedis();
  observer = new Redis(server.port);
  const lines = new Map(
    (await observer.info('server')).split('\r\n').map((line) => line.split(':') as [string, string]),
  );
  const version = lines.get('valkey_version') ?? lines.get('redis_version');
  const make = lines.get('server_name') ?? 'redis';
  expected = { make, version, runId: lines.get('run_id'), role: 'primary' };
});

afterAll(async () => {
  observer.disconnect();
  await server.stop();
});

/** The commands that the server has been sent meanwhile, but for those of this test. */
async function commandsDuring(act: () => Promise<unknown>): Promise<string[]> {
  const counts = async () => {
    const lines = (await observer.info('commandstats')).matchAll(/cmdstat_([^:]+):calls=(\d+)/g);
    return new Map([...lines].map(([, name, calls]) => [name!, Number(calls)]));
  };
  const before = await counts();
  await act();
  const after = await counts();
  return [...after.keys()].filter((name) => name !== 'info' && after.get(name) !== (before.get(name) ?? 0)).sort();
}

describe('a PING of a RedisBackend', () => {
  it.each(['ioredis', 'direct'] as const)('says what is known of the server by the way, over %s', async (transport) => {
    await using backend = new RedisBackend(server.url, { transport });
    expect(await backend.ping()).toEqual(expected);
    expect(await commandsDuring(() => backend.ping())).toEqual(['hello', 'ping']);
  });

  it('says what is known of the server of a borrowed client', async () => {
    const client = new Redis(server.port);
    const backend = new RedisBackend(client);
    expect(await backend.ping()).toEqual(expected);
    await backend.close();
    client.disconnect();
  });
});

describe('healthReport', () => {
  it('shows the round trip of the last probe and what the server says of itself', async () => {
    const report = {
      state: 'up',
      roundTripMs: expect.any(Number),
      server: expected,
      inFlight: 0,
      latencyMs: undefined,
    };
    await using cache = new ShardedCache({ nodes: [{ id: 'a', backend: new RedisBackend(server.url) }] });
    await cache.ready({ timeoutMs: patientMs });
    expect(cache.healthReport().get('a')).toEqual(report);
    await using redis = new ShardedRedis({ nodes: [{ id: 'a', url: server.url }] });
    await redis.ready({ timeoutMs: patientMs });
    expect(redis.healthReport().get('a')).toEqual(report);
  });

  it('shows the role that a borrowed client has found its server to have since', async () => {
    await using other = await startRedis();
    const client = new Redis(other.port);
    const backend = new RedisBackend(client);
    expect(await backend.ping()).toMatchObject({ role: 'primary' });
    await client.replicaof('127.0.0.1', server.port);
    await backend.ping();
    expect(await backend.ping()).toMatchObject({ role: 'replica' });
    await backend.close();
    client.disconnect();
  });
});
