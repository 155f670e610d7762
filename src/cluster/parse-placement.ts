/** The option `placement` of both faces: given as it is, made by a function, or the ring that the other options describe. */

import { InvalidArgumentError } from '../errors/index.ts';
import { expectPlacement } from '../placement/expect-placement.ts';
import { compareIds, type PlacementNode } from '../placement/node.ts';
import type { Placement } from '../placement/placement.ts';
import { HashRing, type HashRingOptions } from '../placement/ring/hash-ring.ts';

/** @param replicationFactor  Length of the preference lists that will be asked for most. */
export type PlacementMaker = (nodes: readonly PlacementNode[], replicationFactor: number) => Placement;

/** Of the ring that there is where no placement is given. */
export const ringOptionNames = ['virtualNodes', 'slots', 'hashSeed'] as const;

/** @throws {InvalidArgumentError} It is no placement, or not of these nodes, or options of the ring stand beside it. */
export function parsePlacement(
  given: Readonly<Record<string, unknown>>,
  nodes: readonly PlacementNode[],
  replicationFactor: number,
): Placement {
  if (given.placement === undefined) {
    const options = Object.fromEntries(ringOptionNames.map((name) => [name, given[name]]));
    // The ring checks its own options, and that no id comes twice.
    return HashRing.create(nodes, { ...options, replicationFactor } as HashRingOptions);
  }
  for (const name of ringOptionNames) {
    if (given[name] === undefined) continue;
    throw InvalidArgumentError.saying(
      name,
      'cannot be combined with placement; pass it when you create the placement.',
    );
  }
  const placement = placementMadeBy(given.placement, nodes, replicationFactor);
  expectSameNodes(placement, nodes);
  return placement;
}

/**
 * A placement that is given as it is, or made by a function.
 * @param of  What the function is given: nodes, or the placement in force.
 * @throws {InvalidArgumentError}
 */
export function placementMadeBy(given: unknown, of: unknown, replicationFactor: number): Placement {
  if (isClass(given)) {
    const advice = 'a class is not a placement. Create one, HashRing.create(nodes), or give a function that does.';
    throw InvalidArgumentError.saying('placement', advice);
  }
  return expectPlacement('placement', typeof given === 'function' ? given(of, replicationFactor) : given);
}

/** Of all functions only a class has a prototype that cannot be replaced. */
const isClass = (value: unknown) =>
  typeof value === 'function' && Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false;

/** @throws {InvalidArgumentError} The placement is of other nodes, by their ids. */
export function expectSameMembers(placement: Placement, { nodes }: { readonly nodes: readonly PlacementNode[] }): void {
  const namesOf = (list: readonly PlacementNode[]) => list.map(({ id }) => id).sort(compareIds);
  const [found, wanted] = [namesOf(placement.nodes), namesOf(nodes)];
  if (found.length === wanted.length && found.every((id, index) => id === wanted[index])) return;
  throw new InvalidArgumentError('placement', `a placement of the nodes ${wanted.join(', ')}`, found.join(', '), true);
}

/** @throws {InvalidArgumentError} The placement is of other nodes, or gives one another weight or zone than its entry. */
function expectSameNodes(placement: Placement, nodes: readonly PlacementNode[]): void {
  expectSameMembers(placement, { nodes });
  const placed = new Map(placement.nodes.map((node) => [node.id, node]));
  for (const [index, { id, weight, zone }] of nodes.entries()) {
    const node = placed.get(id)!;
    // An entry that names no weight has 1, and one that names no zone has none.
    if (weight !== 1 && weight !== node.weight) {
      throw new InvalidArgumentError(`nodes[${index}].weight`, `${node.weight}, as in the placement, or none`, weight);
    }
    if (zone !== undefined && zone !== node.zone) {
      throw new InvalidArgumentError(`nodes[${index}].zone`, 'the zone of the placement, or none', zone);
    }
  }
}
