/** The outbox with a client in the test's hands, for what a real server does not do at will. */

import { describe, expect, it } from 'vitest';
import type { Client, ClientCommand, CommandArgument, CommandClass } from '../../src/server/link/client.ts';
import { Call, type CommandSpec } from '../../src/server/sending/call.ts';
import { Outbox } from '../../src/server/sending/outbox.ts';

class FakeCommand implements ClientCommand {
  resolve: (reply: unknown) => unknown = () => undefined;
  reject: (error: Error) => void = () => undefined;
  readonly promise = Promise.resolve();
  readonly name: string;
  readonly args: readonly CommandArgument[];
  constructor(name: string, args: readonly CommandArgument[]) {
    this.name = name;
    this.args = args;
  }
}

const named = (name: string, message: string) => Object.assign(new Error(message), { name });

function setUp(isBatching = true) {
  const sent: FakeCommand[] = [];
  const outcomes: [string, unknown][] = [];
  const client = { status: 'ready', sendCommand: (command: FakeCommand) => sent.push(command) };
  const end = (call: Call, outcome: unknown) => {
    if (call.isOpen) outcomes.push([String(call.args[0]), outcome]);
    call.isOpen = false;
  };
  const outbox = new Outbox(
    client as unknown as Client,
    FakeCommand as unknown as CommandClass,
    { isBatching, isOwn: true, clock: { nowMs: () => 0 } },
    {
      onReply: (call, reply) => end(call, reply),
      onError: (call, error) => end(call, error.message),
      onViolation: ({ message }) => outcomes.push(['violation', message]),
    },
  );
  const post = (name: string, key: string, extra: Partial<CommandSpec> = {}, isIdle = false) => {
    const spec: CommandSpec = { operation: name, name, isWrite: false, decode: (reply) => reply, ...extra };
    const call = new Call(spec, [key], { timeoutMs: 1_000, deadlineMs: 1_000, signal: undefined });
    call.isOpen = true;
    outbox.post(call, isIdle);
    return call;
  };
  const get = (key: string, isIdle = false) => post('get', key, { changes: 'nothing', coalesces: true }, isIdle);
  const set = (key: string, isIdle = false) => post('set', key, { changes: 'first key' }, isIdle);
  /** The commands sent since the last look: 'mget a b, set c'. */
  let seen = 0;
  const news = () => {
    const text = sent.slice(seen).map(({ name, args }) => `${name} ${args.join(' ')}`);
    seen = sent.length;
    return text.join(', ');
  };
  return { sent, outcomes, outbox, client, post, get, set, news };
}

/** Replies are handed out once the piece in which they came has been read. */
const handedOut = () => new Promise<void>((resolve) => process.nextTick(resolve));
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Brings an outbox past its first MGET. */
async function proven() {
  const setup = setUp();
  setup.get('a');
  setup.get('b');
  await turn();
  setup.sent[0]!.resolve([Buffer.from('1'), Buffer.from('2')]);
  await handedOut();
  setup.outcomes.length = 0;
  setup.news();
  return setup;
}

