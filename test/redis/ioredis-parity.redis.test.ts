/**
 * What ioredis' own tests found to differ: order within a pipeline, callbacks of transactions, prefixes over one node, the
 * end of a client. Each is here as a test of our own.
 */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ClosedError, CommandRefusedError, InvalidArgumentError } from '../../src/errors/index.ts';
import { ShardedRedis } from '../../src/redis/index.ts';
import { outcomeOf } from '../support/eventually.ts';
import { type Shards, startShards } from '../support/shards.ts';

/** Methods that `defineCommand` adds. */
type Scripted = ShardedRedis & Record<string, (...args: unknown[]) => Promise<unknown>>;

describe.each([1, 4])('a ShardedRedis, like ioredis, over %i servers', (count) => {
  let shards: Shards;
  let redis: ShardedRedis;
  beforeAll(async () => {
    shards = await startShards(count);
    redis = shards.redis;
  });
  afterAll(() => shards[Symbol.asyncDispose]());
  afterEach(async () => {
    await shards.flush();
    await redis.script('FLUSH');
  });

  const put = { numberOfKeys: 1, lua: "return redis.call('SET', KEYS[1], ARGV[1])" };

  it('runs a script that no server has before the commands that follow it in a pipeline', async () => {
    const client = shards.open() as Scripted;
    client.defineCommand('put', put);
    const pipeline = client.pipeline() as unknown as Record<string, (...args: unknown[]) => typeof pipeline>;
    const results = await pipeline.put!('key', 'new').get!('key').put!('key', 'newer').get!('key').exec!();
    expect(results).toEqual([
      [null, 'OK'],
      [null, 'new'],
      [null, 'OK'],
      [null, 'newer'],
    ]);
  });

  it('runs a script that no server has before the calls that follow it', async () => {
    const client = shards.open() as Scripted;
    client.defineCommand('put', put);
    const calls = [client.put!('key', 'new'), client.get('key')];
    expect(await Promise.all(calls)).toEqual(['OK', 'new']);
  });

  it('sends the text of a script with each call, so a server that forgets it changes nothing', async () => {
    const client = shards.open() as Scripted;
    client.defineCommand('put', put);
    const evals = async () => {
      const stats = await client.nodeFor('key').info('commandstats');
      return Number(/cmdstat_eval:calls=(\d+)/.exec(stats)?.[1] ?? 0);
    };
    const before = await evals();
    for (const value of ['a', 'b', 'c']) expect(await client.put!('key', value)).toBe('OK');
    expect((await evals()) - before).toBe(3);
    await client.script('FLUSH');
    for (const value of ['d', 'e', 'f']) expect(await client.put!('key', value)).toBe('OK');
    expect((await evals()) - before).toBe(6);
    expect(await client.get('key')).toBe('f');
  });

  it('tells the callbacks of a transaction which command the server rejected', async () => {
    const told: unknown[] = [];
    const transaction = redis
      .multi()
      .set('key', 1, (error, reply) => told.push([error, reply]))
      .call('set', 'key', (error: unknown) => told.push((error as Error).message));
    const { error } = await outcomeOf(transaction.exec());
    expect((error as Error).message).toMatch(/^EXECABORT/);
    expect(told).toEqual([[null, 'QUEUED'], expect.stringMatching(/wrong number of arguments/)]);
    expect(await redis.exists('key')).toBe(0);
  });

  it('tells the callbacks of a transaction that was discarded', async () => {
    const told: unknown[] = [];
    const transaction = redis.multi().set('key', 1, (error) => told.push(error));
    transaction.select(1, (error: unknown) => told.push(error));
    const { error } = await outcomeOf(transaction.exec());
    expect(error).toBeInstanceOf(CommandRefusedError);
    expect(told).toEqual([error, error]);
  });

  it('refuses a transaction within a pipeline at once, instead of running its commands one by one', async () => {
    const pipeline = redis.pipeline();
    pipeline.set('key', 1);
    expect(() => pipeline.multi()).toThrow(CommandRefusedError);
    expect(() => redis.pipeline([['multi'], ['set', 'key', 1], ['exec']])).toThrow(/redis\.multi\(\)/);
    expect(await redis.exists('key')).toBe(0);
  });

  it('calls back from quit before it emits end, and no listener can make it fail', async () => {
    const client = shards.open();
    const events: string[] = [];
    const ended = new Promise<void>((resolve) => {
      client.once('close', () => void events.push('close'));
      client.once('end', () => {
        events.push('end');
        resolve();
      });
    });
    await client.quit(() => void events.push('quit'));
    await ended;
    expect(events).toEqual(['quit', 'close', 'end']);
  });

  it('says of scans too that the client is closed', async () => {
    const client = shards.open();
    await client.set('key', 1);
    await client.quit();
    const streamed = (async () => {
      for await (const _ of client.scanStream());
    })();
    for (const scan of [client.scan(0), client.scan().next(), streamed]) {
      const { error } = await outcomeOf(scan as Promise<unknown>);
      expect(error).toBeInstanceOf(ClosedError);
      expect((error as ClosedError).what).toBe('client');
    }
  });

  it('connects for a scan', async () => {
    const client = shards.open({ lazyConnect: true });
    const ready = new Promise((resolve) => client.once('ready', resolve));
    expect(await client.scan().next()).toEqual({ done: true, value: undefined });
    await ready;
    expect(client.status).toBe('ready');
  });

  it('is never in subscriber mode', async () => {
    const client = shards.open();
    await client.subscribe('news');
    expect(client.mode).toBe('normal');
    expect(await client.set('key', 1)).toBe('OK');
  });
});

