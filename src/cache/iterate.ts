/** Calls that concern all nodes and no one key: listing and clearing. */

import { portOf } from '../backend/calls.ts';
import { AllReplicasFailedError, type NodeAttempt, WriteConsistencyError } from '../errors/index.ts';
import type { Member } from '../nodes/node.ts';
import { Clear } from '../nodes/operations.ts';
import type { Fleet } from '../routing/fleet.ts';
import { mayHold, routeOf } from '../topology/route.ts';
import { copiesOf } from '../topology/topology.ts';

/**
 * Every key of the cache once, in no order. Keys written or removed meanwhile may be missing or there. If the nodes change, all
 * of them are listed again, for what has moved meanwhile.
 *
 * Copies and the repeats of a server's own scan are recognised by remembering each key yielded, which takes memory in
 * proportion to the number of keys. A key at a node that does not hold it by the placement (left over from an earlier change)
 * cannot be read, and is left out.
 *
 * @throws {AllReplicasFailedError} So many nodes could not be listed that keys may be missing.
 */
export async function* listKeys(
  fleet: Fleet,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void, undefined> {
  const yielded = new Set<string>();
  for (;;) {
    const { topology } = fleet;
    yield* listMembers(fleet, yielded, signal);
    if (!fleet.isOvertaken(topology)) return;
  }
}

async function* listMembers(
  fleet: Fleet,
  yielded: Set<string>,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void, undefined> {
  const attempts: NodeAttempt[] = [];
  const limits = { signal, timeoutMs: fleet.policy.timeoutMs };
  for (const member of fleet.allMembers()) {
    if (fleet.health.stateOf(member.id) === 'down') fleet.noteDown('keys', [member.id], attempts);
    else {
      const begin = () => portOf(member.backend, 'listing', 'scan').scan(limits);
      const onFailed = (failed: NodeAttempt) => {
        // A node that was removed meanwhile has no keys any more.
        if (fleet.has(member)) attempts.push(failed);
      };
      for await (const key of fleet.door.list(member, listing, begin, signal, onFailed)) {
        if (yielded.has(key) || !holds(fleet, member, key)) continue;
        yielded.add(key);
        yield key;
        signal?.throwIfAborted(); // The backend may have more keys of the same page at hand.
      }
      signal?.throwIfAborted();
    }
    // Fewer failures than there are copies: every key has a node that was listed.
    if (attempts.length >= copiesOf(fleet.topology)) {
      throw new AllReplicasFailedError('keys', attempts as [NodeAttempt, ...NodeAttempt[]]);
    }
  }
}

const listing = { name: 'keys', keys: [], effect: 'reads' } as const;

/** Whether a read of `key` would ask this node: as a holder, as a fallback node, or as a previous owner. */
function holds({ topology, states, policy }: Fleet, { id }: Member, key: string): boolean {
  if (mayHold(routeOf(topology, key), id)) return true;
  return policy.whenDown === 'spill' && !states.allUp && topology.placement.nodes.some((node) => node.id === id);
}

/**
 * Removes every key of every node.
 * @throws {WriteConsistencyError} Some nodes could not be cleared; those in `acknowledged` were.
 */
export async function clearAll(fleet: Fleet, signal: AbortSignal | undefined): Promise<void> {
  const members = fleet.allMembers();
  const attempts: NodeAttempt[] = [];
  const limits = { signal, timeoutMs: fleet.policy.timeoutMs };
  const clear = async (member: Member) => {
    const { failed } = await fleet.door.attempt(member, new Clear(), limits);
    if (failed !== undefined) attempts.push(failed);
  };
  await fleet.guards.breakAllDuring(async () => {
    await Promise.all(members.map(clear));
  });
  if (signal?.aborted) throw signal.reason;
  if (attempts.length === 0) return;
  const cleared = members.map(({ id }) => id).filter((id) => !attempts.some(({ node }) => node === id));
  throw new WriteConsistencyError('clear', members.length, cleared, attempts);
}
