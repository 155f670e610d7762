/** Subscriptions whose homes change, over real servers. Time is simulated: former homes are given up when a test says so. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HashRing } from '../../../src/index.ts';
import { ShardedRedis } from '../../../src/redis/index.ts';
import type { ChannelHomes } from '../../../src/redis/pubsub/pubsub.ts';
import { SimulatedClock } from '../../../src/testing/simulated-clock.ts';
import { eventually, patientMs } from '../../support/eventually.ts';
import { homesOver, ids, type Servers, type Subject, startServers, subscribe } from './pubsub-cluster.ts';

let servers: Servers;
let clock: SimulatedClock;

beforeEach(async () => {
  servers = await startServers();
  clock = new SimulatedClock();
});

afterEach(() => servers[Symbol.asyncDispose]());

const two = homesOver(['a', 'b']);
const three = homesOver(ids);
const timeoutMs = 1_000;

const begin = (homes: ChannelHomes) => subscribe(servers, { homes, clock, timeoutMs });

/** What each server has: its channels, its number of patterns, and its shard channels. */
const held = () =>
  Promise.all(
    ids.map(async (id) => {
      const client = servers.client(id);
      const channels = (await client.pubsub('CHANNELS')) as string[];
      const shardChannels = (await client.pubsub('SHARDCHANNELS')) as string[];
      return [channels.sort(), await client.pubsub('NUMPAT'), shardChannels.sort()];
    }),
  );

const subscribersAt = async (id: string) =>
  ((await servers.client(id).call('CLIENT', 'LIST', 'TYPE', 'PUBSUB')) as string).split('\n').filter(Boolean).length;

/** Publishes without a pause at the homes it is given, until it is stopped; then resolves with all that it published. */
function publishing(name: string, homes: ChannelHomes, channels: readonly string[]) {
  const published: string[] = [];
  let isStopped = false;
  const run = (async () => {
    for (let index = 0; !isStopped; index++) {
      const channel = channels[index % channels.length]!;
      const message = `${name}${index}`;
      await servers.publish(channel, message, homes.nodeOf(channel));
      published.push(`${channel} ${message}`);
    }
  })();
  return {
    /** Resolves when so many more have been published. */
    more: (count = 40) => {
      const goal = published.length + count;
      return eventually(() => published.length >= goal);
    },
    stop: async () => {
      isStopped = true;
      await run;
      return published;
    },
  };
}

const heard = ({ events }: Subject, kind: string) =>
  events
    .filter((event) => event.startsWith(`${kind} `))
    .map((event) => event.slice(kind.length + 1))
    .sort();

