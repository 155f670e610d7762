/**
 * Makes a backend with every call out of one with some: what the rest of the library works with.
 */

import { NodeProtocolError, UnknownOutcomeError, UnsupportedError } from '../errors/index.ts';
import type {
  Backend,
  BackendCapabilities,
  CallOptions,
  CompleteBackend,
  EntryFailures,
  SetOptions,
  Value,
  ValueWithExpiry,
} from './backend.ts';
import { checkBackend } from './check-backend.ts';
import { type CutOffContext, cutOff } from './cut-off.ts';
import { deleteManyBySingle, getManyBySingle, setManyBySingle } from './many-from-single.ts';
import { type BackendOperation, isWrite } from './operation.ts';
import { isVouchedFor } from './own-backends.ts';
import {
  answersOf,
  type Complaint,
  failuresOf,
  keyIterable,
  noForm,
  scanStep,
  sum,
  timeOrMiss,
  valueOrMiss,
  valuesOf,
  valueWithExpiryOrMiss,
  yesOrNo,
} from './replies.ts';

/**
 * `backend` itself if it is one of ours, has every call and offers all of them; else a wrapper around it:
 *
 * - many-key calls that it lacks are made of single ones;
 * - calls that its `capabilities` deny reject with {@link UnsupportedError}, as does an `expiresAtMs` it cannot keep;
 * - without `capabilities.deadlines`, every call is cut off at `timeoutMs` (for a scan: every step of it) and on
 *   `signal`, as {@link cutOff} says;
 * - a call that throws is turned into one that rejects;
 * - what a call resolves with is looked at. If it is not what the contract says, a call that changes nothing rejects with
 *   {@link NodeProtocolError}, and one that may have changed something with {@link UnknownOutcomeError}, with that as `cause`.
 *
 * The wrapper's own `capabilities.deadlines` is true. Closing it closes `backend`.
 *
 * @throws {InvalidArgumentError} A required call is missing, or the capabilities promise a call that is not there.
 */
export function completeBackend(backend: Backend, context: CutOffContext): CompleteBackend {
  checkBackend(backend);
  return isVouchedFor(backend) && isComplete(backend) ? backend : new CompletedBackend(backend, context);
}

function isComplete(backend: Backend): backend is CompleteBackend {
  const { expiryResolutionMs, ...offers } = backend.capabilities;
  return (
    expiryResolutionMs > 0 &&
    Object.values(offers).every((offered) => offered === true) &&
    backend.getMany !== undefined &&
    backend.setMany !== undefined &&
    backend.deleteMany !== undefined &&
    backend[Symbol.asyncDispose] !== undefined
  );
}

class CompletedBackend implements CompleteBackend {
  readonly name: string;
  readonly capabilities: BackendCapabilities;
  readonly #backend: Backend;
  readonly #context: CutOffContext;
  readonly #endsItsCalls: boolean;

  constructor(backend: Backend, context: CutOffContext) {
    this.name = backend.name;
    this.capabilities = Object.freeze({ ...backend.capabilities, deadlines: true });
    this.#backend = backend;
    this.#context = context;
    this.#endsItsCalls = backend.capabilities.deadlines;
  }

  get(key: string, options: CallOptions): Promise<Value | undefined> {
    return this.#call('get', options, valueOrMiss, () => this.#backend.get(key, options));
  }

  async set(key: string, value: Value, options: SetOptions): Promise<void> {
    this.#expectExpiryKept('set', options);
    return this.#call('set', options, noForm, () => this.#backend.set(key, value, options));
  }

  delete(key: string, options: CallOptions): Promise<boolean> {
    return this.#call('delete', options, yesOrNo, () => this.#backend.delete(key, options));
  }

  ping(options: CallOptions): Promise<void> {
    return this.#call('ping', options, noForm, () => this.#backend.ping(options));
  }

