import { createClient } from 'redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { nodeRedisCommands } from '../../../src/adapters/node-redis/commands.ts';
import { asNodeRedis, type NodeRedisFacade } from '../../../src/adapters/node-redis/facade.ts';
import { isShardringError } from '../../../src/errors/index.ts';
import { type DropIn, dropInKinds, olderKinds } from '../../support/drop-in-clients.ts';
import { outcomeOf } from '../../support/eventually.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';

/** A call: the method and its arguments. */
type Call = readonly [name: string, ...args: unknown[]];

/** The same calls, in order, to the facade and to node-redis itself. Keys of one command share a tag. */
const script: readonly Call[] = [
  ['ping'],
  ['ping', 'hello'],
  ['get', 'absent'],
  ['set', 'text', 'é 😀'],
  ['get', 'text'],
  ['set', 'number', 12],
  ['get', 'number'],
  ['set', 'bytes', Buffer.from('abc')],
  ['get', Buffer.from('bytes')],
  ['set', 'text', 'a', { NX: true }],
  ['set', 'text', 'b', { condition: 'NX' }],
  ['set', 'text', 'c', { condition: 'XX', GET: true }],
  ['set', 'new', 'c', { XX: true }],
  ['set', 'new', 'c', { GET: true }],
  ['set', 'ex', 'v', { expiration: { type: 'EX', value: 100 } }],
  ['ttl', 'ex'],
  ['set', 'px', 'v', { expiration: { type: 'PX', value: 100_000 } }],
  ['ttl', 'px'],
  ['set', 'exat', 'v', { expiration: { type: 'EXAT', value: 4_000_000_000 } }],
  ['expireTime', 'exat'],
  ['set', 'pxat', 'v', { expiration: { type: 'PXAT', value: 4_000_000_000_123 } }],
  ['pExpireTime', 'pxat'],
  ['set', 'pxat', 'w', { expiration: { type: 'KEEPTTL' } }],
  ['pExpireTime', 'pxat'],
  ['set', 'pxat', 'x', { expiration: 'KEEPTTL' }],
  ['set', 'pxat', 'y', { KEEPTTL: true }],
  ['pExpireTime', 'pxat'],
  ['set', 'ex', 'v', { EX: 50 }],
  ['ttl', 'ex'],
  ['set', 'ex', 'v', { PX: 60_000 }],
  ['ttl', 'ex'],
  ['set', 'ex', 'v', { EXAT: 4_000_000_000 }],
  ['expireTime', 'ex'],
  ['set', 'ex', 'v', { PXAT: 4_000_000_000_456 }],
  ['pExpireTime', 'ex'],
  ['set', 'ex', 'v'],
  ['ttl', 'ex'],
  ['pTTL', 'ex'],
  ['pTTL', 'absent'],
  ['setEx', 'ex', 10, 'v'],
  ['ttl', 'ex'],
  ['pSetEx', 'ex', 20_000, 'v'],
  ['ttl', 'ex'],
  ['persist', 'ex'],
  ['persist', 'ex'],
  ['expire', 'ex', 70],
  ['expire', 'ex', 60, 'GT'],
  ['pExpire', 'ex', 90_000],
  ['ttl', 'ex'],
  ['expireAt', 'ex', 4_000_000_000],
  ['expireAt', 'ex', new Date(4_000_000_000_999), 'XX'],
  ['pExpireTime', 'ex'],
  ['pExpireAt', 'ex', 4_000_000_000_001],
  ['pExpireAt', 'ex', new Date(4_000_000_000_002)],
  ['pExpireTime', 'ex'],
  ['getEx', 'ex', { type: 'PERSIST' }],
  ['ttl', 'ex'],
  ['getEx', 'ex', { EX: 30 }],
  ['getEx', 'ex', { PX: 40_000 }],
  ['ttl', 'ex'],
  ['getEx', 'ex', { type: 'PXAT', value: new Date(4_000_000_000_003) }],
  ['pExpireTime', 'ex'],
  ['getEx', 'ex', { type: 'EX', value: 30 }],
  ['ttl', 'ex'],
  ['getEx', 'ex', { EXAT: new Date(4_000_000_000_999) }],
  ['pExpireTime', 'ex'],
  ['getEx', 'ex', { PERSIST: true }],
  ['ttl', 'ex'],
  ['setNX', 'nx', 'v'],
  ['setNX', 'nx', 'v'],
  ['getSet', 'nx', 'w'],
  ['getDel', 'nx'],
  ['getDel', 'nx'],
  ['append', 'nx', 'abc'],
  ['strLen', 'nx'],
  ['setRange', 'nx', 1, 'ZZ'],
  ['getRange', 'nx', 0, -2],
  ['setBit', 'bits', 7, 1],
  ['getBit', 'bits', 7],
  ['mSet', { m1: 'a', m2: 'b' }],
  ['mSet', ['m3', 'c', 'm4', 'd']],
  [
    'mSet',
    [
      ['m5', 'e'],
      ['m6', 'f'],
    ],
  ],
  ['mGet', ['m1', 'm6', 'absent', 'm3', 'm1']],
  ['mSetNX', { 'n{t}': '1', 'o{t}': '2' }],
  ['mSetNX', { 'n{t}': '1', 'p{t}': '2' }],
  ['incr', 'count'],
  ['incrBy', 'count', 5],
  ['decr', 'count'],
  ['decrBy', 'count', 3],
  ['incrByFloat', 'count', 0.5],
  ['exists', 'count'],
  ['exists', ['count', 'm1', 'absent', 'm1']],
  ['touch', ['count', 'm1', 'absent']],
  ['type', 'count'],
  ['type', 'absent'],
  ['rename', 'n{t}', 'q{t}'],
  ['renameNX', 'q{t}', 'o{t}'],
  ['del', 'm1'],
  ['del', ['m1', 'm2', 'm3']],
  ['unlink', 'm4'],
  ['unlink', ['m5', 'm6']],

  ['hSet', 'h', 'field', 'value'],
  ['hSet', 'h', 'field', 3],
  ['hSet', 'h', { a: '1', b: 2 }],
  ['hSet', 'h', new Map([['c', '3']])],
  ['hSet', 'h', ['d', '4', 'e', '5']],
  ['hSet', 'h', [['f', '6']]],
  ['hSet', 'h', ['constructor', 'y']],
  ['hGetAll', 'h'],
  ['hGetAll', 'absent'],
  ['hGet', 'h', 'a'],
  ['hGet', 'h', 'z'],
  ['hmGet', 'h', ['a', 'z']],
  ['hmGet', 'h', 'a'],
  ['hSetNX', 'h', 'a', 'x'],
  ['hExists', 'h', 'a'],
  ['hIncrBy', 'h', 'a', 4],
  ['hIncrByFloat', 'h', 'a', 0.25],
  ['hDel', 'h', 'a'],
  ['hDel', 'h', ['b', 'c', 'z']],
  ['hKeys', 'h'],
  ['hVals', 'h'],
  ['hLen', 'h'],
  ['hStrLen', 'h', 'constructor'],

  ['sAdd', 's{t}', 'a'],
  ['sAdd', 's{t}', ['1', '2', '3']],
  ['sRem', 's{t}', ['a', 'z']],
  ['sMembers', 's{t}'],
  ['sMembers', 'absent'],
  ['sIsMember', 's{t}', '2'],
  ['smIsMember', 's{t}', ['2', 'z']],
  ['sCard', 's{t}'],
  ['sMove', 's{t}', 's2{t}', '3'],
  ['sInter', ['s{t}', 's2{t}']],
  ['sUnion', ['s{t}', 's2{t}']],
  ['sDiff', 's{t}'],
  ['sRandMember', 's2{t}'],
  ['sRandMember', 'absent'],
  ['sRandMemberCount', 's2{t}', 2],
  ['sPop', 's2{t}'],
  ['sPop', 's2{t}'],
  ['sPopCount', 'absent', 2],

  ['zAdd', 'z', { value: 'a', score: 1.5 }],
  [
    'zAdd',
    'z',
    [
      { value: 'b', score: Infinity },
      { value: 'c', score: -Infinity },
      { value: 'd', score: 1e300 },
    ],
  ],
  ['zAdd', 'z', { value: 'a', score: 2 }, { condition: 'XX', comparison: 'GT', CH: true }],
  ['zAdd', 'z', { value: 'a', score: 9 }, { NX: true }],
  ['zAdd', 'z', { value: 'a', score: 1 }, { XX: true, LT: true, CH: true }],
  ['zIncrBy', 'z', 0.25, 'a'],
  ['zCard', 'z'],
  ['zCount', 'z', '-inf', 5],
  ['zCount', 'z', -Infinity, Infinity],
  ['zScore', 'z', 'a'],
  ['zScore', 'z', 'b'],
  ['zScore', 'z', 'absent'],
  ['zmScore', 'z', ['c', 'absent']],
  ['zRank', 'z', 'a'],
  ['zRank', 'z', 'absent'],
  ['zRevRank', 'z', 'a'],
  ['zRange', 'z', 0, -1],
  ['zRange', 'z', '(1', '+inf', { BY: 'SCORE', LIMIT: { offset: 0, count: 1 } }],
  ['zRange', 'z', 0, 1, { REV: true }],
  ['zRangeWithScores', 'z', 0, -1],
  ['zRangeWithScores', 'absent', 0, -1],
  ['zRangeByScore', 'z', 0, 5],
  ['zRangeByScoreWithScores', 'z', '-inf', 5, { LIMIT: { offset: 0, count: 2 } }],
  ['zPopMin', 'z'],
  ['zPopMax', 'z'],
  ['zPopMax', 'absent'],
  ['zRem', 'z', ['a', 'absent']],
  ['zRemRangeByScore', 'z', 0, 1],
  ['zRemRangeByRank', 'z', 0, 0],

  ['lPush', 'l{t}', 'a'],
  ['rPush', 'l{t}', ['b', 'c', 'd', 'b']],
  ['lPushX', 'absent', 'a'],
  ['rPushX', 'l{t}', 'e'],
  ['lRange', 'l{t}', 0, -1],
  ['lLen', 'l{t}'],
  ['lIndex', 'l{t}', 1],
  ['lIndex', 'l{t}', 100],
  ['lSet', 'l{t}', 0, 'A'],
  ['lRem', 'l{t}', -1, 'b'],
  ['lInsert', 'l{t}', 'BEFORE', 'b', 'x'],
  ['lMove', 'l{t}', 'l2{t}', 'LEFT', 'RIGHT'],
  ['lMove', 'absent{t}', 'l2{t}', 'LEFT', 'RIGHT'],
  ['lPop', 'l{t}'],
  ['rPop', 'l{t}'],
  ['lPop', 'absent'],
  ['lPopCount', 'l{t}', 1],
  ['rPopCount', 'l{t}', 5],
  ['rPopCount', 'absent', 5],
  ['lTrim', 'l2{t}', 0, 0],

  ['eval', 'return {KEYS[1], ARGV[1], redis.call("incrby", KEYS[1], ARGV[2])}', { keys: ['c'], arguments: ['x', '7'] }],
  ['eval', 'return {1, false, {"two"}}', { keys: ['c'] }],
  ['scriptLoad', 'return ARGV[1]'],
  ['scriptExists', ['098e0f0d1448c0a81dafe820f66d460eb09263da', 'ffffffffffffffffffffffffffffffffffffffff']],
  ['evalSha', '098e0f0d1448c0a81dafe820f66d460eb09263da', { keys: ['c'], arguments: ['y'] }],
  ['fCall', 'shardring_echo', { keys: ['c'], arguments: ['y'] }],
  ['publish', 'channel', 'message'],
  ['pfAdd', 'pf', ['a', 'b']],
  ['pfCount', 'pf'],
  ['keys', 'c*'],
  ['dbSize'],
  ['sendCommand', ['SET', 'sent', 'v']],
  ['sendCommand', ['GET', 'sent']],
  ['sendCommand', ['exists', 'sent']],
  ['flushDb'],
  ['dbSize'],
  ['flushAll'],
];

