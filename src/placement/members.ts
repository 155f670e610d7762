/** Changes of a list of nodes, the same for every kind of placement. Each returns a new list and leaves the old one. */

import { InvalidArgumentError } from '../errors/index.ts';
import { expectIterable, expectPositive } from '../runtime/validate.ts';
import { type NodeId, type NodeInput, type PlacementNode, parseNode, takenId } from './node.ts';

/** Node indexes are 16 bits wide, and one value is kept free for "none". */
export const maxNodes = 2 ** 16 - 1;

/** The nodes in the order given, each checked; that no id comes twice is checked where they are sorted or kept. */
export function parseNodes(nodes: Iterable<NodeInput>): PlacementNode[] {
  const parsed = [...expectIterable('nodes', nodes)].map((node, index) => parseNode(`nodes[${index}]`, node));
  if (parsed.length > maxNodes) throw new InvalidArgumentError('nodes', `at most ${maxNodes} nodes`, parsed.length);
  return parsed;
}

/** Appends a node. @throws {InvalidArgumentError} The node is not one, or its id is taken. */
export function addMember(nodes: readonly PlacementNode[], input: NodeInput): PlacementNode[] {
  const node = parseNode('node', input);
  if (nodes.some(({ id }) => id === node.id)) throw takenId('node.id', node.id);
  if (nodes.length === maxNodes) throw new InvalidArgumentError('nodes', `at most ${maxNodes} nodes`, nodes.length + 1);
  return [...nodes, node];
}

/** @throws {InvalidArgumentError} There is no such node. */
export function removeMember(nodes: readonly PlacementNode[], id: NodeId): PlacementNode[] {
  memberIndex(nodes, id);
  return nodes.filter((node) => node.id !== id);
}

/** @throws {InvalidArgumentError} There is no such node, or the weight is not a finite number above 0. */
export function reweighMember(nodes: readonly PlacementNode[], id: NodeId, weight: number): PlacementNode[] {
  memberIndex(nodes, id);
  expectPositive('weight', weight);
  return nodes.map((node) => (node.id === id ? Object.freeze({ ...node, weight }) : node));
}

/** The index of the node in the list. @throws {InvalidArgumentError} There is no such node. */
export function memberIndex(nodes: readonly PlacementNode[], id: NodeId): number {
  const index = nodes.findIndex((node) => node.id === id);
  if (index === -1) throw new InvalidArgumentError('id', 'the id of a node of the placement', id, true);
  return index;
}
