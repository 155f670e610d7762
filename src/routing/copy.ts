/** Copying one value from a node to another, with its expiry, and only where the key is absent. */

import type { CallOptions, ValueWithExpiry } from '../backend/backend.ts';
import type { Member } from './fleet.ts';
import type { KeyGuard } from './key-guards.ts';

/** Whether a value at `source` can be read with its expiry: where nothing expires, there is none. */
export function canReadForCopy({ backend }: Member): boolean {
  return backend.capabilities.expiry || backend.capabilities.expiryResolutionMs === 0;
}

export async function readForCopy(
  { backend }: Member,
  key: string,
  options: CallOptions,
): Promise<ValueWithExpiry | undefined> {
  if (backend.capabilities.expiry) return await backend.getWithExpiry(key, options);
  const value = await backend.get(key, options);
  return value && { value, expiresAtMs: undefined };
}

/** True if the value was stored: nobody wrote the key in the meantime, here or elsewhere. */
export async function storeCopy(
  guard: KeyGuard,
  { value, expiresAtMs }: ValueWithExpiry,
  { backend }: Member,
  { timeoutMs }: CallOptions,
): Promise<boolean> {
  // No await may come between this look and the call: a write that starts later is then made later, and a backend
  // executes calls for one key in the order in which they were made.
  if (guard.broken) return false;
  return await backend.setIfAbsent(guard.key, value, { expiresAtMs, timeoutMs });
}