const library =
  '#!lua name=shardring\nredis.register_function("shardring_echo", function(keys, args) return {keys[1], args[1]} end)';

/** What two servers give in an order of their own. */
const unordered = new Set(['sMembers', 'sUnion', 'sDiff', 'sInter', 'hKeys', 'hVals', 'keys']);

const shown = (name: string, reply: unknown) => (unordered.has(name) ? (reply as string[]).toSorted() : reply);

// biome-ignore lint/suspicious/noExplicitAny: methods are called by name, on clients whose types have nothing in common.
type Callable = Record<string, (...args: any[]) => any>;

describe.each([...dropInKinds, ...olderKinds])('asNodeRedis over $title', ({ open, serverCount }) => {
  let dropIn: DropIn;
  let facade: NodeRedisFacade;
  let reference: RedisServer;
  let nodeRedis: ReturnType<typeof createClient>;

  beforeAll(async () => {
    dropIn = await open();
    facade = asNodeRedis(dropIn.client);
    reference = await startRedis();
    nodeRedis = createClient({ url: reference.url });
    await nodeRedis.connect();
  });

  afterAll(async () => {
    nodeRedis.destroy();
    await reference.stop();
    await dropIn.close();
  });

  beforeEach(async () => {
    await Promise.all([dropIn.flush(), nodeRedis.flushAll()]);
  });

  it('gives the replies of node-redis, command by command', async () => {
    await nodeRedis.functionLoad(library, { REPLACE: true });
    await dropIn.client.call('function', ['LOAD', 'REPLACE', library]);
    for (const [name, ...args] of script) {
      const expected = await (nodeRedis as unknown as Callable)[name]!(...args);
      const received = await (facade as unknown as Callable)[name]!(...args);
      expect(shown(name, received), `${name} ${JSON.stringify(args)}`).toEqual(shown(name, expected));
    }
  });

  it('keeps a field called __proto__, which node-redis loses', async () => {
    await facade.hSet('h', ['__proto__', 'x', 'constructor', 'y']);
    const hash = await facade.hGetAll('h');
    expect(Object.entries(hash).toSorted()).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    expect(Object.getPrototypeOf(hash)).toBeNull();
  });

  it('is compared on every command that it has', () => {
    const called = new Set(script.map(([name]) => name));
    expect(Object.keys(nodeRedisCommands).filter((name) => !called.has(name))).toEqual(['scan']);
    for (const name of Object.keys(nodeRedisCommands)) expect(nodeRedis).toHaveProperty(name);
  });

  it('gives the replies of node-redis in a transaction and in a pipeline', async () => {
    const build = (client: NodeRedisFacade) =>
      client
        .multi()
        .set('a{t}', '1', { EX: 100 })
        .incrBy('a{t}', 4)
        .hSet('h{t}', { x: '1', y: '2' })
        .hGetAll('h{t}')
        .zAdd('z{t}', { value: 'm', score: 1.5 })
        .zRangeWithScores('z{t}', 0, -1)
        .zScore('z{t}', 'absent')
        .ttl('a{t}')
        .addCommand(['GET', 'a{t}']);
    const theirs = nodeRedis as unknown as NodeRedisFacade;
    const replies = await build(facade).exec();
    expect(replies).toEqual(await build(theirs).exec());
    expect(replies[4]).toBe(1);
    expectTypeOf(replies[3]).toEqualTypeOf<Record<string, string>>();
    expectTypeOf(replies[6]).toEqualTypeOf<number | null>();
    expect(await build(facade).exec(true)).toEqual(await build(theirs).exec(true));
    expect(await build(facade).execAsPipeline()).toEqual(await build(theirs).execAsPipeline());
    expect(await facade.multi().exec()).toEqual(await theirs.multi().exec());
  });

  it('reports the failed commands of a transaction as node-redis does', async () => {
    const build = (client: NodeRedisFacade) => client.multi().set('k', 'text').incr('k').get('k');
    const [ours, theirs] = await Promise.all([
      outcomeOf(build(facade).exec()),
      outcomeOf(build(nodeRedis as unknown as NodeRedisFacade).exec()),
    ]);
    const error = ours.error as Error & { replies: unknown[]; errorIndexes: number[]; errors(): Iterable<Error> };
    const theirError = theirs.error as typeof error;
    expect(error.message).toBe(theirError.message);
    expect(error.errorIndexes).toEqual(theirError.errorIndexes);
    expect(error.replies.map(String)).toEqual(['OK', expect.stringContaining('not an integer'), 'text']);
    expect([...error.errors()]).toEqual([error.replies[1]]);
    await expect(build(facade).exec(true)).rejects.toThrow('not an integer');
  });

  it('rejects with the error of the server', async () => {
    await facade.lPush('list', 'a');
    await expect(facade.get('list')).rejects.toThrow(/^WRONGTYPE/);
    await expect(facade.evalSha('f'.repeat(40), { keys: ['k'] })).rejects.toThrow(/^NOSCRIPT/);
    await expect(facade.sendCommand(['NO-SUCH-COMMAND', 'k'])).rejects.toThrow();
  });

  it('refuses arguments that are neither text nor bytes, and shows none of them', async () => {
    const { error } = await outcomeOf(facade.set('k', undefined as never));
    expect(isShardringError(error) && error.code).toBe('ERR_INVALID_ARGUMENT');
    await expect(facade.hSet('k', { field: { secret: 1 } as never })).rejects.toThrow(/^hset\[3\]: expected a string/);
    await expect(facade.sendCommand(['GET', 5 as never])).rejects.toThrow('get[1]');
    expect(() => facade.multi().set('k', null as never)).toThrow('set[2]');
    expect(await facade.exists('k')).toBe(0);
  });

  it('finds the keys of all nodes, in arrays', async () => {
    const keys = Array.from({ length: 500 }, (_, index) => `scan:${index}`);
    await Promise.all([...keys, 'other:1'].map((key) => facade.set(key, 'v')));
    await facade.sAdd('scan:set', 'a');
    const counts = await dropIn.keyCounts();
    expect(counts.filter((count) => count > 0).length).toBe(serverCount);

    const found = new Set<string>();
    for await (const page of facade.scanIterator({ MATCH: 'scan:*', COUNT: 50, TYPE: 'string' })) {
      expect(Array.isArray(page)).toBe(true);
      for (const key of page) found.add(key);
    }
    expect([...found].toSorted()).toEqual(keys.toSorted());
    expect((await facade.keys('scan:*')).toSorted()).toEqual([...keys, 'scan:set'].toSorted());

    const paged = new Set<string>();
    for (let cursor = '0'; ; ) {
      const reply = await facade.scan(cursor, { MATCH: 'scan:*', COUNT: 100 });
      for (const key of reply.keys) paged.add(key);
      cursor = reply.cursor;
      if (cursor === '0') break;
    }
    expect(paged.size).toBe(501);
  });

  it('can leave a scan early', async () => {
    await Promise.all(Array.from({ length: 200 }, (_, index) => facade.set(`k${index}`, 'v')));
    for await (const page of facade.scanIterator({ COUNT: 10 })) if (page.length > 0) break;
    expect(await facade.ping()).toBe('PONG');
  });

  it('deletes and reads more keys at once than fit into an argument list', async () => {
    const keys = Array.from({ length: 150_000 }, (_, index) => `many:${index}`);
    await facade.set('many:7', 'v');
    expect((await facade.mGet(keys)).filter((value) => value !== null)).toEqual(['v']);
    expect(await facade.del(keys)).toBe(1);
  });

  it('is not taken for a cluster client or a client of ioredis', () => {
    for (const name of ['masters', 'slots', 'getSentinelNode', 'defineCommand', 'status', 'isCluster', 'then']) {
      expect(name in facade, name).toBe(false);
    }
    for (const name of ['subscribe', 'watch', 'duplicate']) expect(name in facade, name).toBe(false);
  });

  describe('as a client', () => {
    let other: ReturnType<DropIn['another']>;
    let lazy: NodeRedisFacade;

    beforeEach(() => {
      other = dropIn.another({ lazyConnect: true });
      lazy = asNodeRedis(other);
    });

    afterEach(() => other.disconnect());

    it('connects when asked to, and accepts being asked again', async () => {
      expect([lazy.isOpen, lazy.isReady]).toEqual([false, false]);
      const connecting = lazy.connect();
      expect(lazy.isOpen).toBe(true);
      // Told while it is connecting: it waits for the same.
      expect(await lazy.connect()).toBe(lazy);
      expect([lazy.isOpen, lazy.isReady]).toEqual([true, true]);
      await connecting;
      expect(await lazy.connect()).toBe(lazy);
      expect(await lazy.ping()).toBe('PONG');
    });

    it('emits its events until the listener is removed', async () => {
      const events: string[] = [];
      const ready = () => void events.push('ready');
      const unheard = () => void events.push('unheard');
      expect(lazy.on('ready', ready).once('end', () => void events.push('end'))).toBe(lazy);
      lazy.addListener('ready', unheard).removeListener('ready', unheard);
      lazy.on('ready', unheard).off('ready', unheard);
      await lazy.connect();
      expect(events).toEqual(['ready']);
      const ended = new Promise<void>((resolve) => lazy.once('end', resolve));
      await lazy.close();
      await ended;
      expect(events).toEqual(['ready', 'end']);
      expect([lazy.isOpen, lazy.isReady]).toEqual([false, false]);
      await expect(lazy.get('k')).rejects.toThrow();
    });

    it.each(['quit', 'close', 'destroy', 'disconnect'] as const)('can be closed by %s()', async (method) => {
      await lazy.connect();
      const ended = new Promise<void>((resolve) => lazy.once('end', resolve));
      const reply = await lazy[method]();
      expect(reply).toBe(method === 'quit' ? 'OK' : undefined);
      await ended;
      expect(lazy.isOpen).toBe(false);
    });

    it('rejects connect() if it ends before it is ready', async () => {
      const connecting = outcomeOf(lazy.connect());
      const waiting = outcomeOf(lazy.connect());
      lazy.destroy();
      expect((await connecting).error).toBeInstanceOf(Error);
      expect((await waiting).error).toBeInstanceOf(Error);
    });
  });
});
