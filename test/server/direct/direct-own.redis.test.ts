/** DirectClient where it is the node's own: what `Link` and `Connection` do with it. */

import { afterEach, beforeEach, expect, it } from 'vitest';
import { ClosedError } from '../../../src/errors/index.ts';
import { systemClock as clock } from '../../../src/runtime/clock.ts';
import { commands, setArguments } from '../../../src/server/backend/commands.ts';
import { DirectClient } from '../../../src/server/direct/direct-client.ts';
import type { DirectClientOptions } from '../../../src/server/direct/direct-options.ts';
import { Connection } from '../../../src/server/sending/connection.ts';
import { anyServer } from '../../support/any-server.ts';
import { eventually, outcomeOf } from '../../support/eventually.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';

const value = Buffer.from('1');

/** For what is to succeed, or to end by something else than its deadline: a busy machine may take its time. */
const patientMs = 15_000;

let server: RedisServer;
let proxy: TcpProxy;
const connections: Connection[] = [];
const closed = new ClosedError('backend');

beforeEach(async () => {
  server = await startRedis({ password: 'hunter2' });
  proxy = await startTcpProxy(server);
});

afterEach(async () => {
  for (const connection of connections.splice(0)) connection.end(closed);
  await proxy.close();
  await server.stop();
});

function open(options: DirectClientOptions = {}, handshakeTimeoutMs = patientMs) {
  const node = () => 'a';
  const common = { node, address: 'a', clock, serverCheck: anyServer };
  const connection = new Connection({ ...common, isOwn: true, handshakeTimeoutMs, batching: true });
  const client = new DirectClient({ host: '127.0.0.1', port: proxy.port, password: 'hunter2', ...options });
  connection.attach(client);
  connections.push(connection);
  const limits = (timeoutMs = patientMs) => ({ timeoutMs, deadlineMs: clock.nowMs() + timeoutMs, signal: undefined });
  return {
    client,
    get: (timeoutMs?: number) => connection.call(commands.get, ['key'], limits(timeoutMs)),
    set: () => connection.call(commands.set, setArguments('key', value, undefined), limits()),
  };
}

it('a direct connection connects at the first call, and only then', async () => {
  const { client, set, get } = open();
  expect(client.status).toBe('wait');
  await set();
  expect(await get()).toEqual(value);
  expect(proxy.acceptedCount).toBe(1);
});

it('a direct connection answers many callers at once, and all their GETs by MGETs', async () => {
  const { set, get } = open();
  await set();
  const answers = await Promise.all(Array.from({ length: 2_000 }, () => get()));
  expect(answers.every((answer) => answer?.equals(value))).toBe(true);
});

it('a direct connection cuts off a handshake that is not answered, and goes on once it is', async () => {
  proxy.behaviour = 'stall';
  const { get } = open({}, 200);
  const { error } = await outcomeOf(get());
  // Its cause tells what has ended it: no deadline, and not the time to connect either.
  expect(error).toMatchObject({
    code: 'ERR_NODE_UNAVAILABLE',
    cause: { message: expect.stringContaining('handshake') },
  });
  proxy.behaviour = 'forward';
  expect(await eventually(() => get().then(() => true), patientMs)).toBe(true);
});

it('a direct connection that receives nothing any more is replaced by a new one', async () => {
  const { set, get } = open({}, 1_000);
  await set();
  const accepted = proxy.acceptedCount;
  proxy.behaviour = 'stall';
  await eventually(async () => {
    await outcomeOf(get(200));
    return proxy.acceptedCount > accepted;
  }, 20_000);
  proxy.behaviour = 'forward';
  expect(await eventually(() => get())).toEqual(value);
});

it('a direct connection with a wrong password says so in every call', async () => {
  const { get } = open({ password: 'wrong' });
  const expected = { code: 'ERR_NODE_REPLY', kind: 'WRONGPASS' };
  await expect(get()).rejects.toMatchObject(expected);
  await expect(get()).rejects.toMatchObject(expected);
});

it('a direct connection is tried again at each call even if its options make it impossible', async () => {
  const { client, get } = open({ port: 99_999 });
  await expect(get()).rejects.toMatchObject({ code: 'ERR_NODE_UNAVAILABLE' });
  expect(client.status).toBe('end');
});

it('a direct client closes with its connection', async () => {
  const { client, set } = open();
  await set();
  connections.splice(0)[0]!.end(closed);
  await eventually(() => client.status === 'end' && proxy.connectionCount === 0);
});
