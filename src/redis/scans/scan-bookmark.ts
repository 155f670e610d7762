/**
 * Where a scan of several nodes at once stands, as one opaque string: the `cursor` of `redis.scan({ ... })`.
 *
 * It holds the cursor of every node, the run of the server it is from, what is scanned for, and by which placement. So a cursor
 * of other nodes, of another process or of another scan is noticed and not followed. It is JSON in base64url, because it may
 * travel in a URL and ids of nodes are any text.
 */

import { InvalidArgumentError, NodesChangedError } from '../../errors/index.ts';
import { type ScanPosition, scanStart } from '../../server/index.ts';

/** By node id: the position to go on from, or undefined if the node is done. */
export type ScanPositions = ReadonlyMap<string, ScanPosition | undefined>;

/**
 * Version 1 had no runs. Its cursors could be anybody's, so the nodes that were not done begin anew. Version 2 had no checksum
 * of the placement, so that it is taken where the nodes are the same.
 */
const version = 3;

/** What a bookmark is of, beside its positions. */
export interface BookmarkedScan {
  /** What is scanned for, as text that is equal for equal scans. The size of pages is no part of it. */
  readonly scanned: string;
  /** By which it is decided where a key counts. */
  readonly checksum: string;
}

export function writeBookmark(positions: ScanPositions, { scanned, checksum }: BookmarkedScan): string {
  const nodes = [...positions].map(([id, position]) => {
    if (position === undefined) return [id];
    const { cursor, run } = position;
    return run === undefined ? [id, cursor] : [id, cursor, run];
  });
  return Buffer.from(JSON.stringify([version, scanned, nodes, checksum])).toString('base64url');
}

/**
 * @param nodeIds  The nodes to scan now; the bookmark must be of the same ones.
 * @throws {InvalidArgumentError} It is none, or of a scan for something else.
 * @throws {NodesChangedError} It is of other nodes, or of another placement.
 */
export function readBookmark(
  text: unknown,
  nodeIds: readonly string[],
  { scanned, checksum }: BookmarkedScan,
): Map<string, ScanPosition | undefined> {
  const refuse = (expected: string) => new InvalidArgumentError('options.cursor', expected, text);
  const bookmark = typeof text === 'string' ? parse(text) : undefined;
  if (bookmark === undefined) throw refuse('the `cursor` of an earlier scan');
  if (bookmark.scanned !== scanned) throw refuse('the `cursor` of a scan with the same match and type');
  const { positions } = bookmark;
  const gone = [...positions.keys()].filter((id) => !nodeIds.includes(id));
  const added = nodeIds.filter((id) => !positions.has(id));
  if (gone.length > 0) throw changed(`${gone.join(', ')} left, and the nodes are ${nodeIds.join(', ')}`, gone[0]);
  if (added.length > 0) throw changed(`it knows nothing of ${added.join(', ')}`);
  if (bookmark.checksum !== undefined && bookmark.checksum !== checksum) {
    throw changed('weights or the placement were others, so that keys count at other nodes now');
  }
  return positions;
}

function changed(how: string, node?: string): NodesChangedError {
  const message = `options.cursor cannot be followed: ${how}. Begin the scan anew, without it.`;
  return new NodesChangedError('scan', message, { node, retryable: false });
}

/** The nodes that a bookmark is of, undefined if it is none. */
export function bookmarkedNodes(text: unknown): readonly string[] | undefined {
  const bookmark = typeof text === 'string' ? parse(text) : undefined;
  return bookmark === undefined ? undefined : [...bookmark.positions.keys()];
}

interface Bookmark {
  readonly scanned: string;
  readonly checksum: string | undefined;
  readonly positions: Map<string, ScanPosition | undefined>;
}

function parse(text: string): Bookmark | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  const [writtenBy, scanned, nodes, checksum] = value as unknown[];
  const hasItsForm =
    writtenBy === version
      ? value.length === 4 && typeof checksum === 'string'
      : value.length === 3 && (writtenBy === 1 || writtenBy === 2);
  if (!hasItsForm || typeof scanned !== 'string' || !Array.isArray(nodes)) return undefined;
  const positions = new Map<string, ScanPosition | undefined>();
  for (const node of nodes as unknown[]) {
    if (!Array.isArray(node)) return undefined;
    const [id, ...place] = node as unknown[];
    if (typeof id !== 'string' || positions.has(id)) return undefined;
    const position = place.length === 0 ? 'done' : positionOf(place);
    if (position === undefined) return undefined;
    positions.set(id, position === 'done' ? undefined : position);
  }
  return { scanned, checksum: checksum as string | undefined, positions };
}

/** Of a cursor without a run nothing is known but that it was not the end. */
function positionOf([cursor, run]: readonly unknown[]): ScanPosition | undefined {
  if (typeof cursor !== 'string' || !/^\d{1,20}$/.test(cursor)) return undefined;
  if (run === undefined) return scanStart;
  return typeof run === 'string' && /^[\w-]{1,64}$/.test(run) ? { cursor, run } : undefined;
}
