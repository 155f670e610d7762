/** Channels and patterns of pub/sub: any string or bytes, each told from every other one by its bytes. */

import { InvalidArgumentError } from '../../errors/index.ts';
import { encodeKey } from '../../server/index.ts';
import { routingTextOf, shownTextOf } from '../key-text.ts';

/** The three kinds of subscription, by the command that begins one. */
export type Family = 'subscribe' | 'psubscribe' | 'ssubscribe';

export const families: readonly Family[] = ['subscribe', 'psubscribe', 'ssubscribe'];

export function byFamily<Value>(make: () => Value): Readonly<Record<Family, Value>> {
  return { subscribe: make(), psubscribe: make(), ssubscribe: make() };
}

export interface Channel {
  /** The bytes, one code unit each: equal for the same channel and for no other. */
  readonly id: string;
  /** For the client. */
  readonly argument: string | Buffer;
  /** The text of a key for the placement. */
  readonly routingText: string;
  /** What listeners are told. */
  readonly shownText: string;
}

/** What the application may write. Arrays are spread out, as in ioredis. */
export type ChannelInput = string | Buffer | number | readonly ChannelInput[];

/** @throws {InvalidArgumentError} */
export function parseChannels(input: readonly ChannelInput[]): Channel[] {
  const channels = new Map<string, Channel>();
  for (const name of flatten(input)) {
    const channel = channelOf(name);
    channels.set(channel.id, channel);
  }
  return [...channels.values()];
}

function* flatten(input: readonly unknown[]): Generator<unknown> {
  for (const item of input) {
    if (Array.isArray(item)) yield* flatten(item);
    else yield item;
  }
}

function channelOf(name: unknown): Channel {
  const given = typeof name === 'number' ? String(name) : name;
  const argument = typeof given === 'string' ? encodeKey(given) : given;
  if (typeof argument !== 'string' && !Buffer.isBuffer(argument)) {
    throw new InvalidArgumentError('channel', 'a string or a Buffer', name);
  }
  const bytes = typeof argument === 'string' ? Buffer.from(argument) : argument;
  return { id: idOf(bytes), argument, routingText: routingTextOf(bytes), shownText: shownTextOf(bytes) };
}

export const idOf = (bytes: Buffer): string => bytes.toString('latin1');

/**
 * True for channels on which servers themselves publish what happens to their keys (keyspace notifications). Each server
 * tells of its own keys, so they are to be heard at all of them.
 */
export const isServersOwn = ({ id }: Channel): boolean => /^__key(space|event)@/.test(id);