describe('a change of homes', () => {
  it('loses no message and brings none twice, whichever topology publishers follow meanwhile', async () => {
    using subject = begin(two);
    const { pubsub } = subject;
    const channels = ['a:1', 'b:1', 'c:1', 'c:2', 'c:3'];
    await pubsub.subscribe(channels);
    await pubsub.psubscribe('?:*');
    const former = publishing('former', two, channels);
    await former.more();
    await pubsub.prepare(three);
    const present = publishing('present', three, channels);
    await Promise.all([former.more(), present.more()]);
    await pubsub.rehome(three);
    await Promise.all([former.more(), present.more()]);
    const published = await former.stop();
    await clock.advance(timeoutMs);
    await eventually(async () => (await servers.client('a').pubsub('CHANNELS', 'c:*')).length === 0);
    await present.more();
    published.push(...(await present.stop()));
    await eventually(() => subject.events.length >= 2 * published.length);
    expect(heard(subject, 'message')).toEqual(published.sort());
    expect(heard(subject, 'pmessage')).toEqual(published.map((event) => `?:* ${event}`).sort());
  });

  it('is heard of by the publishers of another client that has the new node from its start', async () => {
    const nodes = ids.map((id) => ({ id, port: servers.of[id].port }));
    const ringOf = (members: readonly { id: string }[]): ChannelHomes => {
      const ring = HashRing.create(members.map(({ id }) => ({ id })));
      return { nodes: members.map(({ id }) => id), nodeOf: (channel) => ring.nodeFor(channel) };
    };
    using subject = begin(ringOf(nodes.slice(0, 2)));
    const channels = Array.from({ length: 200 }, (_, index) => `channel:${index}`);
    await subject.pubsub.subscribe(channels);
    await subject.pubsub.psubscribe('channel:*');
    await subject.pubsub.rehome(ringOf(nodes));
    const publisher = new ShardedRedis({ nodes, timeoutMs: patientMs });
    try {
      const reached = await Promise.all(channels.map((channel) => publisher.publish(channel, 'x')));
      expect(reached).toEqual(channels.map(() => 2));
    } finally {
      await publisher.quit();
    }
    await eventually(() => subject.events.length >= 400);
    expect(heard(subject, 'message')).toEqual(channels.map((channel) => `${channel} x`).sort());
    expect(heard(subject, 'pmessage')).toEqual(channels.map((channel) => `channel:* ${channel} x`).sort());
  });

  it('keeps the former home until calls by the former topology have ended, and no longer', async () => {
    using subject = begin(two);
    const { pubsub } = subject;
    await pubsub.subscribe('b:1', 'c:1');
    await pubsub.ssubscribe('c:s');
    await pubsub.psubscribe('p*');
    await pubsub.rehome(three);
    expect(await held()).toEqual([
      [['c:1'], 1, ['c:s']],
      [['b:1'], 1, []],
      [['c:1'], 1, ['c:s']],
    ]);
    await clock.advance(timeoutMs);
    const moved = [
      [[], 1, []],
      [['b:1'], 1, []],
      [['c:1'], 1, ['c:s']],
    ];
    await eventually(async () => expect(await held()).toEqual(moved));
    expect(await pubsub.subscribe('b:2')).toBe(4);
  });

  it('closes the connections of a node that has left, which is heard until calls that know it have ended', async () => {
    using subject = begin(three);
    const { pubsub, events } = subject;
    await pubsub.subscribe('a:1', 'c:1');
    await pubsub.ssubscribe('c:s');
    await pubsub.psubscribe('?:1');
    expect(await subscribersAt('c')).toBe(2);
    await pubsub.rehome(two);
    await servers.publish('c:1', 'former', 'c');
    await servers.publish('c:1', 'present', 'a');
    await eventually(() => events.length === 4);
    await clock.advance(timeoutMs);
    await eventually(async () => (await subscribersAt('c')) === 0);
    await servers.publish('c:1', 'last', 'a');
    await eventually(() => events.length === 6);
    expect(heard(subject, 'message')).toEqual(['c:1 former', 'c:1 last', 'c:1 present']);
    expect(subject.errors).toEqual([]);
    expect(await held()).toEqual([
      [['a:1', 'c:1'], 1, ['c:s']],
      [[], 1, []],
      [[], 0, []],
    ]);
  });

  it('leaves a channel at its former home while the new one is down, and moves it once that is back', async () => {
    using subject = begin(two);
    const { pubsub, events } = subject;
    await pubsub.subscribe('c:1');
    await servers.of.c.kill();
    const rehomed = pubsub.rehome(three);
    await eventually(() => subject.errors.some(({ node }) => node === 'c'));
    await clock.advance(timeoutMs);
    await rehomed; // It does not wait for the node any longer.
    expect(await servers.publish('c:1', 'former', 'a')).toBe(1);
    await servers.of.c.restart();
    await eventually(async () => (await servers.publish('c:1', 'probe', 'c')) === 1);
    await eventually(async () => (await servers.publish('c:1', 'probe', 'a')) === 0);
    await eventually(() => events.includes('message c:1 former'));
  });

  it('moves nothing that was unsubscribed meanwhile, and ends it everywhere', async () => {
    using subject = begin(two);
    const { pubsub } = subject;
    await pubsub.subscribe('c:1', 'c:2');
    await pubsub.psubscribe('c:*');
    const rehomed = pubsub.rehome(three);
    expect(await pubsub.unsubscribe('c:1')).toBe(2);
    expect(await pubsub.punsubscribe()).toBe(1);
    await rehomed;
    expect(await servers.publish('c:1', 'x', 'a')).toBe(0);
    expect(await servers.publish('c:1', 'x', 'c')).toBe(0);
    await clock.advance(timeoutMs);
    await eventually(async () =>
      expect(await held()).toEqual([
        [[], 0, []],
        [[], 0, []],
        [['c:2'], 0, []],
      ]),
    );
  });

  it('is waited for by a call to subscribe that began before it', async () => {
    using subject = begin(two);
    const { pubsub } = subject;
    await pubsub.subscribe('a:0', 'c:0');
    servers.of.c.pause();
    const called = pubsub.subscribe('c:1');
    const rehomed = pubsub.rehome(three);
    let isDone = false;
    void called.then(() => {
      isDone = true;
    });
    // Its first home has confirmed.
    await eventually(async () => (await servers.client('a').pubsub('CHANNELS', 'c:1')).length === 1);
    await pubsub.subscribe('a:1');
    expect(isDone).toBe(false);
    servers.of.c.resume();
    expect(await called).toBe(3);
    expect(await servers.publish('c:1', 'x', 'c')).toBe(1);
    await rehomed;
  });

  it('tells of a server that refuses, and leaves the channel at its former home', async () => {
    for (const id of ids) await servers.client(id).call('ACL', 'SETUSER', 'reader', 'on', '>secret', '+@all', '&*');
    await servers.client('c').call('ACL', 'SETUSER', 'reader', 'resetchannels', '&c:open');
    const client = { username: 'reader', password: 'secret' };
    using subject = subscribe(servers, { homes: two, clock, timeoutMs, client });
    await subject.pubsub.subscribe('c:open', 'c:closed');
    await subject.pubsub.rehome(three);
    expect(subject.errors).toMatchObject([{ node: 'c', error: { message: expect.stringMatching(/^NOPERM/) } }]);
    await clock.advance(timeoutMs);
    await eventually(async () => (await servers.publish('c:open', 'x', 'a')) === 0);
    expect(await servers.publish('c:closed', 'x', 'a')).toBe(1);
    expect(await servers.publish('c:open', 'x', 'c')).toBe(1);
  });

  it('gives up what was prepared if nothing came of it', async () => {
    using subject = begin(two);
    const { pubsub } = subject;
    await pubsub.subscribe('c:1');
    await pubsub.psubscribe('c:*');
    await pubsub.prepare(three);
    expect(await subscribersAt('c')).toBe(1);
    await pubsub.rehome(two);
    await clock.advance(timeoutMs);
    await eventually(async () => (await subscribersAt('c')) === 0);
    expect(await servers.publish('c:1', 'x', 'a')).toBe(2);
  });

  it('hears a node that comes back at once by one connection only', async () => {
    using subject = begin(three);
    const { pubsub, events } = subject;
    await pubsub.subscribe('c:1');
    void pubsub.rehome(two);
    await pubsub.rehome(three);
    expect(await servers.publish('c:1', 'x', 'c')).toBe(1);
    await eventually(() => events.length > 0);
    await clock.advance(timeoutMs);
    await eventually(async () => (await servers.publish('c:1', 'x', 'a')) === 0);
    expect(await servers.publish('c:1', 'x', 'c')).toBe(1);
  });
});