  getMany(keys: readonly string[], options: CallOptions): Promise<(Value | undefined)[]> {
    if (this.#backend.getMany === undefined) return getManyBySingle(this, keys, options);
    return this.#call('getMany', options, valuesOf(keys.length), () => this.#backend.getMany!(keys, options));
  }

  async setMany(
    entries: readonly (readonly [key: string, value: Value])[],
    options: SetOptions,
  ): Promise<EntryFailures> {
    this.#expectExpiryKept('setMany', options);
    if (this.#backend.setMany === undefined) return setManyBySingle(this, entries, options);
    return this.#call('setMany', options, failuresOf(entries.length), () => this.#backend.setMany!(entries, options));
  }

  deleteMany(keys: readonly string[], options: CallOptions): Promise<boolean[]> {
    if (this.#backend.deleteMany === undefined) return deleteManyBySingle(this, keys, options, this.#context.nodeName);
    return this.#call('deleteMany', options, answersOf(keys.length), () => this.#backend.deleteMany!(keys, options));
  }

  async getWithExpiry(key: string, options: CallOptions): Promise<ValueWithExpiry | undefined> {
    this.#expectOffered('getWithExpiry', this.capabilities.expiry);
    return this.#call('getWithExpiry', options, valueWithExpiryOrMiss, () =>
      this.#backend.getWithExpiry!(key, options),
    );
  }

  async expiresAt(key: string, options: CallOptions): Promise<number | undefined> {
    this.#expectOffered('expiresAt', this.capabilities.expiry);
    return this.#call('expiresAt', options, timeOrMiss, () => this.#backend.expiresAt!(key, options));
  }

  async expire(key: string, expiresAtMs: number | undefined, options: CallOptions): Promise<boolean> {
    this.#expectOffered('expire', this.capabilities.expiry);
    return this.#call('expire', options, yesOrNo, () => this.#backend.expire!(key, expiresAtMs, options));
  }

  async setIfAbsent(key: string, value: Value, options: SetOptions): Promise<boolean> {
    this.#expectOffered('setIfAbsent', this.capabilities.setIfAbsent);
    this.#expectExpiryKept('setIfAbsent', options);
    return this.#call('setIfAbsent', options, yesOrNo, () => this.#backend.setIfAbsent!(key, value, options));
  }

  async increment(key: string, by: number, options: CallOptions): Promise<number> {
    this.#expectOffered('increment', this.capabilities.increment);
    return this.#call('increment', options, sum, () => this.#backend.increment!(key, by, options));
  }

  async clear(options: CallOptions): Promise<void> {
    this.#expectOffered('clear', this.capabilities.clear);
    return this.#call('clear', options, noForm, () => this.#backend.clear!(options));
  }

  async *scan(options: CallOptions): AsyncGenerator<string, void> {
    this.#expectOffered('scan', this.capabilities.scan);
    let iterator: AsyncIterator<string> | undefined;
    try {
      for (;;) {
        const step = await this.#call('scan', options, scanStep, () => {
          iterator ??= this.#iterate(options);
          return iterator.next();
        });
        if (step.done === true) return;
        yield step.value;
      }
    } finally {
      // Not waited for: an iterator that hangs in its step, and was cut off there, would hang in this one too.
      const end = async () => iterator?.return?.();
      void end().catch(() => {});
    }
  }

  #iterate(options: CallOptions): AsyncIterator<string> {
    const keys = this.#backend.scan!(options);
    this.#expectKept('scan', keyIterable(keys));
    return keys[Symbol.asyncIterator]();
  }

  /** A promise also where the backend throws. */
  async close(): Promise<void> {
    await this.#backend.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A promise also where `start` throws. @param complaintOf  Says what is wrong with a reply. */
  async #call<Result>(
    operation: BackendOperation,
    options: CallOptions,
    complaintOf: (reply: Result) => Complaint,
    start: () => Promise<Result>,
  ): Promise<Result> {
    const reply = await (this.#endsItsCalls ? start() : cutOff(this.#context, operation, options, start));
    this.#expectKept(operation, complaintOf(reply));
    return reply;
  }

  #expectKept(operation: BackendOperation, complaint: Complaint): void {
    if (complaint === undefined) return;
    const { nodeName } = this.#context;
    const reason = `its backend answered with ${complaint}.`;
    const breach = new NodeProtocolError(nodeName, operation, {
      backend: this.name,
      cause: new TypeError(reason),
      reason,
    });
    throw isWrite(operation) ? new UnknownOutcomeError(nodeName, operation, { cause: breach, reason }) : breach;
  }

  #expectOffered(operation: BackendOperation, offered: boolean): void {
    if (!offered) throw new UnsupportedError(operation, this.name);
  }

  #expectExpiryKept(operation: BackendOperation, { expiresAtMs }: SetOptions): void {
    if (expiresAtMs !== undefined && this.capabilities.expiryResolutionMs === 0) {
      throw new UnsupportedError(`${operation} with expiresAtMs`, this.name);
    }
  }
}
