/** The scans of a ShardedRedis: which nodes are asked, over what, and which of their keys count. */

import type { NodeId } from '../../placement/node.ts';
import type { Fleet } from '../../routing/fleet.ts';
import { ownBytes } from '../../runtime/own-bytes.ts';
import { type CallLimits, type CommandArgument, pageAt, type ScanPosition } from '../../server/index.ts';
import { copiesOf, holdersOf } from '../../topology/topology.ts';
import type { ReplyEncoding } from '../commander.ts';
import { shownTextOf } from '../key-text.ts';
import { type NodeCaller, NodeCommand } from '../node-caller.ts';
import {
  type ElementCommand,
  type ElementPage,
  type ElementScan,
  type ReadElements,
  type ScannedElement,
  scanElements,
} from './element-scan.ts';
import { type IsOwner, type KeyScan, scanAllPages, scanKeys, scanOnePage } from './scan.ts';
import type { ElementScanOptions, ScanArgument, ScanOptions } from './scan-options.ts';
import { nodesToScan, ownerAmong } from './scan-owner.ts';
import type { ScanNode } from './scan-pages.ts';
import { elementPages, ScanStream, type ScanStreamOptions, streamArguments } from './scan-stream.ts';

/** See `Dispatcher.readKey`. */
type ReadKey = <Reply>(
  name: string,
  key: string | Buffer,
  ask: (node: NodeId, storedKey: CommandArgument, limits: CallLimits) => Promise<Reply>,
  preferred: NodeId | undefined,
) => Promise<Reply>;

export class Scans {
  readonly #fleet: Fleet;
  readonly #caller: NodeCaller;
  readonly #keyPrefix: string;
  readonly #readKey: ReadKey;
  readonly #begin: () => void;

  /** @param begin  Called before every page: throws if the client is closed, and connects it if it is not connected yet. */
  constructor(fleet: Fleet, caller: NodeCaller, keyPrefix: string, readKey: ReadKey, begin: () => void) {
    this.#fleet = fleet;
    this.#caller = caller;
    this.#keyPrefix = keyPrefix;
    this.#readKey = readKey;
    this.#begin = begin;
  }

  keys(options: ScanOptions): KeyScan<string | Buffer> {
    const { nodes, isOwner } = this.#scope('scan', options.cursor);
    return scanKeys(nodes, options, isOwner);
  }

  elements<Name extends ElementCommand>(
    command: Name,
    key: string | Buffer,
    options: ElementScanOptions,
  ): ElementScan<ScannedElement<string>[Name]> {
    return scanElements(command, this.#elementReader(command, key), options);
  }

  /** ioredis' `scan(cursor, ...)`. */
  async page(
    cursor: unknown,
    args: readonly unknown[],
    encoding: ReplyEncoding,
  ): Promise<[string | Buffer, unknown[]]> {
    const limits = this.#caller.limits();
    const [next, keys] = await scanOnePage(
      this.#everyNode('scan', () => limits),
      cursor,
      args.flat() as ScanArgument[],
      // Every page asks all nodes, so a key is its primary's.
      ownerAmong(this.#caller.ids, (stored) => holdersOf(this.#fleet.topology, this.#unprefixed(stored))),
    );
    return [encoding === null ? Buffer.from(next) : next, keys.map(itemIn(encoding))];
  }

  keyStream(options: ScanStreamOptions, encoding: ReplyEncoding): ScanStream<string | Buffer> {
    const { nodes, isOwner } = this.#scope('scan');
    const pages = scanAllPages(nodes, streamArguments(options), isOwner);
    return new ScanStream(itemsOf(pages, encoding), options);
  }

  elementStream(
    command: ElementCommand,
    key: string | Buffer,
    options: ScanStreamOptions,
    encoding: ReplyEncoding,
  ): ScanStream<string | Buffer> {
    const pages = elementPages(this.#elementReader(command, key), streamArguments(options));
    return new ScanStream(itemsOf(pages, encoding), options);
  }

  /** With copies it stays with the holder that answered last: at another one the scan would begin anew. */
  #elementReader(command: ElementCommand, key: string | Buffer): ReadElements {
    let lastHolder: NodeId | undefined;
    return async (position, args) => {
      const ask = async (id: NodeId, storedKey: CommandArgument, limits: CallLimits) => ({
        holder: id,
        page: await this.#pageAt(id, command, position, (cursor) => [storedKey, cursor, ...args], limits),
      });
      const { holder, page } = await this.#readKey(command, key, ask, lastHolder);
      lastHolder = holder;
      return page;
    };
  }

  async #pageAt(
    id: NodeId,
    command: string,
    position: ScanPosition,
    argsAt: (cursor: string) => readonly CommandArgument[],
    limits: CallLimits,
  ): Promise<ElementPage> {
    const ask = async (cursor: string) =>
      pageOf(await this.#caller.call(id, new NodeCommand(command, argsAt(cursor), false), limits));
    const { page, next } = await pageAt(this.#caller.serverOf(id, command), position, command, limits, ask);
    return { next, items: page.items };
  }

  /** The nodes to ask and whose copies count: settled here, for as long as the scan runs. */
  #scope(command: string, cursor?: unknown): { nodes: ScanNode[]; isOwner: IsOwner } {
    const { health, topology } = this.#fleet;
    const all = this.#everyNode(command);
    const ids = nodesToScan(this.#caller.ids, copiesOf(topology), (id) => health.stateOf(id) !== 'down', cursor);
    return {
      nodes: all.filter(({ id }) => ids.includes(id)),
      isOwner: ownerAmong(ids, (stored) => holdersOf(topology, this.#unprefixed(stored))),
    };
  }

  /** The prefix is no part of what is hashed. */
  #unprefixed(stored: string): string {
    return stored.startsWith(this.#keyPrefix) ? stored.slice(this.#keyPrefix.length) : stored;
  }

  /** @param limitsOf  Of each step. Default: a page is a call of its own. */
  #everyNode(command: string, limitsOf = () => this.#caller.limits()): ScanNode[] {
    return this.#caller.ids.map((id) => ({
      id,
      scanPage: async (position, args) => {
        this.#begin();
        const { next, items } = await this.#pageAt(id, command, position, (cursor) => [cursor, ...args], limitsOf());
        return { next, keys: items };
      },
      runId: async () => {
        this.#begin();
        this.#caller.inService(id, command);
        return this.#caller.serverOf(id, command).runId(command, limitsOf());
      },
    }));
  }
}

/** A reply of SCAN and its kin, as the server sends it. */
function pageOf(reply: unknown): { readonly cursor: string; readonly items: Buffer[] } {
  const [cursor, items] = reply as [Buffer, Buffer[]];
  return { cursor: cursor.toString(), items };
}

const itemIn =
  (encoding: ReplyEncoding) =>
  (bytes: Buffer): string | Buffer =>
    encoding === null ? ownBytes(bytes) : shownTextOf(bytes);

async function* itemsOf(
  pages: AsyncIterable<readonly Buffer[], void, undefined>,
  encoding: ReplyEncoding,
): AsyncGenerator<(string | Buffer)[], void, undefined> {
  for await (const page of pages) yield page.map(itemIn(encoding));
}
