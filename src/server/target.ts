/**
 * The place of a RedisBackend's server, checked: a URL, ioredis options, or a borrowed client.
 *
 * Messages never show a URL or an option's value, since either may hold a password.
 */

import type { RedisOptions } from 'ioredis';
import { InvalidArgumentError } from '../errors/index.ts';
import { expectObject, expectSettings, expectString } from '../runtime/validate.ts';
import { refuseFunction, takeCredentials } from './credential-options.ts';
import { ioredisOptionNames, parseIoredisOptions } from './ioredis-options.ts';
import { type Client, type ClientOptions, commandClassOf } from './link/client.ts';
import type { CredentialsFunction } from './link/credentials.ts';
import { backendOptionNames, type RedisNodeOptions } from './options.ts';
import { type GroupSettings, parseGroup } from './sentinel/sentinel-settings.ts';
import { urlAdvice } from './url-advice.ts';

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
      readonly kind: 'borrowed';
      readonly client: Client;
      readonly address: string;
      readonly group?: GroupSettings | undefined;
    };

const urlForm = "a URL such as 'redis://[user[:password]@]host[:port][/db]', 'rediss://...' or 'unix:///path?db=0'";

const places = "a url string, a plain object with the server's address, or a client";

/** @param field  Where the target stood, for errors. */
export function parseTarget(target: unknown, field = 'target'): Target {
  if (typeof target === 'string') return ownTarget(mergeUrl(parseUrl(target, field), {}, field), {}, field);
  if (target === undefined || target === null) throw unset(field, target);
  const object = expectObject(field, target);
  if (isClient(object)) return lentTarget(object as unknown as Client, field);
  expectSettings(field, target, places, [...ioredisOptionNames, 'url', 'credentials', 'reads']);
  refuseUnsetPlace(object, field);
  const { url, ...beside } = object as RedisNodeOptions;
  refuseBackendOptions({ ...beside }, field);
  const parts = url === undefined ? undefined : parseUrl(expectUrl(`${field}.url`, url), `${field}.url`);
  const { credentials, rest } = takeCredentials(field, withUserOf(parts, beside));
  const given = parseIoredisOptions(field, rest, ['reads']);
  const options = parts === undefined ? given : mergeUrl(parts, given, field);
  if (credentials === undefined) return ownTarget(options, beside, field);
  if (parts?.stated.password !== undefined) {
    const name = `${field}.password`;
    throw InvalidArgumentError.saying(name, 'given by a function and in the url. Give only one.');
  }
  const { username: _, ...clientOptions } = options;
  return ownTarget(clientOptions, beside, field, credentials);
}

function expectUrl(field: string, value: unknown): string {
  if (typeof value === 'object' && value !== null && isClient(value as Record<string, unknown>)) {
    const forms = 'Pass a client directly: new RedisBackend(client), or { id, client } as a node of a ShardedRedis.';
    throw InvalidArgumentError.saying(field, `It is a client. ${forms}`);
  }
  return expectString(field, value);
}

const unset = (field: string, value: undefined | null) =>
  InvalidArgumentError.saying(field, `It is ${value}. Is an environment variable not set?`);

/** @throws {InvalidArgumentError} The place was to be given and is not set; ioredis would go to this machine instead. */
function refuseUnsetPlace(place: Record<string, unknown>, field: string): void {
  const isSet = (name: string) => place[name] !== undefined && place[name] !== null;
  if (['url', 'host', 'path', 'sentinels'].some(isSet)) return;
  const name = ['url', 'host', 'path'].find((each) => Object.hasOwn(place, each));
  if (name !== undefined) throw unset(`${field}.${name}`, place[name] as undefined | null);
}

/** A function for the password alone needs the user, which may be part of the URL. */
function withUserOf(parts: UrlParts | undefined, beside: RedisNodeOptions): RedisNodeOptions {
  const username = parts?.stated.username;
  return username === undefined || beside.username !== undefined ? beside : { ...beside, username };
}

