import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isReadOnly } from '../../src/redis/commands/command-table.ts';
import { replicationOf } from '../../src/redis/replication/effects.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

let servers: RedisServer[];
let first: Redis;
let other: Redis;

beforeAll(async () => {
  // A high frequency, so that the shortest waits of blocking commands are short.
  servers = await Promise.all([0, 1].map(() => startRedis({ args: ['--enable-debug-command', 'yes', '--hz', '500'] })));
  [first, other] = servers.map(({ url }) => new Redis(url)) as [Redis, Redis];
});

afterAll(async () => {
  for (const client of [first, other]) client?.disconnect();
  await Promise.all((servers ?? []).map((server) => server.stop()));
});

type Outcome = { readonly reply: unknown } | { readonly error: string };

const send = (client: Redis, name: string, args: readonly (string | Buffer | number)[]): Promise<Outcome> =>
  client.callBuffer(name, ...(args as [string])).then(
    (reply) => ({ reply }),
    (error: Error) => ({ error: error.message }),
  );

/** Executes a write on the first server and then does with the other what `replicationOf` says. */
async function replicate(name: string, args: readonly string[], inTransaction: boolean): Promise<void> {
  if (isReadOnly(name, args)) return;
  const plan = replicationOf(name, args, Date.now());
  switch (plan.kind) {
    case 'refused':
      throw new Error(`${name} is refused: ${plan.reason}`);
    case 'changesNothing':
      await send(first, name, args);
      return;
    case 'fanOut': {
      const outcomes = [];
      for (const client of [first, other]) outcomes.push(await send(client, plan.name ?? name, plan.args ?? args));
      // Sets and hashes have no order.
      const known = (outcome: Outcome) => ('error' in outcome ? outcome.error : 'done');
      expect(known(outcomes[1]!)).toBe(known(outcomes[0]!));
      return;
    }
    case 'effects': {
      const outcome = await send(first, plan.name, plan.args);
      if (inTransaction && plan.mayFanOut) await send(other, plan.name, plan.args);
      else if ('reply' in outcome) {
        for (const effect of plan.effectsOf(outcome.reply)) {
          expect(await send(other, effect.name, effect.args), `${effect.name} after ${name}`).not.toHaveProperty(
            'error',
          );
        }
      }
    }
  }
}

/** All that copies have to agree on: values by the server's own digest, times of expiry, and what groups were given. */
async function stateOf(client: Redis): Promise<unknown> {
  const keys = (await client.keys('*')).sort();
  const details = keys.map(async (key) => {
    const expiry = await client.call('PEXPIRETIME', key);
    if ((await client.type(key)) !== 'stream') return [key, expiry];
    const groups = (await client.call('XINFO', 'GROUPS', key)) as unknown[][];
    const pending = groups.map(async (group) => {
      const name = String(group[1]);
      const entries = (await client.xpending(key, name, '-', '+', 100)) as unknown[][];
      // Without the idle times, which go on.
      return [
        name,
        group[group.indexOf('last-delivered-id') + 1],
        entries.map(([id, owner, , count]) => [id, owner, count]),
      ];
    });
    return [key, expiry, await Promise.all(pending)];
  });
  return { digest: await client.call('DEBUG', 'DIGEST'), details: await Promise.all(details) };
}

const words = (...templates: string[]) => fc.constantFrom(...templates);
/** Few, so that lists have an element twice, and it matters which one goes. */
const value = words('x', 'y', '2.5');
const key = (type: string) => words(`${type}1`, `${type}2`);
/** A template with `K` for a key of its type, and `V` for a value. */
const commandsOf = (type: string, ...templates: string[]) =>
  fc
    .tuple(words(...templates), fc.infiniteStream(key(type)), fc.infiniteStream(value))
    .map(([template, keys, values]) =>
      template.split(' ').map((part) => {
        if (part === 'K') return keys.next().value as string;
        return part === 'V' ? (values.next().value as string) : part;
      }),
    );

