/** Which keys can stand in one command: those with the same holders. Pure. */

import { CrossNodeError } from '../../errors/index.ts';
import { hashesTags } from '../../placement/placement.ts';
import { copiesOf, holdersOf, primaryOf, type Topology } from '../../topology/topology.ts';

/** Equal for two keys if one command can have both. */
function groupOf(topology: Topology, key: string): string {
  return copiesOf(topology) === 1 ? primaryOf(topology, key) : JSON.stringify(holdersOf(topology, key));
}

/** Positions of the keys in `keys`, one list for each group, in the order of their first keys. */
export function groupKeys(topology: Topology, keys: readonly string[]): number[][] {
  const groups = new Map<string, number[]>();
  for (let position = 0; position < keys.length; position++) {
    const group = groupOf(topology, keys[position]!);
    const positions = groups.get(group);
    if (positions === undefined) groups.set(group, [position]);
    else positions.push(position);
  }
  return [...groups.values()];
}

export function areTogether(topology: Topology, keys: readonly string[]): boolean {
  if (keys.length < 2) return true;
  const group = groupOf(topology, keys[0]!);
  for (let index = 1; index < keys.length; index++) if (groupOf(topology, keys[index]!) !== group) return false;
  return true;
}

/** @throws {CrossNodeError} The keys have different holders. */
export function expectTogether(topology: Topology, command: string, keys: readonly string[]): void {
  if (areTogether(topology, keys)) return;
  const nodes = new Set(keys.flatMap((key) => holdersOf(topology, key)));
  throw new CrossNodeError(command, [...nodes], hashesTags(topology.placement));
}
