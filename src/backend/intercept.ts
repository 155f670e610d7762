/**
 * A backend in front of another one: all calls pass one place, whatever port they are of.
 */

import type { Backend } from './backend.ts';
import { type BackendOperation, type PortName, portCalls, requiredCalls } from './calls.ts';

/**
 * Stands around every call, and returns what its caller is to get: a promise, or for `scan` an async iterable.
 *
 * @param args  As the caller gave them; the options are the last.
 * @param next  Makes the call.
 */
export type Around = (
  operation: BackendOperation,
  args: readonly unknown[],
  next: (...args: readonly unknown[]) => unknown,
) => unknown;

/** The ports of `Kind`, and the five required calls. */
export type Intercepted<Kind extends Backend> = Backend & Pick<Kind, PortName & keyof Kind>;

/**
 * Makes a backend with the ports that `backend` has now, each call of which passes `around`. Calls are made as methods of what
 * they belong to. Closing it closes `backend`, past `around`.
 *
 * It does not say that it `endsItsCalls`, since `around` may wait: a cache cuts them off at their deadline.
 */
export function interceptCalls<Kind extends Backend>(backend: Kind, around: Around): Intercepted<Kind> {
  const intercepted: Record<string, unknown> = {
    name: backend.name,
    expiryResolutionMs: backend.expiryResolutionMs,
    close: async () => backend.close(),
    [Symbol.asyncDispose]: async () => backend.close(),
    ...passing(backend, requiredCalls, around),
  };
  for (const [name, calls] of Object.entries(portCalls)) {
    const port = backend[name as PortName];
    if (port !== undefined) intercepted[name] = passing(port, calls, around);
  }
  if (backend.takeSeat !== undefined) intercepted.takeSeat = backend.takeSeat.bind(backend);
  if ('nodeName' in backend) {
    const set = (nodeName: string) => {
      backend.nodeName = nodeName;
    };
    Object.defineProperty(intercepted, 'nodeName', { get: () => backend.nodeName, set });
  }
  return intercepted as unknown as Intercepted<Kind>;
}

type Method = (...args: readonly unknown[]) => unknown;

function passing(owner: object, calls: object, around: Around): Record<string, Method> {
  const methods = owner as Record<string, Method>;
  const passed: Record<string, Method> = {};
  for (const name of Object.keys(calls)) {
    const next: Method = (...args) => methods[name]!(...args);
    passed[name] = (...args) => around(name as BackendOperation, args, next);
  }
  return passed;
}
