/** What an application may do to a client that it should not, and what must come of it all the same. */

import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { InvalidArgumentError, ShardringError, WriteConsistencyError } from '../../src/errors/index.ts';
import { NodeWatch } from '../../src/health/node-watch.ts';
import { ShardedRedis } from '../../src/redis/index.ts';
import { eventually, outcomeOf } from '../support/eventually.ts';
import { startRedis } from '../support/redis.ts';
import { type Shards, startShards } from '../support/shards.ts';

/** For what is to succeed: a busy machine may take its time. */
const patientMs = 15_000;

/** Nobody probes: a node that a busy machine gave no turn must not be thought ill. */
const noProbes = { probeIntervalMs: 600_000 };

/** Runs `act` and resolves with the errors that surfaced as uncaught exceptions meanwhile. */
async function uncaughtDuring(act: () => Promise<unknown>): Promise<unknown[]> {
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  const uncaught: unknown[] = [];
  const note = (error: unknown) => void uncaught.push(error);
  process.on('uncaughtException', note);
  try {
    await act();
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.removeListener('uncaughtException', note);
    for (const listener of others) process.on('uncaughtException', listener);
  }
  return uncaught;
}

describe('ShardedRedis over four servers', () => {
  let shards: Shards;
  beforeAll(async () => {
    shards = await startShards(4, { health: noProbes, timeoutMs: patientMs });
  });
  afterAll(() => shards[Symbol.asyncDispose]());
  afterEach(() => shards.flush());

  it('takes as many arguments in a transaction and in a blocking command as elsewhere', async () => {
    // A server is busy with so many for a while, and then others think it ill.
    await using own = await startShards(1, { health: noProbes, timeoutMs: 30_000 });
    const calm = own.redis;
    const members = Array.from({ length: 200_000 }, (_, index) => `member:${index}`);
    expect(await calm.multi().sadd('set', members).scard('set').exec()).toEqual([
      [null, members.length],
      [null, members.length],
    ]);
    expect(
      await calm.blpop(
        members.map((member) => `{list}${member}`),
        0.01,
      ),
    ).toBeNull();
  });

  it.each([
    ...['__proto__', 'constructor', 'then', 'hasOwnProperty', 'pipeline', 'on', 'emit', 'quit', 'nodes', 'topology'],
    ...['exec', 'discard', 'length', 'queue', 'multi', 'scan', 'runCommand', 'status'],
  ])('refuses to define a command %s, whose name is taken by a property or method that is not a command', (name) => {
    const client = shards.open();
    expect(() => client.defineCommand(name, { lua: 'return 1', numberOfKeys: 1 })).toThrow(InvalidArgumentError);
    expect(client).toBeInstanceOf(ShardedRedis);
  });

  it('lets a script take the place of a command, and of a script', async () => {
    const client = shards.open();
    client.defineCommand('echo', { lua: "return 'first'", numberOfKeys: 1 });
    client.defineCommand('echo', { lua: 'return KEYS[1]', numberOfKeys: 1 });
    expect(await client.echo('key')).toBe('key');
    expect(await client.pipeline().echo('key').exec()).toEqual([[null, 'key']]);
    expect(await client.multi().echo('key').exec()).toEqual([[null, 'key']]);
  });

  it('lets transactions and RANDOMKEY in flight finish when it is closed', async () => {
    const client = shards.open();
    await client.connect();
    await client.set('{key}', 'value');
    const calls = [client.multi().incr('{key}counter').exec(), client.randomkey(), client.get('{key}')];
    const more = client.multi().incr('{key}counter').exec();
    await client.quit();
    // The transaction goes over a connection of its own, and may be first.
    expect((await Promise.all(calls)).slice(1)).toEqual([expect.stringMatching(/^\{key\}(counter)?$/), 'value']);
    expect(await more).toHaveLength(1);
  });

  it('closes in time while a connection is held by somebody who never lets go of it', async () => {
    const client = shards.open({ timeoutMs: 100, connectTimeoutMs: patientMs });
    // With a connection at hand the use begins at once.
    await eventually(() => client.withConnection('key', () => true), patientMs);
    let isHeld = false;
    const use = () => {
      isHeld = true;
      return new Promise<never>(() => undefined);
    };
    const held = outcomeOf(client.withConnection('key', use));
    await eventually(() => isHeld);
    const { elapsedMs } = await outcomeOf(client.quit());
    expect(elapsedMs).toBeLessThan(10_000); // Nothing but closing ends that use.
    expect((await held).error).toMatchObject({ code: 'ERR_CLOSED' });
  });

  it('ends every call though listeners throw, whose errors surface on their own', async () => {
    const server = await startRedis();
    const client = new ShardedRedis({
      nodes: [{ id: 'only', url: server.url }],
      timeoutMs: 200,
      connectTimeoutMs: patientMs,
      // Most often a call fails first, and makes the node suspect.
      health: { probeIntervalMs: 20, probeTimeoutMs: 500 },
    });
    await client.connect();
    const names = ['nodeSuspect', 'nodeDown', 'nodeUp', 'node error'];
    const thrown: { readonly name: string; readonly fault: Error }[] = [];
    for (const name of names) {
      client.on(name, () => {
        const fault = new Error(`by a listener of ${name}`);
        thrown.push({ name, fault });
        throw fault;
      });
    }
    const uncaught = await uncaughtDuring(async () => {
      server.pause();
      const calls = Array.from({ length: 10 }, (_, index) => outcomeOf(client.get(`key:${index}`)));
      for (const { error } of await Promise.all(calls)) expect(error).toMatchObject({ node: 'only' });
      await eventually(() => client.health().get('only') === 'down', patientMs);
      server.resume();
      await eventually(() => client.health().get('only') === 'up', patientMs);
      // What a probe that is late may tell from here on is not looked at.
      for (const name of names) client.removeAllListeners(name);
    });
    // A node may go down without having been suspect.
    expect(thrown.map(({ name }) => name)).toEqual(expect.arrayContaining(['nodeDown', 'node error', 'nodeUp']));
    expect(uncaught).toEqual(thrown.map(({ fault }) => fault));
    expect(await eventually(async () => [await client.get('key')])).toEqual([null]);
    await client.quit();
    await server.stop();
  });
});

