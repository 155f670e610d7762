/** A ShardedRedis in use while its nodes change, over real servers. Its keys are not moved. */

import { createServer, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ShardedRedis, type ShardedRedisOptions } from '../../src/redis/index.ts';
import { eventually, outcomeOf, patientMs } from '../support/eventually.ts';
import { startFakeRedis, welcome } from '../support/fake-redis.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

const ids = ['a', 'b', 'c'];
const none = { strategy: 'none' } as const;
const keys = Array.from({ length: 200 }, (_, index) => `key:${index}`);

let servers: Record<string, RedisServer>;

beforeAll(async () => {
  const all = [...ids, 'd'];
  const started = await Promise.all(all.map(() => startRedis()));
  servers = Object.fromEntries(all.map((id, index) => [id, started[index]!]));
});

afterEach(async () => {
  for (const { url } of Object.values(servers)) {
    const client = new Redis(url);
    await client.flushall();
    client.disconnect();
  }
});

afterAll(() => Promise.all(Object.values(servers).map((server) => server.stop())));

const nodeOf = (id: string) => ({ id, url: servers[id]!.url });

async function clientOf(options: Partial<ShardedRedisOptions> = {}): Promise<ShardedRedis> {
  const redis = new ShardedRedis({
    ...{ nodes: ids.map(nodeOf), timeoutMs: patientMs, health: { probeTimeoutMs: patientMs }, ...options },
  });
  onTestFinished(() => redis.close());
  await redis.ready();
  return redis;
}

const keyAt = (redis: ShardedRedis, id: string, prefix = 'key:') =>
  Array.from({ length: 1_000 }, (_, index) => `${prefix}${index}`).find(
    (key) => redis.topology.placement.nodeFor(key) === id,
  )!;

/** Connections that a server has besides the one that asks. */
async function connectionsAt(id: string): Promise<number> {
  const client = new Redis(servers[id]!.url);
  const list = (await client.client('LIST')) as string;
  client.disconnect();
  return list.split('\n').filter(Boolean).length - 1;
}

/** Does the work over and over until it is stopped. A failure of it is what `stop` rejects with. */
function over(work: (round: number) => Promise<unknown>) {
  let isStopped = false;
  let rounds = 0;
  const run = (async () => {
    while (!isStopped) await work(rounds++);
  })();
  run.catch(() => undefined);
  return {
    more: (count = 20) => {
      const goal = rounds + count;
      return Promise.race([run, eventually(() => rounds >= goal)]);
    },
    stop: async () => {
      isStopped = true;
      await run;
    },
  };
}

describe('a node that is removed', () => {
  it('still answers all that was sent to it, and is closed then', async () => {
    const redis = await clientOf();
    const key = keyAt(redis, 'b');
    const other = `{${key}}2`;
    servers.b!.pause();
    const calls = [
      redis.set(key, 'value'),
      redis.get(key),
      redis.pipeline().incr(other).incr(other).exec(),
      redis.mget(keys),
      redis.eval('return redis.call("incr", KEYS[1])', 1, other),
    ];
    await redis.removeNode('b', none);
    expect(redis.topology.placement.nodeFor(key)).not.toBe('b');
    servers.b!.resume();
    const [set, got, pipeline, , evaluated] = await Promise.all(calls);
    expect([set, got, evaluated]).toEqual(['OK', 'value', 3]);
    expect(pipeline).toEqual([
      [null, 1],
      [null, 2],
    ]);
    await eventually(async () => (await connectionsAt('b')) === 0);
    expect(await redis.set(key, 'of another node')).toBe('OK');
  });

  it('ends a transaction that has begun there', async () => {
    const redis = await clientOf();
    const key = keyAt(redis, 'b');
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let held: Promise<unknown> = Promise.resolve();
    await new Promise<void>((begun) => {
      held = redis.withConnection(key, async (client) => {
        await client.watch(key);
        begun();
        await released;
        return client.multi().set(key, '1').incr(key).exec();
      });
    });
    await redis.removeNode('b', none);
    release();
    expect(await held).toEqual([
      [null, 'OK'],
      [null, 2],
    ]);
    await eventually(async () => (await connectionsAt('b')) === 0);
  });

  it('does a transaction that waits for what was sent before it, or says that the nodes have changed', async () => {
    const redis = await clientOf();
    const key = keyAt(redis, 'b');
    servers.b!.pause();
    const set = redis.set(key, '1');
    const transaction = redis.multi().incr(key).incr(key).exec();
    await redis.removeNode('b', none);
    servers.b!.resume();
    expect(await set).toBe('OK');
    const ended = await transaction.catch((error: { code: string; retryable: boolean }) => [
      error.code,
      error.retryable,
    ]);
    expect(ended).toEqual(['ERR_NODES_CHANGED', true]);
  });

  it('tells a command that waits for data there that the nodes have changed', async () => {
    const redis = await clientOf();
    const key = keyAt(redis, 'b');
    const waiting = redis.blpop(key, 0);
    const outcome = waiting.catch((error: { code: string; retryable: boolean }) => [error.code, error.retryable]);
    await eventually(async () => (await connectionsAt('b')) > 1);
    await redis.removeNode('b', none);
    expect(await outcome).toEqual(['ERR_NODES_CHANGED', true]);
    await redis.lpush(key, 'value');
    expect(await redis.blpop(key, 0)).toEqual([key, 'value']);
  });

  it('leaves a borrowed client open', async () => {
    const client = new Redis(servers.d!.url);
    onTestFinished(() => client.disconnect());
    const redis = await clientOf();
    await redis.addNode({ id: 'd', client }, none);
    const key = keyAt(redis, 'd');
    await redis.set(key, 'value');
    await redis.removeNode('d', none);
    await redis.ready();
    expect(await client.get(key)).toBe('value');
  });
});

