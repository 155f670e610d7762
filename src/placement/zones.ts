/** Zones: failure domains over which a key's copies are spread before any of them gets a second one. */

import type { PlacementNode } from './node.ts';

export interface Zones {
  /** Zone index of each node, by the node's index. */
  readonly zoneOf: Uint16Array;
  /** Different zones. */
  readonly count: number;
}

/**
 * A node of no named zone counts as a zone of its own, so that naming the first zone of a placement reorders nothing
 * else. Undefined where every node is alone in its zone: zones then change nothing.
 */
export function zonesOf(nodes: readonly PlacementNode[]): Zones | undefined {
  const indexes = new Map<string, number>();
  let count = 0;
  const zoneOf = Uint16Array.from(nodes, ({ zone }) => {
    const known = zone === undefined ? undefined : indexes.get(zone);
    if (known !== undefined) return known;
    if (zone !== undefined) indexes.set(zone, count);
    return count++;
  });
  return count < nodes.length ? { zoneOf, count } : undefined;
}

/**
 * The first `count` nodes of an order over all nodes, with the first node of each zone before every second one of a
 * zone; both parts keep the order given. Growing `count` only appends.
 *
 * @param order  Every node once, by index, the most preferred first.
 */
export function spreadOverZones(order: ArrayLike<number>, { zoneOf, count: zones }: Zones, count: number): number[] {
  const seen = new Set<number>();
  const firsts: number[] = [];
  const others: number[] = [];
  for (let index = 0; index < order.length; index++) {
    const node = order[index]!;
    const zone = zoneOf[node]!;
    if (!seen.has(zone)) {
      seen.add(zone);
      firsts.push(node);
      if (firsts.length === count) return firsts;
    } else if (others.length < count) {
      others.push(node);
    }
    if (seen.size === zones && firsts.length + others.length >= count) break;
  }
  return [...firsts, ...others].slice(0, count);
}
