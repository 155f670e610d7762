/**
 * What a RedisBackend is pointed at, checked: a URL, ioredis options, or a client that the application lends.
 *
 * Messages never show a URL or an option's value, since either may hold a password.
 */

import type { RedisOptions } from 'ioredis';
import { InvalidArgumentError } from '../../errors/index.ts';
import { expectObject, expectOptions } from '../../runtime/validate.ts';
import { type Client, type ClientOptions, commandClassOf } from './client.ts';
import { clientOptionNames } from './client-option-names.ts';
import { refuseFunction, takeCredentials } from './credential-options.ts';
import type { CredentialsFunction } from './credentials.ts';
import { type GroupSettings, parseGroup } from './sentinel-settings.ts';

export type Target =
  | {
      readonly kind: 'own';
      readonly options: RedisOptions;
      readonly address: string;
      /** Set if the node is a group that Sentinel manages. */
      readonly group?: GroupSettings | undefined;
      /** Asked at each connection; the options then hold neither user nor password. */
      readonly credentials: CredentialsFunction | undefined;
      /** The server may be a read-only replica. */
      readonly allowsReplica: boolean;
    }
  | {
      readonly kind: 'lent';
      readonly client: Client;
      readonly address: string;
      readonly group?: GroupSettings | undefined;
    };

const urlForm = "a URL such as 'redis://[user[:password]@]host[:port][/db]', 'rediss://...' or 'unix:///path?db=0'";

/** @param field  Where the target stood, for errors. */
export function parseTarget(target: unknown, field = 'target'): Target {
  if (typeof target === 'string') {
    const options = parseUrl(target, field);
    return { kind: 'own', options, address: addressOf(options), credentials: undefined, allowsReplica: false };
  }
  const object = expectObject(field, target);
  return isClient(object) ? lentTarget(object as unknown as Client, field) : ownTarget(object as RedisOptions, field);
}

/** Options are data and clients have methods; which class the client is of does not matter. */
const isClient = (object: Record<string, unknown>) =>
  typeof object.sendCommand === 'function' || typeof object.connect === 'function' || object.isCluster === true;

function lentTarget(client: Client, field: string): Target {
  if (client.isCluster) {
    throw new InvalidArgumentError(field, 'a client of one server (Redis Cluster does its own sharding)', client);
  }
  if (commandClassOf(client) === undefined || typeof client.duplicate !== 'function') {
    throw new InvalidArgumentError(field, 'a client of ioredis 5 or 6, or of iovalkey', client);
  }
  if (hasKeyPrefix(client.options)) {
    throw new InvalidArgumentError(
      `${field}.options.keyPrefix`,
      'none (it is an option of RedisBackend and of ShardedRedis)',
      client.options.keyPrefix,
    );
  }
  refuseFunction(`${field}.options.password`, (client.options as RedisOptions).password);
  // The client itself is its owner's business. The connections that are made after its pattern are ours.
  const group = parseGroup(`${field}.options`, { ...client.options, path: undefined, reads: undefined });
  return { kind: 'lent', client, address: addressOf(client.options), group };
}

function ownTarget(options: RedisOptions & { readonly reads?: unknown }, field: string): Target {
  if (hasKeyPrefix(options)) {
    throw new InvalidArgumentError(
      `${field}.keyPrefix`,
      'none (it is an option of RedisBackend and of ShardedRedis)',
      options.keyPrefix,
    );
  }
  const { credentials, rest } = takeCredentials(field, options);
  expectOptions(field, rest, [...clientOptionNames, 'reads']);
  const { reads, ...clientOptions } = rest;
  const group = parseGroup(field, rest as Record<string, unknown>);
  const allowsReplica = group === undefined && reads === 'replica';
  return { kind: 'own', options: clientOptions, address: addressOf(options), group, credentials, allowsReplica };
}

const hasKeyPrefix = ({ keyPrefix }: { keyPrefix?: unknown }) =>
  keyPrefix !== undefined && keyPrefix !== null && keyPrefix !== '';

/** Names the server in messages. Neither user nor password is part of it. */
function addressOf(options: ClientOptions | RedisOptions): string {
  if (options.path) return options.path;
  if (options.sentinels) return `${options.name ?? 'sentinel'}`;
  const host = options.host ?? 'localhost';
  return `${host.includes(':') ? `[${host}]` : host}:${options.port ?? 6379}`;
}

function parseUrl(text: string, field: string): RedisOptions {
  try {
    return text.startsWith('unix:') ? parseUnixUrl(text) : parseNetworkUrl(text);
  } catch {
    // Parsers quote what they were given.
    throw new InvalidArgumentError(field, urlForm, text);
  }
}

class UrlError extends Error {}

function parseNetworkUrl(text: string): RedisOptions {
  const url = new URL(text);
  const isTls = url.protocol === 'rediss:';
  if (!isTls && url.protocol !== 'redis:') throw new UrlError();
  if (url.hash !== '') throw new UrlError();
  const path = url.pathname.replace(/^\//, '');
  const query = parseQuery(url.searchParams, ['db', 'family']);
  return {
    host: url.hostname === '' ? 'localhost' : decodeURIComponent(url.hostname.replace(/^\[(.*)\]$/, '$1')),
    port: url.port === '' ? 6379 : Number(url.port),
    ...parseCredentials(url.username, url.password),
    ...(path === '' ? query : { ...query, db: parseInteger(path) }),
    ...(isTls ? { tls: {} } : {}),
  };
}

/** `unix:///path` and `unix://user:password@/path`; the WHATWG parser knows no user without a host. */
function parseUnixUrl(text: string): RedisOptions {
  const parts = /^unix:(?:\/\/(?:([^@/:]*)(?::([^@/]*))?@)?)?(\/(?!\/)[^?#]+)(?:\?([^#]*))?$/.exec(text);
  if (parts === null) throw new UrlError();
  const [, username = '', password = '', path = '', query = ''] = parts;
  return {
    path: decodeURIComponent(path),
    ...parseCredentials(username, password),
    ...parseQuery(new URLSearchParams(query), ['db']),
  };
}

function parseCredentials(username: string, password: string): RedisOptions {
  return {
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
  };
}

/** Whole numbers by their names. Any other parameter is refused: ignored ones look as if they had worked. */
function parseQuery(query: URLSearchParams, known: readonly string[]): { db?: number; family?: number } {
  const parsed: Record<string, number> = {};
  for (const [name, value] of query) {
    if (!known.includes(name)) throw new UrlError();
    parsed[name] = parseInteger(value);
  }
  return parsed;
}

function parseInteger(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new UrlError();
  return Number(text);
}
