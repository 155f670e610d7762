/** Pub/sub over three real servers that all answer. What happens when they do not is in pubsub-failures. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { homesOver, ids, type Library, type Servers, startServers, subscribe } from './pubsub-cluster.ts';

let servers: Servers;

beforeAll(async () => {
  servers = await startServers();
});

afterAll(() => servers[Symbol.asyncDispose]());

/** Resolves once a message published last has come, and so everything published before it at that node. */
async function drained(events: readonly string[], channel: string): Promise<void> {
  await servers.publish(channel, 'last');
  await eventually(() => events.includes(`message ${channel} last`));
}

describe.each<Library>(['ioredis 6', 'ioredis 5'])('pub/sub by clients of %s', (library) => {
  it('brings every message of a channel, from the first one after subscribe, once and in order', async () => {
    using subject = subscribe(servers, { library });
    const { pubsub, events } = subject;
    await pubsub.subscribe('a:news', 'b:news', 'c:news');
    const messages = Array.from({ length: 300 }, (_, index) => [`${ids[index % 3]}:news`, `${index}`] as const);
    await Promise.all(messages.map(([channel, message]) => servers.publish(channel, message)));
    await eventually(() => events.length >= 300);
    for (const id of ids) {
      expect(events.filter((event) => event.startsWith(`message ${id}:news `))).toEqual(
        messages.filter(([channel]) => channel.startsWith(id)).map(([channel, text]) => `message ${channel} ${text}`),
      );
    }
    expect(events).toHaveLength(300);
  });

  it('never misses the first message after subscribe has resolved', async () => {
    using subject = subscribe(servers, { library });
    for (let round = 0; round < 100; round++) {
      const channel = `${ids[round % 3]}:${round}`;
      await subject.pubsub.subscribe(channel);
      expect(await servers.publish(channel, 'x')).toBe(1);
    }
    await eventually(() => subject.events.length === 100);
  });

  it('subscribes to a channel at its node alone, and to a pattern at all', async () => {
    using subject = subscribe(servers, { library });
    await subject.pubsub.subscribe('b:x', '{c}:y');
    expect(subject.clients).toHaveLength(2);
    await subject.pubsub.psubscribe('only-here-*');
    expect(await Promise.all(ids.map((id) => servers.client(id).pubsub('NUMPAT')))).toEqual([1, 1, 1]);
    expect(await Promise.all(ids.map((id) => servers.client(id).pubsub('CHANNELS', '*[xy]')))).toEqual([
      ...[[], ['b:x'], ['{c}:y']],
    ]);
  });

  it('brings a message once for each subscription that it matches, as one server does', async () => {
    using subject = subscribe(servers, { library });
    const { pubsub, events } = subject;
    await pubsub.subscribe('b:both');
    await pubsub.psubscribe('b:*', '*both');
    await servers.publish('b:both', 'hi');
    await drained(events, 'b:both');
    expect(events.filter((event) => event.endsWith(' hi')).sort()).toEqual([
      'message b:both hi',
      'pmessage *both b:both hi',
      'pmessage b:* b:both hi',
    ]);
  });

  it('keeps channels and shard channels apart, and each goes on when the other has ended', async () => {
    using subject = subscribe(servers, { library });
    const { pubsub, events } = subject;
    expect(await pubsub.subscribe('a:x')).toBe(1);
    expect(await pubsub.ssubscribe('a:x', 'a:s')).toBe(2);
    await servers.publish('a:x', 'plain');
    await servers.spublish('a:x', 'shard');
    await eventually(() => events.length === 2);
    expect([...events].sort()).toEqual(['message a:x plain', 'smessage a:x shard']);
    expect(await pubsub.sunsubscribe()).toBe(0);
    await servers.publish('a:x', 'still');
    await eventually(() => events.includes('message a:x still'));
    await pubsub.ssubscribe('a:s');
    expect(await pubsub.unsubscribe('a:x')).toBe(0);
    await servers.spublish('a:s', 'still');
    await eventually(() => events.includes('smessage a:s still'));
    expect(subject.errors).toEqual([]);
  });

  it('counts over all nodes as one server counts', async () => {
    using subject = subscribe(servers, { library });
    const single = servers.client('a').duplicate();
    const { pubsub } = subject;
    const steps: readonly (readonly ['subscribe' | 'unsubscribe' | 'psubscribe' | 'punsubscribe', ...string[]])[] = [
      ['subscribe', 'a:1', 'b:1'],
      ['subscribe', 'b:1'],
      ['psubscribe', 'p*', 'q*'],
      ['subscribe', 'c:1'],
      ['unsubscribe', 'a:1', 'none'],
      ['punsubscribe', 'p*'],
      ['unsubscribe', 'b:1', 'c:1'],
      ['unsubscribe', 'gone'],
      ['punsubscribe'],
      ['unsubscribe'],
    ];
    for (const [command, ...names] of steps) {
      expect([command, await pubsub[command](...names)]).toEqual([command, await single[command](...names)]);
    }
    single.disconnect();
  });

  it('counts calls made at once in the order in which they were made', async () => {
    using subject = subscribe(servers, { library });
    const { pubsub } = subject;
    const calls = [
      pubsub.subscribe('a:1'),
      pubsub.psubscribe('x*'),
      pubsub.subscribe('b:1'),
      pubsub.unsubscribe('a:1'),
    ];
    expect(await Promise.all(calls)).toEqual([1, 2, 3, 2]);
  });

  it('ends all channels, and leaves the patterns, where none is named', async () => {
    using subject = subscribe(servers, { library });
    const { pubsub, events } = subject;
    await pubsub.subscribe('a:1', 'b:1');
    await pubsub.psubscribe('c:*');
    expect(await pubsub.unsubscribe()).toBe(1);
    expect(await Promise.all([servers.publish('a:1', 'x'), servers.publish('b:1', 'x')])).toEqual([0, 0]);
    await servers.publish('c:2', 'x');
    await eventually(() => events.length === 1);
    expect(events).toEqual(['pmessage c:* c:2 x']);
  });

  it('takes any name for a channel, and gives it back', async () => {
    using subject = subscribe(servers, { library });
    const { pubsub, emitter, events } = subject;
    const names = ['', '__proto__', 'constructor', 'a\0b', '😀', '\ud800', '*'];
    await pubsub.subscribe(names);
    for (const name of names) {
      const bytes = name === '\ud800' ? Buffer.from([0xed, 0xa0, 0x80]) : Buffer.from(name);
      expect(await servers.publish(bytes, 'x', homesOver(ids).nodeOf(name))).toBe(1);
    }
    await eventually(() => events.length === names.length);
    expect([...events].sort()).toEqual(names.map((name) => `message ${name} x`).sort());

    const bytes = Buffer.from([0x61, 0xff]);
    const heard: unknown[] = [];
    emitter.on('messageBuffer', (channel, message) => heard.push([channel, message]));
    await pubsub.subscribe(bytes);
    await servers.publish(bytes, Buffer.from([0xfe]), 'a');
    await eventually(() => heard.length === 1);
    expect(heard).toEqual([[bytes, Buffer.from([0xfe])]]);
    expect(await pubsub.unsubscribe(bytes, names)).toBe(0);
  });

  it('hears what servers tell of their own keys at every one of them', async () => {
    using subject = subscribe(servers, { library });
    for (const id of ids) await servers.client(id).config('SET', 'notify-keyspace-events', 'KE$');
    await subject.pubsub.subscribe('__keyevent@0__:set');
    for (const id of ids) await servers.client(id).set(`key:${id}`, 'x');
    await eventually(() => subject.events.length === 3);
    expect([...subject.events].sort()).toEqual(ids.map((id) => `message __keyevent@0__:set key:${id}`));
  });

  it('takes more channels than fit into one command', async () => {
    using subject = subscribe(servers, { library });
    const channels = Array.from({ length: 5_000 }, (_, index) => `${ids[index % 3]}:many:${index}`);
    expect(await subject.pubsub.subscribe(channels)).toBe(5_000);
    expect(await servers.publish('c:many:4997', 'x')).toBe(1);
    expect(await subject.pubsub.unsubscribe()).toBe(0);
  });
});

