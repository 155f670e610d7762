/** The nodes that every placement is tried with. The suite owns them: no adapter can choose those it is best at. */

import type { NodeInput } from '../../placement/node.ts';
import type { PlacementFeature } from './case.ts';

export interface PlacementConfiguration {
  readonly name: string;
  /** Not in the order of their ids, so that it shows where the order given matters. */
  readonly nodes: readonly NodeInput[];
  /** A node to add: its id sorts neither first nor last. */
  readonly newcomer: NodeInput;
  /** Length of the lists that the placement is made for; longer ones are asked for too. */
  readonly replicationFactor: number;
  readonly needs?: readonly PlacementFeature[];
}

const ids = ['kiwi', 'apple', 'plum', 'fig', 'quince', 'date', 'cherry', 'olive', 'banana', 'grape'];

const alike = ids.map((id) => ({ id }));

export const configurations: readonly PlacementConfiguration[] = [
  { name: 'one node', nodes: [{ id: 'kiwi' }], newcomer: { id: 'lemon' }, replicationFactor: 1 },
  { name: 'ten nodes', nodes: alike, newcomer: { id: 'lemon' }, replicationFactor: 1 },
  { name: 'ten nodes and lists of three', nodes: alike, newcomer: { id: 'lemon' }, replicationFactor: 3 },
  {
    name: 'nodes of several weights',
    nodes: [
      { id: 'kiwi', weight: 1 },
      { id: 'apple', weight: 4 },
      { id: 'plum', weight: 0.5 },
      { id: 'fig', weight: 2 },
      { id: 'quince', weight: 1 },
    ],
    newcomer: { id: 'lemon', weight: 1.5 },
    replicationFactor: 2,
    needs: ['weights'],
  },
  {
    name: 'nodes in zones',
    nodes: [
      { id: 'kiwi', zone: 'south' },
      { id: 'apple', zone: 'north' },
      { id: 'plum' },
      { id: 'fig', zone: 'south' },
      { id: 'quince', zone: 'north' },
      { id: 'date', zone: 'south' },
      { id: 'cherry', zone: 'west' },
    ],
    newcomer: { id: 'lemon', zone: 'north' },
    replicationFactor: 3,
    needs: ['zones'],
  },
  {
    name: 'nodes of several weights in two zones',
    nodes: [
      { id: 'kiwi', zone: 'south', weight: 3 },
      { id: 'apple', zone: 'north' },
      { id: 'fig', zone: 'south', weight: 2 },
      { id: 'quince', zone: 'north', weight: 0.5 },
    ],
    newcomer: { id: 'lemon', zone: 'south', weight: 2 },
    replicationFactor: 2,
    needs: ['weights', 'zones'],
  },
];
