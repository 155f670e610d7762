/**
 * Telling former holders of a write, while a lazy change is open: they remove the key, so that no read can find there the
 * value that the write replaced. One that cannot be told is not asked for the key any more.
 */

import type { CallOptions } from '../backend/backend.ts';
import type { Member } from '../nodes/node.ts';
import { DeleteMany } from '../nodes/operations.ts';
import type { Fleet } from './fleet.ts';

/**
 * Removes the keys at one former holder, within the time given. Never rejects.
 * @returns Whether each key was there; false where it is not known.
 */
export async function tellFormer(
  fleet: Fleet,
  former: Member,
  keys: readonly string[],
  limits: CallOptions,
): Promise<readonly boolean[]> {
  if (fleet.health.stateOf(former.id) !== 'down') {
    const { failed, reply } = await fleet.door.attempt(former, new DeleteMany(keys, 'delete'), limits);
    if (failed === undefined) return reply;
  }
  for (const key of keys) fleet.outdate(former, key);
  return keys.map(() => false);
}
