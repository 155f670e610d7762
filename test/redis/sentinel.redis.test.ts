import { afterEach, describe, expect, it } from 'vitest';
import type { ShardringError } from '../../src/errors/index.ts';
import { ShardedRedis } from '../../src/redis/sharded-redis.ts';
import { eventually, outcomeOf } from '../support/eventually.ts';
import type { RedisServer } from '../support/redis.ts';
import { type SentinelGroup, startSentinelGroup } from '../support/sentinel.ts';

const opened: AsyncDisposable[] = [];

afterEach(async () => {
  for (const resource of opened.splice(0).reverse()) await resource[Symbol.asyncDispose]();
});

/** Two groups of a master and a replica each. */
async function open(options: { readonly reads?: 'master' | 'replica' } = {}) {
  const groups = await Promise.all(
    ['group-a', 'group-b'].map((name) => startSentinelGroup({ name, sentinels: 1, quorum: 1 })),
  );
  opened.push(...groups);
  const nodes = groups.map((group) => ({
    id: group.name,
    sentinels: [...group.addresses],
    name: group.name,
    ...options,
  }));
  const redis = new ShardedRedis({ nodes, timeoutMs: 2_000 });
  redis.on('node error', () => undefined);
  redis.on('error', () => undefined);
  opened.push({ [Symbol.asyncDispose]: async () => void (await redis.quit()) });
  return { groups: groups as [SentinelGroup, SentinelGroup], redis };
}

const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`);

const commandsAt = async (group: SentinelGroup, server: RedisServer, name: string) => {
  const info = await group.clientOf(server).info('commandstats');
  return Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(info)?.[1] ?? 0);
};

describe('a ShardedRedis over groups that Sentinel manages', () => {
  it('serves all keys again after one group has switched, and the others meanwhile', async () => {
    const { groups, redis } = await open();
    const [a, b] = groups;
    for (const key of keys) await redis.set(key, '1');
    const client = redis.on('group-a');
    client.on('error', () => undefined);
    const portOf = async () => Number(((await client.config('GET', 'port')) as string[])[1]);
    const old = a.servers[0]!;
    expect(await portOf()).toBe(old.port);
    await eventually(async () => (await a.clientOf(a.servers[1]!).dbsize()) === (await a.clientOf(old).dbsize()));

    old.pause();
    const ofB = keys.filter((key) => redis.nodeFor(key) === redis.on('group-b'));
    const ofA = keys.filter((key) => !ofB.includes(key));
    expect(ofA.length * ofB.length).toBeGreaterThan(0);
    for (const key of ofB) expect(await redis.incr(key)).toBe(2);
    await eventually(() => redis.incr('{a}counter').then(() => true));
    await eventually(() => redis.mget(ofA).then(() => true));
    expect(await redis.mget(ofA)).toEqual(ofA.map(() => '1'));
    expect(await eventually(portOf)).toBe(a.servers[1]!.port);
    expect(await b.master()).toBe(b.servers[0]);
  });

  it('keeps subscriptions over a switch', async () => {
    const { groups, redis } = await open();
    const heard: string[] = [];
    redis.on('message', (_channel: string, message: string) => heard.push(message));
    const channels = keys.slice(0, 8);
    await redis.subscribe(...channels);
    for (const group of groups) {
      await group.clientOf(group.sentinels[0]!).call('SENTINEL', 'FAILOVER', group.name);
      await group.switchedFrom(group.servers[0]!);
    }
    for (const channel of channels) {
      const message = `to ${channel}`;
      await eventually(async () => {
        await outcomeOf(redis.publish(channel, message));
        return heard.includes(message);
      });
    }
  });

  it('reads from replicas where that is configured, but sends them no command about one server', async () => {
    const { groups, redis } = await open({ reads: 'replica' });
    const [a] = groups;
    const key = keys.find((each) => redis.nodeFor(each) === redis.on('group-a'))!;
    await redis.set(key, '1');
    await eventually(async () => {
      const { value } = await outcomeOf(redis.strlen(key));
      return value === 1 && (await commandsAt(a, a.servers[1]!, 'strlen')) > 0;
    });
    const before = await commandsAt(a, a.servers[0]!, 'get');
    for (let count = 0; count < 10; count++) expect(await redis.get(key)).toBe('1');
    expect(await commandsAt(a, a.servers[0]!, 'get')).toBe(before);
    await redis.touch(key);
    await redis.hscan('{group}hash', 0);
    await redis.scan('0');
    for (const name of ['touch', 'hscan', 'scan']) expect(await commandsAt(a, a.servers[1]!, name)).toBe(0);
    expect(await redis.incr(key)).toBe(2);
  });

  it('does not suspect a group whose primary answers in place of a lost replica', async () => {
    const { groups, redis } = await open({ reads: 'replica' });
    const [a] = groups;
    const key = keys.find((each) => redis.nodeFor(each) === redis.on('group-a'))!;
    await redis.set(key, '1');
    await eventually(async () => {
      await outcomeOf(redis.get(key));
      return (await commandsAt(a, a.servers[1]!, 'get')) > 0;
    });
    const suspected: string[] = [];
    redis.on('nodeSuspect', ({ error }: { error: ShardringError & { operation: string } }) =>
      suspected.push(error.operation),
    );
    a.servers[1]!.pause();
    const reading = Promise.all(Array.from({ length: 10 }, () => redis.get(key)));
    await a.servers[1]!.kill();
    expect(await reading).toEqual(Array(10).fill('1'));
    expect(suspected).not.toContain('get');
  });
});
