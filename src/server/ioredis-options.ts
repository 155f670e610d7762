/**
 * The options of ioredis, 5 and 6: which there are, and what each may be.
 *
 * ioredis ignores a misspelt option and takes any value, which would lead to another server than is meant, or fail much later
 * and elsewhere. The compiler holds the list complete.
 */

import { isIP } from 'node:net';
import type { RedisOptions } from 'ioredis';
import { InvalidArgumentError } from '../errors/index.ts';
import {
  expectBoolean,
  expectFunction,
  expectInteger,
  expectKnown,
  expectObject,
  expectOneOf,
  expectPositive,
  expectSettings,
  expectString,
  maxDelayMs,
} from '../runtime/validate.ts';

/** Gives the value back, as a number where it is the text of one. @throws {InvalidArgumentError} */
type Check = (field: string, value: unknown) => unknown;

/** For what has a check of its own, is decided by us, or does nothing but in ioredis' inside. */
const unchecked: Check = (_field, value) => value;

const checks: Readonly<Record<keyof RedisOptions | 'offlineQueue' | 'commandQueue' | 'scripts', Check>> = {
  autoPipeliningIgnoredCommands: unchecked,
  autoResendUnfulfilledCommands: expectBoolean,
  autoResubscribe: expectBoolean,
  blockingTimeout: expectMilliseconds,
  blockingTimeoutGrace: expectMilliseconds,
  clientInfoTag: expectString,
  commandQueue: expectBoolean,
  commandTimeout: expectMilliseconds,
  connectionName: expectString,
  Connector: expectFunction,
  connectTimeout: expectMilliseconds,
  db: (field, value) => expectInteger(field, numberOf(value), 0, 2 ** 31 - 1),
  disableClientInfo: expectBoolean,
  disconnectTimeout: expectMilliseconds,
  enableAutoPipelining: expectBoolean,
  enableOfflineQueue: expectBoolean,
  enableReadyCheck: expectBoolean,
  enableTLSForSentinelMode: expectBoolean,
  failoverDetector: expectBoolean,
  family: expectFamily,
  himportFieldsets: expectFieldsets,
  host: expectHost,
  keepAlive: expectMilliseconds,
  keyPrefix: expectString,
  lazyConnect: expectBoolean,
  maxLoadingRetryTime: expectMilliseconds,
  maxRetriesPerRequest: (field, value) => (value === null ? null : expectInteger(field, value, 0)),
  monitor: (field, value) => expectNoMonitor(field, value),
  name: expectString,
  natMap: unchecked,
  noDelay: expectBoolean,
  offlineQueue: expectBoolean,
  password: expectString,
  path: expectPath,
  port: expectPort,
  preferredSlaves: expectPreference,
  protocol: (field, value) => expectInteger(field, value, 2, 3),
  readOnly: expectBoolean,
  reconnectOnError: expectFunction,
  replyMapping: (field, value) => expectOneOf(field, value, ['legacy', 'resp3']),
  // ioredis takes anything that is no function for "do not".
  retryStrategy: unchecked,
  role: (field, value) => expectOneOf(field, value, ['master', 'slave']),
  scripts: expectScripts,
  sentinelCommandTimeout: (field, value) => expectPositive(field, value, maxDelayMs),
  sentinelMaxConnections: (field, value) => expectInteger(field, value, 1),
  sentinelPassword: expectString,
  sentinelReconnectStrategy: unchecked,
  sentinelRetryStrategy: unchecked,
  sentinels: unchecked,
  sentinelTLS: expectTls,
  sentinelUsername: expectString,
  showFriendlyErrorStack: expectBoolean,
  socketTimeout: expectMilliseconds,
  stringNumbers: expectBoolean,
  tls: expectTls,
  updateSentinels: expectBoolean,
  username: expectString,
};

export const ioredisOptionNames: readonly string[] = Object.keys(checks);

/** Options for which null does not mean "not given", but "without end" or "do not". */
const nullSaysSomething: ReadonlySet<string> = new Set([
  'maxRetriesPerRequest',
  'retryStrategy',
  'sentinelReconnectStrategy',
  'sentinelRetryStrategy',
]);

