/**
 * The backends of this library, which are used as they are: what others resolve with is looked at, and that costs a promise for
 * each call.
 *
 * A class vouches for what it has made itself, and not for a subclass, which may have other calls. A proxy is another object.
 */

import type { Backend, CompleteBackend } from './backend.ts';

const vouchedFor = new WeakSet<object>();

export function vouchFor(backend: CompleteBackend): void {
  vouchedFor.add(backend);
}

export const isVouchedFor = (backend: Backend): backend is CompleteBackend => vouchedFor.has(backend);

/** A class that has the calls of every port and is its own ports. Getters, so that printing a backend does not meet it again. */
export abstract class EveryPort {
  get many(): this {
    return this;
  }
  get expiring(): this {
    return this;
  }
  get conditional(): this {
    return this;
  }
  get counting(): this {
    return this;
  }
  get listing(): this {
    return this;
  }
  get clearing(): this {
    return this;
  }
}