/** Options are data and clients have methods; which class the client is of does not matter. */
const isClient = (object: Record<string, unknown>) =>
  typeof object.sendCommand === 'function' || typeof object.connect === 'function' || object.isCluster === true;

function lentTarget(client: Client, field: string): Target {
  if ('runCommand' in client) {
    throw new InvalidArgumentError(field, 'a client of one server, not a ShardedRedis', client);
  }
  if (client.isCluster) {
    throw new InvalidArgumentError(field, 'a client of one server; Redis Cluster does its own sharding', client);
  }
  if (commandClassOf(client) === undefined || typeof client.duplicate !== 'function') {
    throw new InvalidArgumentError(
      field,
      'a client of ioredis 5 or 6, or of iovalkey; give the url instead of a client of another library',
      client,
    );
  }
  // Clients of ioredis say since 5 whether they are of a cluster; before, only those of a cluster do.
  if (client.isCluster === undefined) {
    const remedy = 'Create it with ioredis 5.4 or newer (npm install "ioredis@>=5.4 <7"), or give the url instead.';
    throw InvalidArgumentError.saying(field, `It is a client of ioredis 4 or older. ${remedy}`);
  }
  refuseBackendOptions({ keyPrefix: client.options.keyPrefix }, `${field}.options`);
  refuseFunction(`${field}.options.password`, (client.options as RedisOptions).password);
  // The client itself is its owner's business. The connections that are made after its pattern are ours.
  const group = parseGroup(`${field}.options`, { ...client.options, path: undefined, reads: undefined });
  return { kind: 'borrowed', client, address: addressOf(client.options), group };
}

function ownTarget(
  options: RedisOptions,
  { reads }: { readonly reads?: unknown },
  field: string,
  credentials?: CredentialsFunction,
): Target {
  refuseTwoPlaces(options, field);
  refuseGroupWithoutSentinels(options, field);
  const group = parseGroup(field, { ...options, reads });
  const allowsReplica = group === undefined && reads === 'replica';
  return { kind: 'own', options, address: addressOf(options), group, credentials, allowsReplica };
}

/** @throws {InvalidArgumentError} The options lead to two places, and ioredis would take either in silence. */
function refuseTwoPlaces({ host, port, path, sentinels }: RedisOptions, field: string): void {
  if (host === undefined && port === undefined) return;
  const name = `${field}.${host === undefined ? 'port' : 'host'}`;
  if (path !== undefined) {
    throw InvalidArgumentError.saying(name, 'cannot be combined with path, which already says where the server is.');
  }
  if (sentinels !== undefined) {
    throw InvalidArgumentError.saying(
      name,
      'cannot be combined with sentinels, which already say where the servers are.',
    );
  }
}

const ofGroups = [
  ...['name', 'natMap', 'preferredSlaves', 'sentinelPassword', 'sentinelUsername', 'sentinelTLS'],
  'enableTLSForSentinelMode',
] as const;

/** @throws {InvalidArgumentError} The sentinels are missing, and ioredis would look for the server at its default place. */
function refuseGroupWithoutSentinels(options: RedisOptions, field: string): void {
  if (options.sentinels !== undefined) return;
  const option = ofGroups.find((each) => options[each] !== undefined);
  if (option === undefined) return;
  const name = `${field}.${option}`;
  throw InvalidArgumentError.saying(name, 'has no effect without sentinels. Add sentinels, or remove it.');
}

/**
 * A URL with options beside it. What is given beside comes before what the URL only implies (the port 6379, plain TLS); where both
 * say something, they have to say the same.
 */
