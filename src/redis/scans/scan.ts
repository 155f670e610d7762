/**
 * SCAN over all nodes, in two forms: an async iterable of keys that asks the nodes concurrently, and one page at a time with
 * a decimal cursor, as ioredis has it.
 *
 * What SCAN promises on one server holds for all of them: a key that is there from the beginning to the end comes at least
 * once; one that comes or goes meanwhile may or may not. Of a key with copies only its first owner's counts, so that it comes
 * once; a key that lies at a node that does not own it is left out, as reads do not find it either.
 *
 * A scan keeps to the nodes and the placement that it began with. It ends with an error if one of these nodes is removed before
 * it has been read, and a cursor of another placement is refused.
 */

import { ownBytes } from '../../runtime/own-bytes.ts';
import { type ScanPosition, scanStart } from '../../server/index.ts';
import { routingTextOf, shownTextOf } from '../key-text.ts';
import { type BookmarkedScan, readBookmark, writeBookmark } from './scan-bookmark.ts';
import { nextCursor, parseCursor, tagOf } from './scan-cursor.ts';
import { keyScanOptions, parseScan, type ScanArgument, type ScanOptions } from './scan-options.ts';
import { PageReader, type ScanNode, type ScanPage } from './scan-pages.ts';

/** True if a read of the key would be served by the node first. @param key  As stored, as text. */
export type IsOwner = (key: string, nodeId: string) => boolean;

/** What a scan keeps to from its beginning to its end. */
export interface ScanScope {
  /** In any order. */
  readonly nodes: readonly ScanNode[];
  readonly isOwner: IsOwner;
  /** Of the placement that says who owns what. */
  readonly checksum: string;
}

/**
 * The keys of all nodes. Iterated over once; leaving the loop ends it, and {@link cursor} then tells a new scan where to go
 * on.
 */
export class KeyScan<Key extends string | Buffer> implements AsyncIterableIterator<Key>, AsyncDisposable {
  readonly #pages: PageReader;
  readonly #bookmarked: BookmarkedScan;
  readonly #keys: AsyncGenerator<Key, void, undefined>;

  constructor(pages: PageReader, bookmarked: BookmarkedScan, isOwner: IsOwner, keyOf: (bytes: Buffer) => Key) {
    this.#pages = pages;
    this.#bookmarked = bookmarked;
    this.#keys = keysOf(pages, isOwner, keyOf);
  }

  /**
   * Where the scan stands now, as an opaque string for `scan({ cursor })`. The page in hand of each node is given again, and
   * no key is lost. Good after an error too, and as long as the nodes and their weights stay the same. A node whose server is another process
   * by then (it restarted, or a replica was promoted) is scanned from its start.
   */
  get cursor(): string {
    return writeBookmark(this.#pages.positions, this.#bookmarked);
  }

  /** The node whose failure ended the scan, if one did. */
  get failedNode(): string | undefined {
    return this.#pages.failedNode;
  }

  next(): Promise<IteratorResult<Key, void>> {
    return this.#keys.next();
  }

  return(): Promise<IteratorResult<Key, void>> {
    return this.#keys.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The same as leaving the loop. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}

async function* keysOf<Key>(
  pages: PageReader,
  isOwner: IsOwner,
  keyOf: (bytes: Buffer) => Key,
): AsyncGenerator<Key, void, undefined> {
  for await (const page of pages.read()) {
    for (const bytes of ownKeys(page, isOwner)) yield keyOf(bytes);
  }
}

const ownKeys = ({ nodeId, keys }: ScanPage, isOwner: IsOwner): Buffer[] =>
  keys.filter((bytes) => isOwner(routingTextOf(bytes), nodeId));

/**
 * @throws {InvalidArgumentError} An option is wrong, or its cursor is none or of another scan.
 * @throws {NodesChangedError} Its cursor is of other nodes or of another placement.
 */
export function scanKeys(scope: ScanScope, options: ScanOptions & { readonly buffers: true }): KeyScan<Buffer>;
export function scanKeys(
  scope: ScanScope,
  options: ScanOptions & { readonly buffers?: false | undefined },
): KeyScan<string>;
export function scanKeys(scope: ScanScope, options: ScanOptions): KeyScan<string | Buffer>;
export function scanKeys({ nodes, isOwner, checksum }: ScanScope, options: ScanOptions): KeyScan<string | Buffer> {
  const { args, scanned, signal, cursor, buffers } = parseScan(options, keyScanOptions);
  const ids = nodes.map(({ id }) => id);
  const bookmarked = { scanned, checksum };
  const positions = cursor === undefined ? startOf(ids) : readBookmark(cursor, ids, bookmarked);
  const pages = new PageReader(nodes, positions, args, signal);
  return new KeyScan<string | Buffer>(pages, bookmarked, isOwner, buffers ? ownBytes : shownTextOf);
}

const startOf = (nodeIds: readonly string[]) =>
  new Map<string, ScanPosition | undefined>(nodeIds.map((id) => [id, scanStart]));

/** The pages of all nodes, for `scanStream`: arguments as they are, and keys as bytes. */
export async function* scanAllPages(
  { nodes, isOwner }: ScanScope,
  args: readonly ScanArgument[],
): AsyncGenerator<Buffer[], void, undefined> {
  const positions = startOf(nodes.map(({ id }) => id));
  for await (const page of new PageReader(nodes, positions, args, undefined).read()) yield ownKeys(page, isOwner);
}

/**
 * ioredis' `scan(cursor, ...args)`: one page of one node, and the cursor of the next.
 *
 * @throws {InvalidArgumentError} This is no cursor.
 * @throws {NodesChangedError} It is of other nodes or of another placement.
 */
export async function scanOnePage(
  { nodes, isOwner, checksum }: ScanScope,
  cursor: unknown,
  args: readonly ScanArgument[],
): Promise<readonly [cursor: string, keys: Buffer[]]> {
  const scanned = { nodeCount: nodes.length, placementTag: tagOf(checksum) };
  const { nodeIndex, serverCursor, runTag } = parseCursor(cursor, scanned);
  const node = [...nodes].sort(byId)[nodeIndex]!;
  const run = serverCursor === '0' ? undefined : await node.runId();
  const isKnown = run !== undefined && tagOf(run) === runTag;
  const { next, keys } = await node.scanPage(isKnown ? { cursor: serverCursor, run } : scanStart, args);
  const place = { nodeIndex, serverCursor: next?.cursor ?? '0', runTag: tagOf(next?.run ?? '') };
  return [nextCursor(place, scanned), ownKeys({ nodeId: node.id, keys }, isOwner)];
}

/** By code units, which no locale changes. */
const byId = (a: ScanNode, b: ScanNode) => (a.id < b.id ? -1 : 1);
