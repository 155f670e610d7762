import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';

let master: RedisServer;
let replica: RedisServer;
let writer: Redis;
let waiter: Redis;

beforeAll(async () => {
  // Without the usual delay, in which further replicas could join the first copy.
  master = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] });
  replica = await startRedis({ args: ['--replicaof', '127.0.0.1', `${master.port}`] });
  [writer, waiter] = [new Redis(master.url), new Redis(master.url)];
  await eventually(async () => (await writer.info('replication')).includes('state=online'));
});

afterAll(async () => {
  for (const client of [writer, waiter]) client?.disconnect();
  await Promise.all([master?.stop(), replica?.stop()]);
});

// What the server does, and why WAIT is not sent on a fresh connection as the other commands that wait are.
describe('WAIT on another connection than the write', () => {
  it('counts a replica that has not got the write, unless that connection published something first', async () => {
    await writer.set('key', 'before');
    expect(await writer.wait(1, 5000)).toBe(1);
    replica.pause();
    await writer.set('key', 'after');
    expect(await waiter.wait(1, 100)).toBe(1);
    await waiter.publish('channel', '');
    expect(await waiter.wait(1, 100)).toBe(0);
    replica.resume();
    expect(await waiter.wait(1, 10_000)).toBe(1);
  });
});
