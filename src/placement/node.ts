/** The nodes of a placement: what places keys, apart from what stores them. */

import { InvalidArgumentError } from '../errors/index.ts';
import { expectOptions, expectPositive, expectString } from '../runtime/validate.ts';

/** A node's name. It never changes: positions come from it, so a node that moves to another address keeps its keys. */
export type NodeId = string;

/** A node as a caller writes it. */
export interface NodeInput {
  /** Any string that is not empty and has no lone surrogate. */
  readonly id: NodeId;
  /** Share of the keys relative to the others. A finite number above 0; default 1. */
  readonly weight?: number | undefined;
  /** Name of a failure domain (rack, data centre). Replicas go to different zones first. */
  readonly zone?: string | undefined;
}

/** A node with everything filled in. */
export interface PlacementNode {
  readonly id: NodeId;
  readonly weight: number;
  readonly zone: string | undefined;
}

/** @throws {InvalidArgumentError} A field is missing, unknown or out of range; `field` says where the node stood. */
export function parseNode(field: string, input: unknown): PlacementNode {
  const { id, weight, zone } = expectOptions(field, input, ['id', 'weight', 'zone']);
  const name = expectString(`${field}.id`, id);
  // A lone surrogate would be hashed as U+FFFD, and two such ids would then share all their positions.
  if (name === '' || !name.isWellFormed()) {
    throw new InvalidArgumentError(`${field}.id`, 'a string that is not empty and has no lone surrogate', id);
  }
  if (typeof zone === 'string' && !zone.isWellFormed()) {
    throw new InvalidArgumentError(`${field}.zone`, 'a string without lone surrogates', zone);
  }
  return Object.freeze({
    id: name,
    weight: weight === undefined ? 1 : expectPositive(`${field}.weight`, weight),
    zone: zone === undefined ? undefined : expectString(`${field}.zone`, zone),
  });
}

/** Orders by UTF-16 code units, which is what `<` does: the same on every machine, whatever its locale. */
export function compareIds(a: NodeId, b: NodeId): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The index of each node in `nodes`, by its id. */
export const indexesOf = (nodes: readonly PlacementNode[]): Map<NodeId, number> =>
  new Map(nodes.map(({ id }, index) => [id, index]));

/** The index in `before` of each of the nodes `after`; -1: it was not there. */
export function indexesBefore(before: readonly PlacementNode[], after: readonly PlacementNode[]): Int32Array {
  const indexes = indexesOf(before);
  return Int32Array.from(after, ({ id }) => indexes.get(id) ?? -1);
}

/** Sorts by id. @throws {InvalidArgumentError} Two nodes have one id. */
export function sortNodes(nodes: readonly PlacementNode[]): readonly PlacementNode[] {
  const sorted = [...nodes].sort((a, b) => compareIds(a.id, b.id));
  for (let index = 1; index < sorted.length; index++) {
    const { id } = sorted[index]!;
    if (sorted[index - 1]!.id === id) {
      const position = nodes.findLastIndex((node) => node.id === id);
      throw takenId(`nodes[${position}].id`, id);
    }
  }
  return Object.freeze(sorted);
}

/** What is thrown where two nodes would have one id. */
export const takenId = (field: string, id: NodeId) =>
  new InvalidArgumentError(field, 'an id that no other node has', id, true);