describe('an outbox', () => {
  it('sends a lone call on an idle connection at once, and others when the turn is over', async () => {
    const { get, set, news } = setUp();
    get('a', true);
    expect(news()).toBe('get a');
    set('b');
    get('c');
    expect(news()).toBe('');
    await turn();
    expect(news()).toBe('set b, get c');
  });

  it('treats the first call after a turn with several as one of several', async () => {
    const { get, set, news, sent } = setUp();
    set('a');
    set('b');
    await turn();
    news();
    get('c', true);
    expect(news()).toBe('');
    await turn();
    expect(news()).toBe('get c');
    for (const command of sent) command.resolve(null);
    get('d', true);
    expect(news()).toBe('get d');
  });

  it('sends everything at once and nothing as MGET where batching is off', async () => {
    const { get, news } = setUp(false);
    get('a');
    get('b');
    expect(news()).toBe('get a, get b');
  });

  it('keeps what comes after the first MGET of a connection until that is answered', async () => {
    const { get, set, news, sent } = setUp();
    get('a');
    get('b');
    set('a');
    get('a');
    await turn();
    set('c');
    await turn();
    expect(news()).toBe('mget a b');
    sent[0]!.resolve([null, Buffer.from('2')]);
    await handedOut();
    await turn();
    expect(news()).toBe('get a, set a, set c, get a');
  });

  it('sends GETs for a rejected MGET, before what came after, and no MGET again on this connection', async () => {
    const { get, set, news, sent, outcomes, outbox } = setUp();
    get('a');
    get('b').isOpen = true;
    set('a');
    get('c');
    get('d');
    await turn();
    news();
    sent[0]!.reject(named('ReplyError', "NOPERM this user has no permissions to run the 'mget' command"));
    await handedOut();
    await turn();
    expect(news()).toBe('get a, get b, set a, get c, get d');
    expect(outcomes).toEqual([]);
    outbox.drop();
    outbox.begin([]);
    get('e');
    get('f');
    await turn();
    expect(news()).toBe('mget e f');
  });

  it('asks with MGET again after a refusal that speaks of the state of the server', async () => {
    const { get, news, sent } = setUp();
    get('a');
    get('b');
    await turn();
    news();
    sent[0]!.reject(named('ReplyError', 'LOADING Redis is loading the dataset in memory'));
    await handedOut();
    await turn();
    expect(news()).toBe('get a, get b');
    get('c');
    get('d');
    await turn();
    expect(news()).toBe('mget c d');
  });

  it('fails each call when the connection of an MGET is lost', async () => {
    const { get, sent, outcomes } = setUp();
    get('a');
    get('b');
    await turn();
    sent[0]!.reject(named('Error', 'Connection is closed.'));
    await handedOut();
    expect(outcomes).toEqual([
      ['a', 'Connection is closed.'],
      ['b', 'Connection is closed.'],
    ]);
  });

  it.each([['OK'], [Buffer.from('OK')], [[Buffer.from('1')]], [null]])(
    'does not accept %j as a reply to an MGET',
    async (reply) => {
      const { get, sent, outcomes } = await proven();
      get('a');
      get('b');
      await turn();
      sent.at(-1)!.resolve(reply);
      await handedOut();
      expect(outcomes).toEqual([['violation', expect.stringMatching('The reply is not')]]);
    },
  );

  it('sends reads that follow each other in forms by which their replies are told apart', async () => {
    const { get, news } = await proven();
    get('a');
    await turn();
    get('b');
    await turn();
    get('c');
    await turn();
    expect(news()).toBe('get a, mget b, ping , get c');
    get('d');
    get('e');
    await turn();
    get('f');
    get('g');
    await turn();
    expect(news()).toBe('mget d e, ping , ping , mget f g');
  });

  it('sends a PING before every 64th read, and treats any answer but PONG as a violation', async () => {
    const { get, sent, outcomes } = await proven();
    // The first MGET was a read too.
    for (let read = 2; read <= 65; read++) {
      const before = sent.length;
      get('a');
      await turn();
      const names = sent
        .slice(before)
        .map(({ name }) => name)
        .join(' ');
      expect(names).toBe(read === 65 ? 'ping get' : 'get');
      if (read < 65) sent.at(-1)!.resolve(Buffer.from('1'));
      await handedOut();
    }
    outcomes.length = 0;
    sent.at(-2)!.resolve(Buffer.from('1'));
    expect(outcomes).toEqual([['violation', 'The reply is not PONG.']]);
  });

  it('releases what waits for the first MGET once nobody waits for that any more', async () => {
    const { get, news } = setUp();
    const trial = [get('a'), get('b')];
    await turn();
    get('c');
    get('d');
    await turn();
    expect(news()).toBe('mget a b');
    for (const call of trial) call.isOpen = false;
    get('e');
    await turn();
    expect(news()).toBe('mget c d e');
  });

  it('hands out nothing of a piece that contains something no command can have as its reply', async () => {
    const { get, sent, outcomes, outbox } = await proven();
    get('a');
    await turn();
    get('b');
    get('c');
    await turn();
    sent.at(-2)!.resolve(Buffer.from('stray'));
    sent.at(-1)!.resolve(Buffer.from('of a'));
    outbox.drop();
    await handedOut();
    expect(outcomes).toEqual([['violation', 'The reply is not an array.']]);
  });

  it('answers a miss only when GET has confirmed it, and not with a value written since', async () => {
    const { get, sent, outcomes, news } = await proven();
    get('a');
    get('b');
    get('c');
    get('d');
    await turn();
    news();
    sent.at(-1)!.resolve([null, Buffer.from('2'), null, null]);
    await handedOut();
    expect(outcomes).toEqual([['b', Buffer.from('2')]]);
    expect(news()).toBe('get a, get c, get d');
    sent.at(-3)!.resolve(null);
    sent.at(-2)!.resolve(Buffer.from('later'));
    sent.at(-1)!.reject(named('ReplyError', 'WRONGTYPE Operation against a key'));
    await handedOut();
    expect(outcomes.slice(1)).toEqual([
      ['a', null],
      ['c', null],
      ['d', 'WRONGTYPE Operation against a key'],
    ]);
  });

  it('gives callers of the same key bytes of their own', async () => {
    const { get, sent, outcomes } = await proven();
    get('a');
    get('b');
    get('a');
    await turn();
    expect(sent.at(-1)!.args).toEqual(['a', 'b']);
    sent.at(-1)!.resolve([Buffer.from('1'), Buffer.from('2')]);
    await handedOut();
    const [first, , second] = outcomes.map(([, value]) => value as Buffer);
    expect(second).toEqual(first);
    expect(second).not.toBe(first);
    first![0] = 0;
    expect(second).toEqual(Buffer.from('1'));
  });

  it('sends nothing for calls that ended while they waited, alone or in a rejected MGET', async () => {
    const { get, set, sent, news } = setUp();
    const ended = get('a');
    get('b');
    get('c');
    ended.isOpen = false;
    await turn();
    expect(news()).toBe('mget b c');
    set('x').isOpen = false;
    sent[0]!.reject(named('ReplyError', 'ERR unknown command'));
    await handedOut();
    await turn();
    expect(news()).toBe('get b, get c');
  });

  it.each<[string, (command: FakeCommand) => void]>([
    ['throws for', () => expect.fail('thrown')],
    ['refuses', (command) => command.reject(new Error('thrown'))],
  ])('sends the others when the client %s the first MGET', async (_title, refuse) => {
    const { get, set, client, outcomes, news } = setUp();
    const { sendCommand } = client;
    client.sendCommand = (command) => {
      if (command.name !== 'mget') return sendCommand(command);
      refuse(command);
      return 0;
    };
    get('a');
    get('b');
    set('a');
    await turn();
    await turn();
    expect(outcomes).toEqual([
      ['a', 'thrown'],
      ['b', 'thrown'],
    ]);
    expect(news()).toBe('set a');
  });

  it('keeps waiting calls when the connection is lost', async () => {
    const { get, client, outbox, news } = setUp();
    const calls = [get('a'), get('b')];
    client.status = 'close';
    await turn();
    expect(news()).toBe('');
    get('c');
    outbox.drop();
    client.status = 'ready'; // And yet the server may not have let us in.
    await turn();
    expect(news()).toBe('');
    outbox.begin(calls);
    expect(news()).toBe('mget a b');
    await turn();
    expect(news()).toBe('');
  });
});
