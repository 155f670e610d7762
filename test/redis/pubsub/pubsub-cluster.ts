/** Three real servers and a PubSub over them, with what tests look at: its events in order, and what it complained of. */

import { EventEmitter } from 'node:events';
import { Redis, type RedisOptions } from 'ioredis';
import { Redis as Redis5, type RedisOptions as Redis5Options } from 'ioredis5';
import { routingKeyOf } from '../../../src/placement/routing-key.ts';
import { type ChannelHomes, PubSub, type PubSubOptions } from '../../../src/redis/pubsub/pubsub.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { sharedClientOptions } from '../../../src/server/link/own-client.ts';
import { anyServer } from '../../support/any-server.ts';
import { patientMs } from '../../support/eventually.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';

export const ids = ['a', 'b', 'c'] as const;

/** By the first letter of the routing key where that names a node, so that tests say where a channel lives. */
export const homesOver = (nodes: readonly string[]): ChannelHomes => ({
  nodes,
  nodeOf(channel) {
    const letter = routingKeyOf(channel).slice(0, 1);
    return nodes.includes(letter) ? letter : nodes[0]!;
  },
});

export interface Servers extends AsyncDisposable {
  readonly of: Readonly<Record<(typeof ids)[number], RedisServer>>;
  /** Publishes where the channel's messages belong. @returns  Subscribers that the server had for it. */
  publish(channel: string | Buffer, message: string | Buffer, node?: string): Promise<number>;
  spublish(channel: string, message: string): Promise<number>;
  client(node: string): Redis;
}

export async function startServers(): Promise<Servers> {
  const started = await Promise.all(ids.map((id) => startRedis().then((server) => [id, server] as const)));
  const of = Object.fromEntries(started) as Servers['of'];
  const clients = new Map(
    started.map(([id, { port }]) => {
      const client = new Redis({ port, maxRetriesPerRequest: null, retryStrategy: () => 20 });
      client.on('error', () => undefined);
      return [id as string, client];
    }),
  );
  const client = (node: string) => clients.get(node)!;
  const homes = homesOver(ids);
  return {
    of,
    client,
    publish: (channel, message, node = homes.nodeOf(channel.toString())) => client(node).publish(channel, message),
    spublish: async (channel, message) => Number(await client(homes.nodeOf(channel)).spublish(channel, message)),
    async [Symbol.asyncDispose]() {
      for (const open of clients.values()) open.disconnect();
      await Promise.all(Object.values(of).map((server) => server.stop()));
    },
  };
}

export interface Subject extends Disposable {
  readonly pubsub: PubSub;
  /** `message c hello`, `pmessage p* c hello`, `smessage s hello`. */
  readonly events: string[];
  readonly emitter: EventEmitter;
  readonly errors: { readonly node: string; readonly error: Error }[];
  readonly clients: Redis[];
}

export type Library = 'ioredis 6' | 'ioredis 5';

export function subscribe(
  servers: Servers,
  options: Partial<PubSubOptions> & { library?: Library; client?: RedisOptions } = {},
): Subject {
  const { library = 'ioredis 6', client: extra = {}, ...overrides } = options;
  const emitter = new EventEmitter();
  const events: string[] = [];
  for (const name of ['message', 'pmessage', 'smessage']) {
    emitter.on(name, (...args: string[]) => events.push([name, ...args].join(' ')));
  }
  const errors: { node: string; error: Error }[] = [];
  const clients: Redis[] = [];
  const pubsub = new PubSub({
    homes: homesOver(ids),
    clock: systemClock,
    timeoutMs: patientMs,
    handshakeTimeoutMs: 2_000,
    makeClient(nodeId) {
      const { port } = servers.of[nodeId as (typeof ids)[number]];
      const clientOptions = sharedClientOptions({ port, ...extra }, undefined);
      const client =
        library === 'ioredis 5'
          ? (new Redis5(clientOptions as Redis5Options) as unknown as Redis)
          : new Redis(clientOptions as { readonly lazyConnect: boolean });
      clients.push(client);
      return { client, check: anyServer };
    },
    target: emitter,
    onError: (node, error) => errors.push({ node, error }),
    ...overrides,
  });
  return { pubsub, events, emitter, errors, clients, [Symbol.dispose]: () => pubsub.close() };
}
