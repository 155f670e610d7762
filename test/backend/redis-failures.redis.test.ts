import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually, outcomeOf } from '../support/eventually.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { connectionKinds, type OpenBackend } from '../support/redis-clients.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

/** Given to every call here, so that a call that ignores it is far from one that keeps it. */
const timeoutMs = 300;

/** Scheduling on a busy machine may come on top of a deadline. */
const slackMs = 250;

const value = Buffer.from('1');

describe.each(connectionKinds)('a RedisBackend with $title', ({ open, isLent }) => {
  let server: RedisServer;
  let proxy: TcpProxy;
  let direct: OpenBackend;
  let proxied: OpenBackend;
  let observer: Redis;

  beforeEach(async () => {
    server = await startRedis();
    proxy = await startTcpProxy(server);
    direct = open({ port: server.port }, { timeoutMs });
    proxied = open({ port: proxy.port }, { timeoutMs });
    observer = new Redis(server.port);
    observer.on('error', () => undefined);
  });

  afterEach(async () => {
    await Promise.all([direct.close(), proxied.close()]);
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
    expect(first.elapsedMs).toBeLessThan(timeoutMs + slackMs);

    const known = await outcomeOf(backend.get('key'));
    expect(known.error).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', cause: { code: 'ECONNREFUSED' } });
    expect(known.elapsedMs).toBeLessThan(50);

    await server.restart();
    await eventually(() => backend.set('key', value).then(() => true));
    expect(await backend.get('key')).toEqual(value);
  });

  it('counts a reply that came while this process was too busy to look, past the deadline', async () => {
    const { backend } = direct;
    await backend.set('key', value);
    const read = outcomeOf(backend.get('key'));
    // The call has left; for longer than its deadline nothing else runs here, timers and sockets included.
    await new Promise((resolve) => setImmediate(resolve));
    for (const endMs = performance.now() + 1.5 * timeoutMs; performance.now() < endMs; );
    expect((await read).value).toEqual(value);
  });

  it('says that the node cannot be reached, and why, when there never was a server', async () => {
    await server.kill();
    const { error, elapsedMs } = await outcomeOf(direct.backend.set('key', value));
    expect(error).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', cause: { code: 'ECONNREFUSED' } });
    expect(elapsedMs).toBeLessThan(timeoutMs + slackMs);
  });

  it('ends reads and writes by their deadline while the server is stopped, and says which may have been executed', async () => {
    const { backend } = direct;
    await backend.set('key', value);
    server.pause();
    const [read, write, many] = await Promise.all([
      outcomeOf(backend.get('key')),
      outcomeOf(backend.set('key', value)),
      outcomeOf(backend.getMany(['key', 'other'])),
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
    const { error, elapsedMs } = await outcomeOf(direct.backend.set('key', value));
    // The kernel accepts for a stopped server; ioredis 6 lent as it is waits for HELLO, and others have nothing to wait for.
    expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_(TIMEOUT|UNKNOWN_OUTCOME)$/) });
    if (!isLent) expect(error).toMatchObject({ code: 'ERR_TIMEOUT' });
    expect(elapsedMs).toBeLessThan(timeoutMs + slackMs);
    server.resume();
  });

  it('keeps a different deadline for each call', async () => {
    const { backend } = direct;
    await backend.ping();
    server.pause();
    const outcomes = await Promise.all(
      [200, 20, 100].map((each) => outcomeOf(backend.get('key', { timeoutMs: each }))),
    );
    server.resume();
    for (const [index, each] of [200, 20, 100].entries()) {
      expect(outcomes[index]!.error).toMatchObject({ code: 'ERR_TIMEOUT', timeoutMs: each });
      expect(outcomes[index]!.elapsedMs).toBeGreaterThanOrEqual(each - 2);
      expect(outcomes[index]!.elapsedMs).toBeLessThan(each + slackMs);
    }
  });

  it('executes an increment whose reply was lost once, and says that it does not know', async () => {
    const { backend } = proxied;
    await backend.ping();
    proxy.behaviour = 'loseReply';
    const { error, elapsedMs } = await outcomeOf(backend.increment('counter', 1));
    expect(error).toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME', operation: 'increment', retryable: false });
    expect(elapsedMs).toBeLessThan(timeoutMs);

    proxy.behaviour = 'forward';
    await eventually(() => backend.ping().then(() => true));
    // The connection is there again and serves calls in order: whatever was to be sent again would have been.
    expect(await backend.get('counter')).toEqual(value);
    expect(await observer.get('counter')).toBe('1');
  });

  it('fails the calls under way at once when the connection is reset, not at their deadline', async () => {
    const { backend } = proxied;
    await backend.ping();
    proxy.behaviour = 'stall';
    const calls = [
      outcomeOf(backend.get('key', { timeoutMs: 60_000 })),
      outcomeOf(backend.set('key', value, { timeoutMs: 60_000 })),
    ];
    // The second one leaves at the end of the turn of the event loop, and is under way only then.
    for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
    proxy.resetAll();
    const [read, write] = await Promise.all(calls);
    expect(read!.error).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', cause: expect.any(Error) });
    expect(write!.error).toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME', cause: expect.any(Error) });
    expect(read!.elapsedMs).toBeLessThan(5_000);
  });

  it('says that something which is no Redis does not speak the protocol', async () => {
    await proxied.backend.ping();
    proxy.behaviour = { answer: 'HTTP/1.1 400 Bad Request\r\n\r\n' };
    const { error, elapsedMs } = await outcomeOf(proxied.backend.get('key'));
    expect(error).toMatchObject({ code: 'ERR_NODE_PROTOCOL', cause: expect.any(Error) });
    expect(elapsedMs).toBeLessThan(timeoutMs);
    proxy.behaviour = 'forward';
    await eventually(() => proxied.backend.ping().then(() => true));
  });

  it('does not know whether a write was executed that was answered with garbage', async () => {
    await proxied.backend.ping();
    proxy.behaviour = { answer: '?!\r\n' };
    const { error } = await outcomeOf(proxied.backend.increment('counter', 1));
    expect(error).toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME', cause: { code: 'ERR_NODE_PROTOCOL' } });
  });

  it('takes a reply of another kind than the command has for garbage too', async () => {
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

  it('closes while calls are under way: they end by their deadlines, later ones are refused', async () => {
    const { backend } = direct;
    await backend.ping();
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
  it('gives up a connection on which nothing comes back any more, and makes a new one', async () => {
    await using server = await startRedis();
    await using proxy = await startTcpProxy(server);
    const { backend, close } = connectionKinds[0]!.open({ port: proxy.port }, { timeoutMs: 200 });
    await backend.set('key', value);
    const connections = proxy.acceptedCount;
    // As if the route were gone: what is sent on the old connection arrives nowhere, and no reset comes back.
    proxy.behaviour = 'stall';
    await eventually(async () => {
      await outcomeOf(backend.get('key'));
      return proxy.acceptedCount > connections;
    }, 10_000);
    proxy.behaviour = 'forward';
    expect(await eventually(() => backend.get('key'), 10_000)).toEqual(value);
    await close();
  });

  it('finds a server again that restarted many times', async () => {
    await using server = await startRedis();
    const { backend, close } = connectionKinds[0]!.open({ port: server.port }, { timeoutMs: 200 });
    for (let round = 0; round < 3; round++) {
      await server.restart();
      await eventually(() => backend.ping().then(() => true), 3_000);
    }
    await close();
  });
});
