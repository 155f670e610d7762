import { RedisPubSub } from 'graphql-redis-subscriptions';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DropIn, dropInKinds } from '../support/drop-in-clients.ts';
import { eventually } from '../support/eventually.ts';

describe.each(dropInKinds)('graphql-redis-subscriptions over $title', ({ open }) => {
  let dropIn: DropIn;
  let pubsub: RedisPubSub;

  beforeAll(async () => {
    dropIn = await open();
    await dropIn.client.ping();
  });

  afterAll(() => dropIn.close());

  beforeEach(() => {
    // Its types are those of the ioredis that npm put beside it.
    const clients = { publisher: dropIn.client, subscriber: dropIn.another() };
    pubsub = new RedisPubSub(clients as unknown as ConstructorParameters<typeof RedisPubSub>[0]);
  });

  afterEach(() => pubsub.getSubscriber().quit());

  it('hands what is published to the subscribers of its trigger, and ends with the last of them', async () => {
    const news: unknown[] = [];
    const other: unknown[] = [];
    const ids = await Promise.all([
      pubsub.subscribe('news', (message) => news.push(message)),
      pubsub.subscribe('other', (message) => other.push(message)),
    ]);
    await pubsub.publish('news', { title: 'one' });
    await pubsub.publish('other', { title: 'two' });
    await eventually(() => news.length === 1 && other.length === 1);
    expect([news, other]).toEqual([[{ title: 'one' }], [{ title: 'two' }]]);
    for (const id of ids) pubsub.unsubscribe(id);
    await eventually(async () => (await dropIn.client.publish('news', '{}')) === 0);
  });

  it('hands what is published to the subscribers of a pattern', async () => {
    const seen: unknown[] = [];
    await pubsub.subscribe('user.*', (message) => seen.push(message), { pattern: true });
    const sent = Array.from({ length: 20 }, (_, index) => ({ index }));
    for (const message of sent) await pubsub.publish(`user.${message.index}`, message);
    await eventually(() => seen.length === sent.length);
    expect(new Set(seen)).toEqual(new Set(sent));
  });

  it('feeds an async iterator', async () => {
    const iterator = pubsub.asyncIterableIterator<{ index: number }>('ticks');
    let first: unknown;
    void iterator.next().then((result: unknown) => {
      first = result;
    });
    // What comes in one piece with the confirmation of its subscription, the package does not hear yet.
    await eventually(async () => {
      await pubsub.publish('ticks', { index: 1 });
      return first !== undefined;
    });
    expect(first).toEqual({ done: false, value: { index: 1 } });
    await iterator.return?.();
  });
});