describe('a ShardedRedis that could reach no node at first', () => {
  it('can be asked to connect again', async () => {
    const server = await startRedis();
    await server.kill();
    const client = new ShardedRedis({
      nodes: [{ id: 'only', url: server.url }],
      lazyConnect: true,
      timeoutMs: patientMs,
    });
    await expect(client.connect()).rejects.toMatchObject({ code: 'ERR_NODE_UNAVAILABLE' });
    await server.restart();
    await eventually(() => client.connect().then(() => true), patientMs);
    expect(client.status).toBe('ready');
    await client.quit();
    await server.stop();
  });

  it('becomes ready as soon as a node that had refused PING takes it', async () => {
    const server = await startRedis({ password: 'secret' });
    const client = new ShardedRedis({
      nodes: [{ id: 'only', port: server.port, host: '127.0.0.1' }],
      lazyConnect: true,
      timeoutMs: patientMs,
      health: { probeIntervalMs: 300 },
    });
    await expect(client.connect()).rejects.toMatchObject({ code: 'ERR_NODE_REPLY', kind: 'NOAUTH' });
    expect(client.status).toBe('reconnecting');
    const other = client.nodes()[0]!.duplicate({ password: 'secret' });
    await other.config('SET', 'requirepass', '');
    other.disconnect();
    await eventually(() => client.status === 'ready', patientMs);
    await client.quit();
    await server.stop();
  });
});

describe('the health of a ShardedRedis', () => {
  afterEach(() => vi.restoreAllMocks());

  it.each([1, 2])('ignores a transaction whose time a stall used up, with copies: %i', async (copies) => {
    await using shards = await startShards(copies, { replicationFactor: copies, health: noProbes });
    const client = shards.open({ timeoutMs: 250, connectTimeoutMs: patientMs });
    await client.ready({ timeoutMs: patientMs });
    for (const server of shards.servers) server.pause();
    const told = vi.spyOn(NodeWatch.prototype, 'failed');
    const results = client.multi().set('key', 'value').exec();
    await new Promise((resolve) => setImmediate(resolve));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
    await expect(results).rejects.toBeInstanceOf(ShardringError);
    for (const server of shards.servers) server.resume();
    expect(told.mock.calls.map(([error]) => String(error))).toEqual([]);
  });

  const calls: Record<string, (client: ShardedRedis) => Promise<unknown>> = {
    'a read': (client) => client.get('key'),
    'a write': (client) => client.set('key', 'value'),
    'a write that its first holder decides': (client) => client.set('key', 'value', 'NX'),
    'a call of several keys': (client) => client.mget('key', 'other'),
    'a transaction': (client) => client.multi().set('key', 'value').exec(),
    'a blocking call': (client) => client.blpop('key', 1),
    RANDOMKEY: (client) => client.randomkey(),
    'a scan': (client) => client.scan('0'),
    'a scan of one key': (client) => client.hscan('key', 0),
    'a call to no key': (client) => client.ping(),
  };

  for (const copies of [1, 2]) {
    for (const [what, call] of Object.entries(calls)) {
      it(`hears once of ${what} that failed, with ${copies === 1 ? 'one copy' : 'two copies'}`, async () => {
        await using shards = await startShards(copies, {
          replicationFactor: copies,
          health: noProbes,
          timeoutMs: patientMs,
        });
        const client = shards.open({ timeoutMs: 100, connectTimeoutMs: patientMs });
        await client.ready({ timeoutMs: patientMs });
        for (const { id } of shards.redis.explain('key').nodes) shards.server(id).pause();
        const told = vi.spyOn(NodeWatch.prototype, 'failed');
        await expect(call(client)).rejects.toBeInstanceOf(ShardringError);
        const errors = told.mock.calls.map(([error]) => error);
        expect(errors).not.toHaveLength(0);
        expect(new Set(errors).size, String(errors)).toBe(errors.length);
        for (const { id } of shards.redis.explain('key').nodes) shards.server(id).resume();
      });
    }
  }
});

