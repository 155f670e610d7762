import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter';
import { Server } from 'socket.io';
import { io, type Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DropIn, dropInKinds } from '../support/drop-in-clients.ts';
import { eventually } from '../support/eventually.ts';

/** The adapters of socket.io that stand on Redis. */
const adapters = [
  { name: '@socket.io/redis-adapter', make: (own: () => DropIn['client']) => createAdapter(own(), own()) },
  {
    name: '@socket.io/redis-adapter, sharded pub/sub',
    make: (own: () => DropIn['client']) => createShardedAdapter(own(), own()),
  },
  { name: '@socket.io/redis-streams-adapter', make: (own: () => DropIn['client']) => createStreamsAdapter(own()) },
];

describe.each(dropInKinds)('socket.io over $title', ({ open }) => {
  let dropIn: DropIn;

  beforeAll(async () => {
    dropIn = await open();
    await dropIn.client.ping();
  });

  afterAll(() => dropIn.close());

  describe.each(adapters)('by $name', ({ make }) => {
    let servers: Server[];
    let clients: Socket[];
    const heard: unknown[][] = [];

    beforeEach(async () => {
      heard.length = 0;
      servers = [];
      clients = [];
      for (let index = 0; index < 3; index++) {
        const http = createServer();
        servers.push(new Server(http, { adapter: make(() => dropIn.another()) }));
        await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
        const client = io(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, { transports: ['websocket'] });
        client.on('told', (value) => void heard.push([index, value]));
        client.on('asked', (value, answer) => answer(value * 10 + index));
        clients.push(client);
      }
      await eventually(() => clients.every(({ connected }) => connected));
      await eventually(async () => {
        const counts = await Promise.all(servers.map((server) => server.of('/').adapter.serverCount()));
        return counts.every((count) => count === 3);
      }, 15_000);
    });

    afterEach(async () => {
      for (const client of clients) client.disconnect();
      await Promise.all(servers.map((server) => server.close()));
    });

    it('reaches the clients of all servers, and those of a room only', async () => {
      // Once every server is known to hear the others, what is sent is heard.
      await eventually(async () => (await servers[0]!.fetchSockets()).length === 3);
      servers[0]!.emit('told', 'all');
      await eventually(() => heard.length === 3);
      expect(heard.toSorted()).toEqual([
        [0, 'all'],
        [1, 'all'],
        [2, 'all'],
      ]);
      servers[0]!.in(clients[2]!.id!).socketsJoin('few');
      await eventually(async () => (await servers[1]!.in('few').fetchSockets()).length === 1);
      // A room may have a channel of its own, which is subscribed to in the background.
      await eventually(() => {
        servers[1]!.to('few').emit('told', 'few');
        return heard.length > 3;
      });
      expect(heard.slice(3).every(([client, value]) => client === 2 && value === 'few')).toBe(true);
    });

    it('gathers the answers of the clients of all servers', async () => {
      await eventually(async () => (await servers[2]!.fetchSockets()).length === 3);
      const answers = await servers[2]!.timeout(10_000).emitWithAck('asked', 7);
      expect(answers.toSorted()).toEqual([70, 71, 72]);
    });
  });
});
