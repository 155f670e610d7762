import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';
import { eventually, outcomeOf } from '../support/eventually.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { connectionKinds, type OpenBackend } from '../support/redis-clients.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

/** Of the calls that are to run out of it. */
const timeoutMs = 300;

/** Of all others, so that none runs out of it because a machine is busy; one that waits for it in vain ends there. */
const patientMs = 15_000;

/** A busy machine may look at a deadline late. Without it these calls would stay open: a stopped server keeps its connections. */
const slackMs = 10_000;

const value = Buffer.from('1');

describe.each(connectionKinds)('a RedisBackend with $title', ({ open, isBorrowed }) => {
  let server: RedisServer;
  let proxy: TcpProxy;
  let direct: OpenBackend;
  /** Another one, whose calls have the short deadline. */
  let hasty: OpenBackend;
  let proxied: OpenBackend;
  let observer: Redis;

  beforeEach(async () => {
    server = await startRedis();
    proxy = await startTcpProxy(server);
    direct = open({ port: server.port }, { timeoutMs: patientMs });
    // With as much patience for the handshake: which of the two ends a call must not depend on speed.
    hasty = open({ port: server.port }, { timeoutMs, connectTimeoutMs: patientMs });
    proxied = open({ port: proxy.port }, { timeoutMs: patientMs });
    observer = new Redis(server.port);
    observer.on('error', () => undefined);
  });

  afterEach(async () => {
    await Promise.all([direct.close(), hasty.close(), proxied.close()]);
    observer.disconnect();
    await proxy.close();
    await server.stop();
  });

  it('fails a get at once when the server was killed, and works by itself when it is back', async () => {
    const { backend } = direct;
    await backend.set('key', value);
    await server.kill();
    const first = await outcomeOf(backend.get('key'));
    expect(first.error).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', retryable: true, node: backend.nodeName });

    // The first one may have ended with its connection, before anything was known of the next.
    const known = await eventually(async () => {
      const outcome = await outcomeOf(backend.get('key'));
      return outcome.endedAtOnce && outcome;
    });
    expect(known.error).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', cause: { code: 'ECONNREFUSED' } });

    await server.restart();
    await eventually(() => backend.set('key', value).then(() => true));
    expect(await backend.get('key')).toEqual(value);
  });

  it('counts a reply that came while this process was too busy to look, past the deadline', async () => {
    const { backend } = hasty;
    await backend.set('key', value, { timeoutMs: patientMs });
    const read = outcomeOf(backend.get('key'));
    // The call has left; for longer than its deadline nothing else runs here, timers and sockets included. Sleeping, as the
    // server may need the processor.
    await new Promise((resolve) => setImmediate(resolve));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3 * timeoutMs);
    expect((await read).value).toEqual(value);
  });

  it('says that the node cannot be reached, and why, when there never was a server', async () => {
    await server.kill();
    const { error } = await outcomeOf(direct.backend.set('key', value));
    expect(error).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', cause: { code: 'ECONNREFUSED' } });
  });

  it('ends reads and writes by their deadline while the server is stopped, and says which may have been executed', async () => {
    const { backend } = hasty;
    await backend.set('key', value, { timeoutMs: patientMs });
    server.pause();
    const [read, write, many] = await Promise.all([
      outcomeOf(() => backend.get('key')),
      outcomeOf(() => backend.set('key', value)),
      outcomeOf(() => backend.getMany(['key', 'other'])),
    ]);
    expect(read.error).toMatchObject({ code: 'ERR_TIMEOUT', timeoutMs, operation: 'get' });
    expect(write.error).toMatchObject({
      code: 'ERR_UNKNOWN_OUTCOME',
      operation: 'set',
      cause: { code: 'ERR_TIMEOUT' },
    });
    expect(many.error).toMatchObject({ code: 'ERR_TIMEOUT', operation: 'getMany' });
    for (const { elapsedMs } of [read, write, many]) {
      expect(elapsedMs).toBeGreaterThanOrEqual(timeoutMs - 2);
      expect(elapsedMs).toBeLessThan(timeoutMs + slackMs);
    }
    server.resume();
    expect(await eventually(() => backend.get('key'))).toEqual(value);
  });

  it('times out a write that was never sent, as the connection is not there yet', async () => {
    server.pause();
    const { error, elapsedMs } = await outcomeOf(hasty.backend.set('key', value));
    // The kernel accepts for a stopped server; a borrowed ioredis 6 as it is waits for HELLO, and others have nothing to wait for.
    expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_(TIMEOUT|UNKNOWN_OUTCOME)$/) });
    if (!isBorrowed) expect(error).toMatchObject({ code: 'ERR_TIMEOUT' });
    expect(elapsedMs).toBeLessThan(timeoutMs + slackMs);
    server.resume();
  });

  it('keeps a different deadline for each call', async () => {
    const clock = new SimulatedClock();
    const { backend, close } = open({ port: server.port }, { clock });
    await backend.ping();
    server.pause();
    const ended: unknown[] = [];
    const calls = [200, 20, 100].map(async (each) => {
      const { error } = await outcomeOf(backend.get('key', { timeoutMs: each }));
      ended.push(each);
      expect(error).toMatchObject({ code: 'ERR_TIMEOUT', timeoutMs: each });
    });
    for (const [ms, expected] of [
      [19, []],
      [1, [20]],
      [79, [20]],
      [1, [20, 100]],
      [99, [20, 100]],
      [1, [20, 100, 200]],
    ] as const) {
      await clock.advance(ms);
      expect(ended).toEqual(expected);
    }
    await Promise.all(calls);
    server.resume();
    await close();
  });

  it('executes an increment whose reply was lost once, and says that it does not know', async () => {
    const { backend } = proxied;
    await backend.ping();
    proxy.behaviour = 'loseReply';
    const { error, elapsedMs } = await outcomeOf(backend.increment('counter', 1));
    expect(error).toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME', operation: 'increment', retryable: false });
    expect(elapsedMs).toBeLessThan(patientMs); // By the loss of its connection, not by its deadline.

    proxy.behaviour = 'forward';
    await eventually(() => backend.ping().then(() => true));
    // The connection is there again and serves calls in order: whatever was to be sent again would have been.
    expect(await backend.get('counter')).toEqual(value);
    expect(await observer.get('counter')).toBe('1');
  });

  it('fails the calls in flight at once when the connection is reset, not at their deadline', async () => {
    const { backend } = proxied;
    await backend.ping();
    proxy.behaviour = 'swallowReplies';
    // Deadlines that this test does not live to see.
    const calls = [
      outcomeOf(backend.get('key', { timeoutMs: 60_000 })),
      outcomeOf(backend.set('key', value, { timeoutMs: 60_000 })),
    ];
    // The second one has arrived, so both are under way.
    await eventually(async () => (await observer.get('key')) === '1');
    proxy.resetAll();
    const [read, write] = await Promise.all(calls);
    expect(read!.error).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', cause: expect.any(Error) });
    expect(write!.error).toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME', cause: expect.any(Error) });
  });

  it('reports that something other than Redis does not speak the protocol', async () => {
    await proxied.backend.ping();
    proxy.behaviour = { answer: 'HTTP/1.1 400 Bad Request\r\n\r\n' };
    const { error } = await outcomeOf(proxied.backend.get('key'));
    expect(error).toMatchObject({ code: 'ERR_NODE_PROTOCOL', cause: expect.any(Error) });
    proxy.behaviour = 'forward';
    await eventually(() => proxied.backend.ping().then(() => true));
  });

  it('does not know whether a write was executed if it was answered with garbage', async () => {
    await proxied.backend.ping();
    proxy.behaviour = { answer: '?!\r\n' };
    const { error } = await outcomeOf(proxied.backend.increment('counter', 1));
    expect(error).toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME', cause: { code: 'ERR_NODE_PROTOCOL' } });
  });

  it('treats a reply of another kind than the command has as garbage too', async () => {
    await proxied.backend.ping();
    proxy.behaviour = { answer: ':1\r\n' };
    await expect(proxied.backend.get('key')).rejects.toMatchObject({ code: 'ERR_NODE_PROTOCOL' });
  });

  it('rejects an aborted call with the reason, and goes on', async () => {
    const { backend } = direct;
    await backend.ping();
    server.pause();
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    const call = outcomeOf(backend.get('key', { signal: controller.signal }));
    controller.abort(reason);
    expect((await call).error).toBe(reason);
    server.resume();
    await backend.set('key', value);
    expect(await backend.get('key', { signal: new AbortController().signal })).toEqual(value);
  });

  it('sends nothing for a call whose signal has aborted before', async () => {
    const { backend } = direct;
    const reason = new Error('never wanted');
    await expect(backend.increment('counter', 1, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await backend.ping();
    expect(await backend.get('counter')).toBeUndefined();
  });

  it('closes while calls are in flight: they end by their deadlines, later ones are rejected', async () => {
    const { backend } = hasty;
    await backend.ping({ timeoutMs: patientMs });
    server.pause();
    const call = outcomeOf(backend.get('key'));
    const closed = outcomeOf(backend.close());
    await expect(backend.get('key')).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    expect((await call).error).toMatchObject({ code: 'ERR_TIMEOUT' });
    expect((await closed).elapsedMs).toBeLessThan(timeoutMs + slackMs);
    await backend.close();
    server.resume();
  });
});

describe('a RedisBackend with a client of its own', () => {
  it('drops a connection that receives nothing any more, and makes a new one', async () => {
    await using server = await startRedis();
    await using proxy = await startTcpProxy(server);
    const { backend, close } = connectionKinds[0]!.open({ port: proxy.port }, { timeoutMs: 200 });
    await backend.set('key', value, { timeoutMs: patientMs });
    const connections = proxy.acceptedCount;
    // As if the route were gone: what is sent on the old connection arrives nowhere, and no reset comes back.
    proxy.behaviour = 'stall';
    await eventually(async () => {
      await outcomeOf(backend.get('key'));
      return proxy.acceptedCount > connections;
    });
    proxy.behaviour = 'forward';
    expect(await eventually(() => backend.get('key'))).toEqual(value);
    await close();
  });

  it('finds a server again that restarted many times', async () => {
    await using server = await startRedis();
    const { backend, close } = connectionKinds[0]!.open({ port: server.port }, { timeoutMs: 200 });
    for (let round = 0; round < 3; round++) {
      await server.restart();
      await eventually(() => backend.ping().then(() => true));
    }
    await close();
  });
});
