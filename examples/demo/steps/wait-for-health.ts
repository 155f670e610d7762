/** Waits until the cache thinks of a node what we know of it. */

import type { Clock, NodeHealth, ShardedCache } from 'shardring';

const lookEveryMs = 20;

/** @returns False if it has not come to that after `timeoutMs`. */
export async function waitForHealth(
  cache: Pick<ShardedCache, 'health'>,
  clock: Clock,
  node: string,
  state: NodeHealth,
  timeoutMs: number,
): Promise<boolean> {
  const endMs = clock.nowMs() + timeoutMs;
  while (cache.health().get(node) !== state) {
    if (clock.nowMs() >= endMs) return false;
    await new Promise<void>((resolve) => clock.schedule(lookEveryMs, resolve, true));
  }
  return true;
}
