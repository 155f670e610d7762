import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ClientIdentity, ListedClient } from '../../src/server/lending/client-list.ts';
import { parseClientList } from '../../src/server/lending/client-list.ts';
import { ReplyWatch, type WatchedConnection } from '../../src/server/lending/reply-watch.ts';
import type { Signs } from '../../src/server/link/signs-of-life.ts';
import { LateClock } from '../support/late-clock.ts';

const refusal = { kind: 'connection', cause: new Error('refused') } as const;

const ours: ClientIdentity = { id: '7', address: '10.0.0.9:4000' };

class Connection implements WatchedConnection {
  isWaiting = true;
  bytesRead = 100;
  /** Of a command that is leaving: what the system has not taken yet. */
  queuedBytes = 0;
  loss: string | undefined;

  constructor(readonly identity: ClientIdentity | undefined = ours) {}

  get signs(): Signs {
    return { stream: undefined, readBytes: this.bytesRead, sentBytes: 0, queuedBytes: this.queuedBytes };
  }

  destroy({ cause }: { cause: Error }): void {
    this.loss = cause.message;
  }
}

/** A watch, and what the server answers to it. */
function watching(connection: Connection) {
  const clock = new LateClock();
  const server = { clients: [] as ListedClient[] | undefined, asked: 0 };
  const watch = new ReplyWatch({
    ...{ clock, periodMs: 1_000, confirmMs: 300 },
    listClients: async () => {
      server.asked++;
      return server.clients;
    },
  });
  watch.add(connection);
  const look = async () => {
    clock.fireNext();
    await turn();
  };
  return { clock, server, watch, look };
}

const known = (isBlocked: boolean): ListedClient => ({ id: '7', address: '10.0.0.9:4000', isBlocked });

describe('the watch over connections that wait for a reply', () => {
  it.each([
    ['is gone at the server', []],
    ['is known to the server, which does not wait on it', [known(false)]],
    ['has left its id to a connection from elsewhere', [{ ...known(true), address: '10.0.0.9:4001' }]],
  ])('drops a connection that %s, at the second look', async (_, clients) => {
    const connection = new Connection();
    const { clock, server, look } = watching(connection);
    server.clients = clients;
    await look();
    expect(connection.loss).toBeUndefined();
    await look();
    expect(connection.loss).toContain('its reply has not come');
    expect(clock.nowMs()).toBe(1_300);
  });

  it('does not disturb a connection on which the server waits, for as long as it does', async () => {
    const connection = new Connection();
    const { server, look } = watching(connection);
    server.clients = [known(true)];
    for (let round = 0; round < 5; round++) await look();
    expect([server.asked, connection.loss]).toEqual([5, undefined]);
  });

  it('does not ask about a connection that waits for nothing', async () => {
    const connection = new Connection();
    connection.isWaiting = false;
    const { server, look } = watching(connection);
    await look();
    expect(server.asked).toBe(0);
  });

  it('treats every byte as a sign of life, also between the two looks', async () => {
    const connection = new Connection();
    const { server, look } = watching(connection);
    server.clients = [];
    for (let round = 0; round < 5; round++) {
      await look();
      connection.bytesRead++;
      await look();
    }
    expect(connection.loss).toBeUndefined();
  });

  it('waits for a long command that is still leaving over a slow line', async () => {
    const connection = new Connection();
    const { server, look } = watching(connection);
    server.clients = [known(false)];
    for (connection.queuedBytes = 10; connection.queuedBytes > 0; connection.queuedBytes--) await look();
    expect(connection.loss).toBeUndefined();
  });

  it('starts again when the server waits on the connection again', async () => {
    const connection = new Connection();
    const { server, look } = watching(connection);
    for (const isBlocked of [false, true, false, true, false]) {
      server.clients = [known(isBlocked)];
      await look();
    }
    expect(connection.loss).toBeUndefined();
  });

  it('does not judge if the server does not say', async () => {
    const connection = new Connection();
    const { server, look } = watching(connection);
    server.clients = undefined;
    for (let round = 0; round < 5; round++) await look();
    expect(connection.loss).toBeUndefined();
  });

  it.each([
    ['the server does not say', new Connection(), undefined],
    ['its name is not known', Object.assign(new Connection(), { identity: undefined }), []],
  ])('drops the connection after the shared connection was lost, if %s', async (_, connection, clients) => {
    const { server, watch, look } = watching(connection);
    server.clients = clients;
    watch.doubt();
    watch.lookNow();
    await turn();
    expect(connection.loss).toBeUndefined();
    await look();
    expect(connection.loss).toContain('its reply has not come');
  });

  it('drops the connection when the server cannot be reached, unless something has come in meanwhile', () => {
    const [silent, alive] = [new Connection(), new Connection()];
    const { watch } = watching(silent);
    watch.add(alive);
    watch.doubt();
    alive.bytesRead++;
    watch.loseSilent(refusal);
    expect([silent.loss, alive.loss]).toEqual(['refused', undefined]);
  });

  it('sets no timer once nobody is watched', () => {
    const connection = new Connection();
    const { clock, watch } = watching(connection);
    expect(clock.pendingTimers).toBe(1);
    watch.remove(connection);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('the reply to CLIENT LIST', () => {
  it('is read by its fields, whatever else they are', () => {
    const reply = Buffer.from(
      'id=3 addr=127.0.0.1:5000 laddr=127.0.0.1:6379 name= db=0 flags=b cmd=blpop user=default\n' +
        'id=12 addr=[::1]:5001 name=a=b flags=N\n',
    );
    expect(parseClientList(reply)).toEqual([
      { id: '3', address: '127.0.0.1:5000', isBlocked: true },
      { id: '12', address: '[::1]:5001', isBlocked: false },
    ]);
  });

  it.each([[null], [17], [''], ['nothing of the kind'], [[]]])('names nobody where it is %j', (reply) => {
    expect(parseClientList(reply)).toEqual([]);
  });
});
