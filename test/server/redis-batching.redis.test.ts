import { Redis } from 'ioredis';
import { Redis as Valkey } from 'iovalkey';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RedisBackend } from '../../src/redis/index.ts';
import { seededRandom } from '../../src/runtime/random.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';
import { eventually, outcomeOf } from '../support/eventually.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { type ConnectionKind, connectionKinds, type OpenBackend } from '../support/redis-clients.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const lentValkey: ConnectionKind = {
  title: 'a borrowed client of iovalkey',
  isBorrowed: true,
  open(options, backendOptions) {
    const client = new Valkey({ lazyConnect: true, ...(options as { port: number }) });
    client.on('error', () => undefined);
    const backend = new RedisBackend(client, backendOptions);
    return {
      backend,
      async close() {
        await backend.close();
        client.disconnect();
      },
    };
  },
};

/** For calls that are to succeed, or to end by something else than their deadline. */
const patientMs = 15_000;

let server: RedisServer;
let observer: Redis;

beforeAll(async () => {
  server = await startRedis();
  observer = new Redis(server.port);
});

afterAll(async () => {
  observer.disconnect();
  await server.stop();
});

beforeEach(async () => {
  await observer.flushall();
  await observer.config('RESETSTAT');
});

/** How often the server has executed a command, and how often it has refused to. */
async function statOf(command: string): Promise<{ readonly calls: number; readonly rejected: number }> {
  const line = (await observer.info('commandstats'))
    .split('\r\n')
    .find((text) => text.startsWith(`cmdstat_${command}:`));
  const field = (name: string) => Number(new RegExp(`[:,]${name}=(\\d+)`).exec(line ?? '')?.[1] ?? 0);
  return { calls: field('calls'), rejected: field('rejected_calls') };
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `key ${index}`);

/** Reads until the connection has learned that MGET is allowed, values are small and misses are rare. */
async function warmUp(backend: RedisBackend): Promise<void> {
  await backend.set('warm', Buffer.from('warm'));
  for (let round = 0; round < 3; round++) await Promise.all(numbered(300).map(() => backend.get('warm')));
}

