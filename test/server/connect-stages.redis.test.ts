/** The first call runs out of time before the attempt to connect does: its error says what that attempt waited for. */

import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { ShardedCache } from '../../src/cache/sharded-cache.ts';
import { RedisBackend, type RedisTarget, ShardedRedis } from '../../src/redis/index.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';
import { eventually, outcomeOf, patientMs } from '../support/eventually.ts';
import { startRedis } from '../support/redis.ts';

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Accepts, and says nothing. */
async function startSilent(): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as { port: number }).port;
}

/** An address that takes no more connections: the kernel drops what asks for one, as a firewall does. */
async function startUnreachable(): Promise<number> {
  const server = await startRedis({ args: ['--tcp-backlog', '1'] });
  closing.push(() => server.stop());
  server.pause();
  let connected = 0;
  const fillers = Array.from({ length: 8 }, () => connectTcp(server.port, '127.0.0.1', () => connected++));
  closing.push(async () => fillers.forEach((filler) => void filler.on('error', () => undefined).destroy()));
  await eventually(() => connected >= 2);
  return server.port;
}

const never = () => new Promise<never>(() => undefined);

const unreachable = 'nothing has answered at its address yet. Check the address and firewalls.';
const noTls = 'it does not answer the TLS handshake. If its port does not use TLS, use redis:// or remove `tls`.';
const silent =
  'the connection was accepted, but the handshake was not answered. Check that it is a Redis server, and not stopped or busy.';
const noCredentials = 'the function for its credentials has not answered yet.';
const noMaster = 'its sentinels have not named a master yet. Check their addresses and firewalls.';

type Given = Exclude<RedisTarget, string | URL | Redis>;

const stages: readonly (readonly [title: string, target: () => Promise<Given>, reason: string])[] = [
  ['an address that drops packets', async () => ({ host: '127.0.0.1', port: await startUnreachable() }), unreachable],
  ['a port without TLS', async () => ({ host: '127.0.0.1', port: await startSilent(), tls: {} }), noTls],
  ['a server that accepts and is silent', async () => ({ host: '127.0.0.1', port: await startSilent() }), silent],
  [
    'a function for credentials that does not answer',
    async () => ({ host: '127.0.0.1', port: await startSilent(), credentials: never }) as Given,
    noCredentials,
  ],
];

const groupStages: typeof stages = [
  [
    'sentinels that do not answer',
    async () =>
      ({
        ...{ name: 'shard-1', sentinels: [{ host: '127.0.0.1', port: await startSilent() }] },
        sentinelCommandTimeout: patientMs,
      }) as Given,
    noMaster,
  ],
  [
    'credentials of a group that do not come',
    async () =>
      ({
        ...{ name: 'shard-1', sentinels: [{ host: '127.0.0.1', port: await startSilent() }] },
        credentials: never,
      }) as Given,
    noCredentials,
  ],
];

/** The attempt to connect outlives the call, however busy the machine is. */
const times = { timeoutMs: 100, connectTimeoutMs: patientMs };

const cases = [
  ...(['ioredis', 'direct'] as const).flatMap((transport) => stages.map((stage) => [transport, ...stage] as const)),
  ...groupStages.map((stage) => ['ioredis', ...stage] as const),
];

describe.each(cases)('over the transport %s, a first call to %s', (transport, _, targetOf, reason) => {
  it('ends with ERR_TIMEOUT and says what it waited for, and so does one that wants a connection of its own', async () => {
    const backend = new RedisBackend(await targetOf(), { nodeName: 'cache-1', transport, ...times });
    closing.push(() => backend.close());
    const expected = { code: 'ERR_TIMEOUT', reason, address: expect.any(String) };
    for (const call of [() => backend.get('key'), () => backend.set('key', Buffer.from('1'))]) {
      const { error } = await outcomeOf(call());
      expect(error).toMatchObject(expected);
      expect((error as Error).message).toMatch(/^[gs]et: node cache-1 \(.*\) did not answer within 100 ms: /);
      expect((error as Error).message.endsWith(reason)).toBe(true);
    }
    const use = backend.withConnection((client) => client.get('key'), { timeoutMs: 100 });
    expect((await outcomeOf(use)).error).toMatchObject({ ...expected, operation: 'withConnection' });
  });
});