function mergeUrl({ stated, implied }: UrlParts, given: RedisOptions, field: string): RedisOptions {
  for (const name of Object.keys(stated) as (keyof RedisOptions)[]) {
    if (given[name] === undefined || given[name] === stated[name]) continue;
    const option = `${field}.${name}`;
    throw InvalidArgumentError.saying(option, 'contradicts the url. Give only one of the two.');
  }
  const { path, sentinels } = given;
  // A place of another kind overrides what the URL implies.
  const { host: _, port: __, ...impliedOfPlace } = implied;
  const isElsewhere = path !== undefined || sentinels !== undefined;
  return { ...(isElsewhere ? impliedOfPlace : implied), ...given, ...stated };
}

/** @throws {InvalidArgumentError} It is an option of ours, and none of a place. */
function refuseBackendOptions(place: Record<string, unknown>, field: string): void {
  const isGiven = (name: string) => place[name] !== undefined && place[name] !== null && place[name] !== '';
  const misplaced = backendOptionNames.find(isGiven);
  if (misplaced === undefined) return;
  const name = `${field}.${misplaced}`;
  const remedy = 'Set it in the second argument of RedisBackend, or in the options of ShardedRedis.';
  throw InvalidArgumentError.saying(name, `not an option of a server's address. ${remedy}`);
}

/** Names the server in messages. Neither user nor password is part of it. */
function addressOf(options: ClientOptions | RedisOptions): string {
  if (options.path) return options.path;
  if (options.sentinels) return `${options.name ?? 'sentinel'}`;
  const host = options.host ?? 'localhost';
  return `${host.includes(':') ? `[${host}]` : host}:${options.port ?? 6379}`;
}

function badUrl(field: string, text: string): InvalidArgumentError {
  const advice = urlAdvice(text);
  if (advice === undefined) return new InvalidArgumentError(field, urlForm, text);
  return InvalidArgumentError.saying(field, advice);
}

/** Options that a URL states, and those that it only implies. */
interface UrlParts {
  readonly stated: RedisOptions;
  readonly implied: RedisOptions;
}

function parseUrl(text: string, field: string): UrlParts {
  try {
    return text.startsWith('unix:') ? parseUnixUrl(text) : parseNetworkUrl(text);
  } catch {
    // Parsers quote what they were given.
    throw badUrl(field, text);
  }
}

class UrlError extends Error {}

function parseNetworkUrl(text: string): UrlParts {
  const url = new URL(text);
  const isTls = url.protocol === 'rediss:';
  if (!isTls && url.protocol !== 'redis:') throw new UrlError();
  if (url.hash !== '' || url.hostname === 'undefined' || url.hostname === 'null') throw new UrlError();
  const path = url.pathname.replace(/^\//, '');
  const query = parseQuery(url.searchParams, ['db', 'family']);
  if (path !== '' && query.db !== undefined) throw new UrlError();
  const host = decodeURIComponent(url.hostname.replace(/^\[(.*)\]$/, '$1'));
  const stated = {
    ...(host === '' ? {} : { host }),
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    ...parseCredentials(url.username, url.password),
    ...(path === '' ? query : { ...query, db: parseInteger(path) }),
  };
  return {
    stated: parseIoredisOptions('url', stated, []),
    implied: { host: 'localhost', port: 6379, ...(isTls ? { tls: {} } : {}) },
  };
}

/** `unix:///path` and `unix://user:password@/path`; the WHATWG parser knows no user without a host. */
function parseUnixUrl(text: string): UrlParts {
  const parts = /^unix:(?:\/\/(?:([^@/:]*)(?::([^@/]*))?@)?)?(\/(?!\/)[^?#]+)(?:\?([^#]*))?$/.exec(text);
  if (parts === null) throw new UrlError();
  const [, username = '', password = '', path = '', query = ''] = parts;
  const stated = {
    path: decodeURIComponent(path),
    ...parseCredentials(username, password),
    ...parseQuery(new URLSearchParams(query), ['db']),
  };
  return { stated, implied: {} };
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
    if (!known.includes(name) || name in parsed) throw new UrlError();
    parsed[name] = parseInteger(value);
  }
  return parsed;
}

function parseInteger(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new UrlError();
  return Number(text);
}
