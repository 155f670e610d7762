/**
 * What differs between the servers that the tests run on, as users of shardring meet it: the rows of docs/servers.md.
 * Each test runs on the server at hand, and CI runs them on all three.
 */

import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ShardedRedis } from '../../src/redis/index.ts';
import { eventually, outcomeOf, patientMs } from '../support/eventually.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

/** What is so on each server. */
type ByServer<Fact> = Readonly<Record<'Redis 7.0' | 'Redis 8.0' | 'Valkey 9.1', Fact>>;

let server: RedisServer;
let redis: ShardedRedis;
/** The one server by itself. */
let plain: Redis;
/** Undefined: a server of which the table says nothing. */
let name: keyof ByServer<unknown> | undefined;

beforeAll(async () => {
  server = await startRedis();
  plain = new Redis(server.port, { disableClientInfo: true, protocol: 2 });
  redis = new ShardedRedis({ nodes: [{ id: 'only', port: server.port }], timeoutMs: patientMs });
  name = serverNameOf(await plain.info('server'));
});

afterEach(async () => {
  await plain.config('SET', 'maxmemory', '0');
  await plain.flushall();
});

afterAll(async () => {
  await redis.quit();
  plain.disconnect();
  await server.stop();
});

function serverNameOf(info: string): typeof name {
  const valkey = /^valkey_version:9\.1\./m.test(info);
  if (valkey) return 'Valkey 9.1';
  if (/^server_name:/m.test(info)) return undefined;
  if (/^redis_version:7\.0\./m.test(info)) return 'Redis 7.0';
  return /^redis_version:8\.0\./m.test(info) ? 'Redis 8.0' : undefined;
}

/** One row of the table. On a server of which it says nothing, the test is skipped. */
const row = <Fact>(title: string, facts: ByServer<Fact>, check: (fact: Fact) => Promise<void>) =>
  it(title, async (context) => {
    if (name === undefined) context.skip('the table says nothing of this server');
    await check(facts[name!]);
  });

/** The reply of one command, or the server's error as text. */
async function replyOf(command: string, ...args: (string | number)[]): Promise<unknown> {
  const { value, error } = await outcomeOf(redis.call(command, ...args));
  return error === undefined ? value : (error as Error).message;
}

const runs = expect.not.stringMatching(/unknown command|unknown subcommand|syntax error/);
const isUnknown = expect.stringMatching(/unknown command|unknown subcommand/);

