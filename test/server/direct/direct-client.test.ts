/** DirectClient against servers that say exactly what a test has them say. */

import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { DirectClient } from '../../../src/server/direct/direct-client.ts';
import { DirectCommand } from '../../../src/server/direct/direct-command.ts';
import type { DirectClientOptions } from '../../../src/server/direct/direct-options.ts';
import { commandClassOf } from '../../../src/server/link/client.ts';
import { eventually, outcomeOf } from '../../support/eventually.ts';
import { decode } from './resp-replies.ts';

type Answer = (command: string[], socket: Socket) => string | undefined;

/** What a server answers to the handshake, and `undefined`, for the test to say something, to all else. */
const welcome: Answer = ([name]) => (name === 'select' || name === 'client' || name === 'auth' ? '+OK\r\n' : undefined);

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A server, and a client of it that is not connected. */
async function start(answer: Answer = welcome, options: DirectClientOptions = {}) {
  const sockets: Socket[] = [];
  const heard: string[][] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    // A test's clients write whole commands, and little enough to arrive in one piece.
    socket.on('data', (piece: Buffer) => {
      for (const said of decode([piece]) as { reply: Buffer[] }[]) {
        const command = said.reply.map(String);
        heard.push(command);
        const reply = answer(command, socket);
        if (reply !== undefined) socket.write(reply);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const client = new DirectClient({ host: '127.0.0.1', port, retryStrategy: () => 10, ...options });
  const events: string[] = [];
  const errors: Error[] = [];
  for (const event of ['connect', 'ready', 'close', 'end'] as const) {
    client.on(event, () => events.push(`${event} as ${client.status}`));
  }
  client.on('error', (error: Error) => errors.push(error));
  closers.push(() => {
    client.disconnect();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { client, sockets, heard, events, errors };
}

function call(client: DirectClient, name: string, ...args: string[]): Promise<unknown> {
  const command = new DirectCommand(name, args);
  const { promise } = command;
  client.sendCommand(command);
  return promise;
}

describe('DirectClient', () => {
  it('goes through the states that ioredis has, from waiting to the end', async () => {
    const { client, events } = await start();
    expect(client.status).toBe('wait');
    expect(client.stream).toBeUndefined();
    const connected = client.connect();
    expect(client.status).toBe('connecting');
    await expect(client.connect()).rejects.toThrow('already connecting');
    await connected;
    expect(client.status).toBe('ready');
    client.disconnect();
    await eventually(() => client.status === 'end');
    expect(events).toEqual(['connect as connect', 'ready as ready', 'close as close', 'end as end']);
  });

  it('is accepted by its commands as a client that the backend can use', () => {
    expect(commandClassOf(new DirectClient())).toBe(DirectCommand);
  });

  it('writes the commands of a turn in one piece, and pairs the replies with them in their order', async () => {
    const { client, sockets } = await start();
    await client.connect();
    const pieces: string[] = [];
    sockets[0]!.on('data', (piece) => pieces.push(`${piece}`));
    const calls = [call(client, 'a'), call(client, 'b', '1'), call(client, 'c')];
    expect(client.commandQueue).toHaveLength(3);
    await eventually(() => pieces.length > 0);
    expect(pieces).toEqual(['*1\r\n$1\r\na\r\n*2\r\n$1\r\nb\r\n$1\r\n1\r\n*1\r\n$1\r\nc\r\n']);
    sockets[0]!.write(':1\r\n-ERR no\r\n:3\r\n');
    expect(await Promise.allSettled(calls)).toEqual([
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: expect.objectContaining({ name: 'ReplyError', message: 'ERR no' }) },
      { status: 'fulfilled', value: 3 },
    ]);
    expect(client.commandQueue).toHaveLength(0);
  });

  it('drops a connection on which a push came over RESP2', async () => {
    const { client, sockets, errors } = await start();
    await client.connect();
    const reply = call(client, 'a');
    sockets[0]!.write('>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n:1\r\n');
    await expect(reply).rejects.toThrow('A push came');
    expect(errors).toMatchObject([{ name: 'ParserError' }]);
  });

  it('does not treat pushes over RESP3 as replies', async () => {
    const { client, sockets } = await start(
      (command, socket) => (command[0] === 'hello' ? '%0\r\n' : welcome(command, socket)),
      { protocol: 3 },
    );
    await client.connect();
    const reply = call(client, 'a');
    sockets[0]!.write('>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n:1\r\n');
    expect(await reply).toBe(1);
    expect(client.status).toBe('ready');
  });

  it('drops a connection on which a reply came without a command', async () => {
    const { client, sockets, errors, events } = await start();
    await client.connect();
    sockets[0]!.write(':1\r\n');
    await eventually(() => events.includes('close as close'));
    expect(errors).toMatchObject([{ name: 'ParserError', message: 'A reply came to which there is no command.' }]);
    await eventually(() => client.status === 'ready');
    expect(sockets).toHaveLength(2);
  });

  it('drops a connection on which something other than the protocol came, and ignores everything after it', async () => {
    const { client, sockets, errors } = await start();
    await client.connect();
    const calls = [outcomeOf(call(client, 'a')), outcomeOf(call(client, 'b')), outcomeOf(call(client, 'c'))];
    sockets[0]!.write(':1\r\nHTTP/1.1 200\r\n:2\r\n:3\r\n');
    const [first, second, third] = await Promise.all(calls);
    expect(first!.value).toBe(1);
    expect(second!.error).toMatchObject({ name: 'ParserError' });
    expect(third!.error).toBe(second!.error);
    expect(errors).toEqual([second!.error]);
  });

  it('never gives a reply of one connection to a command of the next', async () => {
    const { client, sockets } = await start();
    await client.connect();
    const old = outcomeOf(call(client, 'a'));
    await eventually(() => client.commandQueue?.length === 1);
    // The first half of a reply, the loss of the connection, and on the next one a command that waits for a reply.
    sockets[0]!.write('$5\r\nol');
    sockets[0]!.end();
    expect((await old).error).toMatchObject({ message: 'The connection was closed.' });
    await eventually(() => client.status === 'ready');
    const reply = call(client, 'b');
    sockets[0]!.write('d!!\r\n');
    sockets[1]!.write('$3\r\nnew\r\n');
    expect(await reply).toEqual(Buffer.from('new'));
  });

  it('sends nothing again that was in flight when the connection was lost', async () => {
    const { client, sockets, heard } = await start();
    await client.connect();
    const lost = outcomeOf(call(client, 'incr', 'a'));
    await eventually(() => heard.some(([name]) => name === 'incr'));
    sockets[0]!.resetAndDestroy();
    await expect(lost).resolves.toMatchObject({ error: { code: 'ECONNRESET' } });
    await eventually(() => client.status === 'ready');
    const reply = call(client, 'ping');
    await eventually(() => heard.some(([name]) => name === 'ping'));
    sockets[1]!.write('+PONG\r\n');
    await reply;
    expect(heard.filter(([name]) => name === 'incr')).toHaveLength(1);
  });

  it('rejects at once what comes while there is no connection', async () => {
    const { client } = await start();
    await expect(call(client, 'a')).rejects.toThrow('There is no connection.');
    const connected = client.connect();
    await expect(client.ping()).rejects.toThrow('There is no connection.');
    await connected;
    client.disconnect();
    await expect(call(client, 'a')).rejects.toThrow('There is no connection.');
  });

  it('rejects a command that would put all later replies out of step, and goes on', async () => {
    const { client, sockets } = await start();
    await client.connect();
    const reply = call(client, 'a');
    await expect(call(client, 'subscribe', 'channel')).rejects.toThrow(TypeError);
    sockets[0]!.write(':1\r\n');
    expect(await reply).toBe(1);
  });

  it('tells the server who it is, in one go, before anything else', async () => {
    const answer: Answer = ([name]) => (name === 'ping' ? '+PONG\r\n' : '+OK\r\n');
    const options = { username: 'me', password: 'secret', db: 2, connectionName: 'here' };
    const { client, heard } = await start(answer, options);
    await client.connect();
    expect(String(await client.ping())).toBe('PONG');
    expect(heard).toEqual([
      ['auth', 'me', 'secret'],
      ['select', '2'],
      ['client', 'SETNAME', 'here'],
      ['client', 'SETINFO', 'LIB-NAME', 'shardring'],
      ['ping'],
    ]);
    expect(client.condition).toMatchObject({ select: 2 });
  });

  it('speaks RESP2 with a server that does not know RESP3', async () => {
    const answer: Answer = ([name]) => (name === 'hello' ? "-ERR unknown command 'hello'\r\n" : '+OK\r\n');
    const { client, heard } = await start(answer, { protocol: 3, password: 'secret', db: 1, disableClientInfo: true });
    await client.connect();
    expect(heard.map(([name]) => name)).toEqual(['hello', 'select', 'auth', 'select']);
    expect(heard[0]).toEqual(['hello', '3', 'AUTH', 'default', 'secret']);
    expect(heard[2]).toEqual(['auth', 'secret']);
  });

  it.each([
    ['auth', '-WRONGPASS no\r\n'],
    ['select', '-ERR DB index is out of range\r\n'],
  ])(
    'does not become ready on a connection on which %s was refused, and shows no password',
    async (refused, refusal) => {
      const { client, errors, events } = await start(([name]) => (name === refused ? refusal : '+OK\r\n'), {
        password: 'secret',
        db: 99,
        retryStrategy: () => null,
      });
      const { error } = await outcomeOf(client.connect());
      expect(error).toMatchObject({ name: 'ReplyError' });
      expect(JSON.stringify(Object.getOwnPropertyDescriptors(error))).not.toContain('secret');
      await eventually(() => client.status === 'end');
      expect(errors).toEqual([error]);
      expect(events).toEqual(['connect as connect', 'close as close', 'end as end']);
    },
  );

  it('goes on with a server that wants no password, and with one that does not know CLIENT SETINFO', async () => {
    const answer: Answer = ([name]) => {
      if (name === 'auth')
        return '-ERR AUTH <password> called without any password configured for the default user.\r\n';
      return name === 'client' ? "-ERR unknown subcommand 'SETINFO'\r\n" : '+OK\r\n';
    };
    const { client } = await start(answer, { password: 'secret' });
    await client.connect();
    expect(client.status).toBe('ready');
  });

  it('selects no database if the first one is meant, since a user may lack the right to', async () => {
    const { client, heard } = await start();
    await client.connect();
    expect(heard).toEqual([['client', 'SETINFO', 'LIB-NAME', 'shardring']]);
  });

  it('says why when the server takes no more clients', async () => {
    const answer: Answer = (_, socket) => {
      socket.end('-ERR max number of clients reached\r\n');
      return undefined;
    };
    const { client } = await start(answer, { retryStrategy: () => null });
    await expect(client.connect()).rejects.toThrow('max number of clients');
  });

  it('gives up a server that accepts and then says nothing', async () => {
    const { client, errors } = await start(() => undefined, { connectTimeout: 50, retryStrategy: () => null });
    await expect(client.connect()).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    await eventually(() => client.status === 'end');
    expect(errors).toHaveLength(1);
  });

  it('asks the strategy how long to wait, counts from 1 again after a success, and ends where it says no', async () => {
    const asked: number[] = [];
    const strategy = (times: number) => {
      asked.push(times);
      return times < 3 ? 1 : null;
    };
    const { client, sockets } = await start(welcome, { retryStrategy: strategy });
    await client.connect();
    sockets[0]!.destroy();
    await eventually(() => sockets.length === 2 && client.status === 'ready');
    sockets[1]!.destroy();
    await eventually(() => sockets.length === 3 && client.status === 'ready');
    expect(asked).toEqual([1, 1]);
    const other = new DirectClient({ ...client.options, port: 1 });
    await expect(other.connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await eventually(() => other.status === 'end');
    expect(asked).toEqual([1, 1, 1, 2, 3]);
  });

  it('can be begun again after its end, and a pause before an attempt can be cut short', async () => {
    const { client, sockets } = await start(welcome, { retryStrategy: () => 60_000 });
    await client.connect();
    client.disconnect();
    await eventually(() => client.status === 'end');
    await client.connect();
    sockets[1]!.destroy();
    await eventually(() => client.status === 'reconnecting');
    await client.connect();
    expect(client.status).toBe('ready');
    sockets[2]!.destroy();
    await eventually(() => client.status === 'reconnecting');
    client.disconnect();
    expect(client.status).toBe('end');
  });

  it('does not take the end of an old connection for that of a new one', async () => {
    const { client, sockets, events } = await start();
    await client.connect();
    const old = outcomeOf(call(client, 'a'));
    client.disconnect();
    await client.connect();
    expect((await old).error).toMatchObject({ message: 'The connection was closed.' });
    expect(client.status).toBe('ready');
    const reply = call(client, 'b');
    await eventually(() => sockets.length === 2);
    sockets[1]!.write(':2\r\n');
    expect(await reply).toBe(2);
    expect(events).not.toContain('close as close');
  });

  it('makes another client of its kind, with options of its own', async () => {
    const { client } = await start();
    const other = client.duplicate({ db: 3 });
    expect(other).toBeInstanceOf(DirectClient);
    expect(other.options).toEqual({ ...client.options, db: 3 });
    expect(other.status).toBe('wait');
  });
});