const classes = {
  strings: commandsOf(
    's',
    ...['SET K V', 'SET K V EX 100', 'SET K V NX', 'SET K V NX PX 90000 GET', 'SET K V XX GET', 'SET K V XX KEEPTTL'],
    ...[
      'SETNX K V',
      'SETEX K 50 V',
      'PSETEX K 50000 V',
      'SETEX K 0 V',
      'SET K V EX x',
      'GETEX K EX 70',
      'GETEX K PERSIST',
    ],
    ...[
      'INCRBYFLOAT K 0.1',
      'INCR K',
      'APPEND K V',
      'SETRANGE K 3 V',
      'GETDEL K',
      'GETSET K V',
      'MSET K V K V',
      'MSETNX K V K V',
    ],
    ...['BITFIELD K INCRBY u8 0 3', 'SETBIT K 7 1', 'PFADD h1 V', 'DEL K', 'UNLINK K K', 'RENAME K K', 'RENAMENX K K'],
    ...[
      'COPY K K',
      'COPY K K REPLACE',
      'EXPIRE K 60',
      'EXPIRE K 60 NX',
      'EXPIRE K 200 GT',
      'EXPIRE K 30 LT',
      'EXPIRE K -1',
      'EXPIRE K 0',
    ],
    ...['PEXPIRE K 80000 XX', 'PERSIST K', 'EXPIREAT K 99999999999', 'BITOP XOR K K K'],
  ),
  lists: commandsOf(
    'l',
    ...[
      'RPUSH K V V V',
      'RPUSH K V V V',
      'LPUSH K V V V',
      'LPUSH K V',
      'LPUSHX K V',
      'LPOP K',
      'RPOP K 2',
      'LMPOP 2 K K LEFT COUNT 2',
      'LMPOP 1 K RIGHT',
    ],
    ...['BLPOP K K 0.001', 'BRPOP K 0.001', 'BLMPOP 0.001 1 K LEFT COUNT 2', 'BLMPOP 0.001 2 K K RIGHT COUNT 2'],
    ...[
      'BLMOVE K K LEFT RIGHT 0.001',
      'BLMOVE K K RIGHT RIGHT 0.001',
      'BRPOPLPUSH K K 0.001',
      'LMOVE K K LEFT LEFT',
      'RPOPLPUSH K K',
    ],
    ...[
      'LINSERT K BEFORE x V',
      'LREM K 1 x',
      'LSET K 0 V',
      'LTRIM K 0 3',
      'SORT K ALPHA STORE K',
      'SORT K ALPHA',
      'DEL K',
    ],
  ),
  sets: commandsOf(
    'm',
    ...[
      'SADD K V V V',
      'SPOP K',
      'SPOP K 2',
      'SPOP K 0',
      'SREM K V',
      'SMOVE K K x',
      'SUNIONSTORE K K K',
      'SINTERSTORE K K K',
    ],
    ...['SDIFFSTORE K K K', 'DEL K', 'SORT K BY nosort ALPHA STORE l9'],
  ),
  sortedSets: commandsOf(
    'z',
    ...[
      'ZADD K 1 V 2 V',
      'ZADD K NX 3 V',
      'ZADD K GT 2 V',
      'ZADD K INCR 1 V',
      'ZINCRBY K 0.1 V',
      'ZPOPMIN K',
      'ZPOPMAX K 2',
    ],
    ...[
      'ZMPOP 2 K K MIN COUNT 2',
      'BZPOPMIN K K 0.001',
      'BZPOPMAX K 0.001',
      'BZMPOP 0.001 1 K MAX COUNT 2',
      'ZREM K V',
    ],
    ...[
      'ZREMRANGEBYRANK K 0 0',
      'ZUNIONSTORE K 2 K K',
      'ZRANGESTORE K K 0 1',
      'GEOADD K 13 38 V',
      'GEORADIUS K 13 38 9 km STORE K',
    ],
  ),
  hashes: commandsOf(
    'h',
    ...[
      'HSET K f V g V',
      'HSETNX K f V',
      'HSETNX K e V',
      'HINCRBY K n 2',
      'HINCRBYFLOAT K n 0.1',
      'HDEL K f',
      'HMSET K f V',
    ],
  ),
  streams: commandsOf(
    'x',
    ...[
      'XADD K * f V',
      'XADD K * f V',
      'XADD K NOMKSTREAM * f V',
      'XADD K MAXLEN = 4 * f V',
      'XADD K 9-* f V',
      'XADD K 9-9 f V',
    ],
    ...[
      'XGROUP CREATE K g 0 MKSTREAM',
      'XGROUP CREATE K g $',
      'XGROUP SETID K g 0',
      'XGROUP CREATECONSUMER K g V',
      'XTRIM K MAXLEN 3',
      'XTRIM K MAXLEN 0',
    ],
    ...[
      'XREADGROUP GROUP g V COUNT 2 STREAMS K >',
      'XREADGROUP GROUP g V STREAMS K K > >',
      'XREADGROUP GROUP g V NOACK COUNT 1 STREAMS K >',
    ],
    ...['XCLAIM K g V 0 9-9 9-0', 'XCLAIM K g V 0 9-9 FORCE RETRYCOUNT 4', 'XCLAIM K g V 0 9-0 IDLE 5 JUSTID FORCE'],
    ...[
      'XAUTOCLAIM K g V 0 0 COUNT 2',
      'XAUTOCLAIM K g V 0 0 JUSTID',
      'XACK K g 9-9',
      'XDEL K 9-9',
      'XGROUP DELCONSUMER K g x',
      'DEL K',
    ],
  ),
};

/** Without a group most commands on streams would be refused. */
const preparations: Readonly<Record<string, readonly string[][]>> = {
  streams: ['x1', 'x2'].map((stream) => ['XGROUP', 'CREATE', stream, 'g', '0', 'MKSTREAM']),
};

describe('writes made the same on all copies', () => {
  beforeEach(async () => {
    await first.flushall();
    await other.flushall();
  });

  for (const [name, command] of Object.entries(classes)) {
    for (const inTransaction of [false, true]) {
      const how = inTransaction ? ', conditions decided by each copy' : '';
      it(`leave two servers equal: ${name}${how}`, async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(command, { minLength: 10, maxLength: 40 }), async (commands) => {
            await Promise.all([first.flushall(), other.flushall()]);
            const all = [...(preparations[name] ?? []), ...commands];
            for (const [word, ...args] of all) await replicate(word!.toLowerCase(), args, inTransaction);
            expect(await stateOf(other)).toEqual(await stateOf(first));
          }),
          { numRuns: 60 },
        );
      });
    }
  }

  it('keep a restored key and its expiry equal', async () => {
    await first.set('a', 'value');
    const payload = await first.dumpBuffer('a');
    const plan = replicationOf('restore', ['b', '60000', payload!], Date.now());
    if (plan.kind !== 'effects') throw new Error(plan.kind);
    const reply = await first.callBuffer('restore', ...(plan.args as [string]));
    const [effect] = plan.effectsOf(reply);
    await other.call('restore', ...(effect!.args as [string]));
    expect(await other.get('b')).toBe('value');
    expect(await other.call('PEXPIRETIME', 'b')).toBe(await first.call('PEXPIRETIME', 'b'));
  });
});
