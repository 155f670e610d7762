/**
 * The ways a RedisBackend comes by its connection, for tests that must hold for each: a client of its own, by the
 * installed ioredis 6 or by our own transport, and a client of ioredis 5 or 6 borrowed from the application, with that library's defaults.
 */

import { Redis as Redis6, type RedisOptions } from 'ioredis';
import { Redis as Redis5, type RedisOptions as Redis5Options } from 'ioredis5';
import { RedisBackend, type RedisBackendOptions } from '../../src/redis/index.ts';

export interface OpenBackend {
  readonly backend: RedisBackend;
  /** Closes the backend, and the client if it was borrowed. */
  close(): Promise<void>;
}

export interface ConnectionKind {
  readonly title: string;
  readonly isBorrowed: boolean;
  open(options: RedisOptions, backendOptions?: RedisBackendOptions): OpenBackend;
}

const borrowed = (title: string, makeClient: (options: RedisOptions) => Redis6): ConnectionKind => ({
  title,
  isBorrowed: true,
  open(options, backendOptions) {
    const client = makeClient(options);
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
});

export const connectionKinds: readonly ConnectionKind[] = [
  {
    title: 'a client of its own (ioredis 6)',
    isBorrowed: false,
    open(options, backendOptions) {
      const backend = new RedisBackend(options, backendOptions);
      return { backend, close: () => backend.close() };
    },
  },
  {
    title: 'the direct transport',
    isBorrowed: false,
    open(options, backendOptions) {
      const backend = new RedisBackend(options, { ...backendOptions, transport: 'direct' });
      return { backend, close: () => backend.close() };
    },
  },
  borrowed(
    'a borrowed client of ioredis 6',
    (options) => new Redis6({ lazyConnect: true, ...options } as RedisOptions & { replyMapping?: 'legacy' }),
  ),
  borrowed(
    'a borrowed client of ioredis 5',
    (options) => new Redis5({ lazyConnect: true, ...options } as Redis5Options) as unknown as Redis6,
  ),
];
