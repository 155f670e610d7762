/** What is taken for a sign of life, and what it takes for a node to be down. */

import { mkdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ShardedCacheOptions } from '../../src/cache/options.ts';
import { ShardedCache } from '../../src/cache/sharded-cache.ts';
import { RedisBackend, type RedisBackendOptions } from '../../src/redis/index.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';
import { eventually, outcomeOf } from '../support/eventually.ts';
import { bulk, type FakeCommand, type FakeRedis, startFakeRedis, welcome } from '../support/fake-redis.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { watchSockets } from '../support/sockets-read.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

let server: RedisServer;
let proxy: TcpProxy;
let admin: Redis;
const open: ShardedCache[] = [];
const fakes: FakeRedis[] = [];

beforeEach(async () => {
  server = await startRedis({ args: ['--enable-debug-command', 'yes'] });
  proxy = await startTcpProxy(server);
  admin = new Redis(server.port);
});

afterEach(async () => {
  server.resume();
  proxy.behaviour = 'forward';
  proxy.resetAll();
  await Promise.all(open.splice(0).map((cache) => cache.close()));
  for (const fake of fakes.splice(0)) await fake[Symbol.asyncDispose]();
  admin.disconnect();
  await proxy.close();
  await server.stop();
});

function openCache(
  options: Partial<ShardedCacheOptions> & Pick<RedisBackendOptions, 'transport'> = {},
  port = server.port,
) {
  const { transport = 'ioredis', ...cacheOptions } = options;
  const { clock } = options;
  const backend = new RedisBackend({ host: '127.0.0.1', port }, { transport, clock });
  const cache = new ShardedCache({ nodes: [{ id: 'a', backend }], codec: 'bytes', ...cacheOptions });
  open.push(cache);
  const events: string[] = [];
  for (const name of ['nodeSuspect', 'nodeDown', 'nodeUp'] as const) cache.on(name, () => events.push(name));
  return { cache, events };
}

/** The first probe, which begins with the first call, has passed. */
async function hasProbed(cache: ShardedCache, clock: SimulatedClock): Promise<void> {
  await clock.advance(0);
  await eventually(() => cache.health().get('a') === 'up');
}

const value = (bytes: number) => new Uint8Array(bytes).fill(120);
const pingsOf = async () => Number(/cmdstat_ping:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0);
const rejectedPings = async () =>
  Number(/cmdstat_ping:.*rejected_calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0);

describe('a server that refuses PING and serves', () => {
  it.each([
    ['its user may not', () => admin.call('ACL', 'SETUSER', 'default', '-ping')],
    [
      'its last snapshot failed',
      async () => {
        await admin.config('SET', 'save', '1000 1');
        // Where the snapshot is to be, there is a directory.
        const [, directory] = (await admin.config('GET', 'dir')) as [string, string];
        mkdirSync(join(directory, 'dump.rdb'));
        await admin.set('dirty', '1');
        await admin.bgsave();
        await eventually(async () => (await admin.info('persistence')).includes('rdb_last_bgsave_status:err'));
      },
    ],
  ])('is up and serves every call: %s', async (_, begin) => {
    const clock = new SimulatedClock();
    const { cache, events } = openCache({ clock, timeoutMs: 60_000 });
    await cache.set('key', value(3));
    await hasProbed(cache, clock);
    await begin();
    await expect(admin.ping()).rejects.toThrow(/NOPERM|MISCONF/);
    const before = await rejectedPings();
    for (let count = 1; count <= 5; count++) {
      await clock.advance(500);
      await eventually(async () => (await rejectedPings()) >= before + count);
      for (let call = 0; call < 20; call++) expect(await cache.get('key')).toEqual(Buffer.from('xxx'));
    }
    expect([events, cache.health().get('a')]).toEqual([[], 'up']);
  });
});

describe('a server that is busy', () => {
  it.each(['ioredis', 'direct'] as const)(
    'costs nothing if it is busy for less than calls may take, over %s',
    async (transport) => {
      const clock = new SimulatedClock();
      const { cache, events } = openCache({
        ...{ clock, transport, timeoutMs: 2_000 },
        health: { probeIntervalMs: 100, probeTimeoutMs: 50 },
      });
      await cache.set('key', value(3));
      await hasProbed(cache, clock);
      server.pause();
      const calls: Promise<unknown>[] = [];
      for (let passedMs = 0; passedMs < 1_900; passedMs += 100) {
        calls.push(cache.get('key'));
        await clock.advance(100);
      }
      server.resume();
      expect((await Promise.all(calls)).length).toBe(19);
      expect(events).not.toContain('nodeDown');
    },
  );

  it('is considered down if it is busy for longer, with the reason and the time', async () => {
    const clock = new SimulatedClock();
    const { cache, events } = openCache({ clock, timeoutMs: 1_000 });
    await cache.set('key', value(3));
    await hasProbed(cache, clock);
    server.pause();
    for (let round = 0; round < 8; round++) await clock.advance(500);
    expect(events).toEqual(['nodeSuspect', 'nodeDown']);
    expect(cache.healthReport().get('a')).toMatchObject({
      state: 'down',
      sinceMs: clock.wallMs() - 3_000,
      fault: { code: 'ERR_TIMEOUT', operation: 'ping' },
    });
    const { error, endedAtOnce } = await outcomeOf(cache.get('key'));
    expect(error).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', cause: { code: 'ERR_TIMEOUT' } });
    expect(endedAtOnce).toBe(true);
  });

  it('keeps its connection, and the calls that have time left', async () => {
    const clock = new SimulatedClock();
    const backend = new RedisBackend({ host: '127.0.0.1', port: proxy.port }, { clock });
    await backend.set('key', value(3), {});
    server.pause();
    const patient = outcomeOf(backend.get('key', { timeoutMs: 60_000 }));
    for (let round = 0; round < 50; round++) {
      const hasty = outcomeOf(backend.get('key', { timeoutMs: 200 }));
      await clock.advance(200);
      expect((await hasty).error).toMatchObject({ code: 'ERR_TIMEOUT' });
    }
    server.resume();
    expect((await patient).value).toEqual(Buffer.from('xxx'));
    await backend.close();
  });
});

