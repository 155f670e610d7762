/** Which keys can stand in one command: those with the same holders. Pure. */

import { CrossNodeError } from '../../errors/index.ts';
import { hashesTags } from '../../placement/placement.ts';
import { type Route, routeOf } from '../../topology/route.ts';
import type { Topology } from '../../topology/topology.ts';

/** Keys that one command can have, by their positions in a list, and where it goes. */
export interface KeyGroup {
  readonly route: Route;
  readonly positions: number[];
}

/** In the order of their first keys. */
export function groupKeys(topology: Topology, keys: readonly string[]): readonly KeyGroup[] {
  const groups = new Map<string, KeyGroup>();
  for (let position = 0; position < keys.length; position++) {
    const route = routeOf(topology, keys[position]!);
    const { holders } = route;
    const name = holders.length === 1 ? holders[0]! : JSON.stringify(holders);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, { route, positions: [position] });
    else group.positions.push(position);
  }
  return [...groups.values()];
}

/** The route of all the keys; undefined if they have different holders. @param keys  At least one. */
export function commonRoute(topology: Topology, keys: readonly string[]): Route | undefined {
  const route = routeOf(topology, keys[0]!);
  for (let index = 1; index < keys.length; index++) {
    const { holders } = routeOf(topology, keys[index]!);
    if (holders.length !== route.holders.length || !holders.every((id, place) => id === route.holders[place])) {
      return undefined;
    }
  }
  return route;
}

/** @throws {CrossNodeError} The keys have different holders. */
export function expectCommonRoute(topology: Topology, command: string, keys: readonly string[]): Route {
  const route = commonRoute(topology, keys);
  if (route !== undefined) return route;
  const nodes = new Set(keys.flatMap((key) => routeOf(topology, key).holders));
  throw new CrossNodeError(command, [...nodes], hashesTags(topology.placement));
}
