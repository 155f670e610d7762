/**
 * Telling former holders of a write, while a lazy change is open: they remove the key, so that no read can find there the
 * value that the write replaced. One that cannot be told is not asked for the key any more.
 */

import type { CallOptions } from '../backend/backend.ts';
import type { Fleet, Member } from './fleet.ts';

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
  try {
    if (fleet.health.stateOf(former.id) !== 'down') {
      if (keys.length === 1) return [await former.backend.delete(keys[0]!, limits)];
      return await former.backend.deleteMany(keys, limits);
    }
  } catch (error) {
    fleet.health.reportFailure(former.id, error);
  }
  for (const key of keys) fleet.outdate(former, key);
  return keys.map(() => false);
}
