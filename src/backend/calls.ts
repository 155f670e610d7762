/** The calls of a backend by name: which port each belongs to, and which of them change the store. */

import { UnsupportedError } from '../errors/index.ts';
import type { Backend, BackendPorts } from './backend.ts';

export type PortName = keyof BackendPorts;
export type Port<Name extends PortName> = NonNullable<BackendPorts[Name]>;

type RequiredCall = 'get' | 'set' | 'delete' | 'ping';

/** Every call that takes {@link CallOptions}. */
export type BackendOperation = RequiredCall | { [Name in PortName]: keyof Port<Name> }[PortName];

/** True: it changes the store. Typed in full, so that a call added to the contract cannot be forgotten here. */
export const requiredCalls: Readonly<Record<RequiredCall, boolean>> = {
  get: false,
  set: true,
  delete: true,
  ping: false,
};

/** The same for the calls of each port. */
export const portCalls: { readonly [Name in PortName]-?: Readonly<Record<keyof Port<Name>, boolean>> } = {
  many: { getMany: false, setMany: true, deleteMany: true },
  expiring: { getWithExpiry: false, expiresAt: false, expire: true },
  conditional: { setIfAbsent: true },
  counting: { increment: true },
  listing: { scan: false },
  clearing: { clear: true },
};

const changesStore = Object.assign({}, requiredCalls, ...Object.values(portCalls)) as Readonly<
  Record<BackendOperation, boolean>
>;

export const backendOperations = Object.freeze(Object.keys(changesStore)) as readonly BackendOperation[];

/** True if the outcome of the call is unknown when it was sent and no reply came. */
export function isWrite(operation: BackendOperation): boolean {
  return changesStore[operation];
}

/** @throws {UnsupportedError} The backend has no such port. @param operation  For the error. */
export function portOf<Name extends PortName>(backend: Backend, name: Name, operation: keyof Port<Name>): Port<Name> {
  const port = backend[name];
  if (port === undefined) throw new UnsupportedError(String(operation), backend.name);
  return port as Port<Name>;
}
