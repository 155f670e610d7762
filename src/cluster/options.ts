/** The options that both faces share: which nodes hold a key, how long a call may take, how nodes are watched. */

import { InvalidArgumentError } from '../errors/index.ts';
import type { PlacementNode } from '../placement/node.ts';
import type { Placement } from '../placement/placement.ts';
import type { HashRing, HashRingOptions } from '../placement/ring/hash-ring.ts';
import type { ConsistencyLevel } from '../routing/query-plan.ts';
import { type Clock, parseClock } from '../runtime/clock.ts';
import { flag, integer, oneOf, type ParsedBy, parseTable } from '../runtime/option-table.ts';
import { expectOptions, maxDelayMs } from '../runtime/validate.ts';
import { type PlacementMaker, parsePlacement, ringOptionNames } from './parse-placement.ts';

export interface HealthOptions {
  /** Milliseconds between two PINGs of a node. Integer of at least 10; default 500. */
  readonly probeIntervalMs?: number | undefined;
  /** Milliseconds after which a PING counts as failed. Integer of at least 1; default 500. */
  readonly probeTimeoutMs?: number | undefined;
}

export interface RoutingOptions {
  /**
   * Nodes that hold each key. Integer from 1 to the number of nodes; default 1. With 2 or more, reads survive the loss
   * of a node, and every write costs as many round trips, in parallel.
   */
  readonly replicationFactor?: number | undefined;

  /**
   * Required acknowledgements of a write: from 'one' of the key's nodes, from a 'quorum' (more than half of them), or from
   * 'all'. Default 'one'. The other nodes are written too; a node that cannot be written is reported by the event `writeMissed`.
   */
  readonly writeConsistency?: ConsistencyLevel | undefined;

  /**
   * Milliseconds after which a call has ended, queueing, connecting and failover included. Integer of at least 1;
   * default 1,000. A read divides what is left of it among the nodes it may still have to try.
   */
  readonly timeoutMs?: number | undefined;

  readonly health?: HealthOptions | undefined;

  /**
   * Whether two nodes may be the same server, as in tests on one machine. Default false: it is found as they connect, and the
   * node that comes later (of those given together, the one with the higher id) ends its calls with `ERR_WRONG_SERVER`. Nodes
   * with `replicationFactor` 1 whose databases or prefixes keep their keys apart are only reported, by the event
   * `sharedServer`. With true, copies on one server are lost together, and moves between nodes that share keys lose values.
   */
  readonly allowSharedServers?: boolean | undefined;

  /**
   * How keys are placed on nodes: a placement of the very nodes in `nodes`, or a function that makes one of them, in the
   * order given. Default: a {@link HashRing}, with `virtualNodes`, `slots` and `hashSeed`. A placement's own weights and
   * zones count; nodes may leave them out. Equal in all processes that share the nodes.
   */
  readonly placement?: Placement | PlacementMaker | undefined;

  /** See {@link HashRingOptions}; not beside `placement`. Equal in all processes that share the nodes, and never changed afterwards. */
  readonly virtualNodes?: number | undefined;
  readonly slots?: number | undefined;
  readonly hashSeed?: number | undefined;

  /** Time, for tests. Default: the system's. */
  readonly clock?: Clock | undefined;
}

const healthTable = {
  probeIntervalMs: integer(500, 10, maxDelayMs),
  probeTimeoutMs: integer(500, 1, maxDelayMs),
};

const table = {
  replicationFactor: integer(1, 1),
  writeConsistency: oneOf('one', 'quorum', 'all'),
  timeoutMs: integer(1_000, 1, maxDelayMs),
  health: (field: string, given: unknown) =>
    parseTable(healthTable, expectOptions(field, given ?? {}, Object.keys(healthTable)), `${field}.`),
  allowSharedServers: flag(false),
  clock: parseClock,
};

export const routingOptionNames: readonly string[] = [...Object.keys(table), 'placement', ...ringOptionNames];

export interface ParsedRoutingOptions extends ParsedBy<typeof table> {
  readonly placement: Placement;
}

/** @throws {InvalidArgumentError} Names the field, what was expected and what came. */
export function parseRoutingOptions(
  given: Readonly<Record<string, unknown>>,
  nodes: readonly PlacementNode[],
): ParsedRoutingOptions {
  const parsed = parseTable(table, given);
  const { replicationFactor } = parsed;
  if (nodes.length > 0 && replicationFactor > nodes.length) {
    const expected = `at most the number of nodes, ${nodes.length}`;
    throw new InvalidArgumentError('replicationFactor', expected, replicationFactor);
  }
  return { ...parsed, placement: parsePlacement(given, nodes, replicationFactor) };
}
