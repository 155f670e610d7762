import fastifyRedis from '@fastify/redis';
import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DropIn, dropInKinds } from '../support/drop-in-clients.ts';

describe.each(dropInKinds)('@fastify/redis over $title', ({ open, serverCount }) => {
  let dropIn: DropIn;
  let app: FastifyInstance;

  beforeAll(async () => {
    dropIn = await open();
    await dropIn.client.ping();
  });

  afterAll(() => dropIn.close());

  beforeEach(async () => {
    await dropIn.flush();
    app = fastify();
  });

  afterEach(() => app.close());

  it('serves requests by the client it was given, and leaves it open', async () => {
    const { client } = dropIn;
    expect(client.status).toBe('ready');
    await app.register(fastifyRedis, { client });
    app.put<{ Params: { key: string }; Body: { value: string } }>('/:key', async ({ params, body }) =>
      app.redis.set(params.key, body.value),
    );
    app.get<{ Params: { key: string } }>('/:key', async ({ params }) => ({ value: await app.redis.get(params.key) }));
    app.get('/', async () => app.redis.pipeline().incr('visits').incr('visits').exec());

    const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`);
    for (const key of keys) await app.inject({ method: 'PUT', url: `/${key}`, payload: { value: `of ${key}` } });
    for (const key of keys) {
      expect((await app.inject({ url: `/${key}` })).json()).toEqual({ value: `of ${key}` });
    }
    expect((await app.inject({ url: '/' })).json()).toEqual([
      [null, 1],
      [null, 2],
    ]);
    expect((await dropIn.keyCounts()).filter((count) => count > 0).length).toBe(serverCount);
    expect(app.redis).toBe(client);
    await app.close();
    expect(await client.ping()).toBe('PONG');
  });

  it('waits for a client that is not connected yet', async () => {
    const client = dropIn.another({ lazyConnect: true });
    expect(client.status).toBe('wait');
    const listenersBefore = client.listenerCount('error');
    await app.register(fastifyRedis, { client });
    expect(client.status).toBe('ready');
    expect(await app.redis.set('key', 'value')).toBe('OK');
    expect([client.listenerCount('ready'), client.listenerCount('end')]).toEqual([0, 0]);
    expect(client.listenerCount('error')).toBe(listenersBefore);
  });

  it('keeps clients apart by their namespaces', async () => {
    const [sessions, cache] = [dropIn.another(), dropIn.another()];
    await app.register(fastifyRedis, { client: sessions, namespace: 'sessions' });
    await app.register(fastifyRedis, { client: cache, namespace: 'cache' });
    expect([app.redis.sessions, app.redis.cache]).toEqual([sessions, cache]);
    await app.redis.sessions!.set('key', 'value');
    expect(await app.redis.cache!.get('key')).toBe('value');

    const twice = fastify().register(fastifyRedis, { client: sessions, namespace: 'sessions' });
    twice.register(fastifyRedis, { client: sessions, namespace: 'sessions' });
    await expect(twice.ready()).rejects.toThrow("Redis 'sessions' instance namespace has already been registered");
  });

  it.each([
    ['alone', {}],
    ['under a namespace', { namespace: 'cache' }],
  ])('closes the client with the application when told to, %s', async (_, options) => {
    const client = dropIn.another();
    const ended = new Promise<void>((resolve) => client.once('end', resolve));
    await app.register(fastifyRedis, { client, closeClient: true, ...options });
    expect(await client.set('key', 'value')).toBe('OK');
    await app.close();
    await ended;
    expect(client.status).toBe('end');
    await expect(client.get('key')).rejects.toThrow();
  });
});