describe.each([...connectionKinds, lentValkey])('batches of a RedisBackend with $title', ({ open }) => {
  let opened: OpenBackend;
  let backend: RedisBackend;

  beforeEach(async () => {
    opened = open({ port: server.port }, { timeoutMs: patientMs });
    backend = opened.backend;
    await warmUp(backend);
  });

  afterEach(() => opened.close());

  it('ask for many keys by few MGETs, and give each caller the bytes of its key', async () => {
    const keys = [...numbered(1_000), '', '\0', '__proto__', 'é😀', '\ud800', '\udc00x'];
    const bytesOf = (index: number) => Buffer.from([index & 255, index >> 8, 0, 13, 10, 255].slice(0, index % 7));
    await Promise.all(keys.map((key, index) => backend.set(key, bytesOf(index))));
    await observer.config('RESETSTAT');
    const values = await Promise.all(keys.map((key) => backend.get(key)));
    expect(values).toEqual(keys.map((_, index) => bytesOf(index)));
    expect((await statOf('mget')).calls).toBeLessThan(keys.length / 50);
    expect((await statOf('get')).calls).toBeLessThan(3);
  });

  it('distinguish a missing key, an empty value and a value that is not a string', async () => {
    await observer.rpush('list', 'element');
    await backend.set('empty', Buffer.alloc(0));
    const outcomes = await Promise.all(
      ['list', 'empty', 'absent', 'warm', 'list'].map((key) => outcomeOf(backend.get(key))),
    );
    expect((await statOf('mget')).calls).toBeGreaterThan(0);
    const wrongType = { code: 'ERR_NODE_REPLY', kind: 'WRONGTYPE', operation: 'get' };
    expect(outcomes[0]!.error).toMatchObject(wrongType);
    expect(outcomes[1]!.value).toEqual(Buffer.alloc(0));
    expect(outcomes[2]).toMatchObject({ value: undefined });
    expect(outcomes[2]!.error).toBeUndefined();
    expect(outcomes[3]!.value).toEqual(Buffer.from('warm'));
    expect(outcomes[4]!.error).toMatchObject(wrongType);
  });

  it('stop while many reads miss, and start again when they find something', async () => {
    const absent = numbered(100).map((key) => `absent ${key}`);
    for (let round = 0; round < 3; round++) await Promise.all(absent.map((key) => backend.get(key)));
    await observer.config('RESETSTAT');
    await Promise.all(absent.map((key) => backend.get(key)));
    expect(await statOf('mget')).toMatchObject({ calls: 0 });
    expect(await statOf('get')).toMatchObject({ calls: 100 });
    for (let round = 0; round < 10; round++) await Promise.all(absent.map(() => backend.get('warm')));
    expect((await statOf('mget')).calls).toBeGreaterThan(0);
  });

  it.each([1, 2, 3])('give what calls sent one by one would, whatever is called (seed %i)', async (seed) => {
    const random = seededRandom(seed);
    const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
    await observer.rpush('list', 'element');
    const keys = ['a', 'b', 'c', '\ud800', 'é'];
    const model = new Map<string, string>();
    const found = (key: string) => (model.has(key) ? Buffer.from(model.get(key)!) : undefined);
    const actions: ((key: string) => readonly [call: Promise<unknown>, expected: unknown])[] = [
      ...[1, 2, 3, 4, 5].map(() => (key: string) => [backend.get(key), found(key)] as const),
      (key) => {
        const value = `${random()}`;
        model.set(key, value);
        return [backend.set(key, Buffer.from(value)), undefined];
      },
      (key) => [backend.delete(key), model.delete(key)],
      (key) => {
        const wasThere = model.has(key);
        if (!wasThere) model.set(key, 'new');
        return [backend.setIfAbsent(key, Buffer.from('new')), !wasThere];
      },
      (key) => [backend.getMany([key, 'b']), [found(key), found('b')]],
      (key) => [
        backend.getWithExpiry(key),
        found(key) && expect.objectContaining({ value: found(key), expiresAtMs: undefined }),
      ],
      () => [backend.get('warm'), Buffer.from('warm')],
      () => [
        outcomeOf(backend.get('list')),
        expect.objectContaining({ error: expect.objectContaining({ kind: 'WRONGTYPE' }) }),
      ],
    ];
    for (let burst = 0; burst < 60; burst++) {
      const calls = Array.from({ length: 1 + Math.floor(random() * 40) }, () => pick(actions)(pick(keys)));
      expect(await Promise.all(calls.map(([call]) => call))).toEqual(calls.map(([, expected]) => expected));
      if (random() < 0.5) await Promise.all(numbered(200).map(() => backend.get('warm')));
    }
    expect((await statOf('mget')).calls).toBeGreaterThan(30);
  });

  it('keep each caller its own deadline and signal', async () => {
    const clock = new SimulatedClock();
    const timed = open({ port: server.port }, { clock, timeoutMs: 1_000 });
    await warmUp(timed.backend);
    const controller = new AbortController();
    const ended: string[] = [];
    const noted = (name: string, call: Promise<unknown>) => outcomeOf(call).finally(() => ended.push(name));
    server.pause();
    try {
      const first = noted('first', timed.backend.get('warm', { timeoutMs: 60 }));
      const second = noted('second', timed.backend.get('warm', { timeoutMs: 180 }));
      const aborted = noted('aborted', timed.backend.get('other', { signal: controller.signal }));
      const patient = noted('patient', timed.backend.get('warm'));
      const write = noted('write', timed.backend.set('other', Buffer.from('1'), { timeoutMs: 120 }));
      await clock.advance(59);
      expect(ended).toEqual([]);
      await clock.advance(1);
      expect((await first).error).toMatchObject({ code: 'ERR_TIMEOUT', timeoutMs: 60 });
      controller.abort(new Error('no more'));
      expect((await aborted).error).toMatchObject({ message: 'no more' });
      await clock.advance(60);
      expect((await write).error).toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME' });
      await clock.advance(59);
      expect(ended).toEqual(['first', 'aborted', 'write']);
      await clock.advance(1);
      expect((await second).error).toMatchObject({ code: 'ERR_TIMEOUT', timeoutMs: 180 });
      expect(ended).toEqual(['first', 'aborted', 'write', 'second']);
      server.resume();
      expect((await patient).value).toEqual(Buffer.from('warm'));
    } finally {
      server.resume();
      await timed.close();
    }
  });

  it('omit a caller that has given up before they are sent', async () => {
    const controller = new AbortController();
    const reason = new Error('no more');
    const calls = ['warm', 'a', 'b'].map((key) => outcomeOf(backend.get(key, { signal: controller.signal })));
    const other = backend.get('warm');
    controller.abort(reason);
    for (const { error } of await Promise.all(calls)) expect(error).toBe(reason);
    expect(await other).toEqual(Buffer.from('warm'));
  });
});

