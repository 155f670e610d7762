/** Pub/sub while servers are killed by their process ids, stopped, silent and started again. */

import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../../src/testing/simulated-clock.ts';
import { eventually, outcomeOf } from '../../support/eventually.ts';
import { LateClock } from '../../support/late-clock.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import { ids, type Library, type Servers, startServers, subscribe } from './pubsub-cluster.ts';

let servers: Servers;

beforeEach(async () => {
  servers = await startServers();
});

afterEach(() => servers[Symbol.asyncDispose]());

/** For what is to succeed: a busy machine may take its time. */
const patientMs = 15_000;

/** Resolves when a message at this channel reaches as many subscribers. */
const heardBy = (channel: string, count: number, node?: string) =>
  eventually(async () => (await servers.publish(channel, 'probe', node)) === count);

describe.each<Library>(['ioredis 6', 'ioredis 5'])('a restarted server, with clients of %s', (library) => {
  it('gets all subscriptions back, whatever their names, and brings each message once', async () => {
    using subject = subscribe(servers, { library });
    const { pubsub, events } = subject;
    await pubsub.subscribe('b:1', 'b:\ud800', '{b}__proto__', 'a:1');
    await pubsub.psubscribe('b:*', 'never');
    await pubsub.punsubscribe('never');
    await pubsub.ssubscribe('b:s');
    await servers.of.b.kill();
    await eventually(() => subject.errors.some(({ node }) => node === 'b'));
    expect(await servers.publish('a:1', 'meanwhile')).toBe(1); // The others do not notice.
    await servers.of.b.restart();
    await heardBy('b:1', 2);
    await eventually(async () => (await servers.spublish('b:s', 'probe')) === 1);
    expect(await servers.client('b').pubsub('NUMPAT')).toBe(1);
    events.length = 0;
    expect(await servers.publish('b:1', 'x')).toBe(2);
    expect(await servers.publish(Buffer.from([0x62, 0x3a, 0xed, 0xa0, 0x80]), 'x', 'b')).toBe(2);
    expect(await servers.publish('{b}__proto__', 'x')).toBe(1);
    expect(await servers.spublish('b:s', 'x')).toBe(1);
    await eventually(() => events.filter((event) => event.endsWith(' x')).length === 6);
    expect(events.filter((event) => event.endsWith(' x')).sort()).toEqual(
      [
        'message b:1 x',
        'message b:\ud800 x',
        'message {b}__proto__ x',
        'pmessage b:* b:1 x',
        'pmessage b:* b:\ud800 x',
        'smessage b:s x',
      ].sort(),
    );
    expect(await pubsub.subscribe('b:1')).toBe(5);
  });

  it('is not subscribed to again for what was ended while it was down', async () => {
    using subject = subscribe(servers, { library });
    const { pubsub } = subject;
    await pubsub.subscribe('b:1', 'b:2');
    await servers.of.b.kill();
    await eventually(() => subject.errors.length > 0);
    expect(await pubsub.unsubscribe('b:2')).toBe(1);
    await servers.of.b.restart();
    await heardBy('b:1', 1);
    expect(await servers.publish('b:2', 'x')).toBe(0);
  });

  it('serves a call that came while it was down, if it is back in time', async () => {
    using subject = subscribe(servers, { library, timeoutMs: patientMs });
    await servers.of.b.kill();
    const early = subject.pubsub.subscribe('b:1', 'a:1');
    await eventually(() => subject.errors.length > 0);
    const late = subject.pubsub.psubscribe('b:*');
    await servers.of.b.restart();
    expect(await Promise.all([early, late])).toEqual([2, 3]);
    expect(await servers.publish('b:1', 'x')).toBe(2);
  });

  it('loses no message published after subscribe resolved while connections break again and again', async () => {
    using subject = subscribe(servers, { library });
    for (let round = 0; round < 15; round++) {
      const call = subject.pubsub.subscribe(`b:${round}`);
      // In some rounds before the reply, in others after it.
      if (round % 2 === 0) for (const client of subject.clients) client.stream?.destroy();
      await call;
      // The server may not have noticed yet that the former connection is gone.
      expect(await servers.publish(`b:${round}`, 'x')).toBeGreaterThan(0);
      await eventually(() => subject.events.includes(`message b:${round} x`));
      if (round % 3 === 0) await servers.client('b').call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    }
    expect(subject.events).toHaveLength(15);
  });
});