describe('the server at hand', () => {
  row<readonly [product: string, version: RegExp]>(
    'names itself in HELLO and INFO, Valkey with the version of Redis that it is compatible with beside its own',
    { 'Redis 7.0': ['redis', /^7\.0\./], 'Redis 8.0': ['redis', /^8\.0\./], 'Valkey 9.1': ['valkey', /^7\.2\.4$/] },
    async ([product, version]) => {
      const hello = (await plain.call('HELLO')) as unknown[];
      expect(hello[hello.indexOf('server') + 1]).toBe(product);
      expect(/^redis_version:(\S+)/m.exec(await plain.info('server'))![1]).toMatch(version);
    },
  );

  row(
    'refuses or runs reads inside MULTI when its memory is full',
    { 'Redis 7.0': 'refused', 'Redis 8.0': 'run', 'Valkey 9.1': 'run' },
    async (reads) => {
      await redis.set('key', 'value');
      await plain.config('SET', 'maxmemory', '1');
      expect(await redis.get('key')).toBe('value');
      const { value, error } = await outcomeOf(redis.multi().get('key').exec());
      if (reads === 'run') expect(value).toEqual([[null, 'value']]);
      else expect((error as Error).message).toMatch(/^EXECABORT/);
      await expect(redis.set('key', 'other')).rejects.toThrow(/^OOM/);
    },
  );

  row(
    'takes a type that it does not know in SCAN for one that no key has, or refuses it',
    { 'Redis 7.0': 'none', 'Redis 8.0': 'none', 'Valkey 9.1': 'refused' },
    async (unknownType) => {
      const found = await outcomeOf(redis.scan('0', 'TYPE', 'nosuch'));
      if (unknownType === 'none') expect(found.value).toEqual(['0', []]);
      else expect((found.error as Error).message).toMatch(/unknown type name/);
    },
  );

  row<unknown>(
    'refuses -1 as a cursor, or takes it for the largest one; ShardedRedis refuses it everywhere',
    { 'Redis 7.0': ['0', []], 'Redis 8.0': 'ERR invalid cursor', 'Valkey 9.1': 'ERR invalid cursor' },
    async (reply) => {
      expect(await plain.call('SCAN', '-1').catch((error: Error) => error.message)).toEqual(reply);
      await expect(redis.scan('-1')).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    },
  );

  row(
    'has fields of hashes that expire, or not',
    { 'Redis 7.0': isUnknown, 'Redis 8.0': [1], 'Valkey 9.1': [1] },
    async (expire) => {
      await redis.hset('hash', 'field', 'value');
      expect(await replyOf('HEXPIRE', 'hash', 100, 'FIELDS', 1, 'field')).toEqual(expire);
    },
  );

  it.each<[string, (string | number)[], ByServer<boolean>]>([
    ['HSETEX', ['h', 'EX', 9, 'FIELDS', 1, 'f', 'v'], { 'Redis 7.0': false, 'Redis 8.0': true, 'Valkey 9.1': true }],
    ['HGETEX', ['h', 'EX', 9, 'FIELDS', 1, 'f'], { 'Redis 7.0': false, 'Redis 8.0': true, 'Valkey 9.1': true }],
    ['HGETDEL', ['h', 'FIELDS', 1, 'f'], { 'Redis 7.0': false, 'Redis 8.0': true, 'Valkey 9.1': true }],
    ['DELIFEQ', ['key', 'value'], { 'Redis 7.0': false, 'Redis 8.0': false, 'Valkey 9.1': true }],
    ['MSETEX', [1, 'key', 'value'], { 'Redis 7.0': false, 'Redis 8.0': false, 'Valkey 9.1': true }],
    ['VADD', ['set', 'VALUES', 1, 1, 'element'], { 'Redis 7.0': false, 'Redis 8.0': true, 'Valkey 9.1': false }],
  ])('has the command %s, or says that it does not know it', async (command, args, known) => {
    if (name === undefined) return;
    const reply = await plain.call(command, ...args).then(String, (error: Error) => error.message);
    expect(reply).toEqual(known[name] ? runs : isUnknown);
  });

  row(
    'sets a key only if its value is the one given (IFEQ), or has no such option',
    { 'Redis 7.0': 'ERR syntax error', 'Redis 8.0': 'ERR syntax error', 'Valkey 9.1': 'OK' },
    async (reply) => {
      await redis.set('key', 'before');
      expect(await replyOf('SET', 'key', 'after', 'IFEQ', 'before')).toBe(reply);
    },
  );

  row(
    'forgets scripts that came by EVAL once 500 others have, or keeps them',
    { 'Redis 7.0': 'kept', 'Redis 8.0': 'forgotten', 'Valkey 9.1': 'forgotten' },
    async (scripts) => {
      await plain.eval('return 1', 0);
      const others = Array.from({ length: 510 }, (_, index) => plain.eval(`return ${index + 2}`, 0));
      await Promise.all(others);
      const sha = 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db';
      expect(await plain.script('EXISTS', sha)).toEqual([scripts === 'kept' ? 1 : 0]);
      // However that is, a script that was defined runs.
      redis.defineCommand('one', { numberOfKeys: 1, lua: 'return 1' });
      expect(await (redis as unknown as { one(key: string): Promise<number> }).one('key')).toBe(1);
    },
  );

  row(
    'ends the error of a script with the digest of the script, or with the line alone',
    { 'Redis 7.0': /script: [0-9a-f]{40}, on/, 'Redis 8.0': /script: [0-9a-f]{40}, on/, 'Valkey 9.1': /script: on/ },
    async (text) => {
      await redis.set('key', 'text');
      await expect(redis.eval("return redis.call('INCR', KEYS[1])", 1, 'key')).rejects.toThrow(text);
    },
  );

  row(
    'names a refusal by its access list inside a script in words of its own, without the code NOPERM',
    { 'Redis 7.0': /^ERR/, 'Redis 8.0': /^ERR ACL failure/, 'Valkey 9.1': /^ERR ACL failure/ },
    async (text) => {
      await plain.call('ACL', 'SETUSER', 'reader', 'on', '>secret', '~*', '+@all', '-set');
      const reader = new Redis(server.port, { username: 'reader', password: 'secret', disableClientInfo: true });
      try {
        await expect(reader.eval("return redis.call('SET', KEYS[1], 1)", 1, 'key')).rejects.toThrow(text);
      } finally {
        reader.disconnect();
      }
    },
  );

  row(
    'publishes `del` or `expired` for a key that is given a time in the past',
    { 'Redis 7.0': 'del', 'Redis 8.0': 'del', 'Valkey 9.1': 'expired' },
    async (event) => {
      await plain.config('SET', 'notify-keyspace-events', 'KEA');
      const listener = new Redis(server.port);
      const events: string[] = [];
      listener.on('pmessage', (_pattern: string, channel: string) => events.push(channel.split(':')[1]!));
      await listener.psubscribe('__keyevent@0__:*');
      await redis.set('key', 'value');
      await redis.pexpireat('key', 1);
      await eventually(() => events.length >= 2);
      expect(events).toEqual(['set', event]);
      listener.disconnect();
      await plain.config('SET', 'notify-keyspace-events', '');
    },
  );

  row(
    'writes payloads of DUMP in a version of its own, which no older server and no server of the other kind restores',
    { 'Redis 7.0': 10, 'Redis 8.0': 12, 'Valkey 9.1': 80 },
    async (version) => {
      await redis.set('key', 'value');
      const payload = (await redis.dumpBuffer('key'))!;
      expect(payload.readUInt16LE(payload.length - 10)).toBe(version);
    },
  );

  row(
    'gives up NO-EVICT at RESET, or keeps it',
    { 'Redis 7.0': 'e', 'Redis 8.0': 'N', 'Valkey 9.1': 'N' },
    async (flags) => {
      const client = new Redis(server.port, { disableClientInfo: true, protocol: 2 });
      await client.call('CLIENT', 'NO-EVICT', 'ON');
      await client.call('RESET');
      expect(/flags=(\w+)/.exec((await client.call('CLIENT', 'INFO')) as string)![1]).toBe(flags);
      client.disconnect();
    },
  );

  row(
    'knows CLIENT SETINFO, by which clients give their name, or not',
    { 'Redis 7.0': isUnknown, 'Redis 8.0': 'OK', 'Valkey 9.1': 'OK' },
    async (reply) => {
      const answered = await plain.call('CLIENT', 'SETINFO', 'LIB-NAME', 'x').catch((error: Error) => error.message);
      expect(answered).toEqual(reply);
    },
  );

  row('knows WAITAOF, or not', { 'Redis 7.0': isUnknown, 'Redis 8.0': [0, 0], 'Valkey 9.1': [0, 0] }, async (reply) => {
    expect(await plain.call('WAITAOF', 0, 0, 0).catch((error: Error) => error.message)).toEqual(reply);
  });
});
