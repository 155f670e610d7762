/**
 * SCAN over all nodes, in two forms: an async iterable of keys that asks the nodes concurrently, and one page at a time with
 * a decimal cursor, as ioredis has it.
 *
 * What SCAN promises on one server holds for all of them: a key that is there from the beginning to the end comes at least
 * once; one that comes or goes meanwhile may or may not. Of a key with copies only its first owner's counts, so that it comes
 * once; a key that lies at a node that does not own it is left out, as reads do not find it either.
 */

import { ownBytes } from '../../runtime/own-bytes.ts';
import { type ScanPosition, scanStart } from '../../server/index.ts';
import { routingTextOf, shownTextOf } from '../key-text.ts';
import { readBookmark, writeBookmark } from './scan-bookmark.ts';
import { nextCursor, parseCursor, runTagOf } from './scan-cursor.ts';
import { keyScanOptions, parseScan, type ScanArgument, type ScanOptions } from './scan-options.ts';
import { PageReader, type ScanNode, type ScanPage } from './scan-pages.ts';

/** True if a read of the key would be served by the node first. @param key  As stored, as text. */
export type IsOwner = (key: string, nodeId: string) => boolean;

/**
 * The keys of all nodes. Iterated over once; leaving the loop ends it, and {@link cursor} then tells a new scan where to go
 * on.
 */
export class KeyScan<Key extends string | Buffer> implements AsyncIterableIterator<Key>, AsyncDisposable {
  readonly #pages: PageReader;
  readonly #scanned: string;
  readonly #keys: AsyncGenerator<Key, void, undefined>;

  constructor(pages: PageReader, scanned: string, isOwner: IsOwner, keyOf: (bytes: Buffer) => Key) {
    this.#pages = pages;
    this.#scanned = scanned;
    this.#keys = keysOf(pages, isOwner, keyOf);
  }

  /**
   * Where the scan stands now, as an opaque string for `scan({ cursor })`. The page in hand of each node is given again, and
   * no key is lost. Good after an error too, and as long as the nodes stay the same. A node whose server is another process
   * by then (it restarted, or a replica was promoted) is scanned from its start.
   */
  get cursor(): string {
    return writeBookmark(this.#pages.positions, this.#scanned);
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
 * @param nodes  All nodes, in any order.
 * @throws {InvalidArgumentError} An option is wrong, or its cursor is of other nodes or of another scan.
 */
export function scanKeys(
  nodes: readonly ScanNode[],
  options: ScanOptions & { readonly buffers: true },
  isOwner: IsOwner,
): KeyScan<Buffer>;
export function scanKeys(
  nodes: readonly ScanNode[],
  options: ScanOptions & { readonly buffers?: false | undefined },
  isOwner: IsOwner,
): KeyScan<string>;
export function scanKeys(nodes: readonly ScanNode[], options: ScanOptions, isOwner: IsOwner): KeyScan<string | Buffer>;
export function scanKeys(nodes: readonly ScanNode[], options: ScanOptions, isOwner: IsOwner): KeyScan<string | Buffer> {
  const { args, scanned, signal, cursor, buffers } = parseScan(options, keyScanOptions);
  const ids = nodes.map(({ id }) => id);
  const positions = cursor === undefined ? startOf(ids) : readBookmark(cursor, ids, scanned);
  const pages = new PageReader(nodes, positions, args, signal);
  return new KeyScan<string | Buffer>(pages, scanned, isOwner, buffers ? ownBytes : shownTextOf);
}

const startOf = (nodeIds: readonly string[]) =>
  new Map<string, ScanPosition | undefined>(nodeIds.map((id) => [id, scanStart]));

/** The pages of all nodes, for `scanStream`: arguments as they are, and keys as bytes. */
export async function* scanAllPages(
  nodes: readonly ScanNode[],
  args: readonly ScanArgument[],
  isOwner: IsOwner,
): AsyncGenerator<Buffer[], void, undefined> {
  const positions = startOf(nodes.map(({ id }) => id));
  for await (const page of new PageReader(nodes, positions, args, undefined).read()) yield ownKeys(page, isOwner);
}

/**
 * ioredis' `scan(cursor, ...args)`: one page of one node, and the cursor of the next.
 *
 * The cursor is a number of the nodes as they are now: a change of the nodes begun meanwhile makes it lead elsewhere.
 * @throws {InvalidArgumentError} This is no cursor.
 */
export async function scanOnePage(
  nodes: readonly ScanNode[],
  cursor: unknown,
  args: readonly ScanArgument[],
  isOwner: IsOwner,
): Promise<readonly [cursor: string, keys: Buffer[]]> {
  const { nodeIndex, serverCursor, runTag } = parseCursor(cursor, nodes.length);
  const node = [...nodes].sort(byId)[nodeIndex]!;
  const run = serverCursor === '0' ? undefined : await node.runId();
  const isKnown = run !== undefined && runTagOf(run) === runTag;
  const { next, keys } = await node.scanPage(isKnown ? { cursor: serverCursor, run } : scanStart, args);
  const place = { nodeIndex, serverCursor: next?.cursor ?? '0', runTag: runTagOf(next?.run ?? '') };
  return [nextCursor(place, nodes.length), ownKeys({ nodeId: node.id, keys }, isOwner)];
}

/** By code units, which no locale changes. */
const byId = (a: ScanNode, b: ScanNode) => (a.id < b.id ? -1 : 1);
