/**
 * The differences between the rings of points of several programs, and what they have in common.
 *
 *   N          nodes                                                                count
 *   label      a node's name as the program hashes it; label-0, label-1, ... are hashed, from 0 on
 *   perLabel   points that one such hash gives: words of its digest                 count
 *   counts[n]  labels of node n; it has counts[n] * perLabel points, perhaps none   count
 *
 * Weights are normalised in this family: a node's points depend on all the weights, so that adding a heavy node can move
 * keys between two others. The arithmetic is the program's own, in its precision and order, since a count is cut off to
 * an integer in the end.
 */

import { InvalidArgumentError } from '../../errors/index.ts';
import type { PlacementNode } from '../node.ts';
import type { VirtualNodes } from '../ring/virtual-nodes.ts';

/** Bounds memory, 12 MB, and lets a position and a point's number stand side by side in one double. */
export const maxPoints = 2 ** 21;

export interface PointRule {
  /** Kind and version of the mapping: `ketama/1`. */
  readonly placement: string;
  /** The settings that decide the mapping beside the nodes, as in a snapshot. Plain JSON; the order never changes. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Names what {@link positionOf} does. Equal for two rules whose positions are equal for every key. */
  readonly keyHash: string;
  /** Whether the mapping depends on the order in which the nodes are listed. */
  readonly isOrdered: boolean;
  /** The part of a key that is hashed; absent where that is the whole key. */
  routingKeyOf?(key: string): string;
  /** The position of a key: an integer in [0, 2^32). */
  positionOf(key: string): number;
  /**
   * The points in no order of position; of equal positions the one that stands first owns.
   * @throws {InvalidArgumentError} A weight is not one that the program takes, or there are too many points or none.
   */
  pointsOf(nodes: readonly PlacementNode[]): VirtualNodes;
}

/** A kind of rule: what a snapshot's `placement` names. */
export interface RuleKind {
  readonly placement: string;
  /** Names of the options, which are the snapshot's parameters too. */
  readonly parameters: readonly string[];
  /** @throws {InvalidArgumentError} An option is unknown or out of range. */
  make(options: Readonly<Record<string, unknown>>): PointRule;
}

/**
 * The points of all nodes: for each node its labels in order, for each label its words in order.
 *
 * @param labels  Of each node.
 * @param counts  Of each node.
 * @param write   Writes the `perLabel` positions of a text to `positions`, from `offset` on.
 */
export function labelledPoints(
  labels: readonly string[],
  counts: readonly number[],
  perLabel: number,
  write: (text: string, positions: Uint32Array, offset: number) => void,
): VirtualNodes {
  const total = counts.reduce((sum, count) => sum + count * perLabel, 0);
  if (total > maxPoints) throw new InvalidArgumentError('nodes', `at most ${maxPoints} points in all`, total);
  if (total === 0 && labels.length > 0) {
    throw new InvalidArgumentError('nodes', 'at least one node whose weight gives it a point', total);
  }
  const positions = new Uint32Array(total);
  const owners = new Uint16Array(total);
  let offset = 0;
  for (const [owner, label] of labels.entries()) {
    for (let index = 0; index < counts[owner]!; index++) {
      write(`${label}-${index}`, positions, offset);
      owners.fill(owner, offset, offset + perLabel);
      offset += perLabel;
    }
  }
  return { positions, owners };
}

/**
 * The weights as integers in [1, 2^32), which is what the C programs take.
 * @param maxTotal  The most that they may come to together.
 * @throws {InvalidArgumentError} A weight is none of those, or they come to more.
 */
export function integerWeights(nodes: readonly PlacementNode[], program: string, maxTotal: number): number[] {
  const weights = nodes.map(({ id, weight }) => {
    if (Number.isInteger(weight) && weight < 2 ** 32) return weight;
    throw new InvalidArgumentError(`weight of node ${id}`, `an integer in [1, 2^32 - 1], as in ${program}`, weight);
  });
  const total = sumOf(weights);
  if (total > maxTotal) throw new InvalidArgumentError('weights', `at most ${maxTotal} in all for ${program}`, total);
  return weights;
}

/** The sum, in the order given: doubles round at each step. */
export function sumOf(weights: readonly number[]): number {
  return weights.reduce((sum, weight) => sum + weight, 0);
}

/** The default port of memcached, which labels omit. */
const memcachedPort = ':11211';

/** The label of an address as libmemcached and twemproxy form it. */
export function labelOfAddress(id: string): string {
  return id.endsWith(memcachedPort) && id !== memcachedPort ? id.slice(0, -memcachedPort.length) : id;
}

/**
 * Labels of each node as libmemcached (weighted) and twemproxy count them: 40 a node in proportion to the weights, in
 * single precision (every `fround` is a rounding that the C code has there).
 */
export function weightedLabelCounts(weights: readonly number[]): number[] {
  const { fround } = Math;
  const total = fround(sumOf(weights));
  const nodeCount = fround(weights.length);
  return weights.map((weight) => {
    const part = fround(fround(weight) / total);
    const hashes = fround(fround(fround(fround(part * 160) / 4) * nodeCount) + 1e-10);
    return Math.floor(hashes);
  });
}
