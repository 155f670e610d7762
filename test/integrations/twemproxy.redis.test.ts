import { connect, createServer, type Socket } from 'node:net';
import { Redis, type RedisOptions } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ShardedRedis } from '../../src/redis/index.ts';
import { eventually } from '../support/eventually.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

/** What twemproxy 0.5 does at these: it closes the connection without a reply. All else passes here. */
const refused = /\r\n(?:HELLO|CLIENT|INFO|SELECT)\r\n/i;

const needed = { protocol: 2, disableClientInfo: true, enableReadyCheck: false } as const satisfies RedisOptions;

describe('ioredis 6 before a proxy that closes at HELLO, CLIENT and INFO', () => {
  let server: RedisServer;
  const sockets = new Set<Socket>();
  let pings = 0;
  const proxy = createServer((client) => {
    const upstream = connect(server.port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    client.on('data', (bytes) => {
      if (/\r\nPING\r\n/i.test(bytes.toString('latin1'))) pings++;
      if (refused.test(bytes.toString('latin1'))) client.destroy();
      else upstream.write(bytes);
    });
    upstream.on('data', (bytes) => void client.write(bytes));
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  let port: number;

  beforeAll(async () => {
    server = await startRedis();
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    port = (proxy.address() as { port: number }).port;
  });

  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => proxy.close(resolve));
    await server.stop();
  });

  it.each(Object.keys(needed))('never gets ready without %s', async (left) => {
    const client = new Redis({ port, retryStrategy: () => 5, ...needed, [left]: undefined });
    let [closes, readies] = [0, 0];
    client.on('error', () => undefined);
    client.on('close', () => closes++).on('ready', () => readies++);
    await eventually(() => closes >= 3);
    client.disconnect();
    expect(readies).toBe(left === 'disableClientInfo' ? readies : 0);
  });

  it('works with all three, as a client that a ShardedRedis borrows', async () => {
    const client = new Redis({ port, ...needed });
    const redis = new ShardedRedis({ nodes: [{ id: 'proxy', client }] });
    await redis.mset({ a: 1, b: 2 });
    expect(await redis.mget('a', 'b', 'absent')).toEqual(['1', '2', null]);
    await redis.quit();
    client.disconnect();
  });

  it('keeps the connection of a client that works with all three, as no probe asks more than PING', async () => {
    const client = new Redis({ port, ...needed });
    let closes = 0;
    client.on('close', () => closes++);
    const redis = new ShardedRedis({ nodes: [{ id: 'proxy', client }], health: { probeIntervalMs: 50 } });
    pings = 0;
    await redis.ready();
    await eventually(() => pings >= 3);
    expect(await redis.set('a', 1)).toBe('OK');
    expect(closes).toBe(0);
    await redis.quit();
    client.disconnect();
  });
});