describe('a server that is down', () => {
  it('fails the call by its deadline, naming the node, and is subscribed to when it is back', async () => {
    using subject = subscribe(servers, { timeoutMs: 1_000 });
    const { pubsub } = subject;
    await servers.of.b.kill();
    const { error, elapsedMs } = await outcomeOf(() => pubsub.subscribe('b:1', 'a:1'));
    expect(error).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', node: 'b', operation: 'subscribe' });
    expect(error).toHaveProperty('cause.code', 'ECONNREFUSED');
    expect(elapsedMs).toBeGreaterThan(990);
    expect(elapsedMs).toBeLessThan(10_000); // Without the deadline it would wait for as long as the server is down.
    await heardBy('a:1', 1); // The others serve it.
    await servers.of.b.restart();
    await heardBy('b:1', 1);
    expect(await pubsub.subscribe('b:1')).toBe(2);
  });

  it('costs a pattern nothing at the others', async () => {
    using subject = subscribe(servers, { timeoutMs: 1_000 });
    const { pubsub, events } = subject;
    await servers.of.c.kill();
    await expect(pubsub.psubscribe('*:1')).rejects.toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', node: 'c' });
    await heardBy('a:1', 1);
    await heardBy('b:1', 1);
    await eventually(() => events.length === 2);
    await servers.of.c.restart();
    await heardBy('c:1', 1);
    expect(await pubsub.punsubscribe()).toBe(0);
    // It waits for the servers' answers no longer than its deadline.
    for (const id of ids) await heardBy('x:1', 0, id);
  });

  it('lets go of what is ended before it is back, and of a call that waits for it', async () => {
    using subject = subscribe(servers);
    await servers.of.b.kill();
    const waiting = subject.pubsub.subscribe('b:1');
    await eventually(() => subject.errors.length > 0);
    expect(await subject.pubsub.unsubscribe()).toBe(0);
    expect(await waiting).toBe(1);
    await servers.of.b.restart();
    await subject.pubsub.subscribe('b:2');
    expect(await servers.publish('b:1', 'x')).toBe(0);
  });

  it('lets the client close at once', async () => {
    const subject = subscribe(servers);
    await servers.of.b.kill();
    const waiting = subject.pubsub.subscribe('b:1');
    await eventually(() => subject.errors.length > 0);
    const closed = outcomeOf(waiting);
    subject.pubsub.close();
    const { error, endedAtOnce } = await closed;
    expect(error).toMatchObject({ code: 'ERR_CLOSED' });
    expect(endedAtOnce).toBe(true);
    expect(subject.clients).toMatchObject([{ reconnectTimeout: null }]); // ioredis does not try again.
  });
});

describe('a server that is silent', () => {
  it('fails the call by its deadline, and the end of a subscription does not wait longer', async () => {
    using subject = subscribe(servers, { timeoutMs: 300 });
    const { pubsub } = subject;
    await eventually(() => pubsub.subscribe('b:1'));
    servers.of.b.pause();
    try {
      const late = await outcomeOf(pubsub.subscribe('b:2'));
      expect(late.error).toMatchObject({ code: 'ERR_TIMEOUT', node: 'b', operation: 'subscribe', timeoutMs: 300 });
      const ended = await outcomeOf(pubsub.unsubscribe('b:1'));
      expect(ended.value).toBe(1);
      expect(ended.elapsedMs).toBeLessThan(10_000); // The next to end it would be the heartbeat, after 15 s.
    } finally {
      servers.of.b.resume();
    }
    await heardBy('b:2', 1);
    await heardBy('b:1', 0);
  });

  it('is found out by its missing heartbeat, and is subscribed to anew on another connection', async () => {
    await using proxy = await startTcpProxy(servers.of.b);
    const clock = new SimulatedClock();
    const heartbeatMs = 50;
    using subject = subscribe(servers, { clock, heartbeatMs, client: { port: proxy.port } });
    await subject.pubsub.subscribe('b:1');
    await subject.pubsub.ssubscribe('b:s');
    const pingsBefore = await pingsOf(servers);
    // Some beats go well, with subscriptions of either kind.
    for (let beat = 1; beat <= 3; beat++) {
      await clock.advance(heartbeatMs);
      await eventually(async () => (await pingsOf(servers)) === pingsBefore + 2 * beat);
      // Replies come in order: those to the PINGs were there before these.
      await subject.pubsub.subscribe(`b:of beat ${beat}`);
      await subject.pubsub.ssubscribe(`b:of beat ${beat}`);
    }
    expect([proxy.acceptedCount, subject.errors]).toEqual([2, []]);
    proxy.behaviour = 'swallowReplies';
    await clock.advance(heartbeatMs);
    expect(subject.errors).toEqual([]);
    await clock.advance(heartbeatMs);
    await eventually(() => subject.errors.filter(({ error }) => /cannot be reached/.test(error.message)).length >= 2);
    proxy.behaviour = 'forward';
    proxy.resetAll(); // A connection that was made before this waits for replies that were swallowed.
    await eventually(async () => {
      await servers.publish('b:1', 'again', 'b');
      return subject.events.includes('message b:1 again');
    });
  });
});