describe('a call to subscribe', () => {
  it('that names nothing, or something else than a channel, is refused', async () => {
    using subject = subscribe(servers);
    await expect(subject.pubsub.subscribe()).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    await expect(subject.pubsub.psubscribe({} as string)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    expect(subject.clients).toEqual([]);
  });

  it('that a server refuses rejects with its error, and is undone; what was there before stays', async () => {
    await servers.client('b').call('ACL', 'SETUSER', 'reader', 'on', '>secret', '+@all', '~*', '&b:open*');
    for (const id of ['a', 'c'])
      await servers.client(id).call('ACL', 'SETUSER', 'reader', 'on', '>secret', '+@all', '&*');
    using subject = subscribe(servers, { client: { username: 'reader', password: 'secret' } });
    const { pubsub, events } = subject;
    expect(await pubsub.subscribe('b:open')).toBe(1);
    const refused = pubsub.subscribe('a:new', 'b:closed', 'b:open', 'b:open2');
    await expect(refused).rejects.toMatchObject({ name: 'ReplyError', message: expect.stringMatching(/^NOPERM/) });
    await expect(pubsub.psubscribe('b:*')).rejects.toThrow(/^NOPERM/);
    expect(await servers.publish('a:new', 'x')).toBe(0);
    expect(await servers.publish('b:open2', 'x')).toBe(0);
    expect(await servers.client('a').pubsub('NUMPAT')).toBe(0);
    await drained(events, 'b:open');
    expect(await pubsub.subscribe('c:1')).toBe(2);
  });

  it('after the end rejects, and so does what was under way', async () => {
    const subject = subscribe(servers);
    await subject.pubsub.subscribe('a:1');
    const underWay = subject.pubsub.subscribe('b:1');
    subject.pubsub.close();
    subject.pubsub.close();
    await expect(underWay).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    for (const call of [subject.pubsub.subscribe('a:2'), subject.pubsub.unsubscribe()]) {
      await expect(call).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    }
    await eventually(async () => (await servers.publish('a:1', 'x')) === 0);
    expect(subject.errors).toEqual([]);
  });
});