describe('a ShardedRedis over one server, where nothing has to be chosen,', () => {
  let shards: Shards;
  beforeAll(async () => {
    shards = await startShards(1);
  });
  afterAll(() => shards[Symbol.asyncDispose]());
  afterEach(() => shards.flush());

  it('puts the prefix before the keys and the patterns of SORT', async () => {
    const redis = shards.open({ keyPrefix: 'app:' });
    await redis.rpush('list', 'a', 'b');
    await redis.mset({ 'weight:a': 2, 'weight:b': 1, 'name:a': 'first', 'name:b': 'second' });
    expect(await redis.sort('list', 'BY', 'weight:*', 'GET', 'name:*')).toEqual(['second', 'first']);
    expect(await redis.sort('list', 'BY', 'weight:*', 'STORE', 'sorted')).toBe(2);
    expect(await redis.lrange('sorted', 0, -1)).toEqual(['b', 'a']);
  });

  it('accepts a transaction without keys, and commands that would go to every node', async () => {
    await shards.redis.set('key', 1);
    const results = await shards.redis.multi().dbsize().echo('text').flushall().dbsize().exec();
    expect(results).toEqual([
      [null, 1],
      [null, 'text'],
      [null, 'OK'],
      [null, 0],
    ]);
  });
});

describe('scripts that run on every copy', () => {
  it('run once on each, also where one holder has forgotten them', async () => {
    await using shards = await startShards(2, {
      replicationFactor: 2,
      writeConsistency: 'all',
      scripts: 'deterministic',
    });
    const redis = shards.redis as Scripted;
    redis.defineCommand('add', { numberOfKeys: 1, lua: "return redis.call('INCR', KEYS[1])" });
    expect(await redis.add!('key')).toBe(1);
    for (const [round, id] of shards.ids.entries()) {
      await redis.on(id).script('FLUSH');
      expect(await redis.add!('key')).toBe(round + 2);
      const copies = await Promise.all(redis.nodes().map((node) => node.get('key')));
      expect(copies).toEqual([`${round + 2}`, `${round + 2}`]);
    }
  });
});

describe('options of ioredis that would change what replies look like', () => {
  it.each([{ stringNumbers: true }, { replyMapping: 'resp3' as const, protocol: 3 as const }])(
    'are refused: %o',
    (options) => {
      const make = () => new ShardedRedis({ nodes: [{ id: 'a', host: '127.0.0.1', ...options }], lazyConnect: true });
      expect(make).toThrow(InvalidArgumentError);
      expect(make).toThrow(`nodes[0].${Object.keys(options)[0]}`);
    },
  );
});
