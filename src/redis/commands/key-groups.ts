/** Which keys can stand in one command: those with the same holders. Pure. */

import { CrossNodeError } from '../../errors/index.ts';
import type { Route } from '../../topology/route.ts';

/** Keys that one command can have, by their positions in a list, and where it goes. */
export interface KeyGroup {
  readonly route: Route;
  readonly positions: number[];
}

/** From a key to its route, by one topology for all of them. */
export type FindRoute = (key: string) => Route;

/** In the order of their first keys. */
export function groupKeys(routeOf: FindRoute, keys: readonly string[]): readonly KeyGroup[] {
  const groups = new Map<string, KeyGroup>();
  for (let position = 0; position < keys.length; position++) {
    const route = routeOf(keys[position]!);
    const { holders } = route;
    const name = holders.length === 1 ? holders[0]! : JSON.stringify(holders);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, { route, positions: [position] });
    else group.positions.push(position);
  }
  return [...groups.values()];
}

/** The route of all the keys; undefined if they have different holders. @param keys  At least one. */
export function commonRoute(routeOf: FindRoute, keys: readonly string[]): Route | undefined {
  const first = routeOf(keys[0]!);
  for (let index = 1; index < keys.length; index++) {
    const route = routeOf(keys[index]!);
    if (route !== first && !haveSameHolders(route, first)) return undefined;
  }
  return first;
}

const haveSameHolders = (one: Route, other: Route): boolean =>
  one.holders.length === other.holders.length && one.holders.every((id, place) => id === other.holders[place]);

/**
 * @param hasTags  Whether the placement knows of {tags}, for the advice.
 * @throws {CrossNodeError} The keys have different holders.
 */
export function expectCommonRoute(
  routeOf: FindRoute,
  command: string,
  keys: readonly string[],
  hasTags: boolean,
): Route {
  const route = commonRoute(routeOf, keys);
  if (route !== undefined) return route;
  const nodes = new Set(keys.flatMap((key) => routeOf(key).holders));
  throw new CrossNodeError(command, [...nodes], hasTags);
}
