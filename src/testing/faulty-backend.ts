/**
 * A backend that fails on command, to show what an application does when a node dies, hangs or loses its replies.
 */

import type {
  Backend,
  BackendCapabilities,
  CallOptions,
  CompleteBackend,
  EntryFailures,
  SetOptions,
  Value,
  ValueWithExpiry,
} from '../backend/backend.ts';
import { checkBackend } from '../backend/check-backend.ts';
import { completeBackend } from '../backend/complete-backend.ts';
import { cutOff } from '../backend/cut-off.ts';
import { type BackendOperation, backendOperations, isWrite } from '../backend/operation.ts';
import { vouchFor } from '../backend/own-backends.ts';
import { NodeUnavailableError, UnknownOutcomeError } from '../errors/index.ts';
import { type Clock, sleep, systemClock } from '../runtime/clock.ts';
import { expectInteger, expectOptions, expectString } from '../runtime/validate.ts';

export interface FaultyBackendOptions {
  /** Times `delayMs` and `timeoutMs`. Default: the system's. */
  readonly clock?: Clock | undefined;
  /** The node that errors name until it joins a cache. Default: the name of the wrapped backend. */
  readonly nodeName?: string | undefined;
}

/** Calls by name since the start or since `resetCalls`. */
export type CallCounts = Record<BackendOperation, number>;

/**
 * Wraps a backend and behaves as it does until told otherwise.
 *
 * Faults are those of a server and its connection, seen from the client: a call that was given up, by its deadline or
 * its signal, may still be executed later, as a server does that was only slow. `timeoutMs` is kept whatever the fault.
 */
export class FaultyBackend implements CompleteBackend {
  readonly name: string;
  readonly capabilities: BackendCapabilities;
  readonly #raw: Backend;
  readonly #backend: CompleteBackend;
  /** Shared with what completes the backend, so that a new name reaches both. */
  readonly #context: { readonly clock: Clock; nodeName: string };
  #calls = noCalls();
  #stopped = false;
  #closed = false;
  #losesReplies = false;
  #delayMs = 0;
  #failures: unknown[] = [];
  /** While it hangs: what all calls wait for. */
  #hang: { readonly ends: Promise<void>; readonly end: () => void } | undefined;