it('a cache whose probes waited for the same thing says so about the node that is down', async () => {
  const port = await startSilent();
  const backend = new RedisBackend({ host: '127.0.0.1', port }, times);
  const cache = new ShardedCache({
    nodes: [{ id: 'cache-1', backend }],
    health: { probeIntervalMs: 20, probeTimeoutMs: 50 },
  });
  closing.push(() => cache.close());
  const { error } = await outcomeOf(cache.ready({ timeoutMs: 500 }));
  expect((error as Error).message).toContain(silent.replace(/\.$/, ''));
  await eventually(() => cache.health().get('cache-1') === 'down');
  expect((await outcomeOf(cache.get('key'))).error).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', reason: silent });
});

it('a subscription that is not confirmed in time says what its connection waited for', async () => {
  const port = await startSilent();
  const redis = new ShardedRedis({ nodes: [{ id: 'cache-1', host: '127.0.0.1', port }], ...times });
  closing.push(() => redis.quit());
  redis.on('node error', () => undefined);
  expect((await outcomeOf(redis.subscribe('news'))).error).toMatchObject({
    code: 'ERR_NODE_UNAVAILABLE',
    operation: 'subscribe',
    reason: silent,
  });
});

it('a borrowed client that waits for its server says so too', async () => {
  const client = new Redis(await startSilent(), '127.0.0.1');
  client.on('error', () => undefined);
  closing.push(async () => client.disconnect());
  const backend = new RedisBackend(client, times);
  expect((await outcomeOf(backend.get('key'))).error).toMatchObject({ code: 'ERR_TIMEOUT', reason: silent });
});

it('a call that found all dedicated connections in use says how many there are, and which option limits them', async () => {
  const server = await startRedis();
  closing.push(() => server.stop());
  const backend = new RedisBackend(server.url, { pool: { max: 1 }, timeoutMs: patientMs });
  closing.push(() => backend.close());
  await backend.withConnection(async () => {
    const { error } = await outcomeOf(backend.withConnection(() => undefined, { timeoutMs: 50 }));
    expect(error).toMatchObject({
      code: 'ERR_TIMEOUT',
      reason: expect.stringMatching(/^the only connection .* `pool\.max`\.$/),
    });
  });
});

it('a call that was sent and not answered says nothing of connecting', async () => {
  const server = await startRedis();
  closing.push(() => server.stop());
  const backend = new RedisBackend(server.url, { timeoutMs: patientMs });
  closing.push(() => backend.close());
  await backend.get('key');
  server.pause();
  const { error } = await outcomeOf(backend.get('key', { timeoutMs: 50 }));
  server.resume();
  expect((error as Error).message).toMatch(/did not answer within 50 ms\.$/);
  expect(error).not.toHaveProperty('reason');
});

it('closing does not wait for credentials or sentinels that do not answer', async () => {
  const sentinels = [{ host: '127.0.0.1', port: await startSilent() }];
  const targets: Given[] = [
    { host: '127.0.0.1', credentials: never },
    { sentinels, name: 'shard-1', sentinelCommandTimeout: patientMs },
  ];
  for (const target of targets) {
    // Its time stands still: what is waited for does not end by itself.
    const backend = new RedisBackend(target, { clock: new SimulatedClock() });
    const use = outcomeOf(backend.withConnection((client) => client.ping()));
    await new Promise((resolve) => setImmediate(resolve));
    await backend.close();
    expect((await use).error).toMatchObject({ code: 'ERR_CLOSED' });
  }
});