describe('a node that does not answer', () => {
  it('is not added, and no connection to it stays', async () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
      socket.resume();
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const redis = await clientOf({ timeoutMs: 300 });
    await redis.subscribe('channel');
    await redis.psubscribe('*');
    const { port } = silent.address() as { port: number };
    await expect(redis.addNode({ id: 'd', port }, none)).rejects.toMatchObject({ node: 'd', retryable: true });
    expect([redis.topology.epoch, redis.nodes().length]).toEqual([1, 3]);
    await eventually(() => sockets.size === 0);
    await redis.addNode(nodeOf('d'), none);
    expect(redis.nodes().length).toBe(4);
  });

  it('is given up at once by the signal while it does not confirm subscriptions, which go on as they were', async () => {
    const isSubscription = (name: string) => name.endsWith('subscribe');
    const server = await startFakeRedis((command) =>
      isSubscription(command.name) ? undefined : (welcome(command) ?? '+OK\r\n'),
    );
    onTestFinished(() => server[Symbol.asyncDispose]());
    const redis = await clientOf();
    await redis.psubscribe('key:*');
    const controller = new AbortController();
    const reason = new Error('not now');
    const adding = redis.addNode({ id: 'd', port: server.port }, { ...none, signal: controller.signal });
    await eventually(() => server.heard.some(({ name }) => isSubscription(name)));
    controller.abort(reason);
    expect(await outcomeOf(Promise.resolve(adding))).toMatchObject({ error: reason, endedAtOnce: true });
    const key = keyAt(redis, 'a');
    const heard = new Promise((resolve) => redis.on('pmessage', (...message: string[]) => resolve(message)));
    await redis.publish(key, 'still there');
    expect(await heard).toEqual(['key:*', key, 'still there']);
  });

  it('is not added where its server is one of another node', async () => {
    const redis = await clientOf();
    const before = await connectionsAt('a');
    await expect(redis.addNode({ ...nodeOf('a'), id: 'd' }, none)).rejects.toMatchObject({ code: 'ERR_WRONG_SERVER' });
    await eventually(async () => (await connectionsAt('a')) === before);
    expect([...redis.health().values()]).toEqual(['up', 'up', 'up']);
  });

  it('leaves a borrowed client open', async () => {
    const client = new Redis({ port: 1, lazyConnect: true, retryStrategy: () => 10 });
    client.on('error', () => undefined);
    onTestFinished(() => client.disconnect());
    const redis = await clientOf({ timeoutMs: 300 });
    await expect(redis.addNode({ id: 'd', client }, none)).rejects.toMatchObject({ node: 'd' });
    expect(client.status).not.toBe('end');
  });
});

