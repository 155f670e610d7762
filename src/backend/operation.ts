/** The calls of a backend by name, and which of them change the store. */

import type { Backend } from './backend.ts';

/** Every call that takes {@link CallOptions}. */
export type BackendOperation = Exclude<
  keyof Backend,
  'name' | 'nodeName' | 'takeSeat' | 'capabilities' | 'close' | typeof Symbol.asyncDispose
>;

/** Required, so that a call added to the contract cannot be forgotten here. */
const changesStore: Readonly<Record<BackendOperation, boolean>> = {
  get: false,
  getMany: false,
  getWithExpiry: false,
  expiresAt: false,
  ping: false,
  scan: false,
  set: true,
  setMany: true,
  setIfAbsent: true,
  delete: true,
  deleteMany: true,
  expire: true,
  increment: true,
  clear: true,
};

export const backendOperations = Object.freeze(Object.keys(changesStore)) as readonly BackendOperation[];

/** True if the outcome of the call is unknown when it was sent and no reply came. */
export function isWrite(operation: BackendOperation): boolean {
  return changesStore[operation];
}
