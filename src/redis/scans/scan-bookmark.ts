/**
 * Where a scan of several nodes at once stands, as one opaque string: the `cursor` of `redis.scan({ ... })`.
 *
 * It holds the cursor of every node, the run of the server it is from, and what is scanned for. So a cursor of other nodes,
 * of another process or of another scan is noticed and not followed. It is JSON in base64url, because it may travel in a URL
 * and ids of nodes are any text.
 */

import { InvalidArgumentError } from '../../errors/index.ts';
import { type ScanPosition, scanStart } from '../../server/index.ts';

/** By node id: the position to go on from, or undefined if the node is done. */
export type ScanPositions = ReadonlyMap<string, ScanPosition | undefined>;

/** Version 1 had no runs. Its cursors could be anybody's, so the nodes that were not done begin anew. */
const version = 2;

/** @param scanned  What is scanned for, as text that is equal for equal scans. The size of pages is no part of it. */
export function writeBookmark(positions: ScanPositions, scanned: string): string {
  const nodes = [...positions].map(([id, position]) => {
    if (position === undefined) return [id];
    const { cursor, run } = position;
    return run === undefined ? [id, cursor] : [id, cursor, run];
  });
  return Buffer.from(JSON.stringify([version, scanned, nodes])).toString('base64url');
}

/**
 * @param nodeIds  The nodes there are now; the bookmark must be of the same ones.
 * @throws {InvalidArgumentError}
 */
export function readBookmark(
  text: unknown,
  nodeIds: readonly string[],
  scanned: string,
): Map<string, ScanPosition | undefined> {
  const refuse = (expected: string) => new InvalidArgumentError('options.cursor', expected, text);
  const bookmark = typeof text === 'string' ? parse(text) : undefined;
  if (bookmark === undefined) throw refuse('the `cursor` of an earlier scan');
  if (bookmark.scanned !== scanned) throw refuse('the `cursor` of a scan with the same match and type');
  const unknown = [...bookmark.positions.keys()].find((id) => !nodeIds.includes(id));
  if (unknown !== undefined) throw new InvalidArgumentError('options.cursor', sameNodes(nodeIds), unknown, true);
  if (bookmark.positions.size !== nodeIds.length) {
    const added = nodeIds.filter((id) => !bookmark.positions.has(id));
    throw refuse(`${sameNodes(nodeIds)} (it knows nothing of ${added.join(', ')})`);
  }
  return bookmark.positions;
}

/** The nodes that a bookmark is of, undefined if it is none. */
export function bookmarkedNodes(text: unknown): readonly string[] | undefined {
  const bookmark = typeof text === 'string' ? parse(text) : undefined;
  return bookmark === undefined ? undefined : [...bookmark.positions.keys()];
}

const sameNodes = (nodeIds: readonly string[]) => `the \`cursor\` of a scan over the nodes ${nodeIds.join(', ')}`;

interface Bookmark {
  readonly scanned: string;
  readonly positions: Map<string, ScanPosition | undefined>;
}

function parse(text: string): Bookmark | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return undefined;
  }
  if (!Array.isArray(value) || value.length !== 3) return undefined;
  const [writtenBy, scanned, nodes] = value as unknown[];
  if (writtenBy !== 1 && writtenBy !== version) return undefined;
  if (typeof scanned !== 'string' || !Array.isArray(nodes)) return undefined;
  const positions = new Map<string, ScanPosition | undefined>();
  for (const node of nodes as unknown[]) {
    if (!Array.isArray(node)) return undefined;
    const [id, ...place] = node as unknown[];
    if (typeof id !== 'string' || positions.has(id)) return undefined;
    const position = place.length === 0 ? 'done' : positionOf(place);
    if (position === undefined) return undefined;
    positions.set(id, position === 'done' ? undefined : position);
  }
  return { scanned, positions };
}

/** Of a cursor without a run nothing is known but that it was not the end. */
function positionOf([cursor, run]: readonly unknown[]): ScanPosition | undefined {
  if (typeof cursor !== 'string' || !/^\d{1,20}$/.test(cursor)) return undefined;
  if (run === undefined) return scanStart;
  return typeof run === 'string' && /^[\w-]{1,64}$/.test(run) ? { cursor, run } : undefined;
}
