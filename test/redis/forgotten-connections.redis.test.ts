/** Connections that something between here and the server has forgotten without a word: a firewall, a NAT, a proxy. */

import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RedisBackend, ShardedRedis, type ShardedRedisOptions } from '../../src/redis/index.ts';
import { eventually, outcomeOf } from '../support/eventually.ts';
import { HeldClock } from '../support/held-clock.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

/** How often a server is asked about connections that wait for it, and how soon once more; see `server.ts`. */
const [periodMs, confirmMs] = [15_000, 3_000];

let server: RedisServer;
let proxy: TcpProxy;
let observer: Redis;
let clock: HeldClock;
const open: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  server = await startRedis();
  proxy = await startTcpProxy(server);
  observer = new Redis(server.port);
  clock = new HeldClock(periodMs, confirmMs);
});

afterEach(async () => {
  for (const client of open.splice(0)) await client.close();
  observer.disconnect();
  await proxy.close();
  await server.stop();
});

function openSharded(options: Partial<ShardedRedisOptions> = {}): ShardedRedis {
  const nodes = [{ id: 'a', url: proxy.url }];
  const health = { probeIntervalMs: 50, probeTimeoutMs: 1_000 };
  const redis = new ShardedRedis({ nodes, health, timeoutMs: 2_000, clock, ...options });
  redis.on('node error', () => undefined);
  open.push(redis);
  return redis;
}

/** The connections that the server knows and that run `command`, or ran it last, by the proxy's port. */
async function portsOf(command: string): Promise<number[]> {
  const lines = String(await observer.client('LIST')).split('\n');
  return lines
    .filter((line) => line.includes(`cmd=${command} `))
    .map((line) => Number(/ addr=127\.0\.0\.1:(\d+) /.exec(line)![1]));
}

const waiting = (command: string) =>
  eventually(async () => {
    const ports = await portsOf(command);
    return ports.length > 0 && ports;
  });

/** Lets the time between two looks pass. */
async function lookAgain(delayMs: number): Promise<void> {
  await eventually(() => clock.isHeld(delayMs));
  clock.fire(delayMs);
}

describe('a wait for data on a connection that was forgotten', () => {
  it('ends as unknown once the server has given its item away into the dark', async () => {
    const redis = openSharded();
    const popped = outcomeOf(redis.blpop('list', 0));
    const [port] = await waiting('blpop');
    proxy.forget(port!);
    await observer.rpush('list', 'job');
    await eventually(async () => (await observer.llen('list')) === 0);
    await lookAgain(periodMs);
    await lookAgain(confirmMs);
    expect((await popped).error).toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME', operation: 'blpop', node: 'a' });
    await observer.rpush('list', 'next job');
    expect(await redis.blpop('list', 0)).toEqual(['list', 'next job']);
  });

  it('ends as unavailable if it takes nothing', async () => {
    const redis = openSharded();
    const read = outcomeOf(redis.xread('BLOCK', 0, 'STREAMS', 'stream', '$'));
    const [port] = await waiting('xread');
    proxy.forget(port!);
    await observer.xadd('stream', '*', 'field', 'value');
    await lookAgain(periodMs);
    await lookAgain(confirmMs);
    expect((await read).error).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', operation: 'xread' });
  });

  it('ends once the server has closed the connection, though nothing of that arrives here', async () => {
    const redis = openSharded();
    const popped = outcomeOf(redis.blpop('list', 0));
    const [port] = await waiting('blpop');
    proxy.forget(port!);
    await observer.client('KILL', 'ADDR', `127.0.0.1:${port}`);
    expect((await popped).error).toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME' });
  });

  it('goes on for as long as the server waits on it', async () => {
    const redis = openSharded();
    const popped = redis.blpop('list', 0);
    await waiting('blpop');
    for (let round = 0; round < 3; round++) await lookAgain(periodMs);
    await eventually(() => clock.isHeld(periodMs));
    await observer.rpush('list', 'job');
    expect(await popped).toEqual(['list', 'job']);
  });

  it('ends when the shared connection is found dead too and the server can be reached anew', async () => {
    const redis = openSharded();
    const popped = outcomeOf(redis.blpop('list', 0));
    await waiting('blpop');
    await redis.ping();
    proxy.forget();
    // The server still waits on it, but nobody is there any more to say so.
    await observer.rpush('list', 'job');
    await eventually(() => redis.ping());
    await lookAgain(confirmMs);
    expect((await popped).error).toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME' });
  }, 30_000);

  it('ends when the shared connection is lost and the server cannot be reached', async () => {
    const redis = openSharded();
    const popped = outcomeOf(redis.blpop('list', 0));
    const [port] = await waiting('blpop');
    await redis.ping();
    proxy.forget(port!);
    const [shared] = await waiting('ping');
    proxy.behaviour = 'stall';
    await observer.client('KILL', 'ADDR', `127.0.0.1:${shared}`);
    expect((await popped).error).toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME' });
    proxy.behaviour = 'forward';
  }, 30_000);
});

describe('an idle connection that was forgotten', () => {
  it('is not used for a wait for data', async () => {
    const redis = openSharded();
    await observer.rpush('list', 'one');
    expect(await redis.blpop('list', 0)).toEqual(['list', 'one']);
    const [port] = await waiting('blpop');
    proxy.forget(port!);
    clock.fire(100); // Time passes: who was heard just now is trusted.
    const popped = redis.blpop('list', 0);
    await eventually(async () => (await portsOf('blpop')).some((other) => other !== port));
    await observer.rpush('list', 'two');
    expect(await popped).toEqual(['list', 'two']);
  });

  it('is not used by withConnection, nor are those as old tried one after the other', async () => {
    const backend = new RedisBackend(proxy.url, { timeoutMs: 2_000, pool: { max: 3 }, clock });
    open.push(backend);
    let arrived = 0;
    const together = [1, 2, 3].map(() =>
      backend.withConnection(async (client) => {
        await client.set('key', 'value');
        arrived++;
        await eventually(() => arrived === 3);
      }),
    );
    await Promise.all(together);
    proxy.forget();
    clock.fire(2_000);
    expect(await backend.withConnection((client) => client.get('key'))).toBe('value');
    expect(proxy.acceptedCount).toBe(4);
  });
});

it('a subscription is made anew when the shared connection of its node is found dead, not at its own next heartbeat', async () => {
  const redis = openSharded();
  const messages: string[] = [];
  redis.on('message', (_, message: string) => messages.push(message));
  await redis.subscribe('channel');
  const [port] = await waiting('subscribe');
  const [shared] = await waiting('ping');
  proxy.forget(port!);
  await observer.client('KILL', 'ADDR', `127.0.0.1:${shared}`);
  await eventually(async () => (await portsOf('subscribe')).some((other) => other !== port));
  await eventually(() => redis.publish('channel', 'after').then((count) => count > 0 && messages.includes('after')));
}, 30_000);