describe('a long value over a slow line', () => {
  it.each([
    ['ioredis', 6],
    ['ioredis', 16],
    ['direct', 6],
    ['direct', 16],
  ] as const)('arrives, and costs nobody anything, over %s with %d MB', async (transport, megabytes) => {
    const clock = new SimulatedClock();
    const sockets = watchSockets();
    const { cache, events } = openCache({ clock, transport, timeoutMs: 20_000 }, proxy.port);
    const size = megabytes * 1_000_000;
    await cache.set('long', value(size));
    await cache.set('short', value(3));
    await hasProbed(cache, clock);
    proxy.behaviour = 'hold';
    const long = cache.get<Uint8Array>('long');
    await eventually(() => proxy.heldBytes > size);
    // Behind it on the same connection.
    const short = Array.from({ length: 10 }, () => cache.get('short'));
    // 1 MB a second, as long as there is that much of it; the PINGs' answers wait behind it too.
    while (proxy.heldBytes > 500_000) {
      const before = sockets.bytesFrom(proxy.port);
      await proxy.release(500_000);
      // They may still be in the proxy's own socket, while this one's window is full.
      await eventually(() => sockets.bytesFrom(proxy.port) > before);
      await clock.advance(500);
      expect(events).not.toContain('nodeDown');
    }
    sockets.stop();
    proxy.behaviour = 'forward';
    await proxy.release(Number.POSITIVE_INFINITY);
    expect((await long)?.length).toBe(size);
    expect(await Promise.all(short)).toEqual(short.map(() => Buffer.from('xxx')));
    expect([events, cache.health().get('a')]).toEqual([[], 'up']);
  });
});

describe.each(['ioredis', 'direct'] as const)('a long value that is written over a slow line, over %s', (transport) => {
  /** What comes after the long value waits behind it, and no byte comes meanwhile: it is on its way, unseen. */
  async function writing() {
    let line: Socket | undefined;
    const waiting: string[] = [];
    const answer = (command: FakeCommand, socket: Socket) => {
      const reply = command.name === 'get' ? bulk('x') : (welcome(command) ?? '+OK\r\n');
      if (command.name === 'set') line = socket;
      if (socket !== line) return reply;
      waiting.push(reply);
      return undefined;
    };
    const fake = await startFakeRedis(answer);
    fakes.push(fake);
    const clock = new SimulatedClock();
    const { cache, events } = openCache({ clock, transport, timeoutMs: 20_000 }, fake.port);
    await cache.get('short');
    await hasProbed(cache, clock);
    const written = outcomeOf(cache.set('long', value(1_000_000)));
    await eventually(() => line !== undefined);
    const arrive = () => {
      const socket = line!;
      line = undefined;
      socket.write(waiting.splice(0).join(''));
    };
    /** Time in which others could come and be answered. */
    const pass = async (ms: number) => {
      for (let passedMs = 0; passedMs < ms; passedMs += 500) {
        await clock.advance(500);
        for (let turns = 0; turns < 10; turns++) await turn();
      }
    };
    return { fake, cache, clock, events, written, arrive, pass };
  }

  it('is waited for as long as it has time, and so is what comes behind it', async () => {
    const { fake, cache, events, written, arrive, pass } = await writing();
    const short = outcomeOf(cache.get('short'));
    await pass(19_000);
    arrive();
    expect([(await written).error, (await short).error]).toEqual([undefined, undefined]);
    expect([events, fake.acceptedCount, cache.health().get('a')]).toEqual([[], 1, 'up']);
  });

  it('keeps no dead connection once its time is over, however many more are written', async () => {
    const { fake, cache, written, pass } = await writing();
    const more: Promise<unknown>[] = [];
    for (let count = 0; count < 3; count++) {
      await pass(5_000);
      more.push(outcomeOf(cache.set('long', value(1_000_000))));
    }
    expect(fake.acceptedCount).toBe(1);
    await eventually(async () => {
      await pass(500);
      return fake.acceptedCount > 1;
    });
    expect((await written).error).toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME' });
    await Promise.all(more);
  });
});

describe('a connection that is dead', () => {
  it('is left once the server answers on a new one', async () => {
    const clock = new SimulatedClock();
    const backend = new RedisBackend({ host: '127.0.0.1', port: proxy.port }, { clock });
    await backend.set('key', value(3), {});
    // As a firewall does that has forgotten the connection: nothing passes on this one any more, and others are made.
    proxy.behaviour = 'stall';
    const lost = outcomeOf(backend.get('key', { timeoutMs: 200 }));
    await clock.advance(200);
    expect((await lost).error).toMatchObject({ code: 'ERR_TIMEOUT' });
    proxy.behaviour = 'forward';
    await eventually(async () => {
      const outcome = outcomeOf(backend.get('key', { timeoutMs: 200 }));
      for (let turns = 0; turns < 3; turns++) await turn();
      await clock.advance(200);
      return (await outcome).value !== undefined;
    }, 15_000);
    await backend.close();
  });
});

it('a probe is asked for again and again, also while nothing else is called', async () => {
  const clock = new SimulatedClock();
  const { cache } = openCache({ clock });
  await cache.get('key');
  await hasProbed(cache, clock);
  const before = await pingsOf();
  for (let count = 1; count <= 3; count++) {
    await clock.advance(500);
    await eventually(async () => (await pingsOf()) >= before + count);
  }
});
