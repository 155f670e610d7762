/** What callers may say about a change of the nodes. */

import { InvalidArgumentError } from '../errors/index.ts';
import { expectInteger, expectOneOf, expectOptions, expectSignal } from '../runtime/validate.ts';

export interface ChangeOptions {
  /**
   * 'lazy' (default): for `lazyForMs`, a read that misses at the new owner is answered, and filled, from the previous one;
   * writes and deletes reach both. 'none': keys that change their owner are missed from now on.
   */
  readonly strategy?: 'lazy' | 'none' | undefined;
  /** How long previous owners are asked, in milliseconds. Integer of at least 1; default 60,000. */
  readonly lazyForMs?: number | undefined;
  /**
   * There is one change at a time, and a lazy one lasts for its `lazyForMs` or until it is cancelled. 'wait' (default): this
   * one begins when those before it have ended. 'reject': it rejects with `ERR_CHANGE_IN_PROGRESS`.
   */
  readonly onBusy?: 'wait' | 'reject' | undefined;
  /** Aborts the change as long as it is not in force. */
  readonly signal?: AbortSignal | undefined;
}

export interface ParsedChangeOptions {
  /** Undefined: nothing is filled. */
  readonly lazyForMs: number | undefined;
  readonly onBusy: 'wait' | 'reject';
  readonly signal: AbortSignal | undefined;
}

export type Strategy = NonNullable<ChangeOptions['strategy']>;

/**
 * @param offered  What this kind of client can do. The first one is what happens by default, if there are several.
 * @throws {InvalidArgumentError}
 */
export function parseChangeOptions(
  options: ChangeOptions | undefined,
  offered: readonly Strategy[],
): ParsedChangeOptions {
  const known = ['strategy', 'lazyForMs', 'onBusy', 'signal'];
  const given = expectOptions('options', options === undefined ? {} : options, known);
  if (offered.length === 1 && given.strategy === undefined) {
    // A default that loses keys would be a trap, and another one in the next release a surprise.
    const advice = `name it: '${offered[0]}'. Keys that change their node are not moved, and missed from then on.`;
    throw InvalidArgumentError.saying('options.strategy', advice);
  }
  const strategy = expectOneOf('options.strategy', given.strategy ?? offered[0], offered);
  const lazyForMs = expectInteger('options.lazyForMs', given.lazyForMs ?? 60_000, 1);
  return {
    lazyForMs: strategy === 'lazy' ? lazyForMs : undefined,
    onBusy: expectOneOf('options.onBusy', given.onBusy ?? 'wait', ['wait', 'reject']),
    signal: expectSignal('options.signal', given.signal),
  };
}
