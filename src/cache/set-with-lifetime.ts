/** A value of a cache on its way to its nodes. A fallback node keeps it for a while only. */

import type { Value } from '../backend/backend.ts';
import { SetValue } from '../nodes/operations.ts';
import type { WriteOperation } from '../routing/write.ts';
import type { Lifetimes } from './lifetimes.ts';

export class SetWithLifetime extends SetValue implements WriteOperation<void> {
  readonly lifetimes: Lifetimes;

  constructor(key: string, value: Value, expiresAtMs: number | undefined, lifetimes: Lifetimes) {
    super(key, value, expiresAtMs);
    this.lifetimes = lifetimes;
  }

  forFallback(): SetValue {
    return new SetValue(this.key, this.value, this.lifetimes.expiryAt(true, this.expiresAtMs));
  }
}
