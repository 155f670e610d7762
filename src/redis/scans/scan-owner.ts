/**
 * Which nodes a scan asks, and whose copy of a key counts.
 *
 * Both are settled when the scan begins and do not follow the nodes' health after that. A key is looked at when its page comes
 * from one node and again when it comes from the other; were its owner to change in between, each could leave it to the other.
 */

import type { IsOwner } from './scan.ts';
import { bookmarkedNodes } from './scan-bookmark.ts';

/**
 * Ids of the nodes to ask: those in service, if every key then has a holder among them, else all, whose failure is to be told.
 * A scan that goes on asks the nodes that it began with, by the same condition.
 *
 * @param copies  Nodes that hold each key.
 */
export function nodesToScan(
  allIds: readonly string[],
  copies: number,
  isInService: (nodeId: string) => boolean,
  cursor: unknown,
): readonly string[] {
  const begunWith = cursor === undefined ? undefined : bookmarkedNodes(cursor);
  const chosen = allIds.filter((id) => (begunWith === undefined ? isInService(id) : begunWith.includes(id)));
  return allIds.length - chosen.length < copies ? chosen : allIds;
}

/** The first of a key's holders that is asked at all. @param holdersOf  By the key as it is stored, in order of preference. */
export function ownerAmong(scannedIds: readonly string[], holdersOf: (key: string) => readonly string[]): IsOwner {
  const scanned = new Set(scannedIds);
  return (key, nodeId) => scanned.has(nodeId) && holdersOf(key).find((id) => scanned.has(id)) === nodeId;
}