  constructor(backend: Backend, options: FaultyBackendOptions = {}) {
    checkBackend(backend);
    const { nodeName } = expectOptions('options', options, ['clock', 'nodeName']);
    if (nodeName !== undefined) expectString('options.nodeName', nodeName);
    this.#context = { clock: options.clock ?? systemClock, nodeName: options.nodeName ?? backend.name };
    this.#raw = backend;
    this.#backend = completeBackend(backend, this.#context);
    this.name = backend.name;
    this.capabilities = Object.freeze({ ...this.#backend.capabilities, deadlines: true });
    if (new.target === FaultyBackend) vouchFor(this);
  }

  get nodeName(): string {
    return this.#context.nodeName;
  }

  /** Named so in its own errors and in those of the wrapped backend. */
  set nodeName(nodeName: string) {
    this.#context.nodeName = nodeName;
    if ('nodeName' in this.#raw) this.#raw.nodeName = nodeName;
  }

  /**
   * From now on the server is dead: calls reject with {@link NodeUnavailableError} and are not executed. Of those that
   * were waiting in `hang` or `delayMs`, writes reject with {@link UnknownOutcomeError}, as their sender cannot know.
   */
  stop(): void {
    this.#stopped = true;
    this.#endHang();
  }

  /** From now on calls get no answer. They are executed when `start` comes, also those that were given up by then. */
  hang(): void {
    if (this.#hang !== undefined) return;
    let end = () => {};
    const ends = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#hang = { ends, end };
  }

  /**
   * From now on calls are executed, but their replies are lost: writes reject with {@link UnknownOutcomeError}, reads
   * with {@link NodeUnavailableError}.
   */
  loseReplies(): void {
    this.#losesReplies = true;
  }

  /** Ends `stop`, `hang` and `loseReplies`. What the backend held it still holds. */
  start(): void {
    this.#stopped = false;
    this.#losesReplies = false;
    this.#endHang();
  }

  /** The next `count` calls reject with `error` and are not executed. Adds to what earlier calls of this asked for. */
  failNext(count: number, error: unknown): void {
    expectInteger('count', count, 0);
    for (let i = 0; i < count; i++) this.#failures.push(error);
  }

  /** How long every call waits before it is executed, in milliseconds. Integer of at least 0; 0 to begin with. */
  get delayMs(): number {
    return this.#delayMs;
  }

  set delayMs(delayMs: number) {
    this.#delayMs = expectInteger('delayMs', delayMs, 0);
  }

  /** How often each call was made, failed ones included, but not with a signal aborted before. A scan counts once. */
  get calls(): Readonly<CallCounts> {
    return this.#calls;
  }

  resetCalls(): void {
    this.#calls = noCalls();
  }

  get(key: string, options: CallOptions): Promise<Value | undefined> {
    return this.#call('get', options, () => this.#backend.get(key, {}));
  }

  getMany(keys: readonly string[], options: CallOptions): Promise<(Value | undefined)[]> {
    return this.#call('getMany', options, () => this.#backend.getMany(keys, {}));
  }

  getWithExpiry(key: string, options: CallOptions): Promise<ValueWithExpiry | undefined> {
    return this.#call('getWithExpiry', options, () => this.#backend.getWithExpiry(key, {}));
  }

  expiresAt(key: string, options: CallOptions): Promise<number | undefined> {
    return this.#call('expiresAt', options, () => this.#backend.expiresAt(key, {}));
  }

  set(key: string, value: Value, options: SetOptions): Promise<void> {
    return this.#call('set', options, () => this.#backend.set(key, value, expiryOf(options)));
  }

  setMany(entries: readonly (readonly [key: string, value: Value])[], options: SetOptions): Promise<EntryFailures> {
    return this.#call('setMany', options, () => this.#backend.setMany(entries, expiryOf(options)));
  }

  setIfAbsent(key: string, value: Value, options: SetOptions): Promise<boolean> {
    return this.#call('setIfAbsent', options, () => this.#backend.setIfAbsent(key, value, expiryOf(options)));
  }

  delete(key: string, options: CallOptions): Promise<boolean> {
    return this.#call('delete', options, () => this.#backend.delete(key, {}));
  }

  deleteMany(keys: readonly string[], options: CallOptions): Promise<boolean[]> {
    return this.#call('deleteMany', options, () => this.#backend.deleteMany(keys, {}));
  }

  expire(key: string, expiresAtMs: number | undefined, options: CallOptions): Promise<boolean> {
    return this.#call('expire', options, () => this.#backend.expire(key, expiresAtMs, {}));
  }

  increment(key: string, by: number, options: CallOptions): Promise<number> {
    return this.#call('increment', options, () => this.#backend.increment(key, by, {}));
  }

  clear(options: CallOptions): Promise<void> {
    return this.#call('clear', options, () => this.#backend.clear({}));
  }

  ping(options: CallOptions): Promise<void> {
    return this.#call('ping', options, () => this.#backend.ping({}));
  }

  /** Faults and `timeoutMs` apply to every step, as a server is asked again for each page of keys. */
  async *scan(options: CallOptions): AsyncGenerator<string, void> {
    options.signal?.throwIfAborted();
    this.#calls.scan++;
    const iterator = this.#backend.scan({})[Symbol.asyncIterator]();
    try {
      for (;;) {
        const step = await this.#pass('scan', options, () => iterator.next());
        if (step.done === true) return;
        yield step.value;
      }
    } finally {
      // Not waited for: it would hang where the step hangs.
      iterator.return?.().catch(() => {});
    }
  }

  /** Closes the wrapped backend, whatever the fault. Calls that hang fail. */
  close(): Promise<void> {
    this.#closed = true;
    this.#endHang();
    return this.#backend.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #call<Result>(operation: BackendOperation, options: CallOptions, execute: () => Promise<Result>) {
    options.signal?.throwIfAborted();
    this.#calls[operation]++;
    return this.#pass(operation, options, execute);
  }

  /** Lets a call through the faults that are on. `execute` has no deadline or signal: a server knows of neither. */
  async #pass<Result>(operation: BackendOperation, options: CallOptions, execute: () => Promise<Result>) {
    // The wrapped backend is closed too and says so itself.
    if (this.#closed) return execute();
    if (this.#stopped) throw new NodeUnavailableError(this.#context.nodeName, operation);
    if (this.#failures.length > 0) throw this.#failures.shift();
    return cutOff(this.#context, operation, options, () => this.#serve(operation, execute));
  }

  async #serve<Result>(operation: BackendOperation, execute: () => Promise<Result>): Promise<Result> {
    if (this.#delayMs > 0) await sleep(this.#context.clock, this.#delayMs);
    // Again and again, since it may be made to hang while a call that waited is on its way out.
    while (this.#hang !== undefined) await this.#hang.ends;
    if (this.#stopped || this.#closed) throw this.#lost(operation);
    const result = await execute();
    if (this.#losesReplies) throw this.#lost(operation);
    return result;
  }

  /** What a client says when the connection breaks under a call that was sent. */
  #lost(operation: BackendOperation): Error {
    const { nodeName } = this.#context;
    return isWrite(operation)
      ? new UnknownOutcomeError(nodeName, operation)
      : new NodeUnavailableError(nodeName, operation);
  }

  #endHang(): void {
    this.#hang?.end();
    this.#hang = undefined;
  }
}

function noCalls(): CallCounts {
  return Object.fromEntries(backendOperations.map((operation) => [operation, 0])) as CallCounts;
}

function expiryOf({ expiresAtMs }: SetOptions): SetOptions {
  return expiresAtMs === undefined ? {} : { expiresAtMs };
}
