/**
 * Slots: equal pieces of the position space, the unit in which keys are looked up, compared and moved.
 *
 * With k = log2(slots), the slot of a position is its top k bits, and a slot's nodes are those the placement gives at
 * the slot's first position. The number of slots is part of a placement's identity and never changes with membership.
 *
 *   table   Uint16Array of length slots * width; row s, the nodes of slot s in preference order, is
 *           table[s * width .. s * width + width - 1]                                            node indexes
 */

import { InvalidArgumentError } from '../../errors/index.ts';

/**
 * 2^18: fine enough for 1,000 nodes of 160 points (fullest node 1.255 of the mean against 1.250 without slots), small
 * enough for the processor's second-level cache (512 KB).
 */
export const defaultSlots = 2 ** 18;
const minSlots = 2 ** 8;
export const maxSlots = 2 ** 22;

/** @throws {InvalidArgumentError} Not a power of two in [2^8, 2^22]. */
export function expectSlots(field: string, value: unknown): number {
  const isPowerOfTwo = Number.isInteger(value) && ((value as number) & ((value as number) - 1)) === 0;
  if (typeof value !== 'number' || !isPowerOfTwo || value < minSlots || value > maxSlots) {
    throw new InvalidArgumentError(field, `a power of two in [${minSlots}, ${maxSlots}]`, value);
  }
  return value;
}

/**
 * Entries that a table may have, slots times nodes in a row: 512 MB of it.
 */
const maxTableEntries = 2 ** 28;

/** @throws {InvalidArgumentError} A table of so wide rows would not fit into memory. */
export function expectRowWidth(slots: number, width: number): number {
  if (slots * width <= maxTableEntries) return width;
  const expected = `at most ${Math.floor(maxTableEntries / slots)} nodes in a row of a table of ${slots} slots`;
  throw new InvalidArgumentError('replicationFactor', expected, width);
}

/** Bits by which a position is shifted right to give its slot. */
export function slotShift(slots: number): number {
  return 1 + Math.clz32(slots);
}
