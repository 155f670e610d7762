/** Commands of ioredis in one write: the same bytes as its own, and in the order in which replies are expected. */

import { Writable } from 'node:stream';
import fc from 'fast-check';
import { Command as Command6 } from 'ioredis';
import { Command as Command5 } from 'ioredis5';
import { Command as ValkeyCommand } from 'iovalkey';
import { describe, expect, it } from 'vitest';
import type { Client, ClientCommand, CommandArgument, CommandClass } from '../../src/server/link/client.ts';
import { Call, CallLimits } from '../../src/server/sending/call.ts';
import { CoalescedWrite, coalescable } from '../../src/server/sending/coalesced-write.ts';
import { Outbox } from '../../src/server/sending/outbox.ts';
import { decode } from './direct/resp-replies.ts';

const anyArgument: fc.Arbitrary<CommandArgument> = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '\0', '\r\n', '\ud800', '😀', 'é', '__proto__', 'x'.repeat(5_000), 'é'.repeat(3_000)),
  fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
  fc.uint8Array({ minLength: 4_000, maxLength: 5_000 }).map((bytes) => Buffer.from(bytes)),
  fc.double({ noNaN: true }),
);
const anyCommand = fc.tuple(fc.constantFrom('get', 'set', 'hset', 'mget'), fc.array(anyArgument, { maxLength: 5 }));

const raw = { replyEncoding: null } as const;

/** A stream that keeps what is written, by write. */
function recorder() {
  const writes: Buffer[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, encoding, done) {
      writes.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
      done();
    },
  });
  return { stream, writes };
}

type Parser = CommandClass & (new (...args: never[]) => { toWritable(stream: unknown): string | Buffer });

describe.each([
  ['ioredis 6', Command6],
  ['ioredis 5', Command5],
  ['iovalkey', ValkeyCommand],
])('a coalesced write of commands of %s', (_name, parser) => {
  const Command = parser as unknown as Parser;

  it('has the bytes that the client itself would write', () => {
    fc.assert(
      fc.property(fc.array(anyCommand, { minLength: 1, maxLength: 6 }), (commands) => {
        const Coalescable = coalescable(Command) as Parser;
        const coalesced = new CoalescedWrite();
        const { stream, writes } = recorder();
        for (const [name, args] of commands) {
          const command = new Coalescable(name, [...args], raw) as InstanceType<Parser>;
          coalesced.write(command.toWritable(coalesced) as string);
        }
        coalesced.writeTo(stream);
        const plain = commands.map(([name, args]) => {
          const bytes = (new Command(name, [...args], raw) as InstanceType<Parser>).toWritable(stream);
          return Buffer.from(bytes as Buffer);
        });
        expect(Buffer.concat(writes).equals(Buffer.concat(plain))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('leaves a command that goes to a socket as it is', () => {
    const { stream } = recorder();
    const command = new (coalescable(Command) as Parser)('get', ['key'], raw) as InstanceType<Parser>;
    expect(String(command.toWritable(stream))).toBe('*2\r\n$3\r\nget\r\n$3\r\nkey\r\n');
  });
});

/** A client that queues and writes as ioredis does, and refuses on the spot the commands of certain keys. */
function queueingClient(refused: ReadonlySet<string>) {
  const { stream, writes } = recorder();
  const queue: string[] = [];
  const client = {
    status: 'ready',
    stream,
    sendCommand(command: ClientCommand & InstanceType<Parser> & { args: string[] }, target: Writable = stream) {
      if (refused.has(command.args[0]!)) {
        command.reject(new Error('refused'));
        return;
      }
      target.write(command.toWritable(target));
      queue.push(command.args.join(' '));
    },
  };
  /** The arguments in the order in which they are on the wire. */
  const sent = () =>
    decode([Buffer.concat(writes)]).map((said) => (said as { reply: Buffer[] }).reply.slice(1).map(String).join(' '));
  return { client: client as unknown as Client, queue, writes, sent };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('an outbox that coalesces writes', () => {
  const spec = { operation: 'set', name: 'set', isWrite: true, decode: (reply: unknown) => reply } as const;
  const callFor = (key: string) => {
    const call = new Call(spec, [key, 'value'], new CallLimits(1_000, 1_000, undefined));
    call.isOpen = true;
    call.promise.catch(() => undefined);
    return call as Call;
  };

  function setUp(refused: ReadonlySet<string>, isOwn = true) {
    const { client, queue, writes, sent } = queueingClient(refused);
    const outbox: Outbox = new Outbox(
      client,
      Command6 as unknown as CommandClass,
      { isBatching: true, isOwn, clock: { nowMs: () => 0 } },
      {
        onReply: () => undefined,
        // A caller that tries again at once, in the middle of the sending of others.
        onError: (call) => outbox.post(callFor(`${call.args[0]}, again`), true),
        onViolation: () => undefined,
      },
    );
    return { outbox, queue, writes, sent };
  }

  it('writes everything of a turn at once', async () => {
    const { outbox, queue, writes, sent } = setUp(new Set());
    for (const key of ['a', 'b', 'c']) outbox.post(callFor(key), false);
    await turn();
    expect(writes).toHaveLength(1);
    expect(sent()).toEqual(['a value', 'b value', 'c value']);
    expect(queue).toEqual(sent());
  });

  it('keeps the order of the wire equal to that of the expected replies, whatever is rejected and posted again meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'refused'), fc.boolean()), { maxLength: 12 }),
        fc.boolean(),
        async (posts, isOwn) => {
          const { outbox, queue, sent } = setUp(new Set(['refused']), isOwn);
          for (const [key, isIdle] of posts) outbox.post(callFor(key), isIdle);
          await turn();
          await turn();
          expect(sent()).toEqual(queue);
          expect(queue.filter((args) => args.includes('again'))).toHaveLength(
            posts.filter(([key]) => key === 'refused').length,
          );
        },
      ),
      { numRuns: 100 },
    );
  });
});
