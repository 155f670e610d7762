/**
 * Puts a value that was found at one node where it was missed: at a replica that lost it (read repair) or at its new
 * owner (lazy moving). In the background, after the read was answered.
 */

import { canReadForCopy, readForCopy, storeCopy } from './copy.ts';
import type { Fleet, Member } from './fleet.ts';
import type { KeyGuard } from './key-guards.ts';

/**
 * Copies, and releases the guard at the end. Failures are told as `backgroundError`.
 *
 * @param targets  Members that missed the key.
 */
export function copyBack(fleet: Fleet, guard: KeyGuard, source: Member, targets: readonly Member[]): void {
  const able = targets.filter(({ backend }) => backend.capabilities.setIfAbsent);
  if (able.length === 0 || !canReadForCopy(source)) {
    fleet.guards.release(guard);
    return;
  }
  const { timeoutMs } = fleet.policy;
  const copy = async () => {
    let node = source.id;
    try {
      const found = await readForCopy(source, guard.key, { timeoutMs });
      if (found === undefined) return;
      for (const target of able) {
        node = target.id;
        if (await storeCopy(guard, found, target, { timeoutMs })) fleet.emit('repaired', { node, source: source.id });
      }
    } catch (error) {
      fleet.health.reportFailure(node, error);
      fleet.emit('backgroundError', { operation: 'copy back', node, error });
    } finally {
      fleet.guards.release(guard);
    }
  };
  fleet.background(copy());
}
