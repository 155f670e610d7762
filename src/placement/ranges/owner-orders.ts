/**
 * The preference order of all nodes for what one of them owns: the owner, then the others by weighted rendezvous.
 *
 * A node's score depends on the owner's id and on its own id and weight, so that a node that joins, leaves or gets
 * another weight does not change the order of the rest. Zones then reorder as everywhere (`zones.ts`). Orders and lists
 * are made when first asked for and shared from then on.
 */

import { xxh32 } from '../../hash/xxh32.ts';
import type { NodeId, PlacementNode } from '../node.ts';
import { type NodeHashes, nodeHashes } from '../node-hashes.ts';
import { rendezvousScore } from '../rendezvous/rendezvous-score.ts';
import { spreadOverZones, zonesOf } from '../zones.ts';

/** Replicas are not secret: the splits show anyway which keys lie together. */
const nodeSeed = 0;

/** Makes an owner's hash another one than those its id has as a replica. */
const ownerSeed = 0x72616e67;

export class OwnerOrders {
  readonly #nodes: readonly PlacementNode[];
  readonly #orders: (readonly number[] | undefined)[];
  #hashes: readonly NodeHashes[] | undefined;
  /** By `count`, then by the owner's index. */
  readonly #lists = new Map<number, (readonly NodeId[] | undefined)[]>();

  /** @param nodes  Ascending by id, which decides where two scores are equal. */
  constructor(nodes: readonly PlacementNode[]) {
    this.#nodes = nodes;
    this.#orders = new Array<readonly number[] | undefined>(nodes.length).fill(undefined);
  }

  /**
   * The first `count` nodes for what the node at index `owner` owns. Frozen.
   * @param count  Integer in [1, number of nodes].
   */
  list(owner: number, count: number): readonly NodeId[] {
    let lists = this.#lists.get(count);
    if (lists === undefined) {
      lists = new Array<readonly NodeId[] | undefined>(this.#nodes.length).fill(undefined);
      this.#lists.set(count, lists);
    }
    lists[owner] ??= Object.freeze(this.row(owner, count).map((index) => this.#nodes[index]!.id));
    return lists[owner];
  }

  /** The same as node indexes, in an array of the caller's own. */
  row(owner: number, count: number): number[] {
    this.#hashes ??= this.#nodes.map(({ id }) => nodeHashes(id, nodeSeed));
    this.#orders[owner] ??= orderFor(owner, this.#nodes, this.#hashes);
    return this.#orders[owner].slice(0, count);
  }
}

function orderFor(owner: number, nodes: readonly PlacementNode[], hashes: readonly NodeHashes[]): readonly number[] {
  const ownerHash = xxh32(nodes[owner]!.id, ownerSeed);
  const scores = nodes.map(({ weight }, index) => {
    const { h1, h2 } = hashes[index]!;
    return rendezvousScore(ownerHash, h1, h2, weight);
  });
  const others = nodes.flatMap((_, index) => (index === owner ? [] : [index]));
  others.sort((a, b) => scores[a]! - scores[b]! || a - b);
  const order = [owner, ...others];
  const zones = zonesOf(nodes);
  return zones === undefined ? order : spreadOverZones(order, zones, order.length);
}
