/** From a time to live, as the libraries give it, to what is asked of Redis. */

import { InvalidArgumentError } from '../errors/index.ts';

/** 'never', 'past' (it has ended before it began), or whole milliseconds from now. */
export type Expiry = 'never' | 'past' | number;

/**
 * @param field  Where the time stood, for the error.
 * @param ttlMs  Milliseconds. 0, undefined, null and Infinity mean for ever, as in Keyv, BentoCache and unstorage; less
 *               than 0 means that it has ended. Fractions are rounded up, as Redis takes whole milliseconds.
 * @throws {InvalidArgumentError} NaN, or no number: a value meant to end must not stay for ever.
 */
export function expiryOf(field: string, ttlMs: unknown): Expiry {
  if (ttlMs === undefined || ttlMs === null) return 'never';
  if (typeof ttlMs !== 'number' || Number.isNaN(ttlMs)) throw new InvalidArgumentError(field, 'a number', ttlMs);
  if (ttlMs < 0) return 'past';
  // Beyond 285,000 years a number no longer says whole milliseconds.
  return ttlMs === 0 || ttlMs > Number.MAX_SAFE_INTEGER ? 'never' : Math.ceil(ttlMs);
}
