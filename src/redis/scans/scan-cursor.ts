/**
 * One cursor for the SCAN of several servers, in the form that ioredis' `scan(cursor, ...)` has: a decimal string, '0' to
 * begin and '0' at the end.
 *
 * The nodes are gone through one after the other, in the order of their ids:
 *
 *   cursor = (serverCursor * 2^24 + runTag) * nodeCount + nodeIndex
 *
 *   serverCursor in [0, 2^64), runTag in [0, 2^24), nodeIndex in [0, nodeCount)
 *
 * A server cursor of 0 means the start of a node's scan, and the end of it is the start of the next node's. So 0 comes up
 * only as the start of the first node and, for the caller, as the end of the last.
 *
 * The tag is of the run of the server that gave the cursor, which no other run understands (`scan-position.ts`): 24 bits, so
 * that the cursors of a server with up to 2^29 / nodeCount keys are safe integers, for those who make numbers of them.
 * One restart in 16.8 million goes unnoticed by it.
 *
 * The number says nothing of which nodes there were: it is good for as long as the nodes stay the same.
 */

import { InvalidArgumentError } from '../../errors/index.ts';

export interface ScanPlace {
  readonly nodeIndex: number;
  /** Decimal, as the server wrote it. */
  readonly serverCursor: string;
  /** 0 at the start of a node. */
  readonly runTag: number;
}

const tagCount = 2 ** 24;

/** @param run  A server's run id. These are drawn at random. */
export function runTagOf(run: string): number {
  let tag = 0;
  for (let index = 0; index < run.length; index++) tag = (tag * 31 + run.charCodeAt(index)) % tagCount;
  return tag;
}

/** Longer than any cursor of a million nodes, and short enough to be read quickly whatever it is. */
const maxDigits = 40;

const serverCursorLimit = 2n ** 64n;

/** The cursor for the caller once `nodeIndex` has answered with `serverCursor`, '0' being the end of that node. */
export function nextCursor({ nodeIndex, serverCursor, runTag }: ScanPlace, nodeCount: number): string {
  if (serverCursor !== '0') {
    const place = BigInt(serverCursor) * BigInt(tagCount) + BigInt(runTag);
    return `${place * BigInt(nodeCount) + BigInt(nodeIndex)}`;
  }
  return nodeIndex + 1 < nodeCount ? `${nodeIndex + 1}` : '0';
}

/**
 * @param cursor  '0', or what {@link nextCursor} gave for as many nodes. Digits as a string or bytes, or a number.
 * @throws {InvalidArgumentError}
 */
export function parseCursor(cursor: unknown, nodeCount: number): ScanPlace {
  const text = Buffer.isBuffer(cursor) ? cursor.toString('latin1') : String(cursor);
  if (isCursorType(cursor) && text.length <= maxDigits && /^\d+$/.test(text)) {
    const value = BigInt(text);
    const place = value / BigInt(nodeCount);
    const serverCursor = place / BigInt(tagCount);
    if (serverCursor < serverCursorLimit) {
      const runTag = Number(place % BigInt(tagCount));
      return { nodeIndex: Number(value % BigInt(nodeCount)), serverCursor: `${serverCursor}`, runTag };
    }
  }
  throw new InvalidArgumentError('cursor', "'0', or the cursor that the previous page came with", cursor);
}

/** A number that is no safe integer has lost digits. */
const isCursorType = (cursor: unknown) =>
  typeof cursor === 'string' ||
  (typeof cursor === 'number' && Number.isSafeInteger(cursor)) ||
  typeof cursor === 'bigint' ||
  Buffer.isBuffer(cursor);
