/** The calls of a backend as operations. */

import type { CallOptions, EntryFailures, Value, ValueWithExpiry } from '../backend/backend.ts';
import { portOf } from '../backend/calls.ts';
import type { Member } from './node.ts';
import type { Effect, KeyOperation, Operation } from './operation.ts';

/** Of one key. What is the same for all of a kind is no field: an operation is made for every call. */
abstract class OfKey {
  /** @param name  The call that this is a part of. */
  constructor(
    readonly key: string,
    readonly name: string,
  ) {}

  get keys(): readonly string[] {
    return [this.key];
  }
}

abstract class ReadOfKey extends OfKey {
  get effect(): Effect {
    return 'reads';
  }
}

abstract class WriteOfKey extends OfKey {
  get effect(): Effect {
    return 'sets';
  }
}

export class Get extends ReadOfKey implements KeyOperation<Value | undefined> {
  run({ backend }: Member, limits: CallOptions): Promise<Value | undefined> {
    return backend.get(this.key, limits);
  }
}

export class GetWithExpiry extends ReadOfKey implements KeyOperation<ValueWithExpiry | undefined> {
  run({ backend }: Member, limits: CallOptions): Promise<ValueWithExpiry | undefined> {
    return portOf(backend, 'expiring', 'getWithExpiry').getWithExpiry(this.key, limits);
  }
}

/** The value, with its expiry as never: nobody looks at it, or nothing expires there. */
export class GetAlone extends ReadOfKey implements KeyOperation<ValueWithExpiry | undefined> {
  async run({ backend }: Member, limits: CallOptions): Promise<ValueWithExpiry | undefined> {
    const value = await backend.get(this.key, limits);
    return value && { value, expiresAtMs: undefined };
  }
}

export class ExpiresAt extends ReadOfKey implements KeyOperation<number | undefined> {
  run({ backend }: Member, limits: CallOptions): Promise<number | undefined> {
    return portOf(backend, 'expiring', 'expiresAt').expiresAt(this.key, limits);
  }
}

/** True or undefined, as a read has it: by the time it expires, which is less to send than the value, where that is known. */
export class Has extends ReadOfKey implements KeyOperation<true | undefined> {
  async run({ backend }: Member, limits: CallOptions): Promise<true | undefined> {
    const found = backend.expiring?.expiresAt(this.key, limits) ?? backend.get(this.key, limits);
    return (await found) === undefined ? undefined : true;
  }
}

export class SetValue extends WriteOfKey implements KeyOperation<void> {
  constructor(
    key: string,
    readonly value: Value,
    readonly expiresAtMs: number | undefined,
  ) {
    super(key, 'set');
  }

  run({ backend }: Member, { signal, timeoutMs, progressTimeoutMs }: CallOptions): Promise<void> {
    const { expiresAtMs } = this;
    return backend.set(this.key, this.value, { signal, timeoutMs, progressTimeoutMs, expiresAtMs });
  }
}

/** Of a copy: only where there is no value, and only as long as nobody has written the key. */
export class SetIfAbsent extends WriteOfKey implements KeyOperation<boolean> {
  /** @param guard  Asked as the copy is sent. */
  constructor(
    readonly guard: { readonly key: string; readonly broken: boolean },
    readonly found: ValueWithExpiry,
    name: string,
  ) {
    super(guard.key, name);
  }

  /** True if the value was stored. */
  async run({ backend }: Member, { timeoutMs }: CallOptions): Promise<boolean> {
    // No await may come between this look and the call: a write that starts later is then made later, and a backend
    // executes calls for one key in the order in which they were made.
    if (this.guard.broken) return false;
    const { value, expiresAtMs } = this.found;
    const limits = { expiresAtMs, timeoutMs };
    return await portOf(backend, 'conditional', 'setIfAbsent').setIfAbsent(this.key, value, limits);
  }
}

export class Delete extends WriteOfKey implements KeyOperation<boolean> {
  run({ backend }: Member, limits: CallOptions): Promise<boolean> {
    return backend.delete(this.key, limits);
  }
}

export class Expire extends WriteOfKey implements KeyOperation<boolean> {
  /** @param expiresAtMs  Unix time in milliseconds; undefined: the value stays. */
  constructor(
    key: string,
    readonly expiresAtMs: number | undefined,
  ) {
    super(key, 'expire');
  }

  run({ backend }: Member, limits: CallOptions): Promise<boolean> {
    return portOf(backend, 'expiring', 'expire').expire(this.key, this.expiresAtMs, limits);
  }
}

export class Increment extends OfKey implements KeyOperation<number> {
  get effect(): Effect {
    return 'counts';
  }

  constructor(
    key: string,
    readonly by: number,
  ) {
    super(key, 'increment');
  }

  run({ backend }: Member, limits: CallOptions): Promise<number> {
    return portOf(backend, 'counting', 'increment').increment(this.key, this.by, limits);
  }
}

export class GetMany implements Operation<(Value | undefined)[]> {
  readonly name = 'getMany';
  readonly effect = 'reads';

  constructor(readonly keys: readonly string[]) {}

  run({ backend }: Member, limits: CallOptions): Promise<(Value | undefined)[]> {
    return backend.many.getMany(this.keys, limits);
  }
}

export class SetMany implements Operation<EntryFailures> {
  readonly name = 'setMany';
  readonly effect = 'sets';

  constructor(
    readonly entries: readonly (readonly [key: string, value: Value])[],
    readonly expiresAtMs: number | undefined,
  ) {}

  get keys(): readonly string[] {
    return this.entries.map(([key]) => key);
  }

  run({ backend }: Member, limits: CallOptions): Promise<EntryFailures> {
    return backend.many.setMany(this.entries, { ...limits, expiresAtMs: this.expiresAtMs });
  }
}

export class DeleteMany implements Operation<boolean[]> {
  readonly effect = 'sets';

  constructor(
    readonly keys: readonly string[],
    readonly name = 'deleteMany',
  ) {}

  run({ backend }: Member, limits: CallOptions): Promise<boolean[]> {
    return backend.many.deleteMany(this.keys, limits);
  }
}

/** All keys of the node. */
export class Clear implements Operation<void> {
  readonly name = 'clear';
  readonly keys = [];
  readonly effect = 'sets';

  run({ backend }: Member, limits: CallOptions): Promise<void> {
    return portOf(backend, 'clearing', 'clear').clear(limits);
  }
}
