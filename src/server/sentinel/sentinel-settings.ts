/**
 * A node that is a group which Redis Sentinel manages: its options, checked.
 *
 * The names are ioredis' (`sentinels`, `name`, `sentinelPassword`, `natMap`, ...), and mean what they mean there.
 */

import type { ConnectionOptions } from 'node:tls';
import type { RedisOptions } from 'ioredis';
import { InvalidArgumentError } from '../../errors/index.ts';
import {
  expectBoolean,
  expectFunction,
  expectInteger,
  expectObject,
  expectOneOf,
  expectOptions,
} from '../../runtime/validate.ts';
import { refuseFunction } from '../credential-options.ts';
import { expectHost, expectPort } from '../ioredis-options.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** For a group: where its reads go. For a single server: whether it may be a replica. */
export type Reads = 'master' | 'replica';

/** The role of a server in its group, in the words of ioredis. */
export type Role = 'master' | 'slave';

export interface GroupSettings {
  /** The group's name at the sentinels. */
  readonly name: string;
  readonly sentinels: readonly Address[];
  readonly reads: Reads;
  /** From the address that sentinels report to the one at which we reach it. */
  readonly translate: (address: Address) => Address;
  /** Undefined: no TLS to the group's servers. */
  readonly tls: ConnectionOptions | undefined;
  /** IP version of the group's servers, 0 for either. */
  readonly family: number | undefined;
  /** To connect to a sentinel: credentials, TLS and the like. */
  readonly sentinelOptions: RedisOptions;
  readonly preferredReplicas: RedisOptions['preferredSlaves'];
  /** True: sentinels that the given ones know are asked too. */
  readonly learnsSentinels: boolean;
  /** Most sentinels watched at a time. */
  readonly maxWatched: number;
  /** For a sentinel to be connected to and to answer, in milliseconds. */
  readonly askTimeoutMs: number;
}

const defaultSentinelPort = 26_379;

/** "Usually in the order of few hundreds of milliseconds", says the Sentinel client specification. */
const defaultAskTimeoutMs = 500;

/**
 * @param options  Of ioredis, with `reads`.
 * @returns Undefined if the node is one server.
 */
export function parseGroup(field: string, options: Record<string, unknown>): GroupSettings | undefined {
  const reads = expectOneOf(`${field}.reads`, options.reads ?? 'master', ['master', 'replica']);
  const { sentinels, name } = options;
  if (sentinels === undefined || sentinels === null) return undefined;
  if (!Array.isArray(sentinels) || sentinels.length === 0) {
    throw new InvalidArgumentError(`${field}.sentinels`, 'an array of at least one { host, port }', sentinels);
  }
  if (typeof name !== 'string' || name === '') {
    throw new InvalidArgumentError(`${field}.name`, 'the name by which the sentinels know the group', name);
  }
  refuseMeaningless(field, options);
  refuseFunction(`${field}.sentinelPassword`, options.sentinelPassword);
  const redisOptions = options as RedisOptions;
  return {
    name,
    sentinels: sentinels.map((sentinel, index) => parseSentinel(`${field}.sentinels[${index}]`, sentinel)),
    reads,
    translate: translator(field, options.natMap),
    tls: redisOptions.enableTLSForSentinelMode ? redisOptions.tls : undefined,
    family: redisOptions.family,
    sentinelOptions: sentinelOptionsOf(redisOptions),
    preferredReplicas: redisOptions.preferredSlaves,
    learnsSentinels: expectBoolean(`${field}.updateSentinels`, options.updateSentinels ?? true),
    maxWatched: expectInteger(`${field}.sentinelMaxConnections`, options.sentinelMaxConnections ?? 10, 1),
    askTimeoutMs: redisOptions.sentinelCommandTimeout ?? defaultAskTimeoutMs,
  };
}

function refuseMeaningless(field: string, options: Record<string, unknown>): void {
  const { role, path, tls, enableTLSForSentinelMode } = options;
  if (role !== undefined && role !== 'master') {
    throw InvalidArgumentError.saying(`${field}.role`, "not supported. Use reads: 'replica' to read from replicas.");
  }
  if (path !== undefined && path !== null) {
    const reason = 'cannot be combined with sentinels, which already say where the servers are.';
    throw InvalidArgumentError.saying(`${field}.path`, reason);
  }
  // ioredis would talk in the clear to servers for which `tls` is given.
  if (tls !== undefined && tls !== null && enableTLSForSentinelMode === undefined) {
    throw new InvalidArgumentError(
      `${field}.enableTLSForSentinelMode`,
      "true, so that 'tls' applies to the group's servers; 'sentinelTLS' is for the sentinels",
      enableTLSForSentinelMode,
    );
  }
}

function parseSentinel(field: string, sentinel: unknown): Address {
  const { host, port } = expectOptions(field, sentinel, ['host', 'port', 'family']);
  return {
    host: expectHost(`${field}.host`, host ?? '127.0.0.1'),
    port: expectPort(`${field}.port`, port ?? defaultSentinelPort),
  };
}

function sentinelOptionsOf(options: RedisOptions): RedisOptions {
  const { sentinelUsername, sentinelPassword, sentinelTLS, family } = options;
  return {
    ...(sentinelUsername ? { username: sentinelUsername } : {}),
    ...(sentinelPassword ? { password: sentinelPassword } : {}),
    ...(sentinelTLS ? { tls: sentinelTLS } : {}),
    ...(family === undefined ? {} : { family }),
  };
}

export const textOf = ({ host, port }: Address): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** ioredis' `natMap`: a table or a function, keyed by `host:port` without brackets. What it does not know stays. */
function translator(field: string, natMap: unknown): (address: Address) => Address {
  if (natMap === undefined || natMap === null) return (address) => address;
  const lookUp =
    typeof natMap === 'function'
      ? (expectFunction(`${field}.natMap`, natMap) as (key: string) => unknown)
      : tableLookUp(parseTable(`${field}.natMap`, expectObject(`${field}.natMap`, natMap)));
  return (address) => {
    const found = lookUp(`${address.host}:${address.port}`);
    if (found === undefined || found === null) return address;
    const { host, port } = found as Address;
    return { host, port: Number(port) };
  };
}

function parseTable(field: string, table: Record<string, unknown>): Record<string, Address> {
  const addresses = Object.entries(table).map(([from, to]): [string, Address] => {
    const { host, port } = expectOptions(`${field}['${from}']`, to, ['host', 'port']);
    return [
      from,
      { host: expectHost(`${field}['${from}'].host`, host), port: expectPort(`${field}['${from}'].port`, port) },
    ];
  });
  return Object.fromEntries(addresses);
}

const tableLookUp = (table: Record<string, unknown>) => (key: string) =>
  Object.hasOwn(table, key) ? table[key] : undefined;
