/** What the reads of one key ask of a node. */

import type { Value, ValueWithExpiry } from '../backend/backend.ts';
import type { ReadCall } from '../routing/read.ts';

export const getAt: ReadCall<Value> = ({ backend }, call, key) => backend.get(key, call);

export const getWithExpiryAt: ReadCall<ValueWithExpiry> = ({ backend }, call, key) => backend.getWithExpiry(key, call);

/** The same where nobody looks at the expiry. */
export const getAloneAt: ReadCall<ValueWithExpiry> = async ({ backend }, call, key) => {
  const value = await backend.get(key, call);
  return value && { value, expiresAtMs: undefined };
};

export const expiresAt: ReadCall<number> = ({ backend }, call, key) => backend.expiresAt(key, call);

/** True or undefined, as a read has it: by the time it expires, which is less to send than the value, where that is known. */
export const hasKeyAt: ReadCall<true> = async ({ backend }, call, key) => {
  const found = backend.capabilities.expiry ? backend.expiresAt(key, call) : backend.get(key, call);
  return (await found) === undefined ? undefined : true;
};
