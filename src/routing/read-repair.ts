/**
 * Read repair: puts a value that was found at one node where it was missed, at a replica that lost it or at its new owner in a
 * joint phase. In the background, after the read was answered.
 */

import type { NodeAttempt } from '../errors/index.ts';
import type { Member } from '../nodes/node.ts';
import { SetIfAbsent } from '../nodes/operations.ts';
import { canReadForCopy, readForCopy } from './copy.ts';
import type { Fleet } from './fleet.ts';
import type { KeyGuard } from './key-guards.ts';

/**
 * Copies, and releases the guard at the end. Failures are emitted as `backgroundError`.
 *
 * @param targets  Members that missed the key.
 * @returns  Whether they all have a value now.
 */
export function repair(fleet: Fleet, guard: KeyGuard, source: Member, targets: readonly Member[]): Promise<boolean> {
  const able = targets.filter(({ backend }) => backend.conditional !== undefined);
  if (able.length === 0 || !canReadForCopy(source)) {
    fleet.guards.release(guard);
    return Promise.resolve(false);
  }
  const copied = copy(fleet, guard, source, able).finally(() => fleet.guards.release(guard));
  fleet.background(copied);
  return copied;
}

const operation = 'copy back';

async function copy(fleet: Fleet, guard: KeyGuard, source: Member, targets: readonly Member[]): Promise<boolean> {
  const { door, policy } = fleet;
  const limits = { timeoutMs: policy.timeoutMs };
  const found = await door.attempt(source, readForCopy(source, guard.key, operation), limits);
  if (found.failed !== undefined) return emitError(fleet, found.failed);
  if (found.reply === undefined) return false;
  for (const target of targets) {
    const stored = await door.attempt(target, new SetIfAbsent(guard, found.reply, operation), limits);
    if (stored.failed !== undefined) return emitError(fleet, stored.failed);
    if (stored.reply) fleet.emit('repaired', { node: target.id, source: source.id });
  }
  return !guard.broken;
}

function emitError(fleet: Fleet, { node, error }: NodeAttempt): false {
  fleet.emit('backgroundError', { operation, node, error });
  return false;
}
