/**
 * One cursor for the SCAN of several servers, in the form that ioredis' `scan(cursor, ...)` has: a decimal string, '0' to
 * begin and '0' at the end.
 *
 * The nodes are gone through one after the other, in the order of their ids:
 *
 *   cursor = ((serverCursor * 2^12 + runTag) * 2^12 + placementTag) * nodeCount + nodeIndex
 *
 *   serverCursor in [0, 2^64), runTag and placementTag in [0, 2^12), nodeIndex in [0, nodeCount)
 *
 * A server cursor of 0 means the start of a node's scan, and the end of it is the start of the next node's. So 0 comes up
 * only as the start of the first node and, for the caller, as the end of the last.
 *
 * One tag is of the run of the server that gave the cursor, which no other run understands (`scan-position.ts`). The other one
 * is of the placement: which nodes there were, and which keys counted at which of them. By another placement the number leads
 * elsewhere, so it is refused. Both have 12 bits, so that the cursors of a server with up to 2^29 / nodeCount keys are safe
 * integers, for those who make numbers of them. One restart in 4,096, and one change in 4,096, goes unnoticed by them.
 */

import { InvalidArgumentError, NodesChangedError } from '../../errors/index.ts';

export interface ScanPlace {
  readonly nodeIndex: number;
  /** Decimal, as the server wrote it. */
  readonly serverCursor: string;
  /** 0 at the start of a node. */
  readonly runTag: number;
}

/** What a cursor is of, beside its place. */
export interface ScannedPlacement {
  readonly nodeCount: number;
  readonly placementTag: number;
}

const tagCount = 2 ** 12;

/** @param text  A server's run id, or the checksum of a placement: as good as drawn at random. */
export function tagOf(text: string): number {
  let tag = 0;
  for (let index = 0; index < text.length; index++) tag = (tag * 31 + text.charCodeAt(index)) % tagCount;
  return tag;
}

/** Longer than any cursor of a million nodes, and short enough to be read quickly whatever it is. */
const maxDigits = 40;

const serverCursorLimit = 2n ** 64n;

/** The cursor for the caller once `nodeIndex` has answered with `serverCursor`, '0' being the end of that node. */
export function nextCursor({ nodeIndex, serverCursor, runTag }: ScanPlace, of: ScannedPlacement): string {
  if (serverCursor !== '0') return written({ nodeIndex, serverCursor, runTag }, of);
  return nodeIndex + 1 < of.nodeCount ? written({ nodeIndex: nodeIndex + 1, serverCursor, runTag: 0 }, of) : '0';
}

function written(
  { nodeIndex, serverCursor, runTag }: ScanPlace,
  { nodeCount, placementTag }: ScannedPlacement,
): string {
  const tagged = (BigInt(serverCursor) * tags + BigInt(runTag)) * tags + BigInt(placementTag);
  return `${tagged * BigInt(nodeCount) + BigInt(nodeIndex)}`;
}

const tags = BigInt(tagCount);

/**
 * @param cursor  '0', or what {@link nextCursor} gave. Digits as a string or bytes, or a number.
 * @throws {InvalidArgumentError} It is no cursor.
 * @throws {NodesChangedError} It is of another placement.
 */
export function parseCursor(cursor: unknown, { nodeCount, placementTag }: ScannedPlacement): ScanPlace {
  const text = Buffer.isBuffer(cursor) ? cursor.toString('latin1') : String(cursor);
  if (isCursorType(cursor) && text.length <= maxDigits && /^\d+$/.test(text)) {
    const value = BigInt(text);
    if (value === 0n) return { nodeIndex: 0, serverCursor: '0', runTag: 0 };
    const tagged = value / BigInt(nodeCount);
    const serverCursor = tagged / tags / tags;
    if (serverCursor < serverCursorLimit) {
      if (tagged % tags !== BigInt(placementTag)) throw new NodesChangedError('scan', ofOthers, { retryable: false });
      const nodeIndex = Number(value % BigInt(nodeCount));
      return { nodeIndex, serverCursor: `${serverCursor}`, runTag: Number((tagged / tags) % tags) };
    }
  }
  throw new InvalidArgumentError('cursor', "'0', or the cursor that the previous page came with", cursor);
}

const ofOthers =
  "the cursor is of other nodes, weights or placement than there are now. Begin the scan anew, with '0'.";

/** A number that is no safe integer has lost digits. */
const isCursorType = (cursor: unknown) =>
  typeof cursor === 'string' ||
  (typeof cursor === 'number' && Number.isSafeInteger(cursor)) ||
  typeof cursor === 'bigint' ||
  Buffer.isBuffer(cursor);
