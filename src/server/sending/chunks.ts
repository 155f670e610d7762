/**
 * Cutting calls on many keys into pieces.
 *
 * A server does one thing at a time, and a single command on a hundred thousand keys holds up everybody else.
 */

/** Keys or entries in one piece. */
export const chunkMaxCount = 1_000;

/** Bytes in one piece, as far as they are known before the call. A single larger entry is a piece of its own. */
export const chunkMaxBytes = 4 * 1024 * 1024;

/**
 * The ranges [start, end) of the pieces, in order, that cover `count` items.
 *
 * @param sizeOf  Bytes of the item at an index.
 */
export function* chunks(
  count: number,
  sizeOf: (index: number) => number,
): Generator<readonly [start: number, end: number]> {
  let start = 0;
  let bytes = 0;
  for (let index = 0; index < count; index++) {
    const size = sizeOf(index);
    if (index > start && (index - start === chunkMaxCount || bytes + size > chunkMaxBytes)) {
      yield [start, index];
      start = index;
      bytes = 0;
    }
    bytes += size;
  }
  if (start < count) yield [start, count];
}
