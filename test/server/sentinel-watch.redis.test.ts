import { setImmediate as turn } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withRedisClass } from '../../src/server/link/ioredis-module.ts';
import { SentinelWatch } from '../../src/server/sentinel/sentinel-client.ts';
import { parseGroup } from '../../src/server/sentinel/sentinel-settings.ts';
import { eventually } from '../support/eventually.ts';
import { LateClock } from '../support/late-clock.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

/** Any server will do: what a watch says to a sentinel is SUBSCRIBE and PING. */
describe('the watch of a sentinel', () => {
  let server: RedisServer;
  let client: Redis;
  beforeAll(async () => {
    server = await startRedis();
    client = new Redis(server.port);
    await new Promise((resolve, reject) => withRedisClass(resolve, (makeError) => reject(makeError())));
  });
  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });

  const pings = async () => Number(/cmdstat_ping:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0);

  async function watchThrough(port: number, clock: LateClock) {
    const address = { host: '127.0.0.1', port };
    const settings = parseGroup('node', { sentinels: [address], name: 'group' })!;
    const heard = { listening: 0, news: 0 };
    const listener = { onListening: () => void heard.listening++, onNews: () => void heard.news++ };
    const pingsBefore = await pings();
    const watch = new SentinelWatch(address, settings, listener, clock);
    await eventually(() => heard.listening === 1);
    /** Resolves when it has read the answers to so many of its questions: the news comes after them. */
    const hasRead = async (count: number) => {
      await eventually(async () => (await pings()) === pingsBefore + count);
      const { news } = heard;
      await client.publish('+switch-master', 'group 127.0.0.1 1 127.0.0.1 2');
      await eventually(() => heard.news > news);
    };
    return { heard, hasRead, [Symbol.dispose]: () => watch.end() };
  }

  it('keeps a connection whose sign of life came while this process was held up and was not read', async () => {
    await using proxy = await startTcpProxy(server);
    const clock = new LateClock();
    using watch = await watchThrough(proxy.port, clock);
    await watch.hasRead(1);
    // Asked, and then held up until after the next time: nothing is read in between.
    clock.fireNext();
    await turn();
    clock.stall(5_000);
    clock.fireNext();
    await watch.hasRead(2);
    clock.fireNext();
    await watch.hasRead(3);
    expect([proxy.acceptedCount, watch.heard.listening]).toEqual([1, 1]);
  });

  it('leaves a sentinel that has become silent, and returns to it', async () => {
    await using proxy = await startTcpProxy(server);
    const clock = new LateClock();
    using watch = await watchThrough(proxy.port, clock);
    await watch.hasRead(1);
    proxy.behaviour = 'swallowReplies';
    clock.fireNext();
    await turn();
    expect(proxy.acceptedCount).toBe(1);
    clock.fireNext();
    await turn(); // The sockets are read once more.
    proxy.behaviour = 'forward';
    await eventually(() => watch.heard.listening === 2);
    expect(proxy.acceptedCount).toBe(2);
  });
});
