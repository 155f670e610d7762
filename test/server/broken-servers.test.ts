/** Servers and proxies that send what cannot be right: no call may be given the reply to another one. */

import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { RedisBackend } from '../../src/server/backend/redis-backend.ts';
import { eventually } from '../support/eventually.ts';
import {
  arrayOfBulks,
  bulk,
  type FakeAnswer,
  type FakeCommand,
  type FakeRedis,
  startFakeRedis,
  welcome,
} from '../support/fake-redis.ts';

const transports = ['ioredis', 'direct'] as const;
type Transport = (typeof transports)[number];

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(
  answer: FakeAnswer,
  options: ConstructorParameters<typeof RedisBackend>[1] = {},
): Promise<{ fake: FakeRedis; backend: RedisBackend }> {
  const fake = await startFakeRedis(answer);
  const backend = new RedisBackend({ host: '127.0.0.1', port: fake.port }, { timeoutMs: 2_000, ...options });
  closers.push(
    async () => fake[Symbol.asyncDispose](),
    () => backend.close(),
  );
  return { fake, backend };
}

const valueAt = (key: string) => `value of ${key}`;

/** What a healthy server with a value for every key says. */
function healthy(command: FakeCommand): string {
  const { name, args } = command;
  if (name === 'get') return bulk(valueAt(args[0]!));
  if (name === 'mget') return arrayOfBulks(args.map(valueAt));
  if (name === 'set') return '+OK\r\n';
  if (name === 'unlink' || name === 'incrby' || name === 'exists') return ':1\r\n';
  return welcome(command) ?? '-ERR unknown command\r\n';
}

/** Together with one too many, this cannot be seen. */
const lost = 'no reply at all';

/** What a broken one says in place of the right reply. Strays bear the value of another key. */
const faults: Readonly<Record<string, (right: string, command: FakeCommand) => string>> = {
  'a bulk string before the reply': (right) => bulk(valueAt('other')) + right,
  'a bulk string after the reply': (right) => right + bulk(valueAt('other')),
  'an integer before the reply': (right) => `:1\r\n${right}`,
  'a null before the reply': (right) => `$-1\r\n${right}`,
  'a status before the reply': (right) => `+OK\r\n${right}`,
  'an array before the reply': (right) => arrayOfBulks([valueAt('other')]) + right,
  'the reply twice': (right) => right + right,
  'a status in its place': () => '+OK\r\n',
  'an integer in its place': () => ':7\r\n',
  'an empty array in its place': () => '*0\r\n',
  'an error within an array': () => '*1\r\n-ERR no\r\n',
  'an array of one too many': (_, { args }) => arrayOfBulks([...args, 'other'].map(valueAt)),
  'an array of one too few': (_, { args }) => arrayOfBulks(args.slice(1).map(valueAt)),
  'a message that was not asked for': (right) => `${arrayOfBulks(['message', 'channel', 'text'])}${right}`,
  'a push that was not asked for': (right) => `>3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n${right}`,
  'bytes that are no protocol': () => 'HTTP/1.1 400 Bad Request\r\n\r\n',
  [lost]: () => '',
};

interface Fault {
  readonly fault: string;
  /** How many reads and writes are answered rightly before. */
  readonly after: number;
}

/** Readers and writers on a server that makes these faults. Fails if a read is given the value of another key. */
async function trial(
  transport: Transport,
  plan: readonly Fault[],
  readerCount: number,
  isMany: boolean,
  timeoutMs: number,
) {
  const left = [...plan];
  let rightCount = 0;
  const { fake, backend } = await start(
    (command) => {
      const right = healthy(command);
      if (!['get', 'mget', 'set'].includes(command.name) || left.length === 0) return right;
      if (rightCount++ < left[0]!.after) return right;
      rightCount = 0;
      return faults[left.shift()!.fault]!(right, command);
    },
    { transport, timeoutMs },
  );
  const wrong: string[] = [];
  const read = async (key: string) => {
    const [value] = isMany ? await backend.getMany([key, `${key}'`]) : [await backend.get(key)];
    const text = value && Buffer.from(value).toString();
    if (text?.startsWith('value of') && text !== valueAt(key)) wrong.push(`${key}: ${text}`);
  };
  const readers = Array.from({ length: readerCount }, async (_, reader) => {
    for (let round = 0; round < 10; round++) {
      await read(`key ${reader} ${round}`).catch(expectTyped);
      if (round % 5 === reader) await backend.set('written', Buffer.from('x')).catch(expectTyped);
    }
  });
  await Promise.all(readers);
  expect(wrong).toEqual([]);
  left.length = 0;
  await eventually(() => backend.get('at last'));
  await backend.close();
  await fake[Symbol.asyncDispose]();
}

const after = fc.integer({ min: 0, max: 12 });
const readers = fc.integer({ min: 1, max: 6 });

