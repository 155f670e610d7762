/** Why a key is where it is, as far as the placement alone decides it. */

import type { NodeId } from './node.ts';
import { isSlottedPlacement, type Placement } from './placement.ts';

export interface PlacedNode {
  readonly id: NodeId;
  /** primary and replica hold the key; next nodes would take over, in this order. */
  readonly role: 'primary' | 'replica' | 'next';
  readonly zone: string | undefined;
}

export interface KeyPlacement {
  /** The part of the key that decides where it is. */
  readonly routingKey: string;
  /** The key's position, if the placement has positions: an integer in [0, 2^32). */
  readonly position?: number;
  /** The same as 8 hex digits. */
  readonly hash?: string;
  /** The key's slot, if the placement has slots: an integer in [0, slots). */
  readonly slot?: number;
  /** All nodes in preference order. */
  readonly nodes: readonly PlacedNode[];
}

/**
 * @param copies  Nodes that hold each key.
 * @throws {NoNodesError} There are no nodes.
 */
export function explainPlacement(placement: Placement, key: string, copies: number): KeyPlacement {
  const zones = new Map(placement.nodes.map(({ id, zone }) => [id, zone]));
  return {
    routingKey: placement.routingKeyOf?.(key) ?? key,
    ...(isSlottedPlacement(placement) ? locate(placement.positionOf(key), placement.slotOf(key)) : {}),
    // An empty placement gives no list; asking for one of length 1 gives the right error.
    nodes: placement.preferenceList(key, placement.nodes.length || 1).map((id, index) => ({
      id,
      role: index === 0 ? 'primary' : index < copies ? 'replica' : 'next',
      zone: zones.get(id),
    })),
  };
}

const locate = (position: number, slot: number) => ({
  position,
  hash: position.toString(16).padStart(8, '0'),
  slot,
});
