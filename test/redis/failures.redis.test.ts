/**
 * What a sick node does to callers: only calls for its keys fail, by their deadline, with a typed error or with what the
 * server itself said. Each state is brought about in a real server, and is looked at before health has noticed it and after.
 */

import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ShardedCache } from '../../src/cache/sharded-cache.ts';
import { isShardringError } from '../../src/errors/index.ts';
import { RedisBackend, ShardedRedis } from '../../src/redis/index.ts';
import { eventually, outcomeOf } from '../support/eventually.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

/** Nodes that are well answer within it also on a busy machine. */
const timeoutMs = 2_000;
/** A busy machine may look at a deadline late. Without it, calls for a sick node would stay open for as long as it is sick. */
const slackMs = 10_000;

const password = 'secret';

/** What a node does in this state to calls for its keys. */
interface State {
  readonly title: string;
  begin(server: RedisServer, other: RedisServer): Promise<void> | void;
  end(server: RedisServer): Promise<void> | void;
  /** Whether it still answers commands that change nothing. */
  readonly answersReads: boolean;
  /** It depends on when the state is noticed. */
  readonly mayAnswer?: boolean;
  /** What the server says, if it says anything. */
  readonly refusal?: RegExp;
  /** Codes of our errors; for reads never ERR_UNKNOWN_OUTCOME. */
  readonly codes: readonly string[];
}