describe.each(transports)('a broken server, over %s', { timeout: 300_000 }, (transport) => {
  it('gives no read the value of another key, whatever it sends in addition to a reply or in place of one', async () => {
    const fault = fc.record({ after, fault: fc.constantFrom(...Object.keys(faults).filter((name) => name !== lost)) });
    const plan = fc.array(fault, { minLength: 1, maxLength: 4 });
    const property = fc.asyncProperty(plan, readers, fc.boolean(), (faults, count, isMany) =>
      trial(transport, faults, count, isMany, 5_000),
    );
    await fc.assert(property, { numRuns: 20 });
  });

  it('gives no read the value of another key where replies are lost', async () => {
    const property = fc.asyncProperty(
      fc.array(after, { minLength: 1, maxLength: 4 }),
      readers,
      fc.boolean(),
      (losses, count, isMany) =>
        trial(
          transport,
          losses.map((after) => ({ after, fault: lost })),
          count,
          isMany,
          100,
        ),
    );
    const examples: [number[], number, boolean][] = [
      // Two reads in a row, of one reader.
      [[8, 0], 1, false],
      // A read, and the write between it and a read of the same form.
      [[2, 0, 1], 3, true],
    ];
    await fc.assert(property, { numRuns: 5, examples });
  });
});

describe.each(transports)('a reply that cannot be right, over %s', (transport) => {
  /** A server that answers a command other than those of handshakes with this, once. */
  async function answering(name: string, bytes: string, options: Parameters<typeof start>[1] = {}) {
    let isDone = false;
    return start(
      (command) => {
        if (command.name !== name || isDone) return healthy(command);
        isDone = true;
        return bytes;
      },
      { transport, ...options },
    );
  }

  it.each<[string, string, string]>([
    ['get', 'an integer', ':1\r\n'],
    ['get', 'an array', '*1\r\n$1\r\na\r\n'],
    ['get', 'a push that was not asked for', '>2\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n$1\r\na\r\n'],
    ['mget', 'an error within its array', '*2\r\n$1\r\na\r\n-ERR no\r\n'],
    ['mget', 'too short an array', '*1\r\n$1\r\na\r\n'],
    ['exists', 'a string of digits', '$1\r\n1\r\n'],
  ])('to %s (%s) fails the calls in flight, and the next connection starts clean', async (name, _what, bytes) => {
    const { fake, backend } = await answering(name, bytes, { timeoutMs: 2_000 });
    await backend.ping();
    const accepted = fake.acceptedCount;
    const run = {
      get: () => backend.get('a'),
      mget: () => backend.getMany(['a', 'b']),
      exists: () => backend.expire('a', undefined),
    }[name]!;
    const code = name === 'exists' ? 'ERR_UNKNOWN_OUTCOME' : 'ERR_NODE_PROTOCOL';
    await expect(run()).rejects.toMatchObject({ code, retryable: name !== 'exists' });
    const [value, written] = await Promise.all([
      eventually(() => backend.get('b')),
      eventually(() => backend.set('b', Buffer.from('x')).then(() => true)),
    ]);
    expect(Buffer.from(value).toString()).toBe(valueAt('b'));
    expect(written).toBe(true);
    expect(fake.acceptedCount).toBeGreaterThan(accepted);
  });

  it('leaves the outcome of a SET unknown, and that of every write in flight', async () => {
    const { backend } = await answering('set', '$2\r\nno\r\n');
    await backend.ping();
    const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((key) => backend.set(key, Buffer.from('x'))));
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.code)).toEqual(
      Array(3).fill('ERR_UNKNOWN_OUTCOME'),
    );
  });

  it.each([
    ['a string', `$3000000\r\n${'x'.repeat(3_000_000)}`],
    ['an array of small strings', `*3000000\r\n${'$1\r\na\r\n'.repeat(400_000)}`],
  ])('is dropped at the limit if it never ends: %s', async (_what, bytes) => {
    const { backend } = await answering('get', bytes, { maxReplyBytes: 2_000_000, timeoutMs: 20_000 });
    await backend.ping();
    await expect(backend.get('a')).rejects.toMatchObject({
      code: 'ERR_NODE_PROTOCOL',
      cause: { message: expect.stringContaining('maxReplyBytes') },
    });
    expect(await eventually(() => backend.get('b'))).toBeDefined();
  });

  it('reaches people cut and without control characters if it is an error with too much text', async () => {
    const { backend } = await answering('get', `-ERR \u001b[31mred\u0007${'x'.repeat(60_000)}\r\n`);
    const { cause } = await backend.get('a').catch((error) => error);
    expect(cause.message).toHaveLength(500);
    expect(cause.message).toMatch(/^ERR {1,2}\[31mred x+…$/);
    expect(cause.stack.length).toBeLessThan(5_000);
  });
});

function expectTyped(error: unknown): false {
  expect(error).toMatchObject({
    code: expect.stringMatching(/^ERR_(NODE_PROTOCOL|NODE_UNAVAILABLE|UNKNOWN_OUTCOME|TIMEOUT)$/),
  });
  return false;
}
