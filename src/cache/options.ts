/** The cache's options: parsed once, in full, when it is made. Unknown keys and bad values throw, naming the field. */

import type { Backend } from '../backend/backend.ts';
import { checkBackend } from '../backend/check-backend.ts';
import { backendAdvice } from '../backend/not-a-backend.ts';
import {
  type ParsedRoutingOptions,
  parseRoutingOptions,
  type RoutingOptions,
  routingOptionNames,
} from '../cluster/options.ts';
import { InvalidArgumentError } from '../errors/index.ts';
import { type NodeInput, type PlacementNode, parseNode } from '../placement/node.ts';
import type { RoutingPolicy } from '../routing/fleet.ts';
import type { WhenDown } from '../routing/query-plan.ts';
import { flag, integer, oneOf, type ParsedBy, parseTable } from '../runtime/option-table.ts';
import { expectInteger, expectIterable, expectOptions, expectSignal, maxDelayMs } from '../runtime/validate.ts';
import type { LoadOptions, WhenUnavailable } from './call-options.ts';
import { type CodecOption, parseCodec } from './codecs.ts';

/** A node and the backend behind it. The cache closes the backend when it is closed or the node removed. */
export interface CacheNode extends NodeInput {
  readonly backend: Backend;
}

export interface ShardedCacheOptions<Stored = unknown> extends RoutingOptions, LoadOptions {
  /** The nodes, in any order. May be empty; calls then reject with `ERR_NO_NODES` until a node is added. */
  readonly nodes: Iterable<CacheNode>;

  /**
   * What happens to the keys of a node that is down and has no live replica. 'fail' (default): calls reject with a
   * typed error. 'spill': the next live nodes are fallback nodes, which prefers misses and some staleness to errors.
   */
  readonly whenDown?: WhenDown | undefined;

  /**
   * Longest life of a value written to a fallback node (`whenDown: 'spill'`), in milliseconds. Integer of at least 1;
   * default 60,000. It bounds how long a fallback node can serve a value that has been overwritten at the key's own node.
   */
  readonly spillTtlMs?: number | undefined;

  /**
   * With replicas: whether a miss is answered only after every live holder has missed. Default true, so that a node
   * that lost its keys hides nothing; it costs a second round trip for each real miss. False: one miss is enough.
   */
  readonly confirmMisses?: boolean | undefined;

  /** With replicas: whether a value found at a replica is put back, with its expiry, where it was missed. Default false. */
  readonly readRepair?: boolean | undefined;

  /** How values become bytes: 'json' (default), 'bytes', or your own. */
  readonly codec?: CodecOption<Stored> | undefined;

  /** Life of values that are set without `ttlMs`, in milliseconds. Integer of at least 1, or Infinity (default). */
  readonly defaultTtlMs?: number | undefined;
}

export interface ParsedNode {
  readonly node: PlacementNode;
  readonly backend: Backend;
}

const policyTable = {
  whenDown: oneOf('fail', 'spill'),
  spillTtlMs: integer(60_000, 1),
  confirmMisses: flag(true),
  readRepair: flag(false),
};

const ownTable = {
  codec: parseCodec,
  defaultTtlMs: (field: string, given: unknown) => parseTtl(field, given) ?? Number.POSITIVE_INFINITY,
  whenUnavailable: oneOf('load', 'fail'),
  loadTimeoutMs: parseLoadTimeout,
  maxUnavailableLoads: integer(100, 1),
};

export const names: readonly string[] = [
  'nodes',
  ...routingOptionNames,
  ...Object.keys(policyTable),
  ...Object.keys(ownTable),
];

export interface ParsedOptions extends ParsedRoutingOptions, ParsedBy<typeof ownTable> {
  readonly nodes: readonly ParsedNode[];
  readonly policy: RoutingPolicy;
}

/** @throws {InvalidArgumentError} Names the field, what was expected and what came. */
export function parseOptions(input: unknown): ParsedOptions {
  const given = expectOptions('options', input, names);
  const nodes = parseNodes(given.nodes);
  const routing = parseRoutingOptions(
    given,
    nodes.map(({ node }) => node),
  );
  const { timeoutMs, writeConsistency } = routing;
  const policy = { timeoutMs, writeConsistency, ...parseTable(policyTable, given) };
  return { ...routing, ...parseTable(ownTable, given), nodes, policy };
}

function parseLoadTimeout(field: string, value: unknown): number | undefined {
  return value === undefined ? undefined : expectInteger(field, value, 1, maxDelayMs);
}

function parseNodes(input: unknown): ParsedNode[] {
  const nodes = [...expectIterable('nodes', input as Iterable<unknown>)].map((node, index) =>
    parseCacheNode(`nodes[${index}]`, node),
  );
  for (const [index, { backend }] of nodes.entries()) {
    if (nodes.findIndex((other) => other.backend === backend) === index) continue;
    throw new InvalidArgumentError(`nodes[${index}].backend`, 'a backend that no other node has', backend);
  }
  return nodes;
}

/** @throws {InvalidArgumentError} */
export function parseCacheNode(field: string, input: unknown): ParsedNode {
  // Callers who omit `backend` often give what belongs into one, such as a client or a URL.
  const advice = backendAdvice((input as Partial<ParsedNode> | null | undefined)?.backend ?? input);
  if (advice !== undefined) throw InvalidArgumentError.saying(`${field}.backend`, advice);
  const { backend, ...node } = expectOptions(field, input, ['id', 'backend', 'weight', 'zone']);
  const checked = checkBackend(`${field}.backend`, backend);
  return { node: parseNode(field, node), backend: checked };
}

/** Milliseconds to live: an integer of at least 1, or Infinity for a value that stays; undefined where none is given. */
const ttlExpected = 'an integer of at least 1 (milliseconds), or Infinity';

export function parseTtl(field: string, value: unknown): number | undefined {
  if (value === undefined || value === Number.POSITIVE_INFINITY) return value;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError(field, ttlExpected, value);
  }
  return value;
}

/** The same where one must be given. */
export function expectTtl(field: string, value: unknown): number {
  const ttlMs = parseTtl(field, value);
  if (ttlMs === undefined) throw new InvalidArgumentError(field, ttlExpected, value);
  return ttlMs;
}

export interface CallSettings {
  readonly signal: AbortSignal | undefined;
  readonly ttlMs: number | undefined;
  readonly staleWhileRevalidateMs: number | undefined;
  readonly whenUnavailable: WhenUnavailable | undefined;
  readonly loadTimeoutMs: number | undefined;
}

const noSettings: CallSettings = {
  signal: undefined,
  ttlMs: undefined,
  staleWhileRevalidateMs: undefined,
  whenUnavailable: undefined,
  loadTimeoutMs: undefined,
};

/** The options of one call. @param known  The names that this call takes. */
export function parseCallOptions(options: unknown, known: readonly string[]): CallSettings {
  if (options === undefined) return noSettings;
  const given = expectOptions('options', options, known);
  const stale = given.staleWhileRevalidateMs;
  return {
    signal: expectSignal('options.signal', given.signal),
    ttlMs: parseTtl('options.ttlMs', given.ttlMs),
    staleWhileRevalidateMs: stale === undefined ? undefined : expectInteger('options.staleWhileRevalidateMs', stale, 1),
    whenUnavailable:
      given.whenUnavailable === undefined
        ? undefined
        : ownTable.whenUnavailable('options.whenUnavailable', given.whenUnavailable),
    loadTimeoutMs: parseLoadTimeout('options.loadTimeoutMs', given.loadTimeoutMs),
  };
}
