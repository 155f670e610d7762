/** The value stored or to be stored does not allow the call. */

import { type CauseOptions, ShardringError } from './base.ts';

/** `increment` met a value that is not an integer, or the result would not fit into 64 bits. The value is unchanged. */
export class NotAnIntegerError extends ShardringError {
  static {
    this.prototype.name = 'NotAnIntegerError';
  }
  readonly code = 'ERR_NOT_AN_INTEGER';
  readonly retryable = false;

  constructor(
    readonly node: string,
    options?: CauseOptions,
  ) {
    super(`increment: the value at node ${node} is not an integer, or the result would be out of range.`, options);
  }
}

/** One entry alone is larger than the node may hold. Nothing was stored and nothing was evicted. */
export class ValueTooLargeError extends ShardringError {
  static {
    this.prototype.name = 'ValueTooLargeError';
  }
  readonly code = 'ERR_VALUE_TOO_LARGE';
  readonly retryable = false;

  constructor(
    readonly node: string,
    readonly sizeBytes: number,
    readonly limitBytes: number,
  ) {
    super(`An entry of ${sizeBytes} bytes cannot fit into node ${node}, which holds at most ${limitBytes} bytes.`);
  }
}

/** A value could not be turned into bytes, or bytes not back into a value. The store is unchanged. */
export class CodecError extends ShardringError {
  static {
    this.prototype.name = 'CodecError';
  }
  readonly code = 'ERR_CODEC';
  readonly retryable = false;

  constructor(
    readonly codec: string,
    readonly direction: 'encode' | 'decode',
    options?: CauseOptions,
  ) {
    super(
      direction === 'encode'
        ? `The codec '${codec}' cannot encode the value.`
        : `The codec '${codec}' cannot read the stored bytes.`,
      options,
    );
  }
}
