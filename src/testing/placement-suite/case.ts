/** A case of the placement suite, and the few tools that all cases share. */

import assert from 'node:assert/strict';
import { type InvalidArgumentError, isShardringError, type ShardringErrorCode } from '../../errors/index.ts';
import type { NodeId, NodeInput } from '../../placement/node.ts';
import type { Placement } from '../../placement/placement.ts';
import type { Random } from '../../runtime/random.ts';

/**
 * Features that a kind of placement may lack, with a reason.
 *
 * 'weights': nodes of weights other than 1, and changing them; a kind without must refuse them. 'zones': lists visit
 * every zone once before any twice. 'arcs': it is an `ArcPlacement`, so that plans are exact. 'anyOrder': the order in
 * which nodes are given decides nothing. 'anyRemoval': every node may leave, and not the last of `nodes` alone; a kind
 * without must refuse others. 'historyFree': the nodes there are decide, and not how they came and went.
 * 'minimalReplicas': a change lets at most one node into a key's first nodes, and one out. 'balance': alike nodes have
 * about as many keys. 'keyShares': `shares()` are those of any large set of keys. 'hashTags': keys of one `{tag}` are
 * placed alike. 'anyId': every id that a node may have. 'noNodes': a placement may be empty.
 */
export type PlacementFeature = (typeof placementFeatures)[number];

export const placementFeatures = [
  'weights',
  'zones',
  'arcs',
  'anyOrder',
  'anyRemoval',
  'historyFree',
  'minimalReplicas',
  'balance',
  'keyShares',
  'hashTags',
  'anyId',
  'noNodes',
] as const;

/** The tools of a case. */
export interface PlacementContext {
  /** In the order in which they were given. */
  readonly nodes: readonly NodeInput[];
  /** The placement of them, made for this case alone. */
  readonly placement: Placement;
  /** A node to add. */
  readonly newcomer: NodeInput;
  /** Makes another placement; without a length of lists, for the same as `placement`. */
  create(nodes: readonly NodeInput[], replicationFactor?: number): Placement;
  restore(snapshot: unknown): Placement;
  supports(feature: PlacementFeature): boolean;
  /** Part of the keys that a change may move needlessly. */
  readonly needlessMoves: number;
  /** Keys to try; the same ones every time, and fewer of them are the first of more. */
  keys(count: number): readonly string[];
}

export interface PlacementCase {
  /** A sentence about a placement that keeps the contract. */
  readonly title: string;
  /** Without one of these the case is skipped, with the adapter's reason in its title. */
  readonly needs?: readonly PlacementFeature[];
  /** The case is only about kinds that lack this, and about how they refuse it. */
  readonly without?: PlacementFeature;
  /** Fewer nodes leave nothing to look at. Default 1. */
  readonly minNodes?: number;
  run(context: PlacementContext): void;
}

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** 1 to 24 lower-case letters and digits, mostly 8 or more. */
export function plainKey(random: Random): string {
  const length = random() < 0.02 ? 1 + Math.floor(random() * 7) : 8 + Math.floor(random() * 17);
  let key = '';
  for (let index = 0; index < length; index++) key += letters[Math.floor(random() * letters.length)];
  return key;
}

export const idsOf = ({ nodes }: Placement): NodeId[] => nodes.map(({ id }) => id);

/** All nodes in preference order, for each key. */
export function ordersOf(placement: Placement, keys: readonly string[]): (readonly NodeId[])[] {
  return keys.map((key) => placement.preferenceList(key, placement.nodes.length));
}

/** Compares two placements on these keys. Names no key: a failing one is reported by its place in the sample. */
export function assertMapsAlike(actual: Placement, expected: Placement, keys: readonly string[], what: string): void {
  assert.deepEqual(idsOf(actual), idsOf(expected), `${what}: nodes`);
  const [orders, expectedOrders] = [ordersOf(actual, keys), ordersOf(expected, keys)];
  for (const [index, order] of orders.entries())
    assert.deepEqual(order, expectedOrders[index], `${what}: key ${index}`);
  assert.equal(actual.checksum, expected.checksum, `${what}: checksum`);
}

/** Nodes that may leave: all, or the last alone. */
export function removableIds({ placement, supports }: PlacementContext): NodeId[] {
  const ids = idsOf(placement);
  return supports('anyRemoval') ? ids : ids.slice(-1);
}

/** @param field  What the error must name, where it names a field. */
export function assertThrowsCode(call: () => unknown, code: ShardringErrorCode, what: string, field?: RegExp): void {
  let error: unknown;
  try {
    const returned = call();
    error = `nothing, and returned ${typeof returned}`;
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(isShardringError(error) && error.code === code, `${what}: expected an error ${code}, got ${error}`);
  if (field !== undefined) assert.match((error as InvalidArgumentError).field, field, what);
}
