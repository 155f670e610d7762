/** Options of a ShardedRedis: what they mean, and their check. Unknown names and bad values throw, naming the field. */

import type { ChangeOptions } from '../cluster/change-options.ts';
import {
  type ParsedRoutingOptions,
  parseRoutingOptions,
  type RoutingOptions,
  routingOptionNames,
} from '../cluster/options.ts';
import { InvalidArgumentError } from '../errors/index.ts';
import { type NodeInput, type PlacementNode, parseNode } from '../placement/node.ts';
import type { RoutingPolicy } from '../routing/fleet.ts';
import { flag, integer, oneOf, type ParsedBy, parseTable } from '../runtime/option-table.ts';
import { expectIterable, expectObject, expectOptions, expectSettings } from '../runtime/validate.ts';
import {
  ioredisOptionNames,
  type ParsedConnectionOptions,
  parseConnectionOptions,
  parseTarget,
  type RedisClient,
  type RedisNodeOptions,
  type RedisPoolOptions,
  type Target,
  type Transport,
} from '../server/index.ts';

/**
 * A node: its id, its share, and where its server is, as one of
 * - `url`: `redis://[user[:password]@]host[:port][/db]`, `rediss://...` for TLS, `unix:///path?db=0` for a socket file;
 * - `client`: a client of ioredis 5 or 6 that belongs to the application. It is left open by `quit()`;
 * - options of ioredis (`host`, `port`, `tls`, ...; `sentinels` and `name` for a group that Sentinel manages), also
 *   beside `url`. Those about reconnecting, queueing and resending have no effect on the connection that commands use.
 */
export interface ShardedRedisNode extends NodeInput, Omit<RedisNodeOptions, 'keyPrefix'> {
  readonly client?: RedisClient | undefined;
}

export interface ShardedRedisOptions extends RoutingOptions {
  /** The nodes, in any order; at least one. */
  readonly nodes: Iterable<ShardedRedisNode>;

  /** Put before every key, also of scripts. It is not hashed. Channels and SCAN patterns are as you write them. */
  readonly keyPrefix?: string | undefined;

  /** True: connections are made by the first command or by `connect()`. Default false: at once. */
  readonly lazyConnect?: boolean | undefined;

  /** Milliseconds for a connection to be made, and as much again for AUTH and SELECT. Above 0. Default 2,000. */
  readonly connectTimeoutMs?: number | undefined;

  /**
   * True (default): commands that wait for a node leave together, GETs among them as one MGET. False: each is sent by
   * itself.
   */
  readonly batching?: boolean | undefined;

  /**
   * The client on the connection that commands share: `'ioredis'` (default), or `'direct'`, a client of our
   * own that costs about half of the CPU time where many commands are in flight. Not for borrowed clients, nor for groups that
   * Sentinel manages. Transactions, blocking commands and pub/sub use ioredis in both cases.
   */
  readonly transport?: Transport | undefined;

  /**
   * Most bytes of one reply: a server that sends more loses its connection, and the commands on it fail with `ERR_NODE_PROTOCOL`.
   * Each element of an array counts 64 bytes more than it has. Above 0. Default 134,217,728 (128 MiB); servers keep up to
   * 512 MB in one value.
   */
  readonly maxReplyBytes?: number | undefined;

  /** The pool of each node's connections for transactions and `withConnection`. */
  readonly pool?: RedisPoolOptions | undefined;

  /**
   * Blocking commands that can wait at one node at a time, each on a connection of its own. Integer of at least 1; default
   * 100. Further ones wait for a connection, at most `timeoutMs`.
   */
  readonly maxBlocking?: number | undefined;

  /**
   * With copies: whether EVAL and similar commands may run on every holder of their keys. 'deterministic' says that your scripts
   * write the same on each, given the same data (no TIME, no random picks). Default 'refuse'.
   */
  readonly scripts?: 'refuse' | 'deterministic' | undefined;
}

/** Of a change of the nodes. */
export interface RedisChangeOptions extends Pick<ChangeOptions, 'onBusy' | 'signal'> {
  /** Keys that change their node are missed from now on: moving them is for a later release. */
  readonly strategy: 'none';
}

export interface ParsedNode {
  readonly node: PlacementNode;
  readonly target: Target;
  /** As the application gave it. */
  readonly given: ShardedRedisNode;
}

const ownTable = {
  lazyConnect: flag(false),
  maxBlocking: integer(100, 1),
  scripts: oneOf('refuse', 'deterministic'),
};

export interface ParsedShardedRedisOptions
  extends ParsedRoutingOptions,
    ParsedConnectionOptions,
    ParsedBy<typeof ownTable> {
  readonly nodes: readonly ParsedNode[];
  readonly policy: RoutingPolicy;
}

export const names: readonly string[] = [
  'nodes',
  'connectTimeoutMs',
  'maxReplyBytes',
  'keyPrefix',
  'batching',
  'transport',
  'pool',
  ...Object.keys(ownTable),
  ...routingOptionNames,
];

