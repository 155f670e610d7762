/**
 * The keys and values of one contender.
 *
 * Each contender has keys of its own, by a prefix of the same length for all, since they share servers and place keys
 * differently: one that asked the wrong server would otherwise find there what another one wrote. A value begins with
 * its key, so that a value that belongs to another key is seen.
 */

import { seededRandom } from '../../src/runtime/random.ts';
import { keyCount, mgetKeys, readShare, valueLength } from './cells.ts';

/** A power of two, so that a counter becomes a place by a mask. */
const drawn = 2 ** 16;

export interface Data {
  readonly keys: readonly string[];
  /** By index of the key. */
  readonly values: readonly string[];
  /** Keys of one MGET; every key is in one of them. */
  readonly batches: readonly (readonly string[])[];
  /** Index of the key of the operation of a number. Uniform. */
  keyIndexAt(operation: number): number;
  /** Whether the operation of a number, in the mix, is a GET. */
  readsAt(operation: number): boolean;
}

/** @param prefix  Of the same length for all contenders. */
export function makeData(prefix: string): Data {
  const keys = Array.from({ length: keyCount }, (_, index) => `${prefix}:user:${String(index).padStart(5, '0')}`);
  const random = seededRandom(1);
  const indexes = Uint16Array.from({ length: drawn }, () => Math.floor(random() * keyCount));
  const reads = Uint8Array.from({ length: drawn }, () => (random() < readShare ? 1 : 0));
  return {
    keys,
    values: keys.map(valueFor),
    batches: Array.from({ length: keyCount / mgetKeys }, (_, batch) =>
      keys.slice(batch * mgetKeys, (batch + 1) * mgetKeys),
    ),
    keyIndexAt: (operation) => indexes[operation & (drawn - 1)]!,
    readsAt: (operation) => reads[operation & (drawn - 1)] === 1,
  };
}

export const valueFor = (key: string) => `${key}:`.padEnd(valueLength, 'v');
