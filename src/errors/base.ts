/** What all errors share: the base, and the brand by which two copies of this package know each other's errors. */

/** Of the process and not of this module, which a process may have loaded twice. */
const brand = Symbol.for('shardring.ShardringError');

/** As the language's `ErrorOptions`, for which older targets of TypeScript have no type. */
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

/** What something that was thrown says of itself. Undefined where it says nothing, or throws when it is looked at. */
export function detailOf(thrown: unknown, property: PropertyKey): unknown {
  try {
    return (thrown as Record<PropertyKey, unknown> | null | undefined)?.[property];
  } catch {
    return undefined;
  }
}
