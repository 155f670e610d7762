/** Commands of several steps have one deadline for all of them. Time is simulated, and servers answer when a test says so. */

import type { Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { ShardedRedis } from '../../src/redis/index.ts';
import { nextCursor, tagOf } from '../../src/redis/scans/scan-cursor.ts';
import { SimulatedClock } from '../../src/testing/index.ts';
import { eventually, outcomeOf } from '../support/eventually.ts';
import {
  arrayOfBulks,
  bulk,
  type FakeCommand,
  type FakeRedis,
  startFakeRedis,
  welcome,
} from '../support/fake-redis.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const timeoutMs = 1_000;

/** Two servers that give `replies` by the command's name, but for `held` ones: those wait for `release`. */
async function start(
  copies: number,
  replies: Readonly<Record<string, string>>,
  writeConsistency: 'one' | 'all' = 'all',
) {
  const held = new Set<string>();
  const waiting: { readonly socket: Socket; readonly reply: string }[] = [];
  const answer = (command: FakeCommand, socket: Socket) => {
    const reply = replies[command.name] ?? welcome(command) ?? '+OK\r\n';
    // Replies come in the order of the commands.
    if (!held.has(command.name) && !waiting.some((earlier) => earlier.socket === socket)) return reply;
    waiting.push({ socket, reply });
    return undefined;
  };
  const fakes = new Map<string, FakeRedis>();
  for (const id of ['a', 'b']) {
    const fake = await startFakeRedis(answer);
    closers.push(async () => fake[Symbol.asyncDispose]());
    fakes.set(id, fake);
  }
  const clock = new SimulatedClock();
  const redis = new ShardedRedis({
    nodes: [...fakes].map(([id, { port }]) => ({ id, host: '127.0.0.1', port })),
    ...{ clock, timeoutMs, replicationFactor: copies, writeConsistency, health: { probeIntervalMs: 600_000 } },
  });
  closers.push(async () => redis.disconnect());
  await redis.connect();
  const heard = (name: string, ids: readonly string[] = ['a', 'b']) =>
    ids.flatMap((id) => fakes.get(id)!.heard.filter((command) => command.name === name)).length;
  // The only probe of each node is answered before the next PING.
  await clock.advance(0);
  await redis.ping();
  const release = () => {
    for (const { socket, reply } of waiting.splice(0)) socket.write(reply);
  };
  /** Closes the connections of one server. */
  const lose = (id: string) => {
    for (const socket of [...fakes.get(id)!.sockets]) socket.destroy();
  };
  return { redis, clock, held, heard, release, lose };
}

const page = (items: readonly string[]) => `*2\r\n${bulk('5')}${arrayOfBulks(items)}`;

type Row = [what: string, copies: number, first: string, reply: string, second: string, endsAtMs: number];

it.each<Row>([
  ['spop', 2, 'spop', bulk('member'), 'srem', timeoutMs],
  ['xadd', 2, 'xadd', bulk('1-1'), 'xadd', timeoutMs],
  ['randomkey', 1, 'dbsize', ':1\r\n', 'randomkey', timeoutMs],
  ['wait', 1, 'ping', '+PONG\r\n', 'wait', timeoutMs + 10],
  ['a scan', 1, 'scan', page([]), 'info', timeoutMs],
  ['a later page of a scan', 1, 'info', bulk('run_id:other\r\n'), 'scan', timeoutMs],
  ['hscan', 1, 'hscan', page([]), 'info', timeoutMs],
])('%s with copies: %i ends by its one deadline, though its %s took most of the time', async (what, copies, ...row) => {
  const [first, reply, second, endsAtMs] = row;
  const { redis, clock, held, heard, release } = await start(copies, { [first]: reply });
  const calls: Record<string, () => Promise<unknown>> = {
    spop: () => redis.spop('key'),
    xadd: () => redis.xadd('key', '*', 'field', 'value'),
    randomkey: () => redis.randomkey(),
    wait: () => redis.wait(0, 10),
    'a scan': () => redis.scan('0'),
    'a later page of a scan': () => {
      const { nodes, checksum } = redis.topology.placement;
      const scanned = { nodeCount: nodes.length, placementTag: tagOf(checksum) };
      return redis.scan(nextCursor({ nodeIndex: 0, serverCursor: '1', runTag: 1 }, scanned));
    },
    hscan: () => redis.hscan('key').next(),
  };
  held.add(first).add(second);
  const before = { first: heard(first), second: heard(second) };
  let isOver = false;
  const outcome = outcomeOf(calls[what]!()).finally(() => {
    isOver = true;
  });
  const nodes = what === 'randomkey' || what === 'wait' ? 2 : 1;
  await eventually(() => heard(first) === before.first + nodes);
  await clock.advance(900);
  if (second !== first) held.delete(first);
  release();
  await eventually(() => heard(second) > before.second + (second === first ? 1 : 0));
  await clock.advance(endsAtMs - 900 - 1);
  expect(isOver).toBe(false);
  await clock.advance(1);
  expect(isOver).toBe(true);
  expect((await outcome).error).toMatchObject({ code: expect.stringMatching(/^ERR_/) });
});

it('a scan asks the holder that gave the last page first, within its share of the time, and reports it if nobody answers', async () => {
  const { redis, clock, held, heard } = await start(2, { hscan: page(['field', 'value']) });
  const scan = redis.hscan('key');
  expect(await scan.next()).toEqual({ done: false, value: ['field', 'value'] });
  const [first, second] = redis.explain('key').nodes.map(({ id }) => id);
  held.add('hscan');
  const next = scan.next();
  const failure = expect(next).rejects.toMatchObject({
    code: 'ERR_ALL_REPLICAS_FAILED',
    attempts: [{ node: first }, { node: second }],
  });
  await eventually(() => heard('hscan', [first!]) === 2);
  await clock.advance(timeoutMs / 2);
  await eventually(() => heard('hscan', [second!]) === 1);
  await clock.advance(timeoutMs / 2);
  await failure;
});

it('a read that waits for data gets no time of its own at a second holder', async () => {
  const { redis, clock, held, heard, lose } = await start(2, {});
  const [first, second] = redis.explain('key').nodes.map(({ id }) => id);
  held.add('xread');
  let isOver = false;
  const outcome = outcomeOf(redis.xread('BLOCK', 5_000, 'STREAMS', 'key', '0')).finally(() => {
    isOver = true;
  });
  await eventually(() => heard('xread', [first!]) === 1);
  await clock.advance(4_000);
  expect(heard('xread', [second!])).toBe(0);
  lose(first!);
  await eventually(() => heard('xread', [second!]) === 1);
  await clock.advance(5_000 + timeoutMs - 4_000 - 1);
  expect(isOver).toBe(false);
  await clock.advance(1);
  await outcome;
});

it("a copy that nobody waits for keeps its whole time, though the first holder took most of the call's", async () => {
  const { redis, clock, held, heard, release } = await start(2, { spop: bulk('member'), srem: ':1\r\n' }, 'one');
  const events: unknown[] = [];
  for (const name of ['nodeSuspect', 'writeMissed']) redis.on(name, (event) => events.push([name, event]));
  held.add('spop').add('srem');
  const popped = redis.spop('key');
  await eventually(() => heard('spop') === 1);
  await clock.advance(900);
  held.delete('spop');
  release();
  expect(await popped).toBe('member');
  await eventually(() => heard('srem') === 1);
  await clock.advance(900);
  release();
  await redis.quit();
  expect(events).toEqual([]);
});

it('a node that had little time because of an earlier step is not suspected, and the error says how little', async () => {
  const { redis, clock, held, heard, release } = await start(2, { spop: bulk('member') });
  const suspects: unknown[] = [];
  redis.on('nodeSuspect', (event) => suspects.push(event));
  held.add('spop').add('srem');
  const outcome = outcomeOf(redis.spop('key'));
  await eventually(() => heard('spop') === 1);
  await clock.advance(900);
  held.delete('spop');
  release();
  await eventually(() => heard('srem') === 1);
  await clock.advance(100);
  const { error } = await outcome;
  const follower = redis.explain('key').nodes[1]!.id;
  expect(error).toMatchObject({
    code: 'ERR_WRITE_CONSISTENCY',
    attempts: [
      {
        node: follower,
        error: { message: expect.stringContaining('within 1000 ms (only 100 ms were left when it was sent)') },
      },
    ],
  });
  expect(suspects).toEqual([]);
});

it.each([
  ['multi', (redis: ShardedRedis) => redis.multi().get('key').exec(), 1],
  ['wait', (redis: ShardedRedis) => redis.wait(0, 10), 2],
] as const)(
  'the error of a %s that waits for an earlier call names the waiting command',
  async (operation, call, nodes) => {
    const { redis, clock, held, heard } = await start(1, { get: bulk('value') });
    held.add('get').add('ping');
    const pings = heard('ping');
    const earlier = outcomeOf(redis.get('key'));
    const outcome = outcomeOf(call(redis));
    await eventually(() => heard('ping') === pings + nodes);
    await clock.advance(timeoutMs);
    expect((await outcome).error).toMatchObject({ code: 'ERR_TIMEOUT', operation });
    await earlier;
  },
);
