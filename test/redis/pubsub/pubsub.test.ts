import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { type Channel, type ChannelInput, isServersOwn, parseChannels } from '../../../src/redis/pubsub/channel.ts';
import { MessageRelay } from '../../../src/redis/pubsub/message-relay.ts';
import { encodeKey } from '../../../src/server/sending/key-bytes.ts';
import { anyKey } from '../../support/arbitraries.ts';

const one = (name: ChannelInput): Channel => parseChannels([name])[0]!;

describe('a channel', () => {
  it('is the same for the same bytes, and for no others', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (first, second) => {
        expect(one(first).id === one(second).id).toBe(first === second);
        expect(one(Buffer.from(encodeKey(first) as string))).toMatchObject({
          id: one(first).id,
          routingText: first,
          shownText: first,
        });
      }),
    );
  });

  it('of bytes that are no text has a place and a name of its own', () => {
    const [first, second] = [one(Buffer.from([0xff])), one(Buffer.from([0xfe]))];
    expect(first.id).not.toBe(second.id);
    expect(first.routingText).not.toBe(second.routingText);
    expect(first.shownText).toBe('\ufffd');
  });

  it('may be written in arrays, as a number, and twice', () => {
    const names = parseChannels(['a', ['b', [7, 'a']], Buffer.from('b')]).map(({ shownText }) => shownText);
    expect(names).toEqual(['a', 'b', '7']);
  });

  it('is refused if it is neither text nor bytes', () => {
    for (const name of [undefined, null, {}, true]) {
      expect(() => parseChannels([name as unknown as string])).toThrow(/channel: expected a string or a Buffer/);
    }
  });

  it('is known as one on which servers publish by themselves', () => {
    expect(['__keyspace@0__:k', '__keyevent@12__:del', '__keyspace@'].map((name) => isServersOwn(one(name)))).toEqual([
      ...[true, true, true],
    ]);
    expect(['x__keyspace@0__:k', '__keyspaces', '__proto__', ''].map((name) => isServersOwn(one(name)))).toEqual([
      ...[false, false, false, false],
    ]);
  });
});

describe('messages of a connection', () => {
  /** A stand-in for a client of ioredis, which is asked for nothing but its events here. */
  const relayed = (patterns: readonly ChannelInput[] = []) => {
    const client = new EventEmitter();
    const target = new EventEmitter();
    const relay = new MessageRelay(target);
    relay.listen(client as unknown as Redis, new Map(parseChannels(patterns).map((pattern) => [pattern.id, pattern])));
    const events: unknown[] = [];
    const all = ['message', 'messageBuffer', 'pmessage', 'pmessageBuffer', 'smessage', 'smessageBuffer'];
    for (const name of all) target.on(name, (...args) => events.push([name, ...args]));
    return { client, target, relay, events };
  };
  const bytes = (text: string) => Buffer.from(text);

  it('become the events of ioredis, as text and as bytes', () => {
    const { client, events } = relayed(['p*']);
    client.emit('messageBuffer', bytes('c'), bytes('1'));
    client.emit('smessageBuffer', bytes('s'), bytes('2'));
    client.emit('pmessageBuffer', 'p*', bytes('px'), bytes('3'));
    expect(events).toEqual([
      ['message', 'c', '1'],
      ['messageBuffer', bytes('c'), bytes('1')],
      ['smessage', 's', '2'],
      ['smessageBuffer', bytes('s'), bytes('2')],
      ['pmessage', 'p*', 'px', '3'],
      ['pmessageBuffer', 'p*', bytes('px'), bytes('3')],
    ]);
  });

  it('are none any more once the connection is given up', () => {
    const { client, relay, events } = relayed();
    relay.unlisten(client as unknown as Redis);
    client.emit('messageBuffer', bytes('c'), bytes('1'));
    client.emit('smessageBuffer', bytes('c'), bytes('1'));
    client.emit('pmessageBuffer', 'p*', bytes('px'), bytes('1'));
    expect(events).toEqual([]);
  });

  it('name channels and patterns by the strings that were subscribed to', () => {
    const { client, events } = relayed(['\udc00*']);
    client.emit('messageBuffer', encodeKey('\ud800'), bytes('1'));
    // ioredis gives a pattern as text, which it was not.
    client.emit('pmessageBuffer', (encodeKey('\udc00*') as Buffer).toString(), encodeKey('\udc00x'), bytes('1'));
    expect(events[0]).toEqual(['message', '\ud800', '1']);
    expect(events[2]).toEqual(['pmessage', '\udc00*', '\udc00x', '1']);
  });

  it('reach the other listeners if one throws, whose error then is uncaught', async () => {
    const { client, target, events } = relayed();
    target.on('message', () => {
      throw new Error('of a listener');
    });
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    try {
      const uncaught = new Promise((resolve) => process.once('uncaughtException', resolve));
      client.emit('messageBuffer', bytes('c'), bytes('1'));
      expect(events).toHaveLength(2);
      expect(await uncaught).toMatchObject({ message: 'of a listener' });
    } finally {
      for (const listener of others) process.on('uncaughtException', listener);
    }
  });
});
