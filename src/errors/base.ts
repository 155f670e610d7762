/** The common part of all errors: the base, and the brand by which two copies of this package know each other's errors. */

/** Shared by the process, because a process may have loaded this module twice. */
const brand = Symbol.for('shardring.ShardringError');

/** The language's `ErrorOptions`, for which older targets of TypeScript have no type. */
export interface CauseOptions {
  readonly cause?: unknown;
}

/** Base of every error of this library. Branch on `code`, never on `message`. */
export abstract class ShardringError extends Error {
  abstract readonly code: string;

  /** True if the same call may succeed later, or on another replica, with no change by the caller. */
  abstract readonly retryable: boolean;

  get [brand](): true {
    return true;
  }
}

/** True for errors of this library. Inside `errors/`, where the union of them all would close a cycle. */
export function isBranded(value: unknown): value is ShardringError {
  return typeof value === 'object' && value !== null && detailOf(value, brand) === true;
}

/** A property of a thrown value. Undefined if the value does not have it, or throws on access. */
export function detailOf(thrown: unknown, property: PropertyKey): unknown {
  try {
    return (thrown as Record<PropertyKey, unknown> | null | undefined)?.[property];
  } catch {
    return undefined;
  }
}
