/** Copying one value from a node to another, with its expiry, and only where the key is absent. */

import type { ValueWithExpiry } from '../backend/backend.ts';
import type { Member } from '../nodes/node.ts';
import type { Operation } from '../nodes/operation.ts';
import { GetAlone, GetWithExpiry } from '../nodes/operations.ts';

/** Whether a value at `source` can be read with its expiry: where nothing expires, there is none. */
export function canReadForCopy({ backend }: Member): boolean {
  return backend.expiring !== undefined || backend.expiryResolutionMs === undefined;
}

/** @param name  Of the call for which the copy is made. */
export function readForCopy({ backend }: Member, key: string, name: string): Operation<ValueWithExpiry | undefined> {
  return backend.expiring === undefined ? new GetAlone(key, name) : new GetWithExpiry(key, name);
}
