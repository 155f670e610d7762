/** Why a key is where it is, as far as the placement alone decides it. */

import type { NodeId } from './node.ts';
import type { HashRing } from './ring/hash-ring.ts';
import { routingKeyOf } from './routing-key.ts';

export interface PlacedNode {
  readonly id: NodeId;
  /** primary and replica hold the key; next nodes would take over, in this order. */
  readonly role: 'primary' | 'replica' | 'next';
  readonly zone: string | undefined;
}

export interface KeyPlacement {
  /** The part of the key that is hashed. */
  readonly routingKey: string;
  /** XXH32 of the routing key with the ring's seed, as 8 hex digits. */
  readonly hash: string;
  /** The same as a number in [0, 2^32). */
  readonly position: number;
  /** The top bits of the position, in [0, slots). */
  readonly slot: number;
  /** All nodes in preference order. */
  readonly nodes: readonly PlacedNode[];
}

/**
 * @param copies  Nodes that hold each key.
 * @throws {NoNodesError} The ring is empty.
 */
export function explainPlacement(ring: HashRing, key: string, copies: number): KeyPlacement {
  const position = ring.positionOf(key);
  const zones = new Map(ring.nodes.map(({ id, zone }) => [id, zone]));
  return {
    routingKey: routingKeyOf(key),
    hash: position.toString(16).padStart(8, '0'),
    position,
    slot: ring.slotOf(key),
    // Of an empty ring no list can be asked for; one of length 1 gives the right error.
    nodes: ring.preferenceList(key, ring.nodes.length || 1).map((id, index) => ({
      id,
      role: index === 0 ? 'primary' : index < copies ? 'replica' : 'next',
      zone: zones.get(id),
    })),
  };
}