/** The same options, with nodes that can be read again; a generator would give them only once. */
export function rereadable(options: ShardedRedisOptions): ShardedRedisOptions {
  // `parseOptions` reports what is wrong with them.
  const nodes: unknown = options?.nodes;
  if (typeof nodes !== 'object' || nodes === null || !(Symbol.iterator in nodes)) return options;
  return Array.isArray(nodes) ? options : { ...options, nodes: [...expectIterable('nodes', options.nodes)] };
}

/** @throws {InvalidArgumentError} */
export function parseOptions(input: unknown): ParsedShardedRedisOptions {
  const known = [...names, ...ioredisOptionNames];
  const options = expectSettings('options', input, `a plain object (${names.join(', ')})`, known);
  refuseOptionsOfOneClient(options);
  const given = expectOptions('options', options, names);
  const nodes = parseNodes(given.nodes);
  const routing = parseRoutingOptions(
    given,
    nodes.map(({ node }) => node),
  );
  return {
    ...routing,
    policy: policyOf(routing),
    ...parseConnectionOptions('', given),
    ...parseTable(ownTable, given),
    nodes,
  };
}

/** Also what a library that duplicates its client asks for: the copy is to be a connection of its own. */
function refuseOptionsOfOneClient(given: Record<string, unknown>): void {
  const name = Object.keys(given).find((key) => ioredisOptionNames.includes(key) && !names.includes(key));
  if (name === undefined) return;
  throw InvalidArgumentError.saying(
    `options.${name}`,
    'an option of one connection, but a ShardedRedis has one for each node. Set it in nodes. ' +
      "If a library such as BullMQ sets it, pass that library redis.nodeFor('{queue}') instead of the whole client.",
  );
}

function parseNodes(input: unknown): ParsedNode[] {
  const nodes = [...expectIterable('nodes', input as Iterable<unknown>)].map((node, index) =>
    parseRedisNode(`nodes[${index}]`, node),
  );
  if (nodes.length === 0) throw new InvalidArgumentError('nodes', 'at least one node', []);
  const clients = nodes.map(({ target }) => (target.kind === 'borrowed' ? target.client : target));
  const repeated = clients.findIndex((client, index) => clients.indexOf(client) !== index);
  if (repeated !== -1) {
    throw new InvalidArgumentError(`nodes[${repeated}].client`, 'a client that no other node has', clients[repeated]);
  }
  return nodes;
}

/** @throws {InvalidArgumentError} */
export function parseRedisNode(field: string, input: unknown): ParsedNode {
  if (typeof input === 'string') {
    throw InvalidArgumentError.saying(field, "A node needs an id as well as a url: { id: 'cache-1', url }.");
  }
  const { id, weight, zone, client, ...place } = expectObject(field, input);
  if ('backend' in place) {
    const name = `${field}.backend`;
    throw InvalidArgumentError.saying(name, "A ShardedRedis makes its own connections. Give the node's url instead.");
  }
  // Commands have one connection and one form of replies: ignored, these would change results in silence.
  if (place.stringNumbers === true) throw new InvalidArgumentError(`${field}.stringNumbers`, 'false', true);
  if (place.replyMapping === 'resp3') throw new InvalidArgumentError(`${field}.replyMapping`, "'legacy'", 'resp3');
  return {
    node: parseNode(field, { id, weight, zone }),
    target: targetOf(field, client, place),
    given: input as ShardedRedisNode,
  };
}

function targetOf(field: string, client: unknown, place: Record<string, unknown>): Target {
  const saysWhere = Object.values(place).some((value) => value !== undefined);
  if (client === undefined) {
    if (saysWhere || 'url' in place || 'host' in place) return parseTarget(place, field);
    throw new InvalidArgumentError(field, "a url, a client, or options of ioredis with the server's address", place);
  }
  if (saysWhere) {
    throw InvalidArgumentError.saying(`${field}.client`, 'cannot be combined with a url or other options.');
  }
  const target = parseTarget(expectObject(`${field}.client`, client), `${field}.client`);
  if (target.kind !== 'borrowed') {
    throw new InvalidArgumentError(`${field}.client`, 'a client of ioredis; a url or options belong beside id', client);
  }
  expectLegacyReplies(field, client);
  return target;
}

/** Replies in the forms of RESP3 would be neither merged nor replicated rightly. */
function expectLegacyReplies(field: string, client: unknown): void {
  const { options } = client as { readonly options?: { readonly replyMapping?: unknown } };
  if (options?.replyMapping !== 'resp3') return;
  throw new InvalidArgumentError(`${field}.client.options.replyMapping`, "'legacy'", 'resp3');
}

/** A key has its type and its data where it belongs, or nowhere: no fallback nodes, and nothing is copied back. */
function policyOf({ timeoutMs, writeConsistency }: ParsedRoutingOptions): RoutingPolicy {
  return {
    timeoutMs,
    writeConsistency,
    whenDown: 'fail',
    spillTtlMs: Number.POSITIVE_INFINITY,
    confirmMisses: false,
    readRepair: false,
  };
}
