/**
 * The backends of this library, which are used as they are: what others resolve with is looked at, and that costs a promise for
 * each call.
 *
 * A class vouches for what it has made itself, and not for a subclass, which may have other calls. A proxy is another object.
 */

import type { CompleteBackend } from './backend.ts';

const vouchedFor = new WeakSet<object>();

export function vouchFor(backend: CompleteBackend): void {
  vouchedFor.add(backend);
}

export const isVouchedFor = (backend: object): boolean => vouchedFor.has(backend);
