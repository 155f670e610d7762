/** Closes the nodes' backends, and waits no longer for them than there is time. */

import type { Member } from '../nodes/node.ts';

/**
 * @param within  Waits for work as long as there is time; resolves to whether it has settled.
 * @param onLate  Told what fails after that.
 * @throws  What the first backend in order failed with, in time.
 */
export async function closeBackends(
  members: readonly Member[],
  within: (work: Promise<unknown>) => Promise<boolean>,
  onLate: (node: string, error: unknown) => void,
): Promise<void> {
  const closings = Promise.allSettled(members.map(({ backend }) => backend.close()));
  const failures = closings.then((outcomes) =>
    outcomes.flatMap((outcome, index) =>
      outcome.status === 'rejected' ? [{ node: members[index]!.id, error: outcome.reason as unknown }] : [],
    ),
  );
  if (await within(closings)) {
    for (const { error } of await failures) throw error;
  } else {
    void failures.then((late) => {
      for (const { node, error } of late) onLate(node, error);
    });
  }
}