describe('ShardedRedis with two copies of each key', () => {
  let shards: Shards;
  beforeAll(async () => {
    shards = await startShards(2, { replicationFactor: 2, health: noProbes, timeoutMs: patientMs });
  });
  afterAll(() => shards[Symbol.asyncDispose]());
  afterEach(() => shards.flush());

  const copiesOf = (key: string) => {
    const holders = shards.redis.explain(key).nodes.filter(({ role }) => role !== 'next');
    return holders.map(({ id }) => shards.redis.on(id));
  };

  it('finishes on every copy what was in flight when it was closed', async () => {
    // Nothing of these is under way any more when they have been answered.
    const careful = shards.open({ writeConsistency: 'all' });
    await careful.sadd('set', 'a', 'b', 'c', 'd');
    await careful.xadd('stream', '*', 'field', 'value');
    const client = shards.open();
    await client.connect();
    const calls = [
      client.spop('set', 2),
      client.set('lock', 'mine', 'NX'),
      client.xadd('stream', '*', 'field', 'more'),
    ];
    const closed = client.quit();
    await Promise.all(calls);
    await closed;
    const onEach = <Reply>(key: string, ask: (node: Redis) => Promise<Reply>) => Promise.all(copiesOf(key).map(ask));
    const [members, others] = await onEach('set', async (node) => (await node.smembers('set')).sort());
    expect(members).toHaveLength(2);
    expect(others).toEqual(members);
    expect(await onEach('lock', (node) => node.get('lock'))).toEqual(['mine', 'mine']);
    expect(await onEach('stream', (node) => node.xlen('stream'))).toEqual([2, 2]);
  });

  it('does not suspect a copy for what the first holder failed to do', async () => {
    const [first, second] = shards.redis.explain('lock').nodes.map(({ id }) => id) as [string, string];
    const client = shards.open({ timeoutMs: 500, connectTimeoutMs: patientMs });
    await client.connect();
    const suspects: unknown[] = [];
    client.on('nodeSuspect', ({ node }: { node: string }) => suspects.push(node));
    shards.server(first).pause();
    try {
      const { error } = await outcomeOf(client.set('lock', 'mine', 'NX'));
      expect(error).toMatchObject({ code: 'ERR_WRITE_CONSISTENCY', retryable: false });
      expect((error as WriteConsistencyError).attempts.map(({ node }) => node).sort()).toEqual([first, second].sort());
      expect(suspects).toEqual([first]);
      expect(await shards.redis.on(second).get('lock')).toBeNull();
    } finally {
      shards.server(first).resume();
    }
  });

  it('reports a transaction that a full node rejected as missed by that node', async () => {
    const [first, second] = copiesOf('key');
    const client = shards.open({ writeConsistency: 'one' });
    const strict = shards.open({ writeConsistency: 'all' });
    const missed: unknown[] = [];
    client.on('writeMissed', (event: unknown) => missed.push(event));
    for (const [index, full] of [first!, second!].entries()) {
      await full.config('SET', 'maxmemory', 1);
      const { error } = await outcomeOf(strict.multi().set('key', 'x').exec());
      expect(error).toBeInstanceOf(WriteConsistencyError);
      expect(await client.multi().set('key', 'new').strlen('key').exec()).toEqual([
        [null, 'OK'],
        [null, 3],
      ]);
      // The answer of the other copy is enough for the caller; this one's may come later.
      await eventually(() => missed.length > index);
      await full.config('SET', 'maxmemory', 0);
    }
    expect(missed).toHaveLength(2);
    await expect(client.multi().set('key', 'x').lpush('key').exec()).rejects.toThrow('EXECABORT');
  });
});
