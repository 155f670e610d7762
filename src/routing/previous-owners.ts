/**
 * Deleting at previous owners what a write has replaced, in a joint phase, so that no read can find it there. One that cannot
 * be told of the write is not asked for the key any more.
 */

import type { CallOptions } from '../backend/backend.ts';
import type { Member } from '../nodes/node.ts';
import { DeleteMany } from '../nodes/operations.ts';
import type { Fleet } from './fleet.ts';
import type { Transition } from './transition.ts';

/**
 * Deletes the keys at one previous owner, within the time given. Never rejects.
 * @returns Whether each key was there; false where it is not known.
 */
export async function deleteAtPreviousOwner(
  fleet: Fleet,
  transition: Transition | undefined,
  owner: Member,
  keys: readonly string[],
  limits: CallOptions,
): Promise<readonly boolean[]> {
  if (fleet.health.stateOf(owner.id) !== 'down') {
    const { failed, reply } = await fleet.door.attempt(owner, new DeleteMany(keys, 'delete'), limits);
    if (failed === undefined) return reply;
  }
  for (const key of keys) transition?.markStale(owner.id, key);
  return keys.map(() => false);
}