describe('a process that was held up', () => {
  it('keeps a connection whose sign of life came meanwhile and was not read', async () => {
    await using proxy = await startTcpProxy(servers.of.b);
    const clock = new LateClock();
    const heartbeatMs = 1_000;
    using subject = subscribe(servers, { clock, heartbeatMs, client: { port: proxy.port } });
    await subject.pubsub.subscribe('b:1');
    const pingsBefore = await pingsOf(servers);
    // Asked, and then held up until after the next time: nothing was read in between.
    clock.fireNext();
    await turn();
    clock.stall(5 * heartbeatMs);
    clock.fireNext();
    await eventually(async () => (await pingsOf(servers)) === pingsBefore + 1);
    await subject.pubsub.subscribe('b:2'); // Its reply comes after the one to the PING.
    clock.fireNext();
    await eventually(async () => (await pingsOf(servers)) === pingsBefore + 2);
    expect([proxy.acceptedCount, subject.errors]).toEqual([1, []]);
  });
});

/** PINGs that b has answered. */
const pingsOf = async ({ client }: Servers) =>
  Number(/cmdstat_ping:calls=(\d+)/.exec(await client('b').info('commandstats'))?.[1] ?? 0);

describe('a server that refuses', () => {
  it('to renew one subscription does not cost the others theirs, and is told of', async () => {
    for (const id of ids) await servers.client(id).call('ACL', 'SETUSER', 'reader', 'on', '>secret', '+@all', '&*');
    using subject = subscribe(servers, { client: { username: 'reader', password: 'secret' } });
    await subject.pubsub.subscribe('b:open', 'b:closed', 'b:open2');
    // This ends the connections of the user, as they hold what they may not any more.
    await servers.client('b').call('ACL', 'SETUSER', 'reader', 'resetchannels', '&b:open*');
    await heardBy('b:open', 1);
    await heardBy('b:open2', 1);
    expect(await servers.publish('b:closed', 'x')).toBe(0);
    await eventually(() => subject.errors.some(({ node, error }) => node === 'b' && /^NOPERM/.test(error.message)));
    await servers.client('b').call('ACL', 'SETUSER', 'reader', '&*');
    await servers.client('b').call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await heardBy('b:closed', 1);
  });

  it('the password fails calls with what it said, and is subscribed to once it lets us in', async () => {
    await servers.client('b').call('ACL', 'SETUSER', 'reader', 'on', '>other', '+@all', '&*');
    using subject = subscribe(servers, { timeoutMs: 1_000, client: { username: 'reader', password: 'secret' } });
    await expect(subject.pubsub.subscribe('b:1')).rejects.toMatchObject({
      code: 'ERR_NODE_UNAVAILABLE',
      cause: { message: expect.stringMatching(/^WRONGPASS/) },
    });
    expect(subject.errors[0]).toMatchObject({ node: 'b', error: { kind: 'WRONGPASS' } });
    expect(JSON.stringify(subject.errors)).not.toContain('secret');
    await servers.client('b').call('ACL', 'SETUSER', 'reader', '>secret');
    await heardBy('b:1', 1);
  });
});
