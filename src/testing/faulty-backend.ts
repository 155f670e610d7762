/**
 * A backend that fails on command, to show what an application does when a node dies, hangs or loses its replies.
 */

import type {
  Backend,
  CallOptions,
  Clearing,
  CompleteBackend,
  Conditional,
  Counting,
  Expiring,
  Listing,
  ManyKeys,
  SetOptions,
  Value,
} from '../backend/backend.ts';
import { type BackendOperation, backendOperations, isWrite } from '../backend/calls.ts';
import { checkBackend } from '../backend/check-backend.ts';
import { completeBackend } from '../backend/complete-backend.ts';
import { cutOff } from '../backend/cut-off.ts';
import { interceptCalls } from '../backend/intercept.ts';
import { vouchFor } from '../backend/own-backends.ts';
import { scanSteps } from '../backend/scan-steps.ts';
import type { PingAnswer } from '../backend/server-report.ts';
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
  readonly endsItsCalls = true;
  readonly expiryResolutionMs: number | undefined;
  readonly many: ManyKeys;
  readonly expiring: Expiring | undefined;
  readonly conditional: Conditional | undefined;
  readonly counting: Counting | undefined;
  readonly listing: Listing | undefined;
  readonly clearing: Clearing | undefined;
  readonly #raw: Backend;
  /** The wrapped backend behind the faults. */
  readonly #faulty: CompleteBackend;
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
    checkBackend('backend', backend);
    const { nodeName } = expectOptions('options', options, ['clock', 'nodeName']);
    if (nodeName !== undefined) expectString('options.nodeName', nodeName);
    this.#context = { clock: options.clock ?? systemClock, nodeName: options.nodeName ?? backend.name };
    this.#raw = backend;
    const faulty = interceptCalls(completeBackend(backend, this.#context), (operation, args, next) => {
      const options = args.at(-1) as SetOptions;
      // Without deadline and signal: a server knows of neither.
      const execute = () => next(...args.slice(0, -1), expiryOf(options));
      if (operation === 'scan') return this.#scan(options, execute as () => AsyncIterable<string>);
      return this.#call(operation, options, execute as () => Promise<unknown>);
    });
    this.#faulty = faulty;
    this.name = faulty.name;
    this.expiryResolutionMs = faulty.expiryResolutionMs;
    this.many = faulty.many;
    this.expiring = faulty.expiring;
    this.conditional = faulty.conditional;
    this.counting = faulty.counting;
    this.listing = faulty.listing;
    this.clearing = faulty.clearing;
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
    return this.#faulty.get(key, options);
  }

  set(key: string, value: Value, options: SetOptions): Promise<void> {
    return this.#faulty.set(key, value, options);
  }

  delete(key: string, options: CallOptions): Promise<boolean> {
    return this.#faulty.delete(key, options);
  }

  ping(options: CallOptions): Promise<PingAnswer> {
    return this.#faulty.ping(options);
  }

  /** Closes the wrapped backend, whatever the fault. Calls that hang fail. */
  close(): Promise<void> {
    this.#closed = true;
    this.#endHang();
    return this.#faulty.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #call(operation: BackendOperation, options: CallOptions, execute: () => Promise<unknown>): Promise<unknown> {
    options.signal?.throwIfAborted();
    this.#calls[operation]++;
    return this.#pass(operation, options, execute);
  }

  /** Faults and `timeoutMs` apply to every step, as a server is asked again for each page of keys. */
  async *#scan(options: CallOptions, execute: () => AsyncIterable<string>): AsyncGenerator<string, void> {
    options.signal?.throwIfAborted();
    this.#calls.scan++;
    yield* scanSteps(execute, (step) => this.#pass('scan', options, step));
  }

  /** Lets a call through the faults that are on. */
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

  /** The error of a client when the connection breaks under a call that was sent. */
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
