/** The caller's argument cannot be used. Nothing was done. */

import { type CauseOptions, ShardringError } from './base.ts';

/** Takes the place of the received value if the message is complete without it. */
const said = Symbol('said');

/** An argument or an option has a value that it may not have. Nothing was done. */
export class InvalidArgumentError extends ShardringError {
  static {
    // On the prototype, so that `name` is not an own key, which loggers would print a second time.
    this.prototype.name = 'InvalidArgumentError';
  }
  readonly code = 'ERR_INVALID_ARGUMENT';
  readonly retryable = false;

  /**
   * @param field     Where the value stood, as the caller wrote it: `nodes[2].weight`.
   * @param expected  What may stand there, as a noun: 'a finite number above 0'.
   * @param received  What stood there. Shown shortened, and only for kinds that cannot be a key, a value or a password.
   * @param isPublic  A string that came may be shown, as it is a node's id or one of a few words.
   */
  constructor(
    readonly field: string,
    readonly expected: string,
    received: unknown,
    isPublic = false,
  ) {
    const shown =
      isPublic && typeof received === 'string' ? JSON.stringify(received.slice(0, 100)) : describeReceived(received);
    super(received === said ? expected : `${field}: expected ${expected}, got ${shown}.`);
  }

  /**
   * For cases where "expected, got" would not help: the name is wrong and not the value, or two options exclude each other.
   * @param message  Whole sentences, which follow the field and a colon.
   * @param before   In place of these.
   */
  static saying(field: string, message: string, before = `${field}: `): InvalidArgumentError {
    return new InvalidArgumentError(field, before + message, said);
  }
}

/** Numbers and booleans are shown; of all else only the kind and size, since it may be secret, or long. */
function describeReceived(value: unknown): string {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'number':
      return `${Object.is(value, -0) ? '-0' : value} (number)`;
    case 'boolean':
      return `${value} (boolean)`;
    case 'string':
      return `a string of ${value.length} character${value.length === 1 ? '' : 's'}`;
    case 'undefined':
      return 'undefined';
    case 'object': {
      if (Array.isArray(value)) return `an array of ${value.length}`;
      const name = Object.getPrototypeOf(value)?.constructor?.name;
      return typeof name === 'string' && name !== '' ? `an object (${name})` : 'an object';
    }
    default:
      return `a ${typeof value}`;
  }
}

/** The ring has no node, so no key can be placed. */
export class NoNodesError extends ShardringError {
  static {
    this.prototype.name = 'NoNodesError';
  }
  readonly code = 'ERR_NO_NODES';
  readonly retryable = false;

  constructor() {
    super('There is no node to place a key on; add one first.');
  }
}

/** A snapshot of a placement was made by something this release does not understand, or was altered. */
export class SnapshotError extends ShardringError {
  static {
    this.prototype.name = 'SnapshotError';
  }
  readonly code = 'ERR_SNAPSHOT';
  readonly retryable = false;

  constructor(problem: string, options?: CauseOptions) {
    super(`The snapshot cannot be used: ${problem}.`, options);
  }
}
