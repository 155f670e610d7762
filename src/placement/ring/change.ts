/** Two lists of nodes that differ in one node: what makes it possible to change a ring instead of making it anew. */

import type { PlacementNode } from '../node.ts';

export interface RingChange {
  /** grows and shrinks are of the weight. */
  readonly kind: 'joins' | 'leaves' | 'grows' | 'shrinks';
  /** The node's index in the list in which it weighs more: the one after for joins and grows, else the one before. */
  readonly owner: number;
  /** The node there, and what it is in the other list. */
  readonly more: PlacementNode;
  readonly less: PlacementNode | undefined;
}

/** The change of one node. Undefined if none, several, or a node's zone changed. */
export function singleChange(
  before: readonly PlacementNode[],
  after: readonly PlacementNode[],
): RingChange | undefined {
  if (after.length < before.length) {
    const change = singleChange(after, before);
    return change === undefined ? undefined : { ...change, kind: 'leaves' };
  }
  if (after.length > before.length + 1) return undefined;
  let owner = 0;
  while (owner < before.length && areSame(before[owner]!, after[owner]!)) owner++;
  if (owner === after.length) return undefined;
  const [was, is] = [before[owner], after[owner]!];
  // From here on a joining node shifts the others by one.
  const shift = after.length - before.length;
  for (let index = owner + 1; index < after.length; index++) {
    if (!areSame(before[index - shift]!, after[index]!)) return undefined;
  }
  if (shift === 1) return { kind: 'joins', owner, more: is, less: undefined };
  if (was!.id !== is.id || was!.zone !== is.zone) return undefined;
  return is.weight > was!.weight
    ? { kind: 'grows', owner, more: is, less: was }
    : { kind: 'shrinks', owner, more: was!, less: is };
}

function areSame(a: PlacementNode, b: PlacementNode): boolean {
  return a === b || (a.id === b.id && a.weight === b.weight && a.zone === b.zone);
}