async function admin<Result>(
  { port }: RedisServer,
  use: (client: Redis) => Promise<Result>,
  options: { readonly password?: string } = {},
): Promise<Result> {
  const client = new Redis(port, { protocol: 2, enableReadyCheck: false, disableClientInfo: true, ...options });
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

const states: readonly State[] = [
  {
    title: 'killed',
    begin: (server) => server.kill(),
    end: (server) => server.restart(),
    answersReads: false,
    codes: ['ERR_NODE_UNAVAILABLE', 'ERR_UNKNOWN_OUTCOME'],
  },
  {
    title: 'stopped',
    begin: (server) => server.pause(),
    end: (server) => server.resume(),
    answersReads: false,
    codes: ['ERR_TIMEOUT', 'ERR_NODE_UNAVAILABLE', 'ERR_UNKNOWN_OUTCOME'],
  },
  {
    title: 'loading',
    async begin(server) {
      await admin(server, (client) => client.config('SET', 'key-load-delay', 1_000));
      const reloading = new Redis(server.port, { protocol: 2, disableClientInfo: true });
      void reloading.debug('RELOAD').catch(() => undefined);
      await eventually(() =>
        admin(server, async (client) => (await outcomeOf(client.ping())).error?.toString().includes('LOADING')),
      );
      reloading.disconnect();
    },
    end: (server) => admin(server, async (client) => void (await client.config('SET', 'key-load-delay', 0))),
    answersReads: false,
    refusal: /^LOADING|^EXECABORT/,
    // It answers between two batches of keys, and a new connection takes it several answers.
    codes: ['ERR_NODE_REPLY', 'ERR_TIMEOUT', 'ERR_UNKNOWN_OUTCOME'],
  },
  {
    title: 'full',
    begin: (server) => admin(server, async (client) => void (await client.config('SET', 'maxmemory', 1))),
    end: (server) => admin(server, async (client) => void (await client.config('SET', 'maxmemory', 0))),
    answersReads: true,
    refusal: /^OOM|^EXECABORT/,
    codes: ['ERR_NODE_REPLY'],
  },
  {
    title: 'read-only',
    async begin(server, other) {
      await admin(server, async (client) => {
        await client.replicaof('127.0.0.1', other.port);
        await eventually(async () => (await client.info('replication')).includes('master_link_status:up'));
      });
    },
    end: (server) => admin(server, async (client) => void (await client.replicaof('NO', 'ONE'))),
    answersReads: false,
    // Until the first READONLY, or the next look of the health checks.
    mayAnswer: true,
    refusal: /^READONLY|^EXECABORT|^UNBLOCKED/,
    codes: ['ERR_NODE_REPLY', 'ERR_WRONG_SERVER', 'ERR_NODE_UNAVAILABLE', 'ERR_UNKNOWN_OUTCOME'],
  },
  {
    title: 'unauthorised, as it asks for a password all of a sudden',
    async begin(server) {
      await admin(server, async (client) => {
        await client.config('SET', 'requirepass', password);
        await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      });
    },
    end: (server) =>
      admin(server, async (client) => void (await client.config('SET', 'requirepass', '')), { password }),
    answersReads: false,
    refusal: /^NOAUTH|^EXECABORT/,
    // The connection is lost on the way.
    codes: ['ERR_NODE_REPLY', 'ERR_NODE_UNAVAILABLE', 'ERR_UNKNOWN_OUTCOME'],
  },
  {
    title: 'unauthorised, as it forbids all commands but PING',
    begin: (server) =>
      admin(server, async (client) => {
        await client.acl('SETUSER', 'default', '-@all', '+ping', '+acl');
        // Also those that are subscribed.
        await client.call('ACL', 'SETUSER', 'default', 'resetchannels');
      }),
    end: (server) => admin(server, async (client) => void (await client.acl('SETUSER', 'default', '+@all', '&*'))),
    answersReads: false,
    refusal: /^NOPERM|^EXECABORT/,
    codes: ['ERR_NODE_REPLY'],
  },
];

const ids = ['a', 'b', 'c', 'd'];
const sick = 'b';
const wellIds = ids.filter((id) => id !== sick);

let servers: RedisServer[];
let clients: { quit(): Promise<unknown> }[];

beforeEach(async () => {
  const args = [
    ...['--enable-debug-command', 'yes', '--loading-process-events-interval-bytes', '1024'],
    ...['--repl-diskless-sync-delay', '0'],
  ];
  servers = await Promise.all(ids.map(() => startRedis({ args })));
  clients = [];
});

afterEach(async () => {
  await Promise.all(clients.map((client) => client.quit()));
  await Promise.all(servers.map((server) => server.stop()));
});

/** @param probeIntervalMs  Long: nobody notices; short: soon. */
function open(probeIntervalMs: number): ShardedRedis {
  const redis = new ShardedRedis({
    nodes: servers.map(({ url }, index) => ({ id: ids[index]!, url })),
    timeoutMs,
    health: { probeIntervalMs, probeTimeoutMs: 2_000 },
  });
  redis.defineCommand('increase', { lua: "return redis.call('INCR', KEYS[1])", numberOfKeys: 1 });
  clients.push(redis);
  return redis;
}

const server = (id: string) => servers[ids.indexOf(id)]!;

const keyAt = (redis: ShardedRedis, id: string, prefix: string): string => {
  for (let index = 0; ; index++) {
    if (redis.topology.placement.nodeFor(`${prefix}${index}`) === id) return `${prefix}${index}`;
  }
};

/** One call of each kind for keys of one node. `isRead`: it changes nothing, so a full or read-only node answers. */
const calls: readonly {
  readonly name: string;
  readonly isRead?: boolean;
  /** Beyond the deadline of any call. */
  readonly ownWaitMs?: number;
  /** States that do not touch it. */
  readonly answersWhen?: readonly string[];
  /** A server serves channels while it loads; whether it is asked depends on what health thinks of it. */
  readonly isOfChannels?: boolean;
  call(redis: ShardedRedis, node: string): Promise<unknown>;
}[] = [
  { name: 'get', isRead: true, call: (redis, node) => redis.get(keyAt(redis, node, 'text:')) },
  { name: 'set', call: (redis, node) => redis.set(keyAt(redis, node, 'text:'), 'x') },
  { name: 'incr', call: (redis, node) => redis.incr(keyAt(redis, node, 'counter:')) },
  {
    name: 'multi',
    call: (redis, node) =>
      redis
        .multi()
        .incr(keyAt(redis, node, 'counter:'))
        .get(keyAt(redis, node, 'counter:'))
        .exec()
        .then((results) => {
          if (results![0]![0] !== null) throw results![0]![0];
        }),
  },
  {
    name: 'eval',
    call: (redis, node) => redis.eval("return redis.call('INCR', KEYS[1])", 1, keyAt(redis, node, 'counter:')),
  },
  {
    name: 'defineCommand',
    call: (redis, node) =>
      (redis as unknown as { increase(key: string): Promise<number> }).increase(keyAt(redis, node, 'counter:')),
  },
  {
    name: 'blpop',
    ownWaitMs: 50,
    answersWhen: ['full'],
    call: (redis, node) => redis.blpop(keyAt(redis, node, 'list:'), 0.05),
  },
  {
    name: 'publish',
    answersWhen: ['full'],
    isOfChannels: true,
    call: (redis, node) => redis.publish(keyAt(redis, node, 'channel:'), 'x'),
  },
  {
    name: 'subscribe',
    isRead: true,
    isOfChannels: true,
    call: (redis, node) => redis.subscribe(keyAt(redis, node, 'channel:')),
  },
];

/** The failure is one that the state allows. */
function expectFailure(state: State, error: unknown, isRead: boolean, name = ''): void {
  if (state.mayAnswer && (error === undefined || error === null)) return;
  if (error instanceof Error && error.name === 'ReplyError') {
    expect(error.message).toMatch(state.refusal ?? /^nothing$/);
    return;
  }
  expect(isShardringError(error), `${name} ${error}`).toBe(true);
  const { code, node } = error as { code: string; node: string };
  const codes = isRead ? state.codes.filter((each) => each !== 'ERR_UNKNOWN_OUTCOME') : state.codes;
  expect(codes, name).toContain(code);
  expect(node).toBe(sick);
}

async function expectOnlySickFails(state: State, redis: ShardedRedis): Promise<void> {
  await Promise.all(
    calls.map(async ({ name, call, isRead = false, ownWaitMs = 0, answersWhen = [], isOfChannels = false }) => {
      const ofOthers = wellIds.map((id) => outcomeOf(call(redis, id)));
      const { error, elapsedMs } = await outcomeOf(call(redis, sick));
      for (const other of await Promise.all(ofOthers)) expect(other.error, name).toBeUndefined();
      expect(elapsedMs, name).toBeLessThan(timeoutMs + ownWaitMs + slackMs);
      if (error === undefined && isOfChannels && state.title === 'loading') return;
      if ((isRead && state.answersReads) || answersWhen.includes(state.title)) expect(error, name).toBeUndefined();
      else expectFailure(state, error, isRead, name);
    }),
  );
}

async function expectPartsOfManyToFail(state: State, redis: ShardedRedis): Promise<void> {
  const keys = ids.map((id) => keyAt(redis, id, 'text:'));
  const pipeline = redis.pipeline();
  for (const key of keys) pipeline.get(key).incr(`{${key}}counter`);
  const [many, results, scan] = await Promise.all([
    outcomeOf(redis.mget(...keys)),
    pipeline.exec(),
    outcomeOf(
      (async () => {
        for await (const key of redis.scan()) expect(key).toBeTypeOf('string');
      })(),
    ),
  ]);
  for (const [index, [error]] of results!.entries()) {
    const isRead = index % 2 === 0;
    if (index >> 1 !== ids.indexOf(sick) || (isRead && state.answersReads)) expect(error).toBeNull();
    else expectFailure(state, error, isRead);
  }
  for (const { error, elapsedMs } of [many, scan]) {
    expect(elapsedMs).toBeLessThan(timeoutMs + slackMs);
    if (state.answersReads) expect(error).toBeUndefined();
    else expectFailure(state, error, true);
  }
}

/** A node in a state in which PING fails is known to be down after a while. */
const isNoticed = ({ answersReads, title }: State) => !answersReads && !title.includes('PING');

describe.each(states)('a node that is $title', (state) => {
  it.each([
    ['before anybody has noticed', 60_000],
    ['once the health checks had time', 20],
  ])('fails only calls for its keys, by their deadline, with a typed error: %s', async (_, probeIntervalMs) => {
    const redis = open(probeIntervalMs);
    await redis.connect();
    await redis.mset(Object.fromEntries(ids.map((id) => [keyAt(redis, id, 'text:'), 'x'])));
    if (state.title === 'loading') await redis.on(sick).debug('POPULATE', 20_000);
    await state.begin(server(sick), server('a'));
    if (probeIntervalMs < 1_000 && isNoticed(state)) await eventually(() => redis.health().get(sick) === 'down');
    await Promise.all([expectOnlySickFails(state, redis), expectPartsOfManyToFail(state, redis)]);
    await state.end(server(sick));
    await eventually(async () => {
      const [key, channel] = [keyAt(redis, sick, 'text:'), keyAt(redis, sick, 'channel:')];
      await Promise.all([redis.set(key, 'y'), redis.multi().incr(`{${key}}counter`).exec(), redis.subscribe(channel)]);
      return (await redis.get(key)) === 'y' && (await redis.publish(channel, 'x')) === 1;
    });
  });

  it('fails only gets and sets of its keys in a ShardedCache', async () => {
    const cache = new ShardedCache({
      nodes: servers.map(({ url }, index) => ({ id: ids[index]!, backend: new RedisBackend(url) })),
      timeoutMs,
      health: { probeIntervalMs: 60_000 },
    });
    clients.push({ quit: () => cache.close() });
    const redis = open(60_000);
    const keys = ids.map((id) => keyAt(redis, id, 'text:'));
    for (const key of keys) await cache.set(key, 'x');
    if (state.title === 'loading') await redis.on(sick).debug('POPULATE', 20_000);
    await state.begin(server(sick), server('a'));
    for (const [isRead, call] of [
      [true, (key: string) => cache.get(key)],
      [false, (key: string) => cache.set(key, 'y')],
    ] as const) {
      const outcomes = await Promise.all(keys.map((key) => outcomeOf(call(key))));
      for (const [index, { error, elapsedMs }] of outcomes.entries()) {
        expect(elapsedMs).toBeLessThan(timeoutMs + slackMs);
        if (ids[index] !== sick || (isRead && state.answersReads)) expect(error).toBeUndefined();
        else {
          expect(isShardringError(error) || state.mayAnswer === true).toBe(true);
          expectFailure(state, error, isRead);
        }
      }
    }
    await state.end(server(sick));
    await eventually(() => cache.set(keys[ids.indexOf(sick)]!, 'z').then(() => true));
  });
});

it('a node that is known to be down lends no connection, also none that waits in the pool', async () => {
  const redis = open(20);
  const key = keyAt(redis, sick, 'text:');
  await redis.withConnection(key, (client) => client.set(key, 'x'));
  server(sick).pause();
  await eventually(() => redis.health().get(sick) === 'down');
  const { error } = await outcomeOf(redis.withConnection(key, (client) => client.get(key)));
  expect(error).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', node: sick });
  server(sick).resume();
  expect(await eventually(() => redis.withConnection(key, (client) => client.get(key)))).toBe('x');
});
