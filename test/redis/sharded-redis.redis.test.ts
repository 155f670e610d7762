import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CommandRefusedError, CrossNodeError, isShardringError } from '../../src/errors/index.ts';
import type { ShardedRedis } from '../../src/redis/index.ts';
import { eventually, outcomeOf } from '../support/eventually.ts';
import { type Shards, startShards } from '../support/shards.ts';

describe('ShardedRedis over four servers', () => {
  let shards: Shards;
  let redis: ShardedRedis;
  beforeAll(async () => {
    shards = await startShards(4);
    redis = shards.redis;
  });
  afterAll(() => shards[Symbol.asyncDispose]());
  afterEach(() => shards.flush());

  /** Keys on four different nodes. */
  const spread = () => shards.ids.map((id) => shards.keyAt(id));

  it('puts each key on the node that its placement says, and only there', async () => {
    const keys = spread();
    await redis.mset(Object.fromEntries(keys.map((key) => [key, key])));
    for (const [index, client] of redis.nodes().entries()) {
      expect(await client.keys('*')).toEqual([keys[index]]);
      expect(await client.get(keys[index]!)).toBe(keys[index]);
    }
  });

  it('splits MGET, MSET, DEL, UNLINK, EXISTS and TOUCH, and keeps order and duplicates', async () => {
    const [a, b, c, d] = spread() as [string, string, string, string];
    expect(await redis.mset(a, 1, b, 2, c, 3, d, 4)).toBe('OK');
    expect(await redis.mget(d, a, 'none', c, b, a)).toEqual(['4', '1', null, '3', '2', '1']);
    expect(await redis.exists(a, a, b, 'none')).toBe(3);
    expect(await redis.touch(a, c, 'none')).toBe(2);
    expect(await redis.del(a, b, a)).toBe(2);
    expect(await redis.unlink(c, d)).toBe(2);
  });

  it.each([
    ['sinter', (keys: string[]) => redis.sinter(...keys)],
    ['rename', ([from, to]: string[]) => redis.rename(from!, to!)],
    ['bitop', (keys: string[]) => redis.bitop('AND', keys[0]!, keys[1]!, keys[2]!)],
    ['lmove', ([from, to]: string[]) => redis.lmove(from!, to!, 'LEFT', 'RIGHT')],
    ['msetnx', (keys: string[]) => redis.msetnx(Object.fromEntries(keys.map((key) => [key, 1])))],
    ['eval', (keys: string[]) => redis.eval('return 1', keys.length, ...keys)],
    ['xread', (keys: string[]) => redis.xread('STREAMS', ...keys, ...keys.map(() => '0'))],
    ['zunionstore', (keys: string[]) => redis.zunionstore(keys[0]!, 2, keys[1]!, keys[2]!)],
    ['blpop', (keys: string[]) => redis.blpop(...keys, 1)],
  ])('rejects %s with keys on several nodes, naming the nodes and no key, and sends nothing', async (name, call) => {
    const keys = spread();
    await redis.mset(Object.fromEntries(keys.map((key) => [key, 'before'])));
    const { error } = await outcomeOf(call(keys) as Promise<unknown>);
    expect(error).toBeInstanceOf(CrossNodeError);
    const { command, nodes, message } = error as CrossNodeError;
    expect(command).toBe(name);
    expect(nodes.length).toBeGreaterThan(1);
    for (const node of nodes) expect(message).toContain(node);
    for (const key of keys) expect(message).not.toContain(key);
    expect(message).toContain('{tag}');
    expect(await redis.mget(...keys)).toEqual(keys.map(() => 'before'));
  });

  // Tables of ioredis are plain objects, in which these seem to be commands.
  it.each(['constructor', '__proto__', 'CONSTRUCTOR', 'toString', 'hasOwnProperty', 'valueOf'])(
    'rejects %s, a name that every object has, also in a pipeline and a transaction',
    async (name) => {
      const isRefusal = expect.objectContaining({ code: 'ERR_COMMAND_REFUSED', command: name.toLowerCase() });
      for (const call of [redis.call(name), redis.call(name, 'key'), redis.callBuffer(name, 'key', 'x')]) {
        expect((await outcomeOf(call)).error).toEqual(isRefusal);
      }
      const calls = [
        [name, 'key'],
        ['set', 'key', 'x'],
      ];
      expect(await redis.pipeline().call(name, 'key').set('key', 'x').exec()).toEqual([[isRefusal], [null, 'OK']]);
      expect(await redis.pipeline(calls).exec()).toEqual([[isRefusal], [null, 'OK']]);
      await redis.del('key');
      expect((await outcomeOf(redis.multi().set('key', 'x').call(name, 'key').exec())).error).toEqual(isRefusal);
      expect((await outcomeOf(redis.multi(calls).exec())).error).toEqual(isRefusal);
      expect(await redis.exists('key')).toBe(0);
    },
  );

  it('rejects a transaction over several nodes before anything is sent', async () => {
    const [a, b] = spread() as [string, string];
    await expect(redis.multi().set(a, 1).set(b, 1).exec()).rejects.toThrow(CrossNodeError);
    expect(await redis.exists(a, b)).toBe(0);
  });

  it.each([
    ['config', () => redis.config('GET', 'maxmemory')],
    ['info', () => redis.info()],
    ['select', () => redis.select(1)],
    ['watch', () => redis.watch('key')],
    ['monitor', () => redis.call('monitor')],
  ])('rejects %s, which is about one server or one connection, and says what to do', async (name, call) => {
    const { error } = await outcomeOf(call());
    expect(error).toBeInstanceOf(CommandRefusedError);
    expect((error as CommandRefusedError).command).toBe(name);
  });

  it('gives the clients of single nodes', async () => {
    expect(redis.nodes().length).toBe(4);
    expect(await redis.on('node-2').call('SET', 'own', 'x')).toBe('OK');
    expect(await redis.nodes()[2]!.get('own')).toBe('x');
    expect(redis.nodeFor(shards.keyAt('node-1'))).toBe(redis.on('node-1'));
    expect(() => redis.on('nobody')).toThrow(/node-0, node-1/);
  });

  it('reports the failures of a pipeline one by one, in order, while one node is stopped', async () => {
    const keys = spread();
    // Of the node that is stopped; the others have it too, on however busy a machine.
    const fast = shards.open({ timeoutMs: 3_000 });
    await fast.connect();
    await fast.mset(Object.fromEntries(keys.map((key) => [key, 1])));
    shards.server('node-2').pause();
    try {
      const pipeline = fast.pipeline();
      for (const key of keys) pipeline.get(key);
      for (const key of keys) pipeline.incr(key);
      const results = await pipeline.exec();
      expect(results!.map(([error, reply]) => (isShardringError(error) ? error.code : reply))).toEqual([
        ...['1', '1', 'ERR_TIMEOUT', '1'],
        ...[2, 2, 'ERR_UNKNOWN_OUTCOME', 2],
      ]);
    } finally {
      shards.server('node-2').resume();
      await eventually(() => fast.health().get('node-2') === 'up');
    }
  });

  it('delays no other call while commands block, and ends these when it is closed', async () => {
    const own = shards.open();
    const key = shards.keyAt('node-0', 'list:');
    const blocked = Array.from({ length: 20 }, () => outcomeOf(own.blpop(key, 0)));
    await eventually(async () => (await own.on('node-0').info('clients')).includes('blocked_clients:20'));
    expect(await own.set(key.replace('list', 'other'), 1)).toBe('OK');
    await own.rpush(key, 'first');
    expect((await Promise.race(blocked)).value).toEqual([key, 'first']);
    await own.quit();
    const codes = (await Promise.all(blocked)).map(({ error }) => (error as { code?: string } | undefined)?.code);
    expect(codes.filter((code) => code === 'ERR_CLOSED').length).toBe(19);
  });

  it('keeps a transaction whole while others write, and leaves WATCH to a connection of its own', async () => {
    const key = shards.keyAt('node-3', 'balance:');
    await redis.set(key, 0);
    const add = () =>
      redis.withConnection(key, async (client) => {
        for (;;) {
          await client.watch(key);
          const before = Number(await client.get(key));
          if (
            (await client
              .multi()
              .set(key, before + 1)
              .exec()) !== null
          )
            return;
        }
      });
    await Promise.all(Array.from({ length: 20 }, add));
    expect(await redis.get(key)).toBe('20');
    const results = await redis.multi().incr(key).incr(key).get(key).exec();
    expect(results).toEqual([
      [null, 21],
      [null, 22],
      [null, '22'],
    ]);
    const refused = await outcomeOf(redis.multi().set(key, 1).call('GET', key, 'too', 'many').exec());
    expect((refused.error as Error).message).toMatch(/^EXECABORT/);
    expect(await redis.get(key)).toBe('22');
  });

  it('shows a transaction what was called before it, without waiting for that', async () => {
    for (let round = 0; round < 50; round++) {
      const key = `ordered:${round}`;
      const written = redis.set(key, round);
      expect(await redis.multi().get(key).exec()).toEqual([[null, `${round}`]]);
      await written;
    }
  });

  it('rejects exec after discard, and sends nothing', async () => {
    const transaction = redis.multi().set('discarded', 1);
    await expect(transaction.discard().exec()).rejects.toThrow(CommandRefusedError);
    expect(await redis.exists('discarded')).toBe(0);
  });

  it('ends a transaction that has begun before it was closed', async () => {
    const own = shards.open({ lazyConnect: true });
    const begun = own.multi().set('begun', 1).exec();
    await own.quit();
    expect(await begun).toEqual([[null, 'OK']]);
  });

  it('executes a pipeline of 50,000 commands for one node', async () => {
    const pipeline = redis.pipeline();
    for (let index = 0; index < 50_000; index++) pipeline.set(`{large}:${index}`, index);
    const failures = (await pipeline.exec())!.filter(([error]) => error !== null).map(([error]) => error!.message);
    expect(new Set(failures)).toEqual(new Set());
    expect([...redis.health().values()]).toEqual(['up', 'up', 'up', 'up']);
  });

  it('refuses to reconnect by disconnect(true), which ioredis would do', () => {
    expect(() => redis.disconnect(true)).toThrow(/false/);
  });

  it('runs scripts at the node of their keys, again after the server has forgotten them', async () => {
    redis.defineCommand('addAll', {
      numberOfKeys: 2,
      lua: "return redis.call('INCRBY', KEYS[1], ARGV[1]) + redis.call('INCRBY', KEYS[2], ARGV[1])",
    });
    const addAll = (...args: unknown[]) =>
      (redis as unknown as { addAll(...args: unknown[]): Promise<number> }).addAll(...args);
    expect(await addAll('{t}a', '{t}b', 5)).toBe(10);
    await redis.script('FLUSH');
    expect(await Promise.all([addAll('{t}a', '{t}b', 5), addAll('{u}a', '{u}b', 1)])).toEqual([20, 2]);
    const [a, b] = spread();
    await expect(addAll(a, b, 1)).rejects.toThrow(CrossNodeError);
    await redis.script('FLUSH');
    const pipeline = redis.pipeline() as unknown as { addAll(...args: unknown[]): { exec(): Promise<unknown> } };
    expect(await pipeline.addAll('{t}a', '{t}b', 5).exec()).toEqual([[null, 30]]);
  });

  it('waits for the replicas of every node to have what was written before', async () => {
    expect(await redis.wait(0, 10)).toBe(0);
    const started = performance.now();
    expect(await redis.wait(1, 50)).toBe(0);
    expect(performance.now() - started).toBeGreaterThan(40);
  });

  it('draws every key equally often with RANDOMKEY', async () => {
    expect(await redis.randomkey()).toBeNull();
    const keys = Array.from({ length: 20 }, (_, index) => `random:${index}`);
    await redis.mset(Object.fromEntries(keys.map((key) => [key, 1])));
    const drawn = new Set(await Promise.all(Array.from({ length: 300 }, () => redis.randomkey())));
    expect(drawn.size).toBe(20);
  });

  it('scans all nodes, and with a prefix too', async () => {
    const prefixed = shards.open({ keyPrefix: 'app:' });
    const keys = Array.from({ length: 300 }, (_, index) => `key:${index}`);
    await prefixed.mset(Object.fromEntries(keys.map((key) => [key, 1])));
    const found: string[] = [];
    for await (const key of prefixed.scan({ match: 'app:*', count: 10 })) found.push(key);
    expect(found.sort()).toEqual(keys.map((key) => `app:${key}`).sort());
    expect(await prefixed.mget('key:1', 'key:2')).toEqual(['1', '1']);
    expect(prefixed.topology.placement.nodeFor('key:1')).toBe(redis.topology.placement.nodeFor('key:1'));
  });

  it('takes callbacks as ioredis does', async () => {
    const reply = await new Promise((resolve) =>
      redis.set('called', 'back', (error, result) => resolve([error, result])),
    );
    expect(reply).toEqual([null, 'OK']);
    const failure = await new Promise((resolve) => {
      redis.lpush('called', 'x', (error) => resolve(error?.message)).catch(() => undefined);
    });
    expect(failure).toMatch(/^WRONGTYPE/);
  });

  it('passes on what the server says unchanged', async () => {
    const one = new Redis(shards.servers[0]!.url);
    const key = shards.keyAt('node-0');
    await redis.set(key, 'text');
    const [ours, theirs] = [await outcomeOf(redis.lpush(key, 1)), await outcomeOf(one.lpush(key, 1))];
    expect(ours.error).toEqual(theirs.error);
    expect((ours.error as Error).name).toBe('ReplyError');
    one.disconnect();
  });

  it('fails only the calls of a node that is down, and serves it again when it is back', async () => {
    const keys = spread();
    await redis.mset(Object.fromEntries(keys.map((key) => [key, 1])));
    await shards.server('node-1').kill();
    const outcomes = await Promise.all(keys.map((key) => outcomeOf(redis.get(key))));
    expect(outcomes.map(({ error, value }) => (isShardringError(error) ? error.code : value))).toEqual([
      ...['1', 'ERR_NODE_UNAVAILABLE', '1', '1'],
    ]);
    await expect(redis.mget(...keys)).rejects.toThrow(/node-1/);
    await shards.server('node-1').restart();
    await eventually(async () => (await redis.get(keys[1]!)) === null);
    await eventually(() => redis.health().get('node-1') === 'up');
  });

  it('is ready with one node down, and says so', async () => {
    await shards.server('node-3').kill();
    const late = shards.open({ lazyConnect: true });
    expect(late.status).toBe('wait');
    const events: unknown[] = [];
    late.on('ready', () => events.push('ready'));
    late.on('nodeSuspect', ({ node }: { node: string }) => events.push(node));
    await late.connect();
    expect(late.status).toBe('ready');
    expect(events).toEqual(['node-3', 'ready']);
    await shards.server('node-3').restart();
    await eventually(() => late.health().get('node-3') === 'up');
    await eventually(() => redis.health().get('node-3') === 'up');
    expect(await late.quit()).toBe('OK');
    expect(late.status).toBe('end');
    await expect(late.get('key')).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });
});

describe('a ShardedRedis over one server, given unknown commands,', () => {
  it.each(['ioredis', 'direct'] as const)(
    'rejects names that every object has, and stays usable (%s)',
    async (transport) => {
      await using shards = await startShards(1, { transport });
      const { redis } = shards;
      for (const name of ['constructor', '__proto__']) {
        const isRefusal = expect.objectContaining({ code: 'ERR_COMMAND_REFUSED', command: name });
        expect((await outcomeOf(redis.call(name, 'key'))).error).toEqual(isRefusal);
        expect(await redis.pipeline().call(name).set('key', 'x').exec()).toEqual([[isRefusal], [null, 'OK']]);
        expect((await outcomeOf(redis.multi().call(name).del('key').exec())).error).toEqual(isRefusal);
      }
      await expect(redis.call('toString', 'key')).rejects.toThrow(/unknown command/);
      expect(await redis.get('key')).toBe('x');
    },
  );
});
