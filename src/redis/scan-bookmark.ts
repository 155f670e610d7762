/**
 * Where a scan of several nodes at once stands, as one opaque string: the `cursor` of `redis.scan({ ... })`.
 *
 * It holds the cursor of every node and what is scanned for, so that a cursor of other nodes or of another scan is noticed
 * and not followed. JSON in base64url, because it may travel in a URL and ids of nodes are any text.
 */

import { InvalidArgumentError } from '../errors/index.ts';

/** By node id: the server's cursor to go on from, '0' at the start, or undefined if the node is done. */
export type ServerCursors = ReadonlyMap<string, string | undefined>;

const version = 1;

/** @param scanned  What is scanned for, as text that is equal for equal scans. The size of pages is no part of it. */
export function writeBookmark(cursors: ServerCursors, scanned: string): string {
  const nodes = [...cursors].map(([id, cursor]) => (cursor === undefined ? [id] : [id, cursor]));
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
): Map<string, string | undefined> {
  const refuse = (expected: string, received: unknown = text) => new InvalidArgumentError('cursor', expected, received);
  const bookmark = typeof text === 'string' ? parse(text) : undefined;
  if (bookmark === undefined) throw refuse('the `cursor` of an earlier scan');
  if (bookmark.scanned !== scanned) throw refuse('the `cursor` of a scan with the same match and type');
  const unknown = [...bookmark.cursors.keys()].find((id) => !nodeIds.includes(id));
  if (unknown !== undefined) throw new InvalidArgumentError('cursor', sameNodes(nodeIds), unknown, true);
  if (bookmark.cursors.size !== nodeIds.length) {
    const added = nodeIds.filter((id) => !bookmark.cursors.has(id));
    throw new InvalidArgumentError('cursor', `${sameNodes(nodeIds)} (it knows nothing of ${added.join(', ')})`, text);
  }
  return bookmark.cursors;
}

/** The nodes that a bookmark is of, undefined if it is none. */
export function bookmarkedNodes(text: unknown): readonly string[] | undefined {
  const bookmark = typeof text === 'string' ? parse(text) : undefined;
  return bookmark === undefined ? undefined : [...bookmark.cursors.keys()];
}

const sameNodes = (nodeIds: readonly string[]) => `the \`cursor\` of a scan over the nodes ${nodeIds.join(', ')}`;

interface Bookmark {
  readonly scanned: string;
  readonly cursors: Map<string, string | undefined>;
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
  if (writtenBy !== version || typeof scanned !== 'string' || !Array.isArray(nodes)) return undefined;
  const cursors = new Map<string, string | undefined>();
  for (const node of nodes as unknown[]) {
    if (!Array.isArray(node)) return undefined;
    const [id, cursor] = node as unknown[];
    if (typeof id !== 'string' || cursors.has(id)) return undefined;
    if (cursor !== undefined && (typeof cursor !== 'string' || !/^\d{1,20}$/.test(cursor))) return undefined;
    cursors.set(id, cursor);
  }
  return { scanned, cursors };
}
