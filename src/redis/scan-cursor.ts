/**
 * One cursor for the SCAN of several servers, in the form that ioredis' `scan(cursor, ...)` has: a decimal string, '0' to
 * begin and '0' at the end.
 *
 * The nodes are gone through one after the other, in the order of their ids:
 *
 *   cursor = serverCursor * nodeCount + nodeIndex      serverCursor in [0, 2^64), nodeIndex in [0, nodeCount)
 *
 * A server cursor of 0 means the start of a node's scan, and the end of it is the start of the next node's. So 0 comes up
 * only as the start of the first node and, for the caller, as the end of the last. With one node the cursor is the server's.
 *
 * The number says nothing of which nodes there were: it is good for as long as the nodes stay the same.
 */

import { InvalidArgumentError } from '../errors/index.ts';

export interface ScanPlace {
  readonly nodeIndex: number;
  /** Decimal, as the server wrote it. */
  readonly serverCursor: string;
}

/** Longer than any cursor of a million nodes, and short enough to be read quickly whatever it is. */
const maxDigits = 40;

const serverCursorLimit = 2n ** 64n;

/** The cursor for the caller once `nodeIndex` has answered with `serverCursor`, '0' being the end of that node. */
export function nextCursor({ nodeIndex, serverCursor }: ScanPlace, nodeCount: number): string {
  if (serverCursor !== '0') return `${BigInt(serverCursor) * BigInt(nodeCount) + BigInt(nodeIndex)}`;
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
    const serverCursor = value / BigInt(nodeCount);
    if (serverCursor < serverCursorLimit) {
      return { nodeIndex: Number(value % BigInt(nodeCount)), serverCursor: `${serverCursor}` };
    }
  }
  throw new InvalidArgumentError('cursor', "'0', or the cursor that the previous page came with", cursor);
}

const isCursorType = (cursor: unknown) =>
  typeof cursor === 'string' || typeof cursor === 'number' || typeof cursor === 'bigint' || Buffer.isBuffer(cursor);