describe('a batch', () => {
  it('fails each call by its own kind when its connection is lost, and later ones work', async () => {
    await using proxy = await startTcpProxy(server);
    await using backend = new RedisBackend(proxy.url, { timeoutMs: patientMs });
    await warmUp(backend);
    proxy.behaviour = 'swallowReplies';
    const reads = numbered(20).map((key) => outcomeOf(backend.get(key)));
    const write = outcomeOf(backend.set('key 1', Buffer.from('1')));
    // The last of them has arrived, so all are under way.
    await eventually(async () => (await observer.get('key 1')) === '1');
    proxy.behaviour = 'forward';
    proxy.resetAll();
    for (const { error } of await Promise.all(reads)) {
      expect(error).toMatchObject({ code: 'ERR_NODE_UNAVAILABLE', operation: 'get' });
    }
    expect((await write).error).toMatchObject({ code: 'ERR_UNKNOWN_OUTCOME', operation: 'set' });
    const values = await Promise.all(numbered(20).map(() => backend.get('warm')));
    expect(values).toEqual(values.map(() => Buffer.from('warm')));
  });

  it('is not sent where the option is off', async () => {
    await using backend = new RedisBackend(server.url, { batching: false, timeoutMs: patientMs });
    await warmUp(backend);
    expect(await statOf('mget')).toMatchObject({ calls: 0 });
    expect(await statOf('get')).toMatchObject({ calls: 900 });
    expect(() => new RedisBackend(server.url, { batching: 1 as unknown as boolean })).toThrow('options.batching');
  });

  it('falls back to plain GETs, in the same order, where the server does not let us use MGET', async () => {
    await observer.acl('SETUSER', 'limited', 'on', '>password', '~*', '+@all', '-mget');
    await using backend = new RedisBackend(`redis://limited:password@127.0.0.1:${server.port}`, {
      timeoutMs: patientMs,
    });
    await backend.set('a', Buffer.from('1'));
    await backend.set('b', Buffer.from('2'));
    const before = [backend.get('a'), backend.get('b'), backend.get('b')];
    const set = backend.set('b', Buffer.from('3'));
    const after = [backend.get('b'), backend.get('a')];
    await set;
    expect((await Promise.all([...before, ...after])).join()).toBe('1,2,2,3,1');
    for (let round = 0; round < 3; round++) await Promise.all(['a', 'b', 'a', 'b'].map((key) => backend.get(key)));
    expect(await statOf('mget')).toEqual({ calls: 0, rejected: 1 });
  });

  it('fails only the callers whose key the user may not read', async () => {
    await observer.acl('SETUSER', 'tenant', 'on', '>password', '~mine:*', '+@all');
    await observer.mset('mine:1', '1', 'mine:2', '2', 'theirs', '3');
    await using backend = new RedisBackend(`redis://tenant:password@127.0.0.1:${server.port}`, {
      timeoutMs: patientMs,
    });
    for (let round = 0; round < 3; round++) {
      const [one, theirs, two] = await Promise.all(
        ['mine:1', 'theirs', 'mine:2'].map((key) => outcomeOf(backend.get(key))),
      );
      expect([`${one!.value}`, `${two!.value}`]).toEqual(['1', '2']);
      expect(theirs!.error).toMatchObject({ code: 'ERR_NODE_REPLY', kind: 'NOPERM', operation: 'get' });
    }
  });
});