/**
 * The options that are given, without those that are undefined or null.
 * @param alsoKnown  Names that are the caller's own, and are left out.
 * @throws {InvalidArgumentError} Names the option. The message shows no value that may be a secret.
 */
export function parseIoredisOptions(field: string, input: object, alsoKnown: readonly string[]): RedisOptions {
  const options = expectKnown(field, input, [...ioredisOptionNames, ...alsoKnown]);
  const given: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || alsoKnown.includes(name)) continue;
    if (value === null && !nullSaysSomething.has(name)) continue;
    given[name] = checks[name as keyof typeof checks](`${field}.${name}`, value);
  }
  return given as RedisOptions;
}

function expectMilliseconds(field: string, value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= maxDelayMs)) {
    throw new InvalidArgumentError(field, `milliseconds in [0, ${maxDelayMs}]`, value);
  }
  return value;
}

/** A number where the value is the text of one, which ioredis takes too: settings often come from the environment. */
function numberOf(value: unknown): unknown {
  return typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value;
}

export function expectPort(field: string, value: unknown): number {
  return expectInteger(field, numberOf(value), 1, 65_535);
}

export function expectHost(field: string, value: unknown): string {
  const host = expectString(field, value);
  if (host === 'undefined' || host === 'null') {
    throw InvalidArgumentError.saying(field, `It is the string '${host}'. Is an environment variable not set?`);
  }
  // Anything else would be asked of a name server, and fail as a name that is not known.
  if (isIP(host) === 0 && !/^[^\s/:@?#[\]]+$/.test(host)) {
    throw new InvalidArgumentError(field, 'a host name or an IP address, without port and brackets', host);
  }
  return host;
}

/** A connection that monitors takes no commands. */
function expectNoMonitor(field: string, value: unknown): boolean {
  if (expectBoolean(field, value))
    throw new InvalidArgumentError(field, 'false, because a node has to serve commands', value);
  return false;
}

/** The same forms as in ioredis: a function, or one or several of `{ ip, port, prio }`. */
function expectPreference(field: string, value: unknown): unknown {
  if (typeof value === 'function' || (typeof value === 'object' && value !== null)) return value;
  throw new InvalidArgumentError(field, 'a function, or { ip, port } of the preferred replicas', value);
}

function expectPath(field: string, value: unknown): string {
  const path = expectString(field, value);
  if (path === '') throw new InvalidArgumentError(field, 'the path of a socket file', path);
  return path;
}

function expectFamily(field: string, value: unknown): number {
  if (value !== 0 && value !== 4 && value !== 6) throw new InvalidArgumentError(field, '4, 6 or 0 (either)', value);
  return value;
}

/** The same forms as in ioredis, which throws a plain TypeError for others. */
function expectFieldsets(field: string, value: unknown): unknown {
  const isText = (part: unknown) => typeof part === 'string' || Buffer.isBuffer(part);
  const isFieldset = (part: unknown) => {
    const { name, fields } = (part ?? {}) as { readonly name?: unknown; readonly fields?: unknown };
    return isText(name) && Array.isArray(fields) && fields.every(isText);
  };
  if (Array.isArray(value) && value.every(isFieldset)) {
    if (new Set(value.map(({ name }) => String(name))).size === value.length) return value;
  }
  throw new InvalidArgumentError(field, 'an array of { name, fields } with different names', value);
}

function expectScripts(field: string, value: unknown): object {
  const scripts = expectSettings(field, value);
  for (const [name, script] of Object.entries(scripts)) {
    expectString(`${field}.${name}.lua`, expectObject(`${field}.${name}`, script).lua);
  }
  return scripts;
}

/** Node.js says at each connection what is wrong with other options; these it takes for something else, or for a fault of its own. */
const ofTls = { checkServerIdentity: expectFunction, rejectUnauthorized: expectBoolean, servername: expectString };

function expectTls(field: string, value: unknown): object {
  const tls = expectSettings(field, value, "options of Node.js' tls.connect; {} for TLS without any");
  for (const [name, check] of Object.entries(ofTls)) {
    if (tls[name] !== undefined && tls[name] !== null) check(`${field}.${name}`, tls[name]);
  }
  return tls;
}