describe('a ShardedRedis whose nodes change', () => {
  it('names the nodes that are in force', async () => {
    const redis = await clientOf();
    const namesOf = () => [Object.keys(redis.toJSON()), redis.nodes().length, [...redis.health().keys()]];
    const shape = ['status', 'nodes'];
    await redis.addNode(nodeOf('d'), none);
    await redis.ready();
    expect(namesOf()).toEqual([shape, 4, [...ids, 'd']]);
    const key = keyAt(redis, 'd');
    await redis.set(key, 'value');
    expect(await redis.on('d').get(key)).toBe('value');
    expect(redis.nodeFor(key)).toBe(redis.on('d'));
    const { epoch, nodes, previousOwners } = redis.explain(key);
    expect([epoch, nodes[0], nodes.length, previousOwners]).toEqual([2, expect.objectContaining({ id: 'd' }), 4, []]);
    expect([...redis.health().values()]).toEqual(['up', 'up', 'up', 'up']);
    await redis.removeNode('d', none);
    expect(namesOf()).toEqual([shape, 3, ids]);
    expect(redis.toJSON()).toEqual({ status: 'ready', nodes: ids });
    expect(() => redis.on('d')).toThrow('a, b, c');
    expect(redis.explain(key).epoch).toBe(3);
    expect(redis.nodes()).toContain(redis.nodeFor(key));
    await redis.ready();
  });

  it('goes on reading and writing with copies', async () => {
    const redis = await clientOf({ replicationFactor: 2, writeConsistency: 'all' });
    const work = over(async (round) => {
      const key = `key:${round}`;
      await redis.set(key, round);
      await redis.incr(key);
      await redis.mset(keys.flatMap((one) => [one, round]));
      await redis.mget(keys);
      await redis.multi().set(key, 1).incr(key).exec();
      await redis.sadd(`set:${round}`, 'one', 'two');
      await redis.spop(`set:${round}`);
    });
    await work.more(3);
    await redis.addNode(nodeOf('d'), none);
    await work.more(3);
    await redis.setWeight('d', 3, none);
    await redis.removeNode('a', none);
    await work.more(3);
    await work.stop();
  });

  it('brings each message once that it or another client publishes, whose nodes change too', async () => {
    const [redis, other] = [await clientOf(), await clientOf()];
    const heard: string[] = [];
    const heardByPattern: string[] = [];
    const channels = keys.slice(0, 30);
    await redis.subscribe(...channels);
    await redis.psubscribe('key:*');
    redis.on('message', (_: string, message: string) => heard.push(message));
    redis.on('pmessage', (_: string, __: string, message: string) => heardByPattern.push(message));
    const published: string[] = [];
    const publishing = [redis, other].map((client, index) =>
      over(async (round) => {
        await client.publish(channels[round % channels.length]!, `${index}:${round}`);
        published.push(`${index}:${round}`);
      }),
    );
    const more = () => Promise.all(publishing.map((each) => each.more(60)));
    const changes = [
      (client: ShardedRedis) => client.addNode(nodeOf('d'), none),
      (client: ShardedRedis) => client.removeNode('a', none),
      (client: ShardedRedis) => client.setWeight('b', 3, none),
    ];
    for (const change of changes) {
      await more();
      await change(redis);
      await more();
      await change(other);
    }
    await more();
    await Promise.all(publishing.map((each) => each.stop()));
    published.sort();
    await eventually(() => heard.length >= published.length && heardByPattern.length >= published.length);
    expect(heard.sort()).toEqual(published);
    expect(heardByPattern.sort()).toEqual(published);
  });

  it('finishes a scan of nodes that are still there, and says of one that has left that the nodes have changed', async () => {
    const redis = await clientOf();
    await redis.mset(keys.flatMap((key) => [key, '1']));
    const scanAround = async (change: () => PromiseLike<unknown>) => {
      const seen = new Set<string>();
      for await (const key of redis.scan({ count: 10 })) {
        seen.add(key);
        if (seen.size === 20) await change();
      }
      return [...seen].sort();
    };
    expect(await scanAround(() => redis.addNode(nodeOf('d'), none))).toEqual([...keys].sort());
    const interrupted = scanAround(() => redis.removeNode('b', none));
    await expect(interrupted).rejects.toMatchObject({ code: 'ERR_NODES_CHANGED', node: 'b', retryable: true });
  });
});
